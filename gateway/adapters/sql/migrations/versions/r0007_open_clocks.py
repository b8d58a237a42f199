"""The cases of a unit whose clocks are not closed can be found.

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go on to this revision."""
    op.create_index(
        "case_clocks_open", "case_clocks", ["closed_at_ms", "unit", "origin", "case_id"]
    )


def downgrade() -> None:
    """Go back to the revision before."""
    op.drop_index("case_clocks_open", table_name="case_clocks")
