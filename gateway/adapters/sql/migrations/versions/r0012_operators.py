"""What operators did, as they signed it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go on to this revision."""
    op.create_table(
        "operator_acts",
        sa.Column("act_id", sa.LargeBinary(), nullable=False),
        *(sa.Column(n, sa.Text(), nullable=False) for n in ("command", "subject", "operator")),
        sa.Column("key_id", sa.LargeBinary(), nullable=False),
        sa.Column("acted_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        *(sa.Column(n, sa.LargeBinary(), nullable=False) for n in ("raw", "signature", "second")),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("settled_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("act_id"),
    )
    op.create_index("operator_acts_status", "operator_acts", ["status", "act_id"])
    op.create_index(
        "operator_acts_command",
        "operator_acts",
        ["command", "status", "settled_at_ms", "act_id"],
    )


def downgrade() -> None:
    """Go back to the revision before."""
    for name in ("operator_acts_command", "operator_acts_status"):
        op.drop_index(name, table_name="operator_acts")
    op.drop_table("operator_acts")
