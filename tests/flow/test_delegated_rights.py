"""The four rights an agreement may delegate, each held at both ends: who says it, who hears it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import NamedTuple

import pytest

from gateway.kernel.case import Stage
from gateway.kernel.envelope import Kind, Outcome, Right
from gateway.kernel.faults import Fault, FaultCode
from gateway.rules.agreement import index
from gateway.wire.envelopes import decode_envelope
from tests.flow.judge import require_converged
from tests.flow.world import (
    FORMS,
    QUERY_FORM,
    WINDOW,
    Side,
    World,
    actor,
    as_json,
    id_of,
    query_wish,
)


def delegate(side: Side, *rights: Right) -> None:
    """Let the agreements this side goes by delegate these rights and no others."""
    book = side.directory.current()
    agreements = {
        digest: index(
            replace(a, grants=tuple(replace(g, rights=frozenset(rights)) for g in a.grants))
        )
        for digest, a in book.agreements.items()
    }
    side.directory.replace(replace(book, agreements=agreements))


async def nothing_yet(world: World) -> bytes:
    return b""


async def acknowledged(world: World) -> bytes:
    case_id = await world.open_query()
    await world.drain()
    await world.act(case_id, Kind.ACKNOWLEDGED)
    await world.drain()
    return case_id


async def requested(world: World) -> bytes:
    case_id = await acknowledged(world)
    await world.act(case_id, Kind.MATERIALS_REQUESTED)
    await world.drain()
    return case_id


async def decided(world: World) -> bytes:
    case_id = await acknowledged(world)
    await world.act(case_id, Kind.ACCEPTED, Kind.DECIDED)
    await world.drain()
    return case_id


async def say_submitted(world: World, _case_id: bytes) -> bytes:
    wish = query_wish(verified_originals=True)
    return id_of(await world.jq.desk.open_case(actor(WINDOW), wish, None))


async def say_supplied(world: World, case_id: bytes) -> bytes:
    form = as_json(QUERY_FORM)
    desk = world.jq.desk
    await desk.supplement(actor(WINDOW), case_id, form, (), None, verified_originals=True)
    return case_id


async def say_delivered(world: World, case_id: bytes) -> bytes:
    await world.hand_over(case_id)
    return case_id


def saying(kind: Kind) -> Callable[[World, bytes], Awaitable[bytes]]:
    async def say(world: World, case_id: bytes) -> bytes:
        await world.say(case_id, kind, FORMS[kind])
        return case_id

    return say


class Use(NamedTuple):
    """A right, and what the origin says by it."""

    right: Right
    kind: Kind
    begin: Callable[[World], Awaitable[bytes]]
    say: Callable[[World, bytes], Awaitable[bytes]]
    after: Stage
    without: Stage
    """Where the case is at its origin once the partner has refused it."""


USES = [
    Use(
        Right.ACCEPT,
        Kind.ACCEPTED,
        acknowledged,
        saying(Kind.ACCEPTED),
        Stage.ACCEPTED,
        Stage.ACKNOWLEDGED,
    ),
    Use(
        Right.ACCEPT,
        Kind.NOT_ACCEPTED,
        acknowledged,
        saying(Kind.NOT_ACCEPTED),
        Stage.NOT_ACCEPTED,
        Stage.ACKNOWLEDGED,
    ),
    Use(
        Right.NOTIFY_ONCE,
        Kind.MATERIALS_REQUESTED,
        acknowledged,
        saying(Kind.MATERIALS_REQUESTED),
        Stage.MATERIALS_REQUESTED,
        Stage.ACKNOWLEDGED,
    ),
    Use(
        Right.VERIFY_ORIGINALS,
        Kind.SUBMITTED,
        nothing_yet,
        say_submitted,
        Stage.SUBMITTED,
        Stage.REFUSED_AT_INTAKE,
    ),
    Use(
        Right.VERIFY_ORIGINALS,
        Kind.MATERIALS_SUPPLIED,
        requested,
        say_supplied,
        Stage.MATERIALS_SUPPLIED,
        Stage.MATERIALS_REQUESTED,
    ),
    Use(
        Right.DELIVER_RESULT, Kind.DELIVERED, decided, say_delivered, Stage.DELIVERED, Stage.DECIDED
    ),
]
every_use = pytest.mark.parametrize(
    "use", USES, ids=lambda u: f"{u.right.name.lower()}-{u.kind.name.lower()}"
)
OTHERS = {r: [o for o in Right if o not in (r, Right.NONE)] for r in Right}


@every_use
async def test_a_right_that_is_not_delegated_is_refused_where_it_would_be_said(
    world: World, use: Use
) -> None:
    case_id = await use.begin(world)
    delegate(world.jq, *OTHERS[use.right])
    calls = len(world.jq.link.calls)
    with pytest.raises(Fault) as raised:
        await use.say(world, case_id)
    assert raised.value.code is FaultCode.AGREEMENT_RIGHT_NOT_DELEGATED
    await world.drain()
    assert len(world.jq.link.calls) == calls


@every_use
async def test_a_right_that_is_not_delegated_is_refused_where_it_is_heard(
    world: World, use: Use
) -> None:
    case_id = await use.begin(world)
    delegate(world.jq, use.right)
    delegate(world.jyg, *OTHERS[use.right])
    case_id = await use.say(world, case_id)
    await world.drain()
    said = (await world.jq.said(case_id))[-1]
    rule = FaultCode.AGREEMENT_RIGHT_NOT_DELEGATED
    assert (said.kind, said.outcome, said.rule) == (use.kind, Outcome.REFUSED, rule)
    case = await world.jq.case(case_id)
    assert (case.stage, case.attention) == (use.without, rule)
    await require_converged(world)


@every_use
async def test_a_delegated_right_is_exercised_by_name_and_counts_at_both_ends(
    world: World, use: Use
) -> None:
    case_id = await use.begin(world)
    for side in world.sides:
        delegate(side, use.right)
    case_id = await use.say(world, case_id)
    await world.drain()
    for side in world.sides:
        assert (await side.case(case_id)).stage is use.after
    said = (await world.jq.said(case_id))[-1]
    assert (said.kind, said.outcome) == (use.kind, Outcome.TAKEN_IN)
    assert decode_envelope(said.envelope).header.delegated_right is use.right
    await require_converged(world)


async def test_a_case_may_be_accepted_where_it_was_taken_in_and_decided_where_it_is_handled(
    world: World,
) -> None:
    for side in world.sides:
        delegate(side, Right.ACCEPT, Right.NOTIFY_ONCE, Right.DELIVER_RESULT)
    case_id = await acknowledged(world)
    await world.say(case_id, Kind.MATERIALS_REQUESTED, FORMS[Kind.MATERIALS_REQUESTED])
    await world.drain()
    await world.supply(case_id)
    await world.drain()
    await world.say(case_id, Kind.ACCEPTED, FORMS[Kind.ACCEPTED])
    await world.drain()
    await world.act(case_id, Kind.DECIDED)
    await world.drain()
    await world.hand_over(case_id)
    await world.drain()
    assert (await world.jyg.case(case_id)).stage is Stage.DELIVERED
    await require_converged(world)


@pytest.mark.parametrize("lane_first", ["jq", "jyg"])
async def test_acceptance_said_at_both_ends_at_once_counts_once(
    world: World, lane_first: str
) -> None:
    for side in world.sides:
        delegate(side, Right.ACCEPT)
    case_id = await acknowledged(world)
    await world.say(case_id, Kind.ACCEPTED, FORMS[Kind.ACCEPTED])
    await world.act(case_id, Kind.ACCEPTED)
    await getattr(world, lane_first).lane.turn()
    await world.drain()
    assert (await world.jq.case(case_id)).stage is Stage.ACCEPTED
    await require_converged(world)
