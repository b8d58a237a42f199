"""Group commit: many decisions, one signature, one transaction, then the answers.

Whoever has something to write submits a `Work`. One loop gathers what is waiting, runs every step
over one transaction, signs everything that needs a signature as one batch, writes in bulk and
commits; only then does a submitter get its result. If signing or the commit fails, nothing of the
group remains and no signature leaves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gateway.flow.sealing import Sealer
from gateway.kernel.announced import AnnouncedKey
from gateway.kernel.case import CaseRecord
from gateway.kernel.envelope import Kind, Signature
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import CaseKey, GatewayId, MessageRef
from gateway.kernel.limits import GROUP_GATHER_S, GROUP_MAX, GROUP_QUEUE_MAX
from gateway.kernel.stages import Refused, TakenIn
from gateway.ports.clock import Clock, Entropy
from gateway.ports.journal import (
    Evidence,
    Journal,
    JournalDown,
    Material,
    OutboxEntry,
    ReceiptRecord,
    Remembered,
    StoredMessage,
    Transaction,
    VoidRecord,
)
from gateway.ports.journal_agreements import (
    DroppedAgreement,
    SettledNotice,
    StoredAct,
    StoredAgreement,
    StoredNotice,
)
from gateway.ports.journal_joint import JointTask
from gateway.ports.keyring import SignerDown, SuiteMissing
from gateway.ports.telemetry import EventLog


class Work(Protocol):
    """One decision to be written.

    `step` reads through the group, decides, and only then stages writes: once it has staged
    anything it must not raise. A `Fault` it raises becomes its submitter's answer.
    """

    def refs(self) -> Iterable[MessageRef]:
        """Messages `step` will look up."""
        ...

    def keys(self) -> Iterable[CaseKey]:
        """Cases `step` will look up."""
        ...

    def step(self, group: Group) -> None:
        """Decide and stage."""
        ...


@dataclass
class Group:
    """One transaction's reads and staged writes. Lives in the writer's thread only."""

    tx: Transaction
    now_ms: int
    entropy: Entropy
    known_evidence: frozenset[bytes] | set[bytes]
    cases: dict[CaseKey, CaseRecord] = field(default_factory=dict)
    messages: dict[MessageRef, StoredMessage] = field(default_factory=dict)
    taken: list[TakenIn] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    voids: list[VoidRecord] = field(default_factory=list)
    sealed: list[StoredMessage] = field(default_factory=list)
    receipts: list[ReceiptRecord] = field(default_factory=list)
    changed: set[CaseKey] = field(default_factory=set)
    outbox: dict[bytes, OutboxEntry] = field(default_factory=dict)
    dropped: dict[bytes, None] = field(default_factory=dict)
    """Draft ids, in order."""
    materials: list[Material] = field(default_factory=list)
    answers: list[Remembered] = field(default_factory=list)
    evidence: dict[bytes, Evidence] = field(default_factory=dict)
    agreements: list[StoredAgreement] = field(default_factory=list)
    announced: list[AnnouncedKey] = field(default_factory=list)
    acts: list[StoredAct] = field(default_factory=list)
    joint: list[JointTask] = field(default_factory=list)
    dropped_agreements: list[DroppedAgreement] = field(default_factory=list)
    notices: list[StoredNotice] = field(default_factory=list)
    settled_notices: list[SettledNotice] = field(default_factory=list)
    twins: dict[tuple[MessageRef, bytes], Work] = field(default_factory=dict)
    """What this group decided already, by message and header digest: the same gets the same."""
    decided: set[MessageRef] = field(default_factory=set)
    """Messages among `twins`, whatever their header."""
    counted: dict[CaseKey, list[Kind]] = field(default_factory=dict)
    """Kinds this group has taken in, per case: the journal does not show them yet."""
    decisions: dict[CaseKey, bytes] = field(default_factory=dict)
    """Header digests of decisions this group has taken in, latest per case."""
    told_parts: dict[tuple[GatewayId, int], dict[int, bytes]] = field(default_factory=dict)
    """Parts of editions that are kept, with those of this group."""
    woken: set[GatewayId] = field(default_factory=set)
    units: set[str] = field(default_factory=set)
    _loaded: set[CaseKey] = field(default_factory=set)
    _serials: dict[str, tuple[int, int]] = field(default_factory=dict)
    _to_sign: dict[tuple[str, ...], list[tuple[bytes, Callable[[tuple[Signature, ...]], None]]]] = (
        field(default_factory=dict)
    )

    def load(self, works: Iterable[Work]) -> None:
        """Fetch what all works will look up, in bulk."""
        refs: set[MessageRef] = set()
        keys: set[CaseKey] = set()
        for work in works:
            refs.update(work.refs())
            keys.update(work.keys())
        if refs:
            self.messages.update(self.tx.messages(refs))
        if keys:
            self.cases.update(self.tx.cases(keys))
            self._loaded |= keys

    def next_serial(self, scope: str) -> int:
        """Return the next serial of `scope`; the journal is asked once, the rest at the end."""
        first, more = self._serials.get(scope, (0, 0))
        if not first:
            first = self.tx.next_serial(scope)
            self._serials[scope] = (first, 0)
            return first
        self._serials[scope] = (first, more + 1)
        return first + more + 1

    def case(self, key: CaseKey) -> CaseRecord | None:
        """Return a case as this group has left it."""
        found = self.cases.get(key)
        if found is None and key not in self._loaded:
            found = self.tx.cases([key]).get(key)
            if found is not None:
                self.cases[key] = found
        return found

    def save(self, case: CaseRecord) -> None:
        """Stage a case's next state."""
        self.cases[case.key] = case._replace(revision=case.revision + 1, changed_at_ms=self.now_ms)
        self.changed.add(case.key)
        self.units.add(case.unit)

    def put_outbox(self, entry: OutboxEntry) -> None:
        """Stage an outbox entry and wake its lane."""
        self.outbox[entry.draft_id] = entry
        self.woken.add(entry.partner)

    def waiting_of(self, key: CaseKey) -> list[OutboxEntry]:
        """Return the case's outbox as this group has left it, in order."""
        held = {e.draft_id: e for e in self.tx.outbox(key)}
        held.update({d: e for d, e in self.outbox.items() if e.case_key == key})
        for draft_id in self.dropped:
            held.pop(draft_id, None)
        return [held[d] for d in sorted(held)]

    def joint_tasks(self, parent: CaseKey) -> list[JointTask]:
        """Return a main case's joint tasks as this group has left them, in order of asking."""
        return [*self.tx.joint_tasks(parent), *(t for t in self.joint if t.parent == parent)]

    def joint_parent(self, key: CaseKey) -> CaseKey | None:
        """Return the main case of a joint task of ours; None if it is none."""
        staged = (t.parent for t in self.joint if t.key == key)
        return next(staged, None) or self.tx.joint_parent(key)

    def drop_outbox(self, draft_id: bytes) -> None:
        """Stage the removal of an outbox entry."""
        self.outbox.pop(draft_id, None)
        self.dropped[draft_id] = None

    def keep_evidence(self, documents: Iterable[Evidence]) -> None:
        """Stage evidence documents that are not known to be kept already."""
        for document in documents:
            if document.digest not in self.known_evidence:
                self.evidence[document.digest] = document

    def sign(
        self,
        pae: bytes,
        finish: Callable[[tuple[Signature, ...]], None],
        suites: tuple[str, ...] = (),
    ) -> None:
        """Have `pae` signed with the group; `finish` stages what the signatures complete."""
        self._to_sign.setdefault(suites, []).append((pae, finish))

    def finish(self, sealer: Sealer) -> None:
        """Sign the batch and write everything that was staged.

        Raises:
            SignerDown: nothing may be committed then.
        """
        # What completes a signature holds the group: let go of it, so that group and messages are
        # freed at once and do not wait for the collector in a circle.
        to_sign, self._to_sign = self._to_sign, {}
        for suites, asked in to_sign.items():
            signed = sealer.sign([pae for pae, _ in asked], suites)
            for (_, finish), signatures in zip(asked, signed, strict=True):
                finish(signatures)
        tx = self.tx
        for scope, (_, more) in self._serials.items():
            if more:
                tx.next_serial(scope, more)
        if self.evidence:
            tx.put_evidence(list(self.evidence.values()))
        if self.taken:
            tx.append(self.taken)
        if self.voids:
            tx.void(self.voids)  # before refusals: another header under a burnt id is its second
        if self.refused:
            tx.refuse(self.refused)
        if self.sealed:
            tx.seal(self.sealed)
        if self.receipts:
            tx.receipted(self.receipts)
        if self.changed:
            tx.save_cases([self.cases[key] for key in self.changed])
        if self.dropped:
            tx.drop_outbox(list(self.dropped))
        if self.outbox:
            tx.put_outbox(list(self.outbox.values()))
        if self.materials:
            tx.put_materials(self.materials)
        if self.answers:
            tx.remember(self.answers)
        for agreement in self.agreements:
            tx.put_agreement(agreement)
        for act in self.acts:
            tx.put_act(act)
        for task in self.joint:
            tx.put_joint_task(task)
        for key in self.announced:
            tx.save_announced(key)
        for dropped in self.dropped_agreements:
            tx.drop_agreement(dropped)
        for notice in self.notices:
            tx.put_notice(notice)
        for settled in self.settled_notices:
            tx.settle_notice(settled)


@dataclass
class _Submission:
    works: Sequence[Work]
    done: asyncio.Future[list[Fault | None]]


class Committer:
    """The single writer."""

    def __init__(
        self, journal: Journal, sealer: Sealer, clock: Clock, entropy: Entropy, log: EventLog
    ) -> None:
        self._journal = journal
        self._sealer = sealer
        self._clock = clock
        self._entropy = entropy
        self._log = log
        self._queue: list[_Submission] = []
        self._queued = 0
        self._wake = asyncio.Event()
        self._stopping = False
        self._busy = False
        self._known_evidence: set[bytes] = set()
        self._listeners: list[Callable[[set[GatewayId], set[str]], None]] = []
        self._companions: list[Callable[[Group], None]] = []

    def listen(self, listener: Callable[[set[GatewayId], set[str]], None]) -> None:
        """Call `listener(partners with new messages, units with changed cases)` after commits."""
        self._listeners.append(listener)

    def accompany(self, companion: Callable[[Group], None]) -> None:
        """Call `companion(group)` in every transaction after all else is written, in its thread.

        What it writes is of the same transaction; if it raises, nothing of the group remains.
        """
        self._companions.append(companion)

    async def submit(self, work: Work) -> None:
        """Have `work` decided and committed.

        Raises:
            Fault: what `step` raised; `limit.overloaded`, `delivery.stopping`,
                `delivery.journal_down`, `delivery.signer_down`, `gateway.internal`.
        """
        fault = (await self.submit_all([work]))[0]
        if fault is not None:
            raise fault

    async def submit_all(self, works: Sequence[Work]) -> list[Fault | None]:
        """Have several works decided in one group; return the fault of each, None if committed."""
        if not works:
            return []
        refusal = None
        if self._stopping:
            refusal = Fault(FaultCode.DELIVERY_STOPPING)
        elif self._queued + len(works) > GROUP_QUEUE_MAX:
            refusal = Fault(FaultCode.LIMIT_OVERLOADED)
        if refusal is not None:
            return [refusal] * len(works)
        done: asyncio.Future[list[Fault | None]] = asyncio.get_running_loop().create_future()
        self._queue.append(_Submission(works, done))
        self._queued += len(works)
        self._wake.set()
        return await done

    async def run(self) -> None:
        """Commit groups until `stop`; then what is queued, and end."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            await asyncio.sleep(0)  # whoever is ready in this turn of the loop joins the group
            while self._queue:
                if self._busy and self._queued < GROUP_MAX and not self._stopping:
                    await asyncio.sleep(GROUP_GATHER_S)
                await self._commit(self._next())
            if self._stopping:
                return

    def stop(self) -> None:
        """Take no more; `run` ends once the queue is committed."""
        self._stopping = True
        self._wake.set()

    def _next(self) -> list[_Submission]:
        taken: list[_Submission] = []
        size = 0
        while self._queue and (not taken or size + len(self._queue[0].works) <= GROUP_MAX):
            submission = self._queue.pop(0)
            size += len(submission.works)
            taken.append(submission)
        self._queued -= size
        self._busy = len(taken) > 1  # several at once: more are likely on their way
        return taken

    async def _commit(self, submissions: list[_Submission]) -> None:
        works = [work for s in submissions for work in s.works]
        faults = await self._try(works)
        if faults is None:  # one of them broke the group: each alone, so that only it fails
            faults = []
            for work in works:
                alone = await self._try([work])
                faults.append(Fault(FaultCode.INTERNAL) if alone is None else alone[0])
        start = 0
        for submission in submissions:
            end = start + len(submission.works)
            if not submission.done.done():
                submission.done.set_result(faults[start:end])
            start = end

    async def _try(self, works: Sequence[Work]) -> list[Fault | None] | None:
        """Commit `works` as one group; None if one of them failed in a way it must not."""
        try:
            faults, group = await self._journal.write(lambda tx: self._run(tx, works))
        except JournalDown as down:
            self._log.event("journal_down", error=str(down))
            return [Fault(FaultCode.DELIVERY_JOURNAL_DOWN)] * len(works)
        except SuiteMissing as missing:
            self._log.event("suite_missing", error=type(missing).__name__, count=len(works))
            return None if len(works) > 1 else [Fault(FaultCode.DELIVERY_SIGNER_DOWN)]
        except SignerDown as down:
            self._log.event("signer_down", error=str(down))
            return [Fault(FaultCode.DELIVERY_SIGNER_DOWN)] * len(works)
        except Exception as broken:  # noqa: BLE001 - any bug in a step: isolate it, tell, go on
            self._log.event("step_broke", error=type(broken).__name__, count=len(works))
            return None
        self._known_evidence.update(group.evidence)
        if group.woken or group.units:
            for listener in self._listeners:
                listener(group.woken, group.units)
        return faults

    def _run(self, tx: Transaction, works: Sequence[Work]) -> tuple[list[Fault | None], Group]:
        group = Group(tx, self._clock.now_ms(), self._entropy, self._known_evidence)
        group.load(works)
        faults: list[Fault | None] = []
        for work in works:
            try:
                work.step(group)
                faults.append(None)
            except Fault as fault:
                faults.append(fault)
        group.finish(self._sealer)
        for companion in self._companions:
            companion(group)
        return faults, group
