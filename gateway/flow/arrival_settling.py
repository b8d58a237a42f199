"""How an arrival meets its end: by the receipt that the intake gave its message."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.flow.attested_answers import RAW_ARRIVAL
from gateway.flow.committer import Group
from gateway.kernel.arrivals import ArrivalEvent, ArrivalStatus
from gateway.kernel.case import CaseRecord
from gateway.kernel.envelope import Outcome, Receipt
from gateway.kernel.faults import FaultCode
from gateway.kernel.identifiers import CaseKey, MessageRef
from gateway.kernel.translations import Ours
from gateway.kernel.trees import Tree
from gateway.ports.journal import Evidence
from gateway.ports.journal_arrivals import StoredArrival
from gateway.ports.reception import Disposition
from gateway.rules.arrivals import step
from gateway.wire.fault_table import entry, texts


class SettleArrival:
    """Notes what the intake said, keeps the raw bytes as evidence, and learns the numbers."""

    def __init__(
        self, arrival: StoredArrival, ours: Ours, receipt: Receipt, key: CaseKey | None
    ) -> None:
        taken = receipt.outcome is Outcome.TAKEN_IN
        self.settled = arrival._replace(
            status=step(arrival.status, ArrivalEvent.TAKE_IN if taken else ArrivalEvent.REFUSE),
            rule=receipt.rule,
            detail="",
            case_key=key,
            message_id=receipt.message_id,
            salt=b"",
            document=b"",
            raw=b"",
        )
        self._arrival = arrival
        self._numbers = _numbers(ours.tree)
        self.number = ""
        """Our own number of the case, once the step was done."""

    def refs(self) -> Iterable[MessageRef]:
        """See `Work`."""
        return ()

    def keys(self) -> Iterable[CaseKey]:
        """See `Work`."""
        return () if self.settled.case_key is None else (self.settled.case_key,)

    def step(self, group: Group) -> None:
        """See `Work`."""
        a = self._arrival
        current = group.tx.arrival(a.arrival_id)
        if current is None or current.status is not ArrivalStatus.RECEIVED:
            return  # settled before
        self.settled = self.settled._replace(settled_at_ms=group.now_ms)
        group.keep_evidence([Evidence(a.raw_digest, RAW_ARRIVAL, a.raw)])
        group.tx.save_arrivals([self.settled])
        key = self.settled.case_key
        case = None if key is None else group.case(key)
        if key is None or case is None or self.settled.status is not ArrivalStatus.TAKEN_IN:
            return
        self.number = our_number(case)
        for number in {*self._numbers, case.applicant_number, case.handling_number}:
            if number:
                group.tx.name_case(a.partner, number, key)


def our_number(case: CaseRecord) -> str:
    """Return what we call a case (办件编号)."""
    return case.handling_number if case.role.orders else case.applicant_number


def _numbers(tree: Tree) -> set[str]:
    """Return the numbers by which a partner named its case."""
    case = tree.get("case")
    named = case if isinstance(case, dict) else {}
    found = (named.get(name) for name in ("applicant_number", "handling_number"))
    return {number for number in found if isinstance(number, str) and number}


def disposition(a: StoredArrival, receipt: Receipt | None = None, number: str = "") -> Disposition:
    """Return what its partner is told of an arrival."""
    if a.status is ArrivalStatus.TAKEN_IN:
        return Disposition(
            a.status, message_id=a.message_id, arrival_id=a.arrival_id, number=number
        )
    rule = a.rule or FaultCode.PARTNER_ARRIVAL_SETTLED.value
    code = FaultCode(rule)
    zh, en = (receipt.text_zh, receipt.text_en) if receipt else texts(code, a.detail)
    retry = a.status is not ArrivalStatus.REFUSED and entry(code).retry
    return Disposition(a.status, rule, zh, en, retry, a.message_id, a.arrival_id)
