"""Item lists change by messages, and in steps that nobody sees before the last."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_NUMBERS = ("rows", "added", "changed", "ended")
_EDITION = ("region", "number", "imported_at_ms", "source", *_NUMBERS)
_HISTORY = ["region", "code", "listed_from_ms"]


def upgrade() -> None:
    """Go on to this revision."""
    told = sa.Column("told", sa.BigInteger(), nullable=False)
    digest = sa.Column("digest", sa.LargeBinary(), nullable=False)
    _editions([told, digest], [sa.literal(0), sa.literal(b"")])
    op.drop_index("item_list_history", table_name="item_list")
    op.create_index("item_list_history", "item_list", [*_HISTORY, "listed_until_ms"])
    op.create_table(
        "item_staging",
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("first_position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("region"),
        sqlite_with_rowid=False,
    )
    _told()
    _tellings()


def _editions(added: list[sa.Column[Any]], values: list[Any]) -> None:
    """Make the table anew with other columns behind the first, and keep its rows."""
    op.rename_table("item_editions", "item_editions_before")
    made = op.create_table(
        "item_editions",
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("imported_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.LargeBinary(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in _NUMBERS),
        *added,
        sa.PrimaryKeyConstraint("region", "number"),
        sqlite_with_rowid=False,
    )
    before = sa.table("item_editions_before", *(sa.column(name) for name in _EDITION))
    names = [*_EDITION, *(column.name for column in added)]
    op.execute(made.insert().from_select(names, sa.select(*before.columns, *values)))
    op.drop_table("item_editions_before")


def _told() -> None:
    op.create_table(
        "item_told",
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("begun_ms", sa.BigInteger(), nullable=False),
        sa.Column("arrived", sa.BigInteger(), nullable=False),
        sa.Column("parts", sa.BigInteger(), nullable=False),
        sa.Column("published", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("region", "number"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "item_told_parts",
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("part", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("region", "number", "part"),
        sqlite_with_rowid=False,
    )


def _tellings() -> None:
    op.create_table(
        "item_tellings",
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("known", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("base", sa.BigInteger(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("queued", sa.BigInteger(), nullable=False),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.Column("settled", sa.BigInteger(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("partner"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Go back to the revision before."""
    for table in ("item_tellings", "item_told_parts", "item_told", "item_staging"):
        op.drop_table(table)
    op.drop_index("item_list_history", table_name="item_list")
    op.create_index("item_list_history", "item_list", _HISTORY)
    _editions([], [])
