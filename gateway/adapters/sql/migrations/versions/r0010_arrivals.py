"""What partners' own platforms sent, the numbers they use, and what may be said only once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_TEXTS = ("partner", "adapter", "operation")


def upgrade() -> None:
    """Go on to this revision."""
    op.create_table(
        "arrivals",
        sa.Column("arrival_id", sa.LargeBinary(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in _TEXTS),
        sa.Column("strength", sa.SmallInteger(), nullable=False),
        sa.Column("natural_key", sa.Text(), nullable=False),
        sa.Column("content_digest", sa.LargeBinary(), nullable=False),
        sa.Column("raw_digest", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("received_at_ms", sa.BigInteger(), nullable=False),
        *(sa.Column(n, sa.Text(), nullable=False) for n in ("status", "source", "rule", "detail")),
        sa.Column("case_origin", sa.Text(), nullable=False),
        sa.Column("case_id", sa.LargeBinary(), nullable=False),
        sa.Column("message_id", sa.LargeBinary(), nullable=False),
        sa.Column("settled_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("arrival_id"),
    )
    op.create_index("arrivals_key", "arrivals", ["partner", "natural_key", "arrival_id"])
    op.create_index("arrivals_status", "arrivals", ["status", "arrival_id"])
    op.create_index("arrivals_held", "arrivals", ["partner", "status", "size"])
    op.create_table(
        "case_numbers",
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("case_id", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("partner", "number"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "arrival_nonces",
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("partner", "nonce"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Go back to the revision before."""
    op.drop_table("arrival_nonces")
    op.drop_table("case_numbers")
    for name in ("arrivals_held", "arrivals_status", "arrivals_key"):
        op.drop_index(name, table_name="arrivals")
    op.drop_table("arrivals")
