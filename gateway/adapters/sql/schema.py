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

from gateway.rules.item_list.rows import COLUMNS

metadata: Final = MetaData()

_SERIAL: Final = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite numbers rows by itself only where the type is spelt INTEGER."""


def _need(name: str, kind: type[TypeEngine[Any]]) -> Column[Any]:
    return Column(name, kind, nullable=False)


def _may(name: str, kind: type[TypeEngine[Any]]) -> Column[Any]:
    return Column(name, kind, nullable=True)


def _key(name: str, kind: type[TypeEngine[Any]]) -> Column[Any]:
    return Column(name, kind, primary_key=True, nullable=False)


messages: Final = Table(
    "messages",
    metadata,
    Column("position", _SERIAL, primary_key=True, autoincrement=True),
    _need("sender", Text),
    _need("message_id", LargeBinary),
    _need("header_digest", LargeBinary),
    _need("direction", Text),
    _need("counterpart", Text),
    _may("case_origin", Text),
    _may("case_id", LargeBinary),
    _may("kind", SmallInteger),
    _need("sequence", BigInteger),
    _need("recorded_at_ms", BigInteger),
    _may("outcome", SmallInteger),
    _need("rule", Text),
    _need("receipted_at_ms", BigInteger),
    _need("standing", LargeBinary),
    _need("receipt", LargeBinary),
    _need("envelope", LargeBinary),
    UniqueConstraint("sender", "message_id", name="messages_ref"),
    Index("messages_case", "case_origin", "case_id", "position"),
    Index("messages_id", "message_id"),
)
"""Every message, ours and the partners', once; `position` is the order of recording."""

second_receipts: Final = Table(
    "second_receipts",
    metadata,
    _key("sender", Text),
    _key("message_id", LargeBinary),
    _key("header_digest", LargeBinary),
    _need("rule", Text),
    _need("recorded_at_ms", BigInteger),
    _need("receipt", LargeBinary),
    sqlite_with_rowid=False,
)
"""What was answered to a later header under an id that was taken."""

cases: Final = Table(
    "cases",
    metadata,
    _key("origin", Text),
    _key("case_id", LargeBinary),
    _need("role", Text),
    _need("counterpart", Text),
    _need("unit", Text),
    _need("stage", Text),
    _need("item_code", Text),
    _need("item_version", Text),
    _need("mode", SmallInteger),
    _need("agreement_digest", LargeBinary),
    _need("purpose", Text),
    _need("opened_at_ms", BigInteger),
    _need("changed_at_ms", BigInteger),
    _need("sent_sequence", BigInteger),
    _need("sent_digest", LargeBinary),
    _need("received_sequence", BigInteger),
    _need("received_digest", LargeBinary),
    _may("outstanding_kind", SmallInteger),
    _may("outstanding_message_id", LargeBinary),
    _may("outstanding_sequence", BigInteger),
    _may("outstanding_digest", LargeBinary),
    _need("waiting", LargeBinary),
    _need("applicant_number", Text),
    _need("handling_number", Text),
    _need("result", Text),
    _need("attention", Text),
    _need("revision", BigInteger),
    _need("change_number", BigInteger),
    _need("awaits_us", Boolean),
    _need("outcome", LargeBinary),
    _need("form", LargeBinary),
    Index("cases_id", "case_id", "origin"),
    Index("cases_unit", "unit", "role", "case_id"),
    Index("cases_task", "unit", "awaits_us", "change_number"),
)
"""This side's view of each case; `waiting` is one byte per kind, `awaits_us` makes it a task."""

case_clocks: Final = Table(
    "case_clocks",
    metadata,
    _key("origin", Text),
    _key("case_id", LargeBinary),
    _need("unit", Text),
    _need("calendar", Text),
    _may("closed_at_ms", BigInteger),
    _may("next_ms", BigInteger),
    _may("late_from_ms", BigInteger),
    _need("content", LargeBinary),
    Index("case_clocks_next", "next_ms"),
    Index("case_clocks_open", "closed_at_ms", "unit", "origin", "case_id"),
    Index("case_clocks_late", "late_from_ms", "origin", "case_id", "unit"),
    sqlite_with_rowid=False,
)
"""What a case's clocks follow from, when they tell something next, since when they are late."""

clock_events: Final = Table(
    "clock_events",
    metadata,
    _key("origin", Text),
    _key("case_id", LargeBinary),
    _key("clock", Text),
    _key("number", Integer),
    _key("level", Text),
    _need("holder", Text),
    _need("at_ms", BigInteger),
    _need("kept_at_ms", BigInteger),
    sqlite_with_rowid=False,
)
"""What the clocks of a case have told, each once."""

outbox: Final = Table(
    "outbox",
    metadata,
    _key("draft_id", LargeBinary),
    _need("partner", Text),
    _may("case_origin", Text),
    _may("case_id", LargeBinary),
    _need("kind", SmallInteger),
    _need("status", Text),
    _need("message_id", LargeBinary),
    _need("header_digest", LargeBinary),
    _need("attempts", Integer),
    _need("due_ms", BigInteger),
    _need("leased_until_ms", BigInteger),
    _need("last_fault", Text),
    _need("created_at_ms", BigInteger),
    _need("draft", LargeBinary),
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
    _key("origin", Text),
    _key("case_id", LargeBinary),
    _key("batch", Integer),
    _key("position", Integer),
    _need("material_code", Text),
    _need("name", Text),
    _need("media_type", Text),
    _need("size", BigInteger),
    _need("sha256", LargeBinary),
    _need("salt", LargeBinary),
    _need("commitment", LargeBinary),
    sqlite_with_rowid=False,
)
"""Files an applicant declared; `commitment` is empty until uploaded."""

remembered: Final = Table(
    "remembered",
    metadata,
    _key("unit", Text),
    _key("key", Text),
    _need("request_digest", LargeBinary),
    _need("recorded_at_ms", BigInteger),
    _need("answer", LargeBinary),
    sqlite_with_rowid=False,
)
"""Answers given under idempotency keys."""

evidence: Final = Table(
    "evidence",
    metadata,
    _key("digest", LargeBinary),
    _need("kind", Text),
    _need("content", LargeBinary),
)
"""Documents that proofs will need, by digest."""

serials: Final = Table(
    "serials",
    metadata,
    _key("scope", Text),
    _need("value", BigInteger),
    sqlite_with_rowid=False,
)
"""The last serial given out in each scope."""

counters: Final = Table(
    "counters",
    metadata,
    _key("name", Text),
    _need("value", BigInteger),
    sqlite_with_rowid=False,
)
"""The journal's own counters: changes of cases, probes."""

ledger_pending: Final = Table(
    "ledger_pending",
    metadata,
    Column("seq", _SERIAL, primary_key=True, autoincrement=True),
    _need("kind", Text),
    _need("sender", Text),
    _need("message_id", LargeBinary),
    _need("digest", LargeBinary),
    _need("recorded_at_ms", BigInteger),
    UniqueConstraint("sender", "message_id", "digest", name="ledger_pending_once"),
    sqlite_autoincrement=True,
)
"""What the ledger's sequencer has yet to take: `digest` is SHA-256 of the signed receipt."""

agreements: Final = Table(
    "agreements",
    metadata,
    _key("digest", LargeBinary),
    _need("proposer", Text),
    _need("counterpart", Text),
    _need("recorded_at_ms", BigInteger),
    _need("content", LargeBinary),
    Index("agreements_counterpart", "counterpart"),
)
"""Agreements that came over the wire or were proposed here; content verbatim."""

agreement_acts: Final = Table(
    "agreement_acts",
    metadata,
    _key("digest", LargeBinary),
    _key("party", Text),
    _key("verdict", SmallInteger),
    _need("recorded_at_ms", BigInteger),
    _need("signed", LargeBinary),
    sqlite_with_rowid=False,
)
"""The parties' signed verdicts on agreements, from the wire or given here."""

agreement_notices: Final = Table(
    "agreement_notices",
    metadata,
    _key("digest", LargeBinary),
    _key("partner", Text),
    _key("kind", SmallInteger),
    _need("draft_id", LargeBinary),
    _need("said_at_ms", BigInteger),
    _need("outcome", SmallInteger),
    _need("settled_at_ms", BigInteger),
    _need("rule", Text),
    _need("text_zh", Text),
    _need("text_en", Text),
    Index("agreement_notices_draft", "draft_id"),
    sqlite_with_rowid=False,
)
"""What became of our own verdicts on their way; `outcome` is 0 until the receipt."""

agreements_dropped: Final = Table(
    "agreements_dropped",
    metadata,
    _key("digest", LargeBinary),
    _need("operator", Text),
    _need("dropped_at_ms", BigInteger),
    sqlite_with_rowid=False,
)
"""Proposals that an operator let go of; the verdicts on them stay."""
LISTED_STILL_MS: Final = 2**63 - 1
"""Stands where no edition has ended a version: keys hold no NULL."""

item_list: Final = Table(
    "item_list",
    metadata,
    Column("position", _SERIAL, primary_key=True, autoincrement=False),
    _need("region", Text),
    _need("code", Text),
    _need("listed_from_ms", BigInteger),
    _need("listed_until_ms", BigInteger),
    _need("fingerprint", LargeBinary),
    *(_need(name, Text) for name in COLUMNS),
    Index("item_list_current", "listed_until_ms", "region", "code", unique=True),
    Index("item_list_history", "region", "code", "listed_from_ms"),
)
"""Every version of every row of the regions' item lists, under the state platform's names."""

item_editions: Final = Table(
    "item_editions",
    metadata,
    _key("region", Text),
    _key("number", BigInteger),
    _need("imported_at_ms", BigInteger),
    _need("source", LargeBinary),
    _need("rows", BigInteger),
    _need("added", BigInteger),
    _need("changed", BigInteger),
    _need("ended", BigInteger),
    sqlite_with_rowid=False,
)
"""The imports that changed a list."""

item_words: Final = Table(
    "item_words",
    metadata,
    Column("position", _SERIAL, primary_key=True, autoincrement=False),
    _need("region", Text),
    _need("words", Text),
    _need("codes", Text),
)
"""What the rows listed now are searched by; an engine's index stands over it."""

WORDS_END: Final = "\n\n"
"""Ends `words`, so that its last characters too begin a run of three; no query holds it."""
