"""The assisted desk's tables: the work list and what is typed back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go on to this revision."""
    _work()
    _typings()


def downgrade() -> None:
    """Go back to the revision before."""
    op.drop_index("assisted_typings_status", table_name="assisted_typings")
    op.drop_index("assisted_typings_case", table_name="assisted_typings")
    op.drop_table("assisted_typings")
    op.drop_index("assisted_work_case", table_name="assisted_work")
    op.drop_index("assisted_work_done", table_name="assisted_work")
    op.drop_index("assisted_work_unit", table_name="assisted_work")
    op.drop_table("assisted_work")


def _work() -> None:
    op.create_table(
        "assisted_work",
        sa.Column("message_id", sa.LargeBinary(), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("case_origin", sa.Text(), nullable=False),
        sa.Column("case_id", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("header_digest", sa.LargeBinary(), nullable=False),
        sa.Column("listed_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("handed_over_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("handed_over_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("message_id"),
    )
    op.create_index(
        "assisted_work_unit", "assisted_work", ["unit", "done", "message_id"], unique=False
    )
    op.create_index("assisted_work_done", "assisted_work", ["done", "message_id"], unique=False)
    op.create_index(
        "assisted_work_case",
        "assisted_work",
        ["case_origin", "case_id", "message_id"],
        unique=False,
    )


def _typings() -> None:
    op.create_table(
        "assisted_typings",
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("natural_key", sa.Text(), nullable=False),
        sa.Column("work_id", sa.LargeBinary(), nullable=False),
        sa.Column("case_origin", sa.Text(), nullable=False),
        sa.Column("case_id", sa.LargeBinary(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("typed_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("typed_by", sa.Text(), nullable=False),
        sa.Column("confirmed_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_by", sa.Text(), nullable=False),
        sa.Column("message_id", sa.LargeBinary(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("settled_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("typed", sa.LargeBinary(), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("partner", "natural_key"),
    )
    op.create_index(
        "assisted_typings_case",
        "assisted_typings",
        ["case_origin", "case_id", "typed_at_ms", "natural_key"],
        unique=False,
    )
    op.create_index(
        "assisted_typings_status",
        "assisted_typings",
        ["status", "typed_at_ms", "natural_key"],
        unique=False,
    )
