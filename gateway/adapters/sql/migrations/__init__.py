"""Bringing a database to the tables that this version of the gateway needs."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection


def config() -> Config:
    """Return what Alembic's commands need; `attributes["connection"]` is still to be set."""
    settings = Config()
    settings.set_main_option("script_location", "gateway.adapters.sql:migrations")
    settings.set_main_option("path_separator", "os")
    return settings


def head() -> str:
    """Return the revision that this version of the gateway needs."""
    revision = ScriptDirectory.from_config(config()).get_current_head()
    assert revision is not None
    return revision


def revision_of(connection: Connection) -> str:
    """Return the revision of a database; empty if it has none."""
    return MigrationContext.configure(connection).get_current_revision() or ""


def upgrade(connection: Connection) -> None:
    """Run the revisions that are missing; all of them or, if one fails, none.

    Raises:
        alembic.util.CommandError: the database is of a later version of the gateway.
    """
    settings = config()
    settings.attributes["connection"] = connection
    command.upgrade(settings, "head")
