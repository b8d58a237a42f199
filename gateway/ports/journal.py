"""What the gateway never forgets."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol, TypeVar

from gateway.kernel.case import CaseRecord, CaseRole
from gateway.kernel.envelope import Kind, Outcome
from gateway.kernel.identifiers import CaseKey, GatewayId, MessageRef
from gateway.kernel.stages import Refused, TakenIn
from gateway.ports.assisted import AssistedReads, AssistedWrites
from gateway.ports.item_list import ItemListReader, ItemListWriter
from gateway.ports.journal_agreements import AgreementSnapshot, AgreementTransaction
from gateway.ports.journal_announced import AnnouncedReads, AnnouncedWrites
from gateway.ports.journal_arrivals import ArrivalReads, ArrivalWrites
from gateway.ports.journal_clocks import ClockReads, ClockWrites
from gateway.ports.journal_joint import JointReads, JointWrites
from gateway.ports.journal_lanes import LaneReads, LaneWrites
from gateway.ports.journal_operators import OperatorReads, OperatorWrites

T = TypeVar("T")


class JournalDown(Exception):
    """The journal cannot be written or read now. A write that raised this left nothing."""


class JournalHeld(JournalDown):
    """Another process owns the journal: a gateway that runs, or another command."""


class Direction(StrEnum):
    """Whose message it is, seen from this gateway."""

    IN = "in"
    OUT = "out"


class StoredMessage(NamedTuple):
    """A message, ours or a partner's, with the receipt it met."""

    ref: MessageRef
    header_digest: bytes
    direction: Direction
    counterpart: GatewayId
    case_key: CaseKey | None
    kind: Kind | None
    """None for a void whose message was never seen."""
    sequence: int
    recorded_at_ms: int
    envelope: bytes
    """Verbatim; empty for such a void."""
    outcome: Outcome | None = None
    """None while our own message has no receipt."""
    rule: str = ""
    receipt: bytes = b""
    receipted_at_ms: int = 0
    standing: bytes = b""


class OutboxStatus(StrEnum):
    """Where an own message waits."""

    PREPARING = "preparing"  # a draft whose files are still being uploaded; never claimed
    WAITING = "waiting"  # a draft behind another message of its case
    PENDING = "pending"  # sealed, to be sent
    LISTED = "listed"  # sealed, on the work list of a partner without a system: people carry it
    UNKNOWN = "unknown"  # given up sending; the partner is asked what became of it


class OutboxEntry(NamedTuple):
    """An own message that has no receipt yet."""

    draft_id: bytes
    """UUIDv7 of the intent; stays when the message is sealed anew under another id."""
    partner: GatewayId
    case_key: CaseKey | None
    kind: Kind
    status: OutboxStatus
    draft: bytes
    """Encoded Envelope whose header has no id, times, sequence or digests yet."""
    message_id: bytes = b""
    header_digest: bytes = b""
    envelope: bytes = b""
    """Filled in by `claim` and `outbox`; not stored a second time."""
    attempts: int = 0
    due_ms: int = 0
    leased_until_ms: int = 0
    last_fault: str = ""
    created_at_ms: int = 0


class VoidRecord(NamedTuple):
    """An id burnt at its sender's wish."""

    ref: MessageRef
    header_digest: bytes
    received_at_ms: int
    receipt: bytes


class ReceiptRecord(NamedTuple):
    """A receipt that came back for a message of ours, checked."""

    ref: MessageRef
    outcome: Outcome
    rule: str
    receipt: bytes
    received_at_ms: int


class Material(NamedTuple):
    """A file an applicant declared and, once `commitment` is set, uploaded."""

    case_key: CaseKey
    batch: int
    """0 for the submission, then one number for each supplement."""
    position: int
    material_code: str
    name: str
    media_type: str
    size: int
    sha256: bytes
    salt: bytes
    commitment: bytes = b""


class Remembered(NamedTuple):
    """The answer once given under an idempotency key."""

    unit: str
    key: str
    request_digest: bytes
    answer: bytes
    recorded_at_ms: int


class Evidence(NamedTuple):
    """A document that a proof will need: certificate chain, directory entry, agreement, item."""

    digest: bytes
    kind: str
    content: bytes


class LaneState(NamedTuple):
    """What waits for one partner."""

    partner: GatewayId
    status: OutboxStatus
    messages: int
    oldest_ms: int
    due_ms: int
    """When the first of them is tried."""


class Snapshot(
    AgreementSnapshot,
    ClockReads,
    AssistedReads,
    JointReads,
    ArrivalReads,
    OperatorReads,
    LaneReads,
    AnnouncedReads,
    Protocol,
):
    """Reads. Within one `read` or `write` all of them see one state."""

    @property
    def item_list(self) -> ItemListReader:
        """The regions' item lists, in the same state."""
        ...

    def messages(self, refs: Collection[MessageRef]) -> Mapping[MessageRef, StoredMessage]:
        """Return those of `refs` that are known."""
        ...

    def messages_by_id(self, message_id: bytes) -> Sequence[StoredMessage]:
        """Return the messages of any sender with this id."""
        ...

    def second_receipt(self, ref: MessageRef, header_digest: bytes) -> bytes | None:
        """Return the receipt given to a later header under an id that was taken; None if none."""
        ...

    def cases(self, keys: Collection[CaseKey]) -> Mapping[CaseKey, CaseRecord]:
        """Return those of `keys` that are known."""
        ...

    def cases_by_id(self, case_id: bytes) -> Sequence[CaseRecord]:
        """Return the cases of any origin with this id."""
        ...

    def cases_of(
        self, unit: str | None, *, role: CaseRole | None = None, limit: int, before: bytes = b""
    ) -> Sequence[CaseRecord]:
        """Return a unit's cases (of any unit if None), latest case id first, ids below `before`."""
        ...

    def tasks_of(self, unit: str, *, after: int, limit: int) -> Sequence[tuple[int, CaseRecord]]:
        """Return (change number, case) of cases where the next step is that of our `unit`.

        That is: role deciding, stage submitted, acknowledged, materials_supplied, accepted or
        suspended; role participating, stage asked.
        Change numbers grow with every saved change of a case; only those above `after`, in order.
        """
        ...

    def history(self, key: CaseKey) -> Sequence[StoredMessage]:
        """Return a case's messages in both directions, oldest first, refused ones included."""
        ...

    def knows_header(self, key: CaseKey, direction: Direction, header_digest: bytes) -> bool:
        """Tell whether the case has a message with this header digest."""
        ...

    def outbox(self, key: CaseKey) -> Sequence[OutboxEntry]:
        """Return what of this case has no receipt yet, in order of `draft_id`."""
        ...

    def outbox_of(self, refs: Collection[MessageRef]) -> Mapping[MessageRef, OutboxEntry]:
        """Return the outbox entries of these sealed messages of ours."""
        ...

    def lanes(self) -> Sequence[LaneState]:
        """Return what waits, per partner and status."""
        ...

    def materials(self, key: CaseKey) -> Sequence[Material]:
        """Return a case's declared files, by batch and position."""
        ...

    def remembered(self, unit: str, key: str) -> Remembered | None:
        """Return the answer given under an idempotency key."""
        ...

    def evidence(self, digest: bytes) -> Evidence | None:
        """Return an evidence document."""
        ...

    def ledger_pending(self) -> int:
        """Return how many ledger entries wait for the sequencer."""
        ...


class Transaction(
    AgreementTransaction,
    Snapshot,
    ClockWrites,
    AssistedWrites,
    JointWrites,
    ArrivalWrites,
    OperatorWrites,
    LaneWrites,
    AnnouncedWrites,
    Protocol,
):
    """Reads and writes of one atomic unit; its reads see its own writes.

    `append`, `refuse`, `void` and `receipted` each also write the pending ledger entry.
    """

    @property
    def item_list(self) -> ItemListWriter:
        """The regions' item lists, in the same transaction."""
        ...

    def append(self, taken: Sequence[TakenIn]) -> None:
        """Store messages that were taken in. The cases' effects go through `save_cases`.

        MUST raise (and so leave nothing) if a (sender, message id) is known already.
        """
        ...

    def refuse(self, refused: Sequence[Refused]) -> None:
        """Store refused messages; under an id that is taken, only the second receipt."""
        ...

    def void(self, voids: Sequence[VoidRecord]) -> None:
        """Burn ids."""
        ...

    def seal(self, messages: Sequence[StoredMessage]) -> None:
        """Store sealed messages of our own."""
        ...

    def receipted(self, receipts: Sequence[ReceiptRecord]) -> None:
        """Store receipts of our own messages."""
        ...

    def save_cases(self, cases: Sequence[CaseRecord]) -> None:
        """Insert or replace cases and give each a new change number."""
        ...

    def put_outbox(self, entries: Sequence[OutboxEntry]) -> None:
        """Insert or replace outbox entries."""
        ...

    def drop_outbox(self, draft_ids: Sequence[bytes]) -> None:
        """Remove outbox entries; unknown ids are no error."""
        ...

    def claim(
        self,
        partner: GatewayId,
        status: OutboxStatus,
        *,
        now_ms: int,
        leased_until_ms: int,
        limit: int,
    ) -> Sequence[OutboxEntry]:
        """Lease entries that are due and not leased, oldest `draft_id` first; count the attempt.

        No two claims return the same entry before its lease ends. Entries come back with
        `attempts` already increased and `envelope` filled in.
        """
        ...

    def release_leases(self) -> int:
        """End every lease at once and return how many there were.

        For the start of a process that is the only one on its journal: no one can hold them.
        """
        ...

    def put_materials(self, materials: Sequence[Material]) -> None:
        """Insert or replace declared files."""
        ...

    def remember(self, answers: Sequence[Remembered]) -> None:
        """Keep answers under idempotency keys."""
        ...

    def put_evidence(self, documents: Sequence[Evidence]) -> None:
        """Keep evidence documents; a known digest is no error."""
        ...

    def next_serial(self, scope: str, count: int = 1) -> int:
        """Take the next `count` serials (1, 2, 3 ... within `scope`) and return the first.

        None is ever given twice.
        """
        ...


class Journal(Protocol):
    """Durable, atomic, serial.

    When `write` returns, what `work` wrote MUST survive a power cut. When it raises, nothing that
    `work` wrote may remain. Writes run one after another. `work` is synchronous, MAY run in
    another thread, and MUST NOT be run more than once per call.
    """

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction and commit it.

        Raises:
            JournalDown: it could not be begun or committed. What `work` raises passes through.
        """
        ...

    async def read(self, query: Callable[[Snapshot], T]) -> T:
        """Run `query` on one state that contains every write that has returned.

        Raises:
            JournalDown: it could not be read.
        """
        ...

    async def probe(self) -> None:
        """Prove that a write can be made durable now.

        Raises:
            JournalDown: it cannot.
        """
        ...

    async def close(self) -> None:
        """Finish writes under way, then let go of the files."""
        ...
