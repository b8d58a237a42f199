"""The journal's first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go on to this revision."""
    _messages()
    _second_receipts()
    _cases()
    _outbox()
    _materials()
    _remembered()
    _evidence()
    _serials()
    _counters()
    _ledger_pending()


def downgrade() -> None:
    """Go back to no tables."""
    op.drop_table("serials")
    op.drop_table("second_receipts")
    op.drop_table("remembered")
    op.drop_index("outbox_message", table_name="outbox")
    op.drop_index("outbox_lane", table_name="outbox")
    op.drop_index("outbox_case", table_name="outbox")
    op.drop_table("outbox")
    op.drop_index("messages_id", table_name="messages")
    op.drop_index("messages_case", table_name="messages")
    op.drop_table("messages")
    op.drop_table("materials")
    op.drop_table("ledger_pending")
    op.drop_table("evidence")
    op.drop_table("counters")
    op.drop_index("cases_unit", table_name="cases")
    op.drop_index("cases_task", table_name="cases")
    op.drop_index("cases_id", table_name="cases")
    op.drop_table("cases")


def _messages() -> None:
    op.create_table(
        "messages",
        sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("message_id", sa.LargeBinary(), nullable=False),
        sa.Column("header_digest", sa.LargeBinary(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("counterpart", sa.Text(), nullable=False),
        sa.Column("case_origin", sa.Text(), nullable=True),
        sa.Column("case_id", sa.LargeBinary(), nullable=True),
        sa.Column("kind", sa.SmallInteger(), nullable=True),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.SmallInteger(), nullable=True),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("receipted_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("standing", sa.LargeBinary(), nullable=False),
        sa.Column("receipt", sa.LargeBinary(), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("position"),
        sa.UniqueConstraint("sender", "message_id", name="messages_ref"),
    )
    op.create_index(
        "messages_case", "messages", ["case_origin", "case_id", "position"], unique=False
    )
    op.create_index("messages_id", "messages", ["message_id"], unique=False)


def _second_receipts() -> None:
    op.create_table(
        "second_receipts",
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("message_id", sa.LargeBinary(), nullable=False),
        sa.Column("header_digest", sa.LargeBinary(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("receipt", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sender", "message_id", "header_digest"),
        sqlite_with_rowid=False,
    )


def _cases() -> None:
    op.create_table(
        "cases",
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("case_id", sa.LargeBinary(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("counterpart", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("item_code", sa.Text(), nullable=False),
        sa.Column("item_version", sa.Text(), nullable=False),
        sa.Column("mode", sa.SmallInteger(), nullable=False),
        sa.Column("agreement_digest", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("opened_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("changed_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("sent_sequence", sa.BigInteger(), nullable=False),
        sa.Column("sent_digest", sa.LargeBinary(), nullable=False),
        sa.Column("received_sequence", sa.BigInteger(), nullable=False),
        sa.Column("received_digest", sa.LargeBinary(), nullable=False),
        sa.Column("outstanding_kind", sa.SmallInteger(), nullable=True),
        sa.Column("outstanding_message_id", sa.LargeBinary(), nullable=True),
        sa.Column("outstanding_sequence", sa.BigInteger(), nullable=True),
        sa.Column("outstanding_digest", sa.LargeBinary(), nullable=True),
        sa.Column("waiting", sa.LargeBinary(), nullable=False),
        sa.Column("applicant_number", sa.Text(), nullable=False),
        sa.Column("handling_number", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("attention", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("change_number", sa.BigInteger(), nullable=False),
        sa.Column("awaits_us", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.LargeBinary(), nullable=False),
        sa.Column("form", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("origin", "case_id"),
    )
    op.create_index("cases_id", "cases", ["case_id", "origin"], unique=False)
    op.create_index("cases_task", "cases", ["unit", "awaits_us", "change_number"], unique=False)
    op.create_index("cases_unit", "cases", ["unit", "role", "case_id"], unique=False)


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("draft_id", sa.LargeBinary(), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("case_origin", sa.Text(), nullable=True),
        sa.Column("case_id", sa.LargeBinary(), nullable=True),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("message_id", sa.LargeBinary(), nullable=False),
        sa.Column("header_digest", sa.LargeBinary(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=False),
        sa.Column("leased_until_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_fault", sa.Text(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("draft", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("draft_id"),
    )
    op.create_index("outbox_case", "outbox", ["case_origin", "case_id", "draft_id"], unique=False)
    op.create_index(
        "outbox_lane",
        "outbox",
        ["partner", "status", "draft_id", "due_ms", "leased_until_ms", "created_at_ms"],
        unique=False,
    )
    op.create_index("outbox_message", "outbox", ["message_id"], unique=False)


def _materials() -> None:
    op.create_table(
        "materials",
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("case_id", sa.LargeBinary(), nullable=False),
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("material_code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("commitment", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("origin", "case_id", "batch", "position"),
        sqlite_with_rowid=False,
    )


def _remembered() -> None:
    op.create_table(
        "remembered",
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_digest", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("unit", "key"),
        sqlite_with_rowid=False,
    )


def _evidence() -> None:
    op.create_table(
        "evidence",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )


def _serials() -> None:
    op.create_table(
        "serials",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("scope"),
        sqlite_with_rowid=False,
    )


def _counters() -> None:
    op.create_table(
        "counters",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
        sqlite_with_rowid=False,
    )


def _ledger_pending() -> None:
    op.create_table(
        "ledger_pending",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("message_id", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("sender", "message_id", "digest", name="ledger_pending_once"),
        sqlite_autoincrement=True,
    )
