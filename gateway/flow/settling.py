"""How a message of ours that was sent stops waiting, or waits longer."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.flow.committer import Group
from gateway.flow.joint_cases import touch_parent
from gateway.flow.list_telling import settled
from gateway.flow.outbound import NOT_DELIVERED, settle, settle_notice
from gateway.kernel.envelope import Kind, Outcome, Receipt
from gateway.kernel.faults import FaultCode
from gateway.kernel.identifiers import (
    CaseKey,
    GatewayId,
    MessageId,
    MessageRef,
    uuid7_unix_ms,
    uuid_text,
)
from gateway.kernel.limits import ATTEMPTS_MAX, MESSAGE_LIFE_MS
from gateway.ports.journal import OutboxEntry, OutboxStatus, ReceiptRecord
from gateway.ports.telemetry import EventLog


def unsettled(group: Group, ref: MessageRef) -> OutboxEntry | None:
    """Return a message's outbox entry as this group has left it; None once it is settled.

    Two calls may bring answers for one message, when the first outlived its lease.
    """
    entry = group.tx.outbox_of([ref]).get(ref)
    if entry is None or entry.draft_id in group.dropped:
        return None
    entry = group.outbox.get(entry.draft_id, entry)
    return entry if entry.message_id == ref.message_id else None


def tell(log: EventLog, entry: OutboxEntry, receipt: Receipt) -> None:
    """Log one line for a message that met its receipt; ids and codes only."""
    kind = entry.kind.name.lower()
    log.event(
        "receipt",
        partner=entry.partner,
        message_id=uuid_text(entry.message_id),
        kind=kind,
        outcome=receipt.outcome.name.lower(),
        rule=receipt.rule,
        attempts=entry.attempts,
    )
    if entry.case_key is None and receipt.outcome is Outcome.REFUSED:
        log.event(
            "notice_refused",
            error="Refused",
            partner=entry.partner,
            kind=kind,
            rule=receipt.rule,
        )


class Settle:
    """Records a checked receipt and what follows from it."""

    def __init__(self, entry: OutboxEntry, home: GatewayId, receipt: Receipt, raw: bytes) -> None:
        self._entry = entry
        self._ref = MessageRef(home, MessageId(entry.message_id))
        self.receipt = receipt
        self._raw = raw

    def refs(self) -> Iterable[MessageRef]:
        """See `Work`."""
        return ()

    def keys(self) -> Iterable[CaseKey]:
        """See `Work`."""
        return () if self._entry.case_key is None else (self._entry.case_key,)

    def step(self, group: Group) -> None:
        """See `Work`."""
        entry = unsettled(group, self._ref)
        if entry is None:
            return  # settled before
        r = self.receipt
        group.receipts.append(ReceiptRecord(self._ref, r.outcome, r.rule, self._raw, group.now_ms))
        case = None if entry.case_key is None else group.case(entry.case_key)
        if case is None:
            outcome = r.outcome
            if entry.kind is Kind.CATALOGUE_CHANGED:
                outcome = Outcome.VOID if _outlived(entry, r.rule, group.now_ms) else outcome
                settled(group, entry.partner, outcome, r.rule)
            settle_notice(group, entry, r._replace(outcome=outcome))
        else:
            after = settle(group, case, entry, r.outcome, r.rule)
            touch_parent(group, case, after)
            group.save(after)


def _outlived(entry: OutboxEntry, rule: str, now_ms: int) -> bool:
    """Tell whether a message came too late, by our clock too: it is said anew, as a burnt one."""
    age_ms = now_ms - uuid7_unix_ms(entry.message_id)
    return rule == FaultCode.DELIVERY_EXPIRED.value and age_ms >= MESSAGE_LIFE_MS


class Park:
    """Records that people carry the message; only they settle it."""

    def __init__(self, entry: OutboxEntry, home: GatewayId) -> None:
        self._ref = MessageRef(home, MessageId(entry.message_id))

    def refs(self) -> Iterable[MessageRef]:
        """See `Work`."""
        return ()

    def keys(self) -> Iterable[CaseKey]:
        """See `Work`."""
        return ()

    def step(self, group: Group) -> None:
        """See `Work`."""
        entry = unsettled(group, self._ref)
        if entry is not None:
            group.outbox[entry.draft_id] = entry._replace(
                status=OutboxStatus.LISTED, attempts=0, leased_until_ms=0, last_fault=""
            )


class Postpone:
    """Records that an attempt brought no receipt.

    With `asked`, the partner is up and asked for that time: then it was no attempt.
    """

    def __init__(
        self,
        entry: OutboxEntry,
        home: GatewayId,
        fault: str,
        wait_ms: int,
        *,
        asked: bool = False,
    ) -> None:
        self._entry = entry
        self._ref = MessageRef(home, MessageId(entry.message_id))
        self._fault = fault
        self._wait_ms = wait_ms
        self._asked = asked

    def refs(self) -> Iterable[MessageRef]:
        """See `Work`."""
        return ()

    def keys(self) -> Iterable[CaseKey]:
        """See `Work`."""
        return ()

    def step(self, group: Group) -> None:
        """See `Work`."""
        entry = unsettled(group, self._ref)
        if entry is None:
            return
        if self._asked:
            entry = entry._replace(attempts=max(0, entry.attempts - 1))
        given_up = entry.attempts >= ATTEMPTS_MAX and entry.status is OutboxStatus.PENDING
        if given_up and entry.case_key is not None:
            case = group.case(entry.case_key)
            told = None if case is None else case.outstanding
            # A person must learn why it does not arrive, unless an answer proved that it did.
            if case is not None and told is not None and told.message_id == entry.message_id:
                group.save(case._replace(attention=case.attention or NOT_DELIVERED + self._fault))
        group.outbox[entry.draft_id] = entry._replace(
            status=OutboxStatus.UNKNOWN if given_up else entry.status,
            due_ms=group.now_ms + self._wait_ms,
            leased_until_ms=0,
            last_fault=self._fault,
        )
