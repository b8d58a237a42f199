"""The tables of the memory journal."""

from __future__ import annotations

from typing import NamedTuple

from gateway.adapters.memory.agreements import AgreementTables
from gateway.adapters.memory.announced import AnnouncedTables
from gateway.adapters.memory.arrivals import ArrivalTables
from gateway.adapters.memory.assisted import AssistedTables
from gateway.adapters.memory.item_list import ItemListState
from gateway.adapters.memory.journal_clocks import ClockTables
from gateway.adapters.memory.journal_joint import JointTables
from gateway.adapters.memory.journal_lanes import LaneTables
from gateway.adapters.memory.operators import OperatorTables
from gateway.adapters.memory.undo import Table, UndoLog
from gateway.kernel.case import CaseRecord
from gateway.kernel.identifiers import CaseKey, MessageRef
from gateway.ports.journal import Evidence, Material, OutboxEntry, Remembered, StoredMessage


class LedgerEntry(NamedTuple):
    """What waits for the ledger's sequencer: `digest` is SHA-256 of the signed receipt."""

    kind: str
    ref: MessageRef
    digest: bytes
    recorded_at_ms: int


class State:
    """Every table, and what the reads need."""

    def __init__(self) -> None:
        self.log = UndoLog()
        self.clocks = ClockTables(self.log)
        self.messages: Table[MessageRef, StoredMessage] = Table(self.log)
        self.of_case: Table[CaseKey, tuple[MessageRef, ...]] = Table(self.log)
        self.second: Table[tuple[MessageRef, bytes], bytes] = Table(self.log)
        self.cases: Table[CaseKey, tuple[int, CaseRecord]] = Table(self.log)
        self.outbox: Table[bytes, OutboxEntry] = Table(self.log)
        self.materials: Table[tuple[CaseKey, int, int], Material] = Table(self.log)
        self.remembered: Table[tuple[str, str], Remembered] = Table(self.log)
        self.evidence: Table[bytes, Evidence] = Table(self.log)
        self.serials: Table[str, int] = Table(self.log)
        self.counters: Table[str, int] = Table(self.log)
        self.ledger: Table[tuple[MessageRef, bytes], LedgerEntry] = Table(self.log)
        self.agreements = AgreementTables(self.log)
        self.assisted = AssistedTables(self.log)
        self.joint = JointTables(self.log)
        self.arrivals = ArrivalTables(self.log)
        self.operators = OperatorTables(self.log)
        self.announced = AnnouncedTables(self.log)
        self.lanes = LaneTables(self.log)
        self.item_list = ItemListState(self.log)
