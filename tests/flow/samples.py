"""Samples of the rules that show only when a part of the gateway fails, or in its own desks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import NamedTuple, TypeVar

from gateway.adapters.system.clock import SystemClock
from gateway.app.cli.item_views import plan_lines
from gateway.edge.admission import Places, Rates
from gateway.flow.committer import Group
from gateway.flow.item_list import ImportWish, import_items
from gateway.kernel.envelope import NotTakenIn
from gateway.kernel.faults import Fault
from gateway.kernel.faults import FaultCode as F
from gateway.kernel.identifiers import CaseKey, GatewayId, MessageRef
from gateway.kernel.limits import GROUP_QUEUE_MAX
from gateway.ports.journal import Journal, Snapshot
from tests.flow.test_announced_keys import Next
from tests.flow.world import WINDOW, World, actor, chunks
from tests.support.item_list import list_row, list_rows
from tests.support.world import sample_files

T = TypeVar("T")
HOME = GatewayId("620900")

Ask = Callable[[World], Awaitable[str]]
"""Does something in a world and returns the rule it met; empty if none."""


class FlowSample(NamedTuple):
    """One thing done that keeps a rule and one, as like it as can be, that breaks it."""

    passing: Ask
    failing: Ask


class Nothing:
    """A work that does nothing, or breaks."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error

    def refs(self) -> Iterable[MessageRef]:
        return ()

    def keys(self) -> Iterable[CaseKey]:
        return ()

    def step(self, _group: Group) -> None:
        if self._error is not None:
            raise self._error


async def met(made: Awaitable[object]) -> str:
    """Return the rule that a call of the gateway's own raises."""
    try:
        await made
    except Fault as fault:
        return fault.code.value
    return ""


async def delivered(world: World) -> str:
    """Open a case, send it, and return what the other side's answer names."""
    heard: list[bytes | NotTakenIn] = []

    def listen(answers: list[bytes | NotTakenIn]) -> list[bytes | NotTakenIn]:
        heard.extend(answers)
        return answers

    world.jq.link.tamper = listen
    await world.open_query()
    await world.jq.lane.turn()
    (answer,) = heard
    return answer.rule if isinstance(answer, NotTakenIn) else ""


def while_(trouble: Callable[[World], None] = lambda _: None) -> Ask:
    """Deliver a message to a side that is in trouble."""

    async def ask(world: World) -> str:
        trouble(world)
        return await delivered(world)

    return ask


def _journal_down(world: World) -> None:
    world.jyg.journal.lost_commits = 1


def _signer_down(world: World) -> None:
    world.jyg.pen.down = True


def _stopping(world: World) -> None:
    world.jyg.committer.stop()


def submits(works: int, error: Exception | None = None) -> Ask:
    async def ask(world: World) -> str:
        many = [Nothing() for _ in range(works - 1)] + [Nothing(error)]
        faults = await world.jq.committer.submit_all(many)
        return "" if faults[-1] is None else faults[-1].code.value

    return ask


def hears(spoil: Callable[[bytes], bytes]) -> Ask:
    """Send a message whose receipt comes back changed; return why it still waits."""

    async def ask(world: World) -> str:
        def tamper(answers: list[bytes | NotTakenIn]) -> list[bytes | NotTakenIn]:
            return [spoil(a) if isinstance(a, bytes) else a for a in answers]

        world.jq.link.tamper = tamper
        await world.open_query()
        await world.jq.lane.turn()
        waiting = await world.jq.outbox()
        return waiting[0].last_fault if waiting else ""

    return ask


def adds(code: str, media_type: str = "application/pdf") -> Ask:
    async def ask(world: World) -> str:
        case_id = await world.open_branch(upload=False)
        content = sample_files(("01",))["01"]
        desk = world.jq.desk
        return await met(
            desk.add_material(
                actor(WINDOW), case_id, code, media_type, len(content), chunks(content)
            )
        )

    return ask


def calls_at_once(calls_max: int) -> Ask:
    async def ask(world: World) -> str:
        (entry,) = world.jyg.directory.current().partners.values()
        partner, places = replace(entry, calls_max=calls_max), Places()
        try:
            with places.taken(partner, "calls"), places.taken(partner, "calls"):
                return ""
        except Fault as fault:
            return fault.code.value

    return ask


def messages_at_once(burst: int) -> Ask:
    async def ask(world: World) -> str:
        (entry,) = world.jyg.directory.current().partners.values()
        partner = replace(entry, messages_per_s=1, messages_burst=burst)
        rates = Rates(SystemClock())
        await rates.admit(partner)
        return await met(rates.admit(partner))

    return ask


class _Between:
    """A journal to which another import comes between a read and the write after it."""

    def __init__(self, inner: Journal) -> None:
        self._inner = inner
        self.write, self.probe, self.close = inner.write, inner.probe, inner.close

    async def read(self, query: Callable[[Snapshot], T]) -> T:
        found = await self._inner.read(query)
        await import_items(self._inner, _list_of(3), now_ms=2)
        return found


def _list_of(count: int, **changes: str) -> ImportWish:
    rows = [list_row(1, **changes), *list_rows(count)[1:]]
    return ImportWish(HOME, rows, bytes(32))


def imports_a_list(overtaken: bool) -> Ask:
    async def ask(world: World) -> str:
        journal = world.jq.journal
        through = _Between(journal) if overtaken else journal
        return await met(import_items(through, _list_of(2), now_ms=1))

    return ask


def changes_a_row(version: str) -> Ask:
    """Import a row changed under `version`; return the rule the operator's report warns of."""

    async def ask(world: World) -> str:
        journal = world.jq.journal
        await import_items(journal, _list_of(2, task_version="1"), now_ms=1)
        changed = _list_of(2, task_version=version, promise_day="1")
        done = await import_items(journal, changed, now_ms=2)
        warned = [line for line in plan_lines(done, HOME) if "warning " in line]
        return warned[0].split("warning ")[1].split(":")[0] if warned else ""

    return ask


def announces_to(partner: str) -> Ask:
    """Announce a key to one partner."""

    async def ask(world: World) -> str:
        pem, now_ms = Next(world).pem, world.clock.now_ms()
        return await met(world.jq.announcements.announce("wang", "signing", pem, partner, now_ms))

    return ask


SAMPLES: dict[F, FlowSample] = {
    F.OPERATOR_NOT_FOUND: FlowSample(announces_to("620200"), announces_to("620999")),
    F.DELIVERY_JOURNAL_DOWN: FlowSample(while_(), while_(_journal_down)),
    F.DELIVERY_SIGNER_DOWN: FlowSample(while_(), while_(_signer_down)),
    F.DELIVERY_STOPPING: FlowSample(while_(), while_(_stopping)),
    F.LIMIT_OVERLOADED: FlowSample(submits(GROUP_QUEUE_MAX), submits(GROUP_QUEUE_MAX + 1)),
    F.LIMIT_RATE: FlowSample(calls_at_once(2), calls_at_once(1)),
    F.LIMIT_PARTNER_RATE: FlowSample(messages_at_once(2), messages_at_once(1)),
    F.RECEIPT_INVALID: FlowSample(
        hears(lambda receipt: receipt), hears(lambda receipt: receipt[:-1])
    ),
    F.ATTACHMENT_NOT_DECLARED: FlowSample(adds("01"), adds("99")),
    F.ATTACHMENT_TYPE: FlowSample(adds("01"), adds("01", "image/png")),
    F.ITEM_LIST_CHANGED_MEANWHILE: FlowSample(imports_a_list(False), imports_a_list(True)),
    F.ITEM_LIST_VERSION_NOT_RAISED: FlowSample(changes_a_row("2"), changes_a_row("1")),
    F.INTERNAL: FlowSample(submits(2), submits(2, ZeroDivisionError())),
}
