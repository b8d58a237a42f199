"""What an operator can have a gateway do, by name: the same in a running gateway and beside one."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Final

from gateway.adapters.pki.suites import SuiteVerifier, suite_of_public
from gateway.app.core import Core
from gateway.app.lanes import LaneOf, list_lanes, no_lane, pause_lane, resume_lane
from gateway.app.onboarding.acts import Onboarding
from gateway.app.problems import ConfigProblem
from gateway.app.reloading import PartnerReload, nothing_changed
from gateway.flow.agreement_desk import AgreementDesk
from gateway.flow.announced import AnnouncementDesk
from gateway.flow.desk import View
from gateway.flow.item_import import import_stream
from gateway.flow.operator_desk import OperatorDesk
from gateway.flow.quarantine import QuarantineDesk
from gateway.flow.receiving import Receiving
from gateway.kernel.arrivals import ArrivalStatus
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId, KeyId, parse_uuid7
from gateway.kernel.limits import PAGE_MAX
from gateway.rules.agreement import OpenCases
from gateway.rules.announced import find_announced
from gateway.rules.onboarding import PartnerEvent
from gateway.rules.operators import require_no_act

Arguments = Mapping[str, object]
Stream = AsyncIterator[Arguments]
_Command = Callable[["Operations", str, Arguments], Awaitable[View]]
_Required = Callable[["Operations", Arguments], Awaitable[None]]
_Streamed = Callable[["Operations", Stream], Awaitable[View]]


class Operations:
    """Performs operators' commands on what `open_core` opened."""

    def __init__(
        self,
        core: Core,
        receiving: Receiving | None = None,
        reloading: PartnerReload | None = None,
        lane_of: LaneOf = no_lane,
    ) -> None:
        self.core, self.reloading, self.lane_of = core, reloading, lane_of
        home = core.directory.current().home.gateway_id
        self.quarantine = QuarantineDesk(core.committer, core.journal, home, receiving, core.log)
        self.calendar = core.calendar
        self.log = core.log
        self.agreements = AgreementDesk(
            core.committer, core.sealer, core.directory, core.accords, core.seams.clock
        )
        self.journal, self.press, self.clock = core.journal, core.press, core.seams.clock
        self.announcements = AnnouncementDesk(
            core.committer, core.directory, core.accords.refresh, core.accords.read_key, core.log
        )
        self.onboarding = Onboarding(core, reloading)
        self.operators = OperatorDesk(
            core.journal, home, SuiteVerifier(), suite_of_public, core.seams.clock, core.log
        )

    async def perform(self, operator: str, command: str, arguments: Arguments) -> View:
        """Look something up, or do what an operator signed; `operator` is who asks.

        Raises:
            Fault: `operator.not_found` for a command there is none of; `operator.request_invalid`
                for arguments that are missing or no text; `operator.unsigned` for an act by
                itself; what the command raises.
        """
        if command == ACT:
            raw, key_id, signature = _signed(arguments)
            return await self.operators.act(raw, key_id, signature, self._act, self._require)
        require_no_act(command, ACTS)
        found = LOOKS.get(command)
        if found is None:
            raise Fault(FaultCode.OPERATOR_NOT_FOUND, command[:64])
        return await found(self, operator, arguments)

    async def _require(self, command: str, arguments: Arguments) -> None:
        """Refuse what could not be done anyway, before a second operator is asked to agree."""
        found = REQUIRED.get(command)
        if found is not None:
            await found(self, arguments)

    async def _act(self, operator: str, command: str, arguments: Arguments) -> View:
        """Do what was signed; `operator` is a pseudonym that messages and logs may name."""
        found = ACTS.get(command)
        if found is None:
            raise Fault(FaultCode.OPERATOR_NOT_FOUND, command[:64])
        return await found(self, operator, arguments)

    async def consume(self, operator: str, command: str, arguments: Stream) -> View:
        """Do one command whose arguments come one after another, as long as they come.

        Raises:
            Fault: as `perform` does; what reading `arguments` raises.
        """
        found = STREAMED.get(command)
        if found is None:
            raise Fault(FaultCode.OPERATOR_NOT_FOUND, command[:64])
        return await found(self, arguments)


def _text(arguments: Arguments, name: str, default: str | None = None) -> str:
    value = arguments.get(name, default)
    if not isinstance(value, str):
        raise Fault(FaultCode.OPERATOR_REQUEST_INVALID, name)
    return value


def _signed(arguments: Arguments) -> tuple[bytes, KeyId, bytes]:
    try:
        raw, signature = (
            base64.b64decode(_text(arguments, name), validate=True) for name in ("act", "signature")
        )
        return raw, KeyId(bytes.fromhex(_text(arguments, "key"))), signature
    except ValueError:
        raise Fault(FaultCode.OPERATOR_REQUEST_INVALID, "act") from None


def _digest(arguments: Arguments) -> bytes:
    try:
        return bytes.fromhex(_text(arguments, "agreement"))
    except ValueError:
        raise Fault(FaultCode.OPERATOR_REQUEST_INVALID, "agreement") from None


async def _propose(o: Operations, operator: str, a: Arguments) -> View:
    return await o.agreements.propose(operator, _text(a, "content").encode())


async def _accept(o: Operations, operator: str, a: Arguments) -> View:
    return await o.agreements.accept(operator, _digest(a))


async def _reject(o: Operations, operator: str, a: Arguments) -> View:
    return await o.agreements.reject(operator, _digest(a), _text(a, "reason", ""))


async def _revoke(o: Operations, operator: str, a: Arguments) -> View:
    return await o.agreements.revoke(operator, _digest(a), _text(a, "reason", ""), _open_cases(a))


def _open_cases(arguments: Arguments) -> OpenCases:
    said = _text(arguments, "open_cases")
    if said not in ("continue", "stop"):
        raise Fault(FaultCode.OPERATOR_REQUEST_INVALID, "open_cases")
    return OpenCases[said.upper()]


async def _send(o: Operations, operator: str, a: Arguments) -> View:
    return await o.agreements.send(operator, _digest(a), _text(a, "partner", ""))


async def _drop(o: Operations, operator: str, a: Arguments) -> View:
    return await o.agreements.drop(operator, _digest(a))


async def _reload_calendar(o: Operations, operator: str, _: Arguments) -> View:
    """Read calendar.toml again; one that is wrong is told with all its problems, and not taken."""
    try:
        years = await asyncio.to_thread(o.calendar.reload)
    except ConfigProblem as problem:
        o.log.event("calendar_kept", error="ConfigProblem", count=len(problem.messages))
        return {"taken": False, "problems": list(problem.messages)}
    o.log.event("calendar_taken", operator=operator, count=sum(map(len, years)))
    return {"taken": True, "problems": [], **years._asdict()}


async def _reload_partners(o: Operations, operator: str, _: Arguments) -> View:
    """Have the partners' files read again; beside a stopped gateway they have just been read."""
    if o.reloading is None:
        return nothing_changed(o.core.directory.current())
    return await o.reloading.reload(operator)


async def _lane_list(o: Operations, operator: str, _: Arguments) -> View:
    return await list_lanes(o.core, o.lane_of)


async def _lane_pause(o: Operations, operator: str, a: Arguments) -> View:
    named, reason = _text(a, "partner"), _text(a, "reason")
    return await pause_lane(o.core, o.lane_of, operator, named, reason)


async def _lane_resume(o: Operations, operator: str, a: Arguments) -> View:
    named, reason = _text(a, "partner"), _text(a, "reason", "")
    return await resume_lane(o.core, o.lane_of, operator, named, reason)


def _arrival(arguments: Arguments) -> bytes:
    found = parse_uuid7(_text(arguments, "arrival"))
    if found is None:
        told = "arrival: an id, as `kuayu quarantine list` shows it"
        raise Fault(FaultCode.OPERATOR_REQUEST_INVALID, told)
    return found


async def _quarantine_list(o: Operations, operator: str, a: Arguments) -> View:
    try:
        status = ArrivalStatus(_text(a, "status", ArrivalStatus.QUARANTINED.value))
    except ValueError:
        told = f"status: one of {', '.join(ArrivalStatus)}"
        raise Fault(FaultCode.OPERATOR_REQUEST_INVALID, told) from None
    return await o.quarantine.list(status, PAGE_MAX)


async def _quarantine_show(o: Operations, operator: str, a: Arguments) -> View:
    return await o.quarantine.show(_arrival(a))


async def _quarantine_replay(o: Operations, operator: str, a: Arguments) -> View:
    return await o.quarantine.replay(operator, _arrival(a), _text(a, "reason", ""))


async def _quarantine_drop(o: Operations, operator: str, a: Arguments) -> View:
    return await o.quarantine.drop(operator, _arrival(a), _text(a, "reason"))


async def _new_partner(o: Operations, operator: str, a: Arguments) -> View:
    files = a.get("files")
    if not isinstance(files, dict) or not all(isinstance(f, str) for f in files.values()):
        raise Fault(FaultCode.OPERATOR_REQUEST_INVALID, "files")
    return await o.onboarding.new(operator, _text(a, "folder"), files)


async def _join(o: Operations, operator: str, a: Arguments) -> View:
    folder, file, phrase = _text(a, "folder", ""), _text(a, "file"), _text(a, "phrase")
    return await o.onboarding.join(operator, folder, file, phrase)


async def _invite(o: Operations, operator: str, a: Arguments) -> View:
    return await o.onboarding.invite(_text(a, "partner"), _text(a, "in_reply_to", ""))


async def _announce_key(o: Operations, operator: str, a: Arguments) -> View:
    certificate = _text(a, "certificate").encode()
    only, now_ms = _text(a, "partner", ""), o.clock.now_ms()
    return await o.announcements.announce(operator, _text(a, "use"), certificate, only, now_ms)


def _settle_key(*, confirm: bool) -> _Command:
    async def settle(o: Operations, operator: str, a: Arguments) -> View:
        partner, start = _text(a, "partner"), _text(a, "key")
        return await o.announcements.settle(operator, partner, start, confirm=confirm)

    return settle


def _state_act(event: PartnerEvent, *, override: bool = False) -> _Command:
    async def change(o: Operations, operator: str, a: Arguments) -> View:
        return await o.onboarding.change(operator, _text(a, "partner"), event, override=override)

    return change


ACT: Final = "act"
"""The command that carries what an operator signed."""
ACTS: Final[Mapping[str, _Command]] = {
    "agreement-propose": _propose,
    "agreement-accept": _accept,
    "agreement-reject": _reject,
    "agreement-revoke": _revoke,
    "agreement-send": _send,
    "agreement-drop": _drop,
    "key-announce": _announce_key,
    "key-confirm": _settle_key(confirm=True),
    "key-drop": _settle_key(confirm=False),
    "lane-pause": _lane_pause,
    "lane-resume": _lane_resume,
    "partner-new": _new_partner,
    "partner-join": _join,
    "partner-invite": _invite,
    "partner-test": _state_act(PartnerEvent.TEST),
    "partner-activate": _state_act(PartnerEvent.ACTIVATE),
    "partner-override": _state_act(PartnerEvent.ACTIVATE, override=True),
    "partner-suspend": _state_act(PartnerEvent.SUSPEND),
    "partner-retire": _state_act(PartnerEvent.RETIRE),
    "partner-reload": _reload_partners,
    "quarantine-replay": _quarantine_replay,
    "quarantine-drop": _quarantine_drop,
}
"""What is signed by an operator, or not done."""


async def _require_revocable(o: Operations, a: Arguments) -> None:
    o.agreements.require_revocable(_digest(a), _open_cases(a))


async def _require_droppable(o: Operations, a: Arguments) -> None:
    _text(a, "reason")
    await o.quarantine.require_droppable(_arrival(a))


async def _require_announced(o: Operations, a: Arguments) -> None:
    partner, start = GatewayId(_text(a, "partner")), _text(a, "key")
    await o.journal.read(lambda s: find_announced(s.announced_by(partner), start))


def _require_state(event: PartnerEvent) -> _Required:
    async def require(o: Operations, a: Arguments) -> None:
        await o.onboarding.require_change(_text(a, "partner"), event)

    return require


REQUIRED: Final[Mapping[str, _Required]] = {
    "agreement-revoke": _require_revocable,
    "quarantine-drop": _require_droppable,
    "key-confirm": _require_announced,
    "partner-override": _require_state(PartnerEvent.ACTIVATE),
    "partner-retire": _require_state(PartnerEvent.RETIRE),
}
"""What is looked at before an act waits for a second operator; the desk judges operators' own."""
LOOKS: Final[Mapping[str, _Command]] = {
    "calendar-reload": _reload_calendar,
    "lane-list": _lane_list,
    "quarantine-list": _quarantine_list,
    "quarantine-show": _quarantine_show,
}
"""What anybody does who can open the socket: it changes no partner, agreement, key or message."""


async def _import_items(o: Operations, arguments: Stream) -> View:
    return await import_stream(o.journal, o.press, arguments, now_ms=o.clock.now_ms())


STREAMED: Final[Mapping[str, _Streamed]] = {"items-import": _import_items}
"""Every command whose arguments come as a stream."""
