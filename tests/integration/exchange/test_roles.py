"""Who may say what in a case: third partners, sides, stages."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.adapters.system.clock import SystemClock
from gateway.flow.accords import VERDICTS
from gateway.kernel.digests import digest
from gateway.kernel.envelope import Kind, Mode, Outcome, Right
from gateway.kernel.faults import FaultCode as F
from gateway.kernel.identifiers import GatewayId, parse_uuid7, uuid_text
from tests.support.peer import QUERY_FORM, Peer, Sealed, body_of
from tests.support.world import QUERY, agreement_bytes, make_pair, run_nodes, sample_answer

from .outcomes import not_taken_in, refused, taken_in
from .worlds import World, own_channel

pytestmark = pytest.mark.asyncio(loop_scope="module")

DECIDED = {"result": "refused", "reason_zh": "示例"}


async def opened(world: World) -> Sealed:
    first = world.jiuquan.submission()
    await taken_in(world, first)
    return first


async def untouched(world: World, victim: Sealed, forged: Sealed, rule: F) -> None:
    """A third partner's message is refused; the case is as it was, and goes on."""
    case = world.journal.case(victim.header)
    await refused(world, forged, rule, by=world.zhangye)
    assert world.journal.case(victim.header) == case
    await taken_in(world, world.jiuquan.next(victim, Kind.WITHDRAWN))


async def test_a_third_partner_cannot_withdraw_a_case(world: World) -> None:
    victim, own = await opened(world), world.zhangye.submission()
    forged = world.zhangye.next(
        own,
        Kind.WITHDRAWN,
        case_origin=victim.header.case_origin,
        case_id=victim.header.case_id,
        previous_digest=victim.header_digest,
    )
    await untouched(world, victim, forged, F.CASE_NOT_PARTY)


async def test_a_third_partner_cannot_use_the_agreement_of_a_case(world: World) -> None:
    victim, own = await opened(world), world.zhangye.submission()
    forged = world.zhangye.next(
        own,
        Kind.WITHDRAWN,
        case_origin=victim.header.case_origin,
        case_id=victim.header.case_id,
        previous_digest=victim.header_digest,
        agreement_digest=victim.header.agreement_digest,
    )
    await untouched(world, victim, forged, F.CASE_NOT_PARTY)


async def test_a_third_partner_cannot_submit_into_a_case(world: World) -> None:
    victim = await opened(world)
    forged = world.zhangye.submission(
        case_origin=victim.header.case_origin, case_id=victim.header.case_id
    )
    await untouched(world, victim, forged, F.CASE_NOT_PARTY)


async def test_a_third_partner_cannot_open_a_case_in_anothers_name(world: World) -> None:
    forged = world.zhangye.submission(case_origin="620900")
    await refused(world, forged, F.CASE_NOT_PARTY, by=world.zhangye)
    assert world.journal.case(forged.header) is None


async def test_a_third_partner_cannot_open_a_case_under_anothers_agreement(world: World) -> None:
    forged = world.zhangye.submission(agreement_digest=world.jiuquan.agreement)
    await refused(world, forged, F.AGREEMENT_NOT_PARTY, by=world.zhangye)


async def test_the_same_case_id_of_another_origin_is_another_case(world: World) -> None:
    ours = await opened(world)
    theirs = world.zhangye.submission(case_id=ours.header.case_id)
    await taken_in(world, theirs, by=world.zhangye)
    await taken_in(world, world.zhangye.next(theirs, Kind.WITHDRAWN), by=world.zhangye)
    assert world.journal.stage(ours.header) == "submitted"


NOT_THE_ORIGINS: dict[str, tuple[Kind, object]] = {
    "acknowledged": (Kind.ACKNOWLEDGED, {}),
    "suspended": (Kind.CLOCK_SUSPENDED, {"procedure": "hearing", "reason_zh": "示例"}),
    "resumed": (Kind.CLOCK_RESUMED, {}),
    "decided": (Kind.DECIDED, DECIDED),
}


@pytest.mark.parametrize("name", NOT_THE_ORIGINS)
async def test_the_origin_cannot_send_what_the_deciding_side_says(world: World, name: str) -> None:
    kind, document = NOT_THE_ORIGINS[name]
    first = await opened(world)
    await refused(world, world.jiuquan.next(first, kind, document), F.CASE_ROLE)
    await taken_in(world, world.jiuquan.next(first, Kind.WITHDRAWN))


DELEGABLE: dict[str, tuple[Kind, object]] = {
    "accepted": (Kind.ACCEPTED, sample_answer("accepted")),
    "not_accepted": (Kind.NOT_ACCEPTED, {"reason_code": "X", "reason_zh": "示例"}),
    "materials_requested": (Kind.MATERIALS_REQUESTED, sample_answer("materials_requested")),
    "delivered": (Kind.DELIVERED, sample_answer("delivered")),
}


@pytest.mark.parametrize("name", DELEGABLE)
async def test_what_needs_a_delegated_right_is_refused_without_it(world: World, name: str) -> None:
    kind, document = DELEGABLE[name]
    first = await opened(world)
    await refused(world, world.jiuquan.next(first, kind, document), F.CASE_RIGHT_REQUIRED)
    other = world.jiuquan.next(first, kind, document, delegated_right=Right.VERIFY_ORIGINALS)
    await refused(world, other, F.CASE_RIGHT_REQUIRED)


RIGHTS = {
    "accepted": Right.ACCEPT,
    "not_accepted": Right.ACCEPT,
    "materials_requested": Right.NOTIFY_ONCE,
    "delivered": Right.DELIVER_RESULT,
}


@pytest.mark.parametrize("name", DELEGABLE)
async def test_a_right_that_is_named_but_not_delegated_is_refused(world: World, name: str) -> None:
    kind, document = DELEGABLE[name]
    first = await opened(world)
    forged = world.jiuquan.next(first, kind, document, delegated_right=RIGHTS[name])
    await refused(world, forged, F.AGREEMENT_RIGHT_NOT_DELEGATED)
    assert world.journal.stage(first.header) == "submitted"
    vouched = world.jiuquan.submission(delegated_right=Right.VERIFY_ORIGINALS)
    await refused(world, vouched, F.AGREEMENT_RIGHT_NOT_DELEGATED)


EARLY: dict[str, tuple[Kind, object]] = {
    "reviewed": (
        Kind.REVIEWED,
        {
            "grade": "satisfied",
            "service": {
                "taskCode": "1",
                "taskName": "示例",
                "projectNo": "",
                "proStatus": "delivered",
                "orgcode": "",
                "serviceName": "示例",
                "serviceNumber": 1,
                "areaCode": "620200",
            },
        },
    ),
    "archived": (
        Kind.ARCHIVED,
        {
            "archived_on": "2026-06-30",
            "materials": [
                {
                    "code": "result",
                    "holder": {"region": "620200", "unit": "11620200MB0000000U"},
                    "kept_as": "original",
                    "retention": "permanent",
                }
            ],
        },
    ),
}


@pytest.mark.parametrize("name", EARLY)
async def test_nothing_is_reviewed_or_archived_before_there_is_a_result(
    world: World, name: str
) -> None:
    first = await opened(world)
    await refused(world, world.jiuquan.next(first, *EARLY[name]), F.CASE_STAGE)


async def test_a_right_that_the_kind_does_not_exercise_is_refused(world: World) -> None:
    first = await opened(world)
    forged = world.jiuquan.next(first, Kind.WITHDRAWN, delegated_right=Right.ACCEPT)
    await refused(world, forged, F.CASE_ROLE)


@pytest.mark.parametrize(
    "kind",
    [
        k
        for k in Kind
        if k.value > 15
        and k not in {Kind.PING, Kind.CATALOGUE_CHANGED, Kind.KEY_ANNOUNCED, *VERDICTS}
    ],
)
async def test_a_kind_that_is_not_served_is_refused(world: World, kind: Kind) -> None:
    peer = world.jiuquan
    await refused(world, peer.seal(peer.header(kind), body_of({})), F.CASE_KIND_NOT_SERVED)


async def test_a_message_that_does_not_follow_at_this_stage_is_refused(world: World) -> None:
    first = await opened(world)
    early = world.jiuquan.next(first, Kind.MATERIALS_SUPPLIED)
    await refused(world, early, F.CASE_STAGE)
    again = world.jiuquan.next(first, Kind.SUBMITTED, {"applicant_number": "", "form": {}})
    await refused(world, again, F.SCHEMA_FORM_INVALID)
    again = world.jiuquan.seal(
        world.jiuquan.next(first, Kind.SUBMITTED).header._replace(body_commitment=b""),
        first.body_bytes,
    )
    await refused(world, again, F.CASE_STAGE)


async def test_a_withdrawal_that_crosses_a_decision_is_refused(world: World) -> None:
    first = await opened(world)
    task = f"/v1/tasks/{uuid_text(first.header.case_id)}"
    await world.node.call("POST", f"{task}/acknowledge", json_body={}, wanted=200)
    await world.node.call("POST", f"{task}/accept", json_body=sample_answer("accepted"), wanted=200)
    await world.node.call("POST", f"{task}/decide", json_body=DECIDED, wanted=200)
    await refused(world, world.jiuquan.next(first, Kind.WITHDRAWN), F.CASE_ALREADY_DECIDED)
    assert world.journal.stage(first.header) == "decided"


@pytest.mark.parametrize(
    "change",
    [
        {"agreement_digest": b"\1" * 32},
        {"item_code": "00013112700402"},
        {"item_version": "2"},
        {"mode": Mode.JOINT},
        {"purpose": "branch-registration"},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_what_the_case_froze_cannot_change(world: World, change: dict[str, object]) -> None:
    first = await opened(world)
    forged = world.jiuquan.next(first, Kind.WITHDRAWN, None, **change)
    await refused(world, forged, F.CASE_FROZEN_DIFFERS)
    await taken_in(world, world.jiuquan.next(first, Kind.WITHDRAWN))


async def test_a_gap_is_told_to_a_party_of_the_case(world: World) -> None:
    first = await opened(world)
    second = world.jiuquan.next(first, Kind.WITHDRAWN)
    later = world.jiuquan.next(second, Kind.WITHDRAWN)
    gap = await not_taken_in(world, later, F.DELIVERY_CHAIN_GAP)
    assert gap.expected_sequence == 2


FROM_DECIDING: dict[str, tuple[Kind, object]] = {
    "withdrawn": (Kind.WITHDRAWN, {}),
    "materials_supplied": (Kind.MATERIALS_SUPPLIED, {}),
}


async def test_the_deciding_side_cannot_send_what_the_origin_says(tmp_path: Path) -> None:
    """The other way round: Jiuquan's gateway runs with a case of its own; the test decides."""
    home, other = make_pair(tmp_path)
    async with run_nodes([home]) as (node,):
        query = {
            "region": "620200",
            "item_code": QUERY,
            "mode": "online",
            "purpose": "enterprise-information-query",
            "form": QUERY_FORM,
            "materials": [],
        }
        case = await node.call("POST", "/v1/cases", json_body=query, wanted=201)
        line = own_channel(other, home, node.running.exchange_port)
        peer = Peer(other, home, digest(agreement_bytes()), SystemClock(), line)
        case_id = parse_uuid7(str(case["case_id"]))
        header = peer.header()._replace(case_origin=GatewayId("620900"), case_id=case_id or b"")
        for kind, document in FROM_DECIDING.values():
            forged = peer.seal(
                header._replace(kind=kind, message_id=peer.ping().header.message_id),
                body_of(document),
            )
            (answer,) = await peer.deliver(forged)
            assert isinstance(answer, bytes)
            receipt = peer.checked(answer, forged)
            assert (receipt.outcome, receipt.rule) == (Outcome.REFUSED, F.CASE_ROLE)
        right = peer.seal(header._replace(kind=Kind.ACKNOWLEDGED), body_of({}))
        (answer,) = await peer.deliver(right)
        assert isinstance(answer, bytes)
        assert peer.checked(answer, right).outcome is Outcome.TAKEN_IN
        view = await node.call("GET", f"/v1/cases/{case['case_id']}", wanted=200)
        assert view["stage"] == "acknowledged"
        await line.channel.close()
