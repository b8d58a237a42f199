"""The tables of the journal, for every engine.

Hot keys start with the sender, partner, case or unit, so that tables can be distributed. Large
values stand last in their rows: what is read before them needs no further pages.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeEngine

metadata: Final = MetaData()

SERIAL: Final = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite numbers rows by itself only where the type is spelt INTEGER."""


def need(name: str, kind: type[TypeEngine[Any]]) -> Column[Any]:
    """Return a column that every row fills in."""
    return Column(name, kind, nullable=False)


def may(name: str, kind: type[TypeEngine[Any]]) -> Column[Any]:
    """Return a column that a row may leave empty."""
    return Column(name, kind, nullable=True)


def key(name: str, kind: type[TypeEngine[Any]]) -> Column[Any]:
    """Return a column of the primary key."""
    return Column(name, kind, primary_key=True, nullable=False)


messages: Final = Table(
    "messages",
    metadata,
    Column("position", SERIAL, primary_key=True, autoincrement=True),
    need("sender", Text),
    need("message_id", LargeBinary),
    need("header_digest", LargeBinary),
    need("direction", Text),
    need("counterpart", Text),
    may("case_origin", Text),
    may("case_id", LargeBinary),
    may("kind", SmallInteger),
    need("sequence", BigInteger),
    need("recorded_at_ms", BigInteger),
    may("outcome", SmallInteger),
    need("rule", Text),
    need("receipted_at_ms", BigInteger),
    need("standing", LargeBinary),
    need("receipt", LargeBinary),
    need("envelope", LargeBinary),
    UniqueConstraint("sender", "message_id", name="messages_ref"),
    Index("messages_case", "case_origin", "case_id", "position"),
    Index("messages_id", "message_id"),
)
"""Every message, ours and the partners', once; `position` is the order of recording."""

second_receipts: Final = Table(
    "second_receipts",
    metadata,
    key("sender", Text),
    key("message_id", LargeBinary),
    key("header_digest", LargeBinary),
    need("rule", Text),
    need("recorded_at_ms", BigInteger),
    need("receipt", LargeBinary),
    sqlite_with_rowid=False,
)
"""What was answered to a later header under an id that was taken."""

cases: Final = Table(
    "cases",
    metadata,
    key("origin", Text),
    key("case_id", LargeBinary),
    need("role", Text),
    need("counterpart", Text),
    need("unit", Text),
    need("stage", Text),
    need("item_code", Text),
    need("item_version", Text),
    need("mode", SmallInteger),
    need("agreement_digest", LargeBinary),
    need("purpose", Text),
    need("opened_at_ms", BigInteger),
    need("changed_at_ms", BigInteger),
    need("sent_sequence", BigInteger),
    need("sent_digest", LargeBinary),
    need("received_sequence", BigInteger),
    need("received_digest", LargeBinary),
    may("outstanding_kind", SmallInteger),
    may("outstanding_message_id", LargeBinary),
    may("outstanding_sequence", BigInteger),
    may("outstanding_digest", LargeBinary),
    need("waiting", LargeBinary),
    need("applicant_number", Text),
    need("handling_number", Text),
    need("result", Text),
    need("attention", Text),
    need("revision", BigInteger),
    need("change_number", BigInteger),
    need("awaits_us", Boolean),
    need("outcome", LargeBinary),
    need("form", LargeBinary),
    Index("cases_id", "case_id", "origin"),
    Index("cases_unit", "unit", "role", "case_id"),
    Index("cases_task", "unit", "awaits_us", "change_number"),
)
"""This side's view of each case; `waiting` is one byte per kind, `awaits_us` makes it a task."""

case_clocks: Final = Table(
    "case_clocks",
    metadata,
    key("origin", Text),
    key("case_id", LargeBinary),
    need("unit", Text),
    need("calendar", Text),
    may("closed_at_ms", BigInteger),
    may("next_ms", BigInteger),
    may("late_from_ms", BigInteger),
    need("content", LargeBinary),
    Index("case_clocks_next", "next_ms"),
    Index("case_clocks_open", "closed_at_ms", "unit", "origin", "case_id"),
    Index("case_clocks_late", "late_from_ms", "origin", "case_id", "unit"),
    sqlite_with_rowid=False,
)
"""What a case's clocks follow from, when they tell something next, since when they are late."""

clock_events: Final = Table(
    "clock_events",
    metadata,
    key("origin", Text),
    key("case_id", LargeBinary),
    key("clock", Text),
    key("number", Integer),
    key("level", Text),
    need("holder", Text),
    need("at_ms", BigInteger),
    need("kept_at_ms", BigInteger),
    sqlite_with_rowid=False,
)
"""What the clocks of a case have told, each once."""

outbox: Final = Table(
    "outbox",
    metadata,
    key("draft_id", LargeBinary),
    need("partner", Text),
    may("case_origin", Text),
    may("case_id", LargeBinary),
    need("kind", SmallInteger),
    need("status", Text),
    need("message_id", LargeBinary),
    need("header_digest", LargeBinary),
    need("attempts", Integer),
    need("due_ms", BigInteger),
    need("leased_until_ms", BigInteger),
    need("last_fault", Text),
    need("created_at_ms", BigInteger),
    need("draft", LargeBinary),
    Index(
        "outbox_lane",
        "partner",
        "status",
        "draft_id",
        "due_ms",
        "leased_until_ms",
        "created_at_ms",
    ),
    Index("outbox_case", "case_origin", "case_id", "draft_id"),
    Index("outbox_message", "message_id"),
)
"""Own messages without a receipt; the sealed envelope is in `messages`."""

materials: Final = Table(
    "materials",
    metadata,
    key("origin", Text),
    key("case_id", LargeBinary),
    key("batch", Integer),
    key("position", Integer),
    need("material_code", Text),
    need("name", Text),
    need("media_type", Text),
    need("size", BigInteger),
    need("sha256", LargeBinary),
    need("salt", LargeBinary),
    need("commitment", LargeBinary),
    sqlite_with_rowid=False,
)
"""Files an applicant declared; `commitment` is empty until uploaded."""

remembered: Final = Table(
    "remembered",
    metadata,
    key("unit", Text),
    key("key", Text),
    need("request_digest", LargeBinary),
    need("recorded_at_ms", BigInteger),
    need("answer", LargeBinary),
    sqlite_with_rowid=False,
)
"""Answers given under idempotency keys."""

evidence: Final = Table(
    "evidence",
    metadata,
    key("digest", LargeBinary),
    need("kind", Text),
    need("content", LargeBinary),
)
"""Documents that proofs will need, by digest."""

serials: Final = Table(
    "serials",
    metadata,
    key("scope", Text),
    need("value", BigInteger),
    sqlite_with_rowid=False,
)
"""The last serial given out in each scope."""

counters: Final = Table(
    "counters",
    metadata,
    key("name", Text),
    need("value", BigInteger),
    sqlite_with_rowid=False,
)
"""The journal's own counters: changes of cases, probes."""

ledger_pending: Final = Table(
    "ledger_pending",
    metadata,
    Column("seq", SERIAL, primary_key=True, autoincrement=True),
    need("kind", Text),
    need("sender", Text),
    need("message_id", LargeBinary),
    need("digest", LargeBinary),
    need("recorded_at_ms", BigInteger),
    UniqueConstraint("sender", "message_id", "digest", name="ledger_pending_once"),
    sqlite_autoincrement=True,
)
"""What the ledger's sequencer has yet to take: `digest` is SHA-256 of the signed receipt."""

agreements: Final = Table(
    "agreements",
    metadata,
    key("digest", LargeBinary),
    need("proposer", Text),
    need("counterpart", Text),
    need("recorded_at_ms", BigInteger),
    need("content", LargeBinary),
    Index("agreements_counterpart", "counterpart"),
)
"""Agreements that came over the wire or were proposed here; content verbatim."""

agreement_acts: Final = Table(
    "agreement_acts",
    metadata,
    key("digest", LargeBinary),
    key("party", Text),
    key("verdict", SmallInteger),
    need("recorded_at_ms", BigInteger),
    need("signed", LargeBinary),
    sqlite_with_rowid=False,
)
"""The parties' signed verdicts on agreements, from the wire or given here."""

agreement_notices: Final = Table(
    "agreement_notices",
    metadata,
    key("digest", LargeBinary),
    key("partner", Text),
    key("kind", SmallInteger),
    need("draft_id", LargeBinary),
    need("said_at_ms", BigInteger),
    need("outcome", SmallInteger),
    need("settled_at_ms", BigInteger),
    need("rule", Text),
    need("text_zh", Text),
    need("text_en", Text),
    Index("agreement_notices_draft", "draft_id"),
    sqlite_with_rowid=False,
)
"""What became of our own verdicts on their way; `outcome` is 0 until the receipt."""

agreements_dropped: Final = Table(
    "agreements_dropped",
    metadata,
    key("digest", LargeBinary),
    need("operator", Text),
    need("dropped_at_ms", BigInteger),
    sqlite_with_rowid=False,
)
"""Proposals that an operator let go of; the verdicts on them stay."""
