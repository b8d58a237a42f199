"""Judges what two gateways left on disk, by SQLite, protobuf and SHA-256 alone.

Nothing of the gateway's own reading, deciding or folding is used: what it did wrong it would not
see wrong here. Every complaint is a sentence; none means that all is well.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from gateway.wire.generated import message_pb2, receipt_pb2

TAKEN_IN, REFUSED, VOID = 1, 2, 3
KINDS: Final = {
    1: "submitted",
    2: "acknowledged",
    3: "materials_requested",
    4: "materials_supplied",
    5: "accepted",
    6: "not_accepted",
    11: "decided",
    12: "withdrawn",
    13: "delivered",
}
COURSE: Final = {
    ("receiving", "submitted"): "submitted",
    ("submitted", "acknowledged"): "acknowledged",
    ("submitted", "not_accepted"): "refused_at_intake",
    ("submitted", "withdrawn"): "withdrawn",
    ("acknowledged", "materials_requested"): "materials_requested",
    ("acknowledged", "accepted"): "accepted",
    ("acknowledged", "not_accepted"): "not_accepted",
    ("acknowledged", "withdrawn"): "withdrawn",
    ("materials_requested", "materials_supplied"): "materials_supplied",
    ("materials_requested", "withdrawn"): "withdrawn",
    ("materials_supplied", "accepted"): "accepted",
    ("accepted", "decided"): "decided",
    ("accepted", "withdrawn"): "withdrawn",
    ("withdrawn", "acknowledged"): "withdrawn",
    ("withdrawn", "accepted"): "withdrawn",
    ("decided", "delivered"): "delivered",
}
"""(stage, kind) -> stage, for the courses that the workload takes."""

Row = Mapping[str, Any]
CaseName = tuple[str, bytes]


@dataclass
class Side:
    """What one gateway left."""

    name: str
    gateway_id: str
    vault: Path
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    sound: str = ""

    @property
    def messages(self) -> list[dict[str, Any]]:
        return self.tables["messages"]

    def way(self, direction: str, partner: str) -> dict[bytes, dict[str, Any]]:
        """Return messages to or from a partner by id."""
        return {
            m["message_id"]: m
            for m in self.messages
            if m["direction"] == direction and m["counterpart"] == partner
        }

    def cases(self) -> dict[CaseName, dict[str, Any]]:
        return {(c["origin"], c["case_id"]): c for c in self.tables["cases"]}

    def of_case(self, case: CaseName) -> list[dict[str, Any]]:
        """Return a case's messages in the order of recording."""
        return [m for m in self.messages if (m["case_origin"], m["case_id"]) == case]


_TABLES: Final = (
    "messages",
    "second_receipts",
    "cases",
    "outbox",
    "materials",
    "remembered",
    "serials",
    "ledger_pending",
)


def read_side(name: str, gateway_id: str, root: Path) -> Side:
    """Read a gateway's journal file whole, read-only, in one transaction."""
    side = Side(name, gateway_id, root / "state" / "vault")
    path = root / "state" / "journal.sqlite3"
    with closing(_open(path)) as db:
        db.row_factory = sqlite3.Row
        db.execute("BEGIN")
        (side.sound,) = db.execute("PRAGMA integrity_check").fetchone()
        for table in _TABLES:
            order = "position" if table == "messages" else "1"
            rows = db.execute(f"SELECT * FROM {table} ORDER BY {order}")
            side.tables[table] = [dict(row) for row in rows]
    return side


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=10, isolation_level=None)


def waiting(root: Path, status: str = "%") -> int:
    """Return how many messages of a running gateway wait for a receipt or for files."""
    with closing(_open(root / "state" / "journal.sqlite3")) as db:
        asked = db.execute("SELECT count(*) FROM outbox WHERE status LIKE ?", (status,))
        (count,) = asked.fetchone()
    return int(count)


def complaints(one: Side, other: Side) -> list[str]:
    """Return everything that is wrong with what two gateways hold, once nothing is under way."""
    found = [*_pairwise(one, other), *_pairwise(other, one)]
    for side in (one, other):
        found += [f"{side.name}: {c}" for c in _alone(side)]
    return found


def _alone(side: Side) -> Iterator[str]:
    if side.sound != "ok":
        yield f"the file is damaged: {side.sound}"
    for entry in side.tables["outbox"]:
        yield f"{entry['draft_id'].hex()} still waits, leased until {entry['leased_until_ms']}"
    yield from _once(side)
    yield from _ledger(side)
    yield from _cases(side)
    yield from _uploads(side)


def _once(side: Side) -> Iterator[str]:
    ids = Counter((m["sender"], m["message_id"]) for m in side.messages)
    yield from (f"message {ref} is there {n} times" for ref, n in ids.items() if n > 1)
    for m in side.messages:
        name = m["message_id"].hex()
        if not m["receipt"]:
            yield f"message {name} has no receipt"
            continue
        yield from (f"message {name}: {c}" for c in _bound(m, side))


def _bound(m: Row, side: Side) -> Iterator[str]:
    """Check that receipt, row and envelope speak of the same message."""
    r = receipt_pb2.Receipt.FromString(receipt_pb2.SignedReceipt.FromString(m["receipt"]).receipt)
    recipient = m["counterpart"] if m["direction"] == "out" else side.gateway_id
    told = (r.sender, r.recipient, r.message_id, r.header_digest, int(r.outcome), r.rule)
    kept = (m["sender"], recipient, m["message_id"], m["header_digest"], m["outcome"], m["rule"])
    if told != kept:
        yield "the receipt is of another message or outcome"
    if not m["envelope"]:
        if m["outcome"] != VOID:
            yield "the envelope is gone"
        return
    e = message_pb2.Envelope.FromString(m["envelope"])
    h = message_pb2.Header.FromString(e.header)
    if sha256(e.header).digest() != m["header_digest"]:
        yield "the header is not the one whose digest is kept"
    if sha256(e.salt + e.body).digest() != h.body_commitment:
        yield "the body is not the one committed to"
    if (h.sender, h.message_id, int(h.kind)) != (m["sender"], m["message_id"], m["kind"]):
        yield "the header is of another message"


def _ledger(side: Side) -> Iterator[str]:
    """Check that there is exactly one pending entry a receipt."""
    held = [*side.messages, *side.tables["second_receipts"]]
    wanted = Counter(
        (m["sender"], m["message_id"], sha256(m["receipt"]).digest()) for m in held if m["receipt"]
    )
    pending = side.tables["ledger_pending"]
    there = Counter((p["sender"], p["message_id"], p["digest"]) for p in pending)
    for ref in wanted.keys() | there.keys():
        if (wanted[ref], there[ref]) != (1, 1):
            yield f"message {ref[1].hex()}: {wanted[ref]} receipts, {there[ref]} ledger entries"


def _cases(side: Side) -> Iterator[str]:
    for case in {(m["case_origin"], m["case_id"]) for m in side.messages if m["case_id"]}:
        if case not in side.cases():
            yield f"messages of a case that is not there: {case[1].hex()}"
    for case, row in side.cases().items():
        name = case[1].hex()
        if row["outstanding_message_id"] is not None or row["waiting"]:
            yield f"case {name} waits for a receipt"
        messages = side.of_case(case)
        for direction, column in (("out", "sent"), ("in", "received")):
            one_way = [m for m in messages if m["direction"] == direction]
            yield from (f"case {name} {direction}: {c}" for c in _chain(one_way, row, column))
        stage = fold(messages)
        if stage != row["stage"]:
            yield f"case {name} is {row['stage']}, its messages say {stage}"
    numbers = Counter(_numbers(side))
    yield from (f"case number {n} was given {k} times" for n, k in numbers.items() if k > 1)
    given = Counter(n[:-4] for n in numbers)
    for serial in side.tables["serials"]:
        if given[serial["scope"]] != serial["value"]:
            yield f"{serial['value']} case numbers given out, {given[serial['scope']]} cases"


def _numbers(side: Side) -> Iterator[str]:
    """Yield the case numbers this gateway gave out."""
    for row in side.tables["cases"]:
        own = "applicant_number" if row["role"] == "origin" else "handling_number"
        if row[own]:
            yield row[own]


def _chain(messages: Iterable[Row], case: Row, column: str) -> Iterator[str]:
    """Check sequence numbers and previous digests of what was taken in, in one direction."""
    last, before = 0, b""
    for m in messages:
        if m["outcome"] != TAKEN_IN:
            continue
        envelope = message_pb2.Envelope.FromString(m["envelope"])
        h = message_pb2.Header.FromString(envelope.header)
        if (h.sequence, h.previous_digest) != (last + 1, before) or m["sequence"] != h.sequence:
            yield f"{h.sequence} after {last}, or not chained to it"
        last, before = h.sequence, m["header_digest"]
    if (case[f"{column}_sequence"], case[f"{column}_digest"]) != (last, before):
        yield f"the case counts {case[f'{column}_sequence']} messages, {last} are there"


def fold(messages: Iterable[Row]) -> str:
    """Return the stage that the messages taken in lead to; `?` where none follows."""
    stage = "receiving"
    for m in messages:
        if m["outcome"] == TAKEN_IN:
            stage = COURSE.get((stage, KINDS.get(m["kind"], "?")), f"? ({stage}, {m['kind']})")
    return stage


def _uploads(side: Side) -> Iterator[str]:
    """Check files: those that portals uploaded, those that messages name; and no leavings."""
    own = {(c["origin"], c["case_id"]): c["counterpart"] for c in side.tables["cases"]}
    for m in side.tables["materials"]:
        case = (m["origin"], m["case_id"])
        if m["commitment"]:
            whole = _file(side, own[case], case, m["commitment"])
            if whole is None or sha256(whole[SALT:]).digest() != m["sha256"]:
                yield f"the upload {m['material_code']} of case {case[1].hex()} is not whole"
    for message in side.messages:
        if message["outcome"] != TAKEN_IN or not message["case_id"]:
            continue
        case = (message["case_origin"], message["case_id"])
        envelope = message_pb2.Envelope.FromString(message["envelope"])
        for a in message_pb2.Body.FromString(envelope.body).attachments:
            whole = _file(side, message["counterpart"], case, a.commitment)
            if whole is None or len(whole) != SALT + a.size:
                yield f"attachment {a.material_code} of case {case[1].hex()} is not whole"
            elif whole[:SALT] != a.salt or sha256(whole).digest() != a.commitment:
                yield f"attachment {a.material_code} of case {case[1].hex()} is another file"
    for path in side.vault.rglob("*"):
        if path.is_file() and path.suffix:
            yield f"left over in the vault: {path.name}"


SALT = 32
"""A file begins with its salt."""


def _file(side: Side, partner: str, case: CaseName, commitment: bytes) -> bytes | None:
    folder = side.vault / partner / f"{case[0]}-{UUID(bytes=case[1])}"
    path = folder / commitment.hex()
    return path.read_bytes() if path.is_file() else None


def _pairwise(sender: Side, recipient: Side) -> Iterator[str]:
    """Check that both hold the same messages from one to the other, with the same receipts."""
    sent = sender.way("out", recipient.gateway_id)
    taken = recipient.way("in", sender.gateway_id)
    way = f"{sender.name} to {recipient.name}"
    for name in sent.keys() | taken.keys():
        ours, theirs = sent.get(name), taken.get(name)
        if ours is None or theirs is None:
            yield f"{way}: message {name.hex()} is at one side only"
            continue
        for column in ("header_digest", "outcome", "rule", "receipt"):
            if ours[column] != theirs[column]:
                yield f"{way}: message {name.hex()} has another {column} at each side"
        if ours["envelope"] != theirs["envelope"] and ours["outcome"] != VOID:
            yield f"{way}: message {name.hex()} is not the same bytes at both sides"
    there = recipient.cases()
    for case, row in sender.cases().items():
        if row["stage"] == "receiving" or row["counterpart"] != recipient.gateway_id:
            continue
        if case not in there:
            yield f"{way}: case {case[1].hex()} is at one side only"
        elif there[case]["stage"] != row["stage"]:
            yield f"{way}: case {case[1].hex()}: {row['stage']} and {there[case]['stage']}"
