"""Joint tasks: which main case each belongs to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go on to this revision."""
    op.create_table(
        "joint_tasks",
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("case_id", sa.LargeBinary(), nullable=False),
        sa.Column("parent_origin", sa.Text(), nullable=False),
        sa.Column("parent_case_id", sa.LargeBinary(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("participant", sa.Text(), nullable=False),
        sa.Column("asked_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("due_on", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("origin", "case_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "joint_tasks_parent",
        "joint_tasks",
        ["parent_origin", "parent_case_id", "number"],
    )


def downgrade() -> None:
    """Go back to the revision before."""
    op.drop_index("joint_tasks_parent", table_name="joint_tasks")
    op.drop_table("joint_tasks")
