"""Clocks of cases, and what they told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go on to this revision. Cases that are there already get their clocks as they change."""
    op.create_table(
        "case_clocks",
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("case_id", sa.LargeBinary(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("calendar", sa.Text(), nullable=False),
        sa.Column("closed_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("next_ms", sa.BigInteger(), nullable=True),
        sa.Column("late_from_ms", sa.BigInteger(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("origin", "case_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("case_clocks_next", "case_clocks", ["next_ms"])
    op.create_index(
        "case_clocks_late", "case_clocks", ["late_from_ms", "origin", "case_id", "unit"]
    )
    op.create_table(
        "clock_events",
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("case_id", sa.LargeBinary(), nullable=False),
        sa.Column("clock", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("kept_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("origin", "case_id", "clock", "number", "level"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Go back to no clocks."""
    op.drop_table("clock_events")
    op.drop_index("case_clocks_next", table_name="case_clocks")
    op.drop_index("case_clocks_late", table_name="case_clocks")
    op.drop_table("case_clocks")
