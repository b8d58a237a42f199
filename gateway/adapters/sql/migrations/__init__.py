"""Bringing a database to the tables that this version of the gateway needs.

Alembic is loaded when there is something to bring: every command opens a journal, and seldom an
old one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection

HEAD: Final = "0013"
"""The revision that this version of the gateway needs."""


class LaterVersion(Exception):
    """The database is of a later version of the gateway."""


def config() -> Config:
    """Return what Alembic's commands need; `attributes["connection"]` is still to be set."""
    from alembic.config import Config

    settings = Config()
    settings.set_main_option("script_location", "gateway.adapters.sql:migrations")
    settings.set_main_option("path_separator", "os")
    return settings


def upgrade(connection: Connection) -> None:
    """Run the revisions that are missing; all of them or, if one fails, none.

    Raises:
        LaterVersion: see there.
    """
    from alembic import command
    from alembic.util import CommandError

    settings = config()
    settings.attributes["connection"] = connection
    try:
        command.upgrade(settings, "head")
    except CommandError as error:
        raise LaterVersion(str(error)) from error
