"""What operators sign is believed, kept, and then done; what is dangerous waits for a second one.

An act is kept before it is done and settled after: one that a crash cut off reads `begun`, and
whoever asked for it looks at what it was about.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from hashlib import sha256

from gateway.flow.desk import View
from gateway.kernel.digests import TYPE_OPERATOR_ACT, pae
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId, KeyId, parse_uuid7, uuid_text
from gateway.kernel.limits import OPERATOR_ACT_WAITS_MS_MAX, PAGE_MAX
from gateway.kernel.operators import (
    ADD,
    APPROVE,
    DECLINE,
    REMOVE,
    ActEvent,
    ActStatus,
    Operator,
    OperatorAct,
    SignedOperatorAct,
)
from gateway.ports.clock import Clock
from gateway.ports.journal import Journal
from gateway.ports.journal_operators import StoredOperatorAct
from gateway.ports.keyring import Verifier
from gateway.ports.telemetry import EventLog
from gateway.rules.operators import (
    acting,
    added_by,
    needs_second,
    operators_of,
    require_addable,
    require_another,
    require_for_here_and_now,
    require_not_waiting,
    require_operator,
    require_removable,
    require_verified,
    step,
    subject_of,
    text_of,
)
from gateway.wire.operator_acts import decode_operator_act

Require = Callable[[str, Mapping[str, object]], Awaitable[None]]
"""Refuses a command that could not be done now anyway: (command, arguments). Raises Fault."""
Perform = Callable[[str, str, Mapping[str, object]], Awaitable[View]]
"""Does a command: (operator's name, command, arguments). Raises Fault."""
SuiteOf = Callable[[bytes], str]
"""Suite of a public key (DER). Raises ValueError where no suite signs with it."""


class OperatorDesk:
    """Takes signed acts."""

    def __init__(
        self,
        journal: Journal,
        home: GatewayId,
        verifier: Verifier,
        suite_of: SuiteOf,
        clock: Clock,
        log: EventLog,
    ) -> None:
        self._journal = journal
        self._home = home
        self._verifier = verifier
        self._suite_of = suite_of
        self._clock = clock
        self._log = log
        self._one_at_a_time = asyncio.Lock()
        self._settled_ms = 0

    async def act(
        self, raw: bytes, key_id: KeyId, signature: bytes, perform: Perform, require: Require
    ) -> View:
        """Do what an operator signed, once: the same act again only tells what became of it.

        Returns what the command answers; for one that waits, `waiting` with the act's id.

        Raises:
            Fault: `operator.*`; what the command raises.
        """
        async with self._one_at_a_time:
            signed = SignedOperatorAct(raw, decode_operator_act(raw), key_id, signature)
            everyone = await self._everyone()
            operator = self._believed(signed, everyone)
            kept = await self._journal.read(lambda s: s.operator_act(signed.act.act_id))
            if kept is not None:
                if kept.raw != raw:
                    raise Fault(FaultCode.OPERATOR_ACT_STALE, "its id was used before")
                return {"again": True, **act_view(kept)}
            self._require_sense(signed, everyone)
            waits = needs_second(signed.act, acting(everyone))
            if waits:
                await require(signed.act.command, signed.act.arguments)
                await self._require_first(signed.act)
            begun = await self._done_if_change(await self._begin(signed, operator, waits=waits))
        if begun.status is ActStatus.WAITING:
            self._log.event("operator_act_waits", operator=operator.name, command=begun.command)
            return {"waiting": uuid_text(begun.act_id), **act_view(begun)}
        if begun.command in (APPROVE, DECLINE):
            return await self._second(begun, signed, operator, perform)
        return await self._perform(begun, perform, operator.name)

    async def _everyone(self) -> list[Operator]:
        changes = await self._journal.read(lambda s: s.operator_changes())
        return operators_of((decode_operator_act(c.raw), c.settled_at_ms) for c in changes)

    def _believed(self, signed: SignedOperatorAct, everyone: list[Operator]) -> Operator:
        """Return who signed it. Where nobody was ever added, the first adds itself.

        Raises:
            Fault: `operator.unknown`, `operator.signature_invalid`, `operator.act_stale`.
        """
        known = acting(everyone)
        if not everyone and signed.act.command == ADD:
            first = added_by(signed.act)
            known = {first.key_id: first}
        operator = require_operator(known, signed.key_id)
        message = pae(TYPE_OPERATOR_ACT, signed.raw)
        require_verified(operator, self._verifier.verify, signed.signature, message)
        require_for_here_and_now(signed.act, self._home, self._clock.now_ms())
        return operator

    def _require_sense(self, signed: SignedOperatorAct, everyone: list[Operator]) -> None:
        """Refuse what could not be done anyway, before anybody is asked to agree.

        Raises:
            Fault: those of `require_addable` and `require_removable`.
        """
        act = signed.act
        if act.command == ADD:
            added = added_by(act)
            require_addable(everyone, added.name, added.key_id)
            try:
                suite = self._suite_of(added.public_key)
            except ValueError as problem:
                raise Fault(FaultCode.OPERATOR_REQUEST_INVALID, "public_key") from problem
            if suite != added.suite:
                raise Fault(FaultCode.OPERATOR_REQUEST_INVALID, "suite")
        if act.command == REMOVE:
            require_removable(acting(everyone), text_of(act, "name"))

    async def _require_first(self, act: OperatorAct) -> None:
        """Refuse what waits already: nobody need agree to it twice.

        Raises:
            Fault: `operator.act_waits`.
        """
        since_ms = self._clock.now_ms() - OPERATOR_ACT_WAITS_MS_MAX
        waiting = await self._journal.read(
            lambda s: s.operator_acts(limit=PAGE_MAX, status=ActStatus.WAITING)
        )
        others = (decode_operator_act(w.raw) for w in waiting if w.acted_at_ms >= since_ms)
        require_not_waiting(act, others)

    async def _begin(
        self, signed: SignedOperatorAct, operator: Operator, *, waits: bool
    ) -> StoredOperatorAct:
        act = signed.act
        begun = StoredOperatorAct(
            act.act_id,
            act.command,
            subject_of(act),
            operator.name,
            signed.key_id,
            act.acted_at_ms,
            ActStatus.WAITING if waits else ActStatus.BEGUN,
            signed.raw,
            signed.signature,
        )
        await self._journal.write(lambda tx: tx.save_operator_act(begun))
        return begun

    async def _second(
        self,
        own: StoredOperatorAct,
        signed: SignedOperatorAct,
        operator: Operator,
        perform: Perform,
    ) -> View:
        """Agree to somebody's act, and have it done; or decline it. Either is an act as well."""
        try:
            event = ActEvent.APPROVE if own.command == APPROVE else ActEvent.DECLINE
            judged = await self._judge(signed, event)
        except Fault as fault:
            await self._settle(own, ActEvent.REFUSE, fault.code.value)
            raise
        await self._settle(own, ActEvent.FINISH)
        if judged.status is ActStatus.DECLINED:
            self._log.event("operator_act_declined", operator=operator.name, command=judged.command)
            return act_view(judged)
        return await self._perform(judged, perform, f"{judged.operator}+{operator.name}")

    async def _judge(self, signed: SignedOperatorAct, event: ActEvent) -> StoredOperatorAct:
        """Settle a waiting act by a second operator's word on exactly its bytes.

        Raises:
            Fault: `operator.not_found`, `operator.same_person`, `operator.act_settled`,
                `operator.act_stale`; what judges an operator to be added or removed.
        """
        async with self._one_at_a_time:
            act_id = parse_uuid7(text_of(signed.act, "act")) or b""
            first = await self._journal.read(lambda s: s.operator_act(act_id))
            if first is None:
                raise Fault(FaultCode.OPERATOR_NOT_FOUND, "act")
            if sha256(first.raw).hexdigest() != text_of(signed.act, "digest"):
                raise Fault(FaultCode.OPERATOR_REQUEST_INVALID, "digest")
            if event is ActEvent.APPROVE:
                require_another(first.key_id, signed.key_id)
                everyone = await self._everyone()
                require_operator(acting(everyone), first.key_id)
                again = SignedOperatorAct(
                    first.raw, decode_operator_act(first.raw), first.key_id, first.signature
                )
                self._require_sense(again, everyone)
            if self._clock.now_ms() - first.acted_at_ms > OPERATOR_ACT_WAITS_MS_MAX:
                await self._settle(first, ActEvent.EXPIRE)
                raise Fault(FaultCode.OPERATOR_ACT_STALE, "nobody agreed within a day")
            judged = await self._settle(first, event, second=signed.act.act_id)
            return await self._done_if_change(judged)

    async def _done_if_change(self, act: StoredOperatorAct) -> StoredOperatorAct:
        """Settle an act that changes operators: that it is done is all there is to do."""
        if act.command in (ADD, REMOVE) and act.status is ActStatus.BEGUN:
            return await self._settle(act, ActEvent.FINISH)
        return act

    async def _perform(self, act: StoredOperatorAct, perform: Perform, by: str) -> View:
        """Do it. One that is refused by a rule is settled so; another failure leaves it begun."""
        self._log.event("operator_acted", operator=by, command=act.command)
        if act.status is ActStatus.DONE:
            return act_view(act)
        try:
            view = await perform(by, act.command, decode_operator_act(act.raw).arguments)
        except Fault as fault:
            await self._settle(act, ActEvent.REFUSE, fault.code.value)
            raise
        done = await self._settle(act, ActEvent.FINISH)
        return {**act_view(done), **view}

    async def _settle(
        self, act: StoredOperatorAct, event: ActEvent, rule: str = "", second: bytes = b""
    ) -> StoredOperatorAct:
        # Two in one millisecond keep their order: an operator is removed after being added.
        self._settled_ms = max(self._clock.now_ms(), self._settled_ms + 1)
        settled = act._replace(
            status=step(act.status, event),
            rule=rule,
            second=second or act.second,
            settled_at_ms=self._settled_ms,
        )
        await self._journal.write(lambda tx: tx.save_operator_act(settled))
        return settled


def act_view(act: StoredOperatorAct) -> View:
    """Show an act without its arguments. JSON-ready."""
    return {
        "act": uuid_text(act.act_id),
        "act_status": act.status.value,
        "command": act.command,
        "subject": act.subject,
        "operator": act.operator,
    }
