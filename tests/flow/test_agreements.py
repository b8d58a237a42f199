"""Agreements between two gateways: proposed, accepted, rejected, revoked over the wire."""

from __future__ import annotations

import pytest

from gateway.flow import accords as accords_module
from gateway.kernel.case import Stage
from gateway.kernel.digests import digest
from gateway.kernel.envelope import Kind, Outcome
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.limits import ATTEMPTS_MAX
from gateway.rules.agreement import Agreement, OpenCases, Verdict, require_in_force
from tests.flow.link import Trouble
from tests.flow.sites import AGREED
from tests.flow.world import Side, World, settle

OPERATOR = "operator-1"
AMENDED = AGREED.replace(b"modes = [", b"# amended\nmodes = [", 1)
FOUNDING = digest(AGREED)


def agreement(side: Side, address: bytes) -> Agreement:
    return side.directory.current().agreements[address]


def refusal(side: Side, address: bytes) -> str:
    """Return why an agreement is not in force at a side; empty if it is."""
    try:
        require_in_force(agreement(side, address), side.clock.now_ms())
    except Fault as fault:
        return fault.code.value
    return ""


async def proposed(world: World) -> bytes:
    view = await world.jq.agreements.propose(OPERATOR, AMENDED)
    assert view["told"] == ["620200"]
    await world.exchange()
    return digest(AMENDED)


async def test_a_proposal_alone_is_not_in_force_at_either_side(world: World) -> None:
    address = await proposed(world)
    for side in world.sides:
        assert refusal(side, address) == FaultCode.AGREEMENT_NOT_ACCEPTED
        (act,) = agreement(side, address).acts
        assert (act.party, act.verdict) == ("620900", Verdict.ACCEPT)


async def test_what_both_accepted_is_in_force_and_a_restart_keeps_it(world: World) -> None:
    address = await proposed(world)
    await world.jyg.agreements.accept(OPERATOR, address)
    assert refusal(world.jyg, address) == ""
    assert refusal(world.jq, address) == FaultCode.AGREEMENT_NOT_ACCEPTED, "not told yet"
    await world.exchange()
    assert [refusal(side, address) for side in world.sides] == ["", ""]
    acts = [agreement(side, address).acts for side in world.sides]
    assert acts[0] == acts[1]
    for side in world.sides:
        side.directory.replace(side.setup.book)
        await side.crash()
        await side.accords.refresh()
    assert [refusal(side, address) for side in world.sides] == ["", ""]


async def test_a_rejected_proposal_never_comes_into_force(world: World) -> None:
    address = await proposed(world)
    await world.jyg.agreements.reject(OPERATOR, address, "条款待商（示例）")
    await world.exchange()
    for side in world.sides:
        assert refusal(side, address) == FaultCode.AGREEMENT_REVOKED
    with pytest.raises(Fault) as fault:
        await world.jyg.agreements.accept(OPERATOR, address)
    assert fault.value.code is FaultCode.AGREEMENT_ACT_OUT_OF_ORDER


async def test_only_what_was_accepted_can_be_revoked(world: World) -> None:
    address = await proposed(world)
    with pytest.raises(Fault) as fault:
        await world.jyg.agreements.revoke(OPERATOR, address, "", OpenCases.CONTINUE)
    assert fault.value.code is FaultCode.AGREEMENT_ACT_OUT_OF_ORDER
    await world.exchange()
    assert len(agreement(world.jq, address).acts) == 1


async def test_the_same_verdict_twice_sends_one_message(world: World) -> None:
    address = await proposed(world)
    first = await world.jyg.agreements.accept(OPERATOR, address)
    again = await world.jyg.agreements.accept(OPERATOR, address)
    assert (first["changed"], again["changed"], again["told"]) == (True, False, [])


async def test_an_unknown_agreement_cannot_be_accepted(world: World) -> None:
    with pytest.raises(Fault) as fault:
        await world.jyg.agreements.accept(OPERATOR, bytes(32))
    assert fault.value.code is FaultCode.AGREEMENT_UNKNOWN


@pytest.mark.parametrize(
    "content", [b"", b"nonsense", b"\xff", b"a = " + b"[" * 5_000, b"#" * 70_000]
)
async def test_content_that_is_no_agreement_is_not_proposed(world: World, content: bytes) -> None:
    with pytest.raises(Fault) as fault:
        await world.jq.agreements.propose(OPERATOR, content)
    assert fault.value.code is FaultCode.AGREEMENT_CONTENT_INVALID


def swollen() -> bytes:
    """Return a small file of two million ways: 145 regions, each with each, 100 items."""
    regions = ", ".join(f'"{code}"' for code in (620900, 620200, *range(100_000, 100_143)))
    items = ", ".join(f'{{ code = "000131127{n:03d}", versions = ["1"] }}' for n in range(100))
    text = AGREED.decode().split("[[grants]]")[0]
    text = text.replace('["620900", "620200"]', f"[{regions}]", 1)
    return f"""{text}
[[grants]]
items = [{items}]
origins = [{regions}]
deciding = [{regions}]
modes = ["online"]
rights = []
licence_types = []
purposes = ["x"]
""".encode()


@pytest.mark.parametrize(
    "content",
    [
        swollen(),
        AMENDED.replace("（示例）".encode(), b"\\u001b[2J", 1),
        AMENDED.replace(b"2036-05-26T23:59:59.999+08:00", b"9999-12-31T23:59:59-08:00"),
        b".".join([b"a"] * 30_000) + b" = 1",
        b"version = " + b"1" * 5_000,
    ],
    ids=["two_million_ways", "a_terminal_escape", "year_10000", "a_deep_key", "many_digits"],
)
async def test_content_that_would_harm_its_reader_is_not_read(world: World, content: bytes) -> None:
    with pytest.raises(Fault) as fault:
        await world.jq.agreements.propose(OPERATOR, content)
    assert fault.value.code is FaultCode.AGREEMENT_CONTENT_INVALID
    assert any(w in fault.value.detail for w in ("grants", "name", "not_after", "dots", "TOML"))


async def test_an_agreement_of_others_is_not_ours_to_propose(world: World) -> None:
    others = AMENDED.replace(b"620900", b"620700")
    with pytest.raises(Fault) as fault:
        await world.jq.agreements.propose(OPERATOR, others)
    assert fault.value.code in (FaultCode.AGREEMENT_NOT_PARTY, FaultCode.OPERATOR_NOT_FOUND)


async def test_a_revocation_ends_new_cases_and_lets_open_ones_go_on_if_it_says_so(
    world: World,
) -> None:
    case_id = await world.open_query()
    await world.exchange()
    await world.jyg.agreements.revoke(
        OPERATOR, FOUNDING, "协议到期调整（示例）", OpenCases.CONTINUE
    )
    await world.exchange()
    with pytest.raises(Fault) as fault:
        await world.open_query()
    assert fault.value.code is FaultCode.AGREEMENT_REVOKED
    await world.act(case_id, Kind.ACKNOWLEDGED, Kind.ACCEPTED, Kind.DECIDED)
    await world.drain()
    assert (await world.jq.case(case_id)).stage is Stage.DECIDED


async def test_a_revocation_that_stops_open_cases_leaves_only_their_closing(world: World) -> None:
    case_id = await world.open_query()
    await world.exchange()
    await world.act(case_id, Kind.ACKNOWLEDGED)
    await world.exchange()
    await world.jq.agreements.revoke(OPERATOR, FOUNDING, "", OpenCases.STOP)
    await world.exchange()
    with pytest.raises(Fault) as fault:
        await world.act(case_id, Kind.ACCEPTED)
    assert fault.value.code is FaultCode.AGREEMENT_REVOKED
    await world.act(case_id, Kind.NOT_ACCEPTED)
    await world.drain()
    assert (await world.jq.case(case_id)).stage is Stage.NOT_ACCEPTED


async def test_what_was_said_before_a_stopping_revocation_was_known_is_refused_by_it(
    world: World,
) -> None:
    case_id = await world.open_query()
    await world.exchange()
    await world.jq.agreements.revoke(OPERATOR, FOUNDING, "", OpenCases.STOP)
    await world.act(case_id, Kind.ACKNOWLEDGED)
    await world.jyg.lane.turn()
    await world.drain()
    (said,) = await world.jyg.said(case_id)
    assert said.rule == FaultCode.AGREEMENT_REVOKED
    assert (await world.jyg.case(case_id)).stage is Stage.SUBMITTED


@pytest.mark.parametrize("trouble", [Trouble.DOWN, Trouble.LOSE_ANSWER, Trouble.LOSE_REQUEST])
async def test_a_proposal_arrives_once_whatever_the_line_did(
    world: World, trouble: Trouble
) -> None:
    """Given up on as unknown, asked after, burnt where it was lost, and then sent anew."""
    world.jq.link.always = trouble
    await world.jq.agreements.propose(OPERATOR, AMENDED)
    for _ in range(ATTEMPTS_MAX + 2):
        await world.exchange()
        world.clock.advance(400_000)
    arrived = digest(AMENDED) in world.jyg.directory.current().agreements
    assert arrived is (trouble is Trouble.LOSE_ANSWER)
    world.jq.link.always = Trouble.NONE
    for _ in range(3):
        await world.exchange()
        world.clock.advance(400_000)
    (act,) = agreement(world.jyg, digest(AMENDED)).acts
    assert act.party == "620900"
    assert await world.jq.journal.read(lambda s: s.lanes()) == []


async def test_a_revocation_that_overtakes_its_acceptance_still_arrives(world: World) -> None:
    address = await proposed(world)
    world.jyg.link.next.append(Trouble.HOLD_REQUEST)
    await world.jyg.agreements.accept(OPERATOR, address)
    first = world.begin_turn(world.jyg)
    for _ in range(20):
        await settle()
        if world.jyg.link.held:
            break
    assert world.jyg.link.held == 1
    await world.jyg.agreements.revoke(OPERATOR, address, "示例", OpenCases.STOP)
    await world.begin_turn(world.jyg)
    world.jyg.link.release()
    await first
    for _ in range(4):
        world.clock.advance(400_000)
        await world.exchange()
    assert refusal(world.jyg, address) == FaultCode.AGREEMENT_REVOKED
    assert refusal(world.jq, address) == FaultCode.AGREEMENT_REVOKED


async def test_content_that_is_no_longer_read_does_not_keep_the_gateway_from_starting(
    world: World,
) -> None:
    address = await proposed(world)
    read, side = world.jyg.accords.read, world.jyg

    def narrower(raw: bytes) -> Agreement:
        if digest(raw) == address:
            raise Fault(FaultCode.AGREEMENT_CONTENT_INVALID)
        return read(raw)

    side.directory.replace(side.setup.book)
    await side.crash()
    side.accords.read = narrower
    await side.accords.refresh()
    assert address not in side.directory.current().agreements


async def test_a_bug_in_hearing_one_notice_fails_neither_its_neighbours_nor_in_silence(
    world: World,
) -> None:
    side, read = world.jyg, world.jyg.accords.read

    def broken(_raw: bytes) -> Agreement:
        raise ZeroDivisionError

    side.accords.read = broken
    await world.jq.agreements.propose(OPERATOR, AMENDED)
    case_id = await world.open_query()
    await world.exchange()
    assert (await side.case(case_id)).stage is Stage.SUBMITTED, "its neighbour in the same call"
    assert world.jq.link.calls.count(("deliver", 2)) == 1
    (told,) = [fields for name, fields in side.log.events if name == "notice_broke"]
    assert (told["error"], told["partner"]) == ("ZeroDivisionError", "620900")
    side.accords.read = read
    world.clock.advance(400_000)
    await world.exchange()
    assert digest(AMENDED) in side.directory.current().agreements, "the same bytes came again"


def revised(number: int) -> bytes:
    return AMENDED + f"# {number}\n".encode()


async def test_a_notice_has_only_what_is_new_read(world: World) -> None:
    side, read = world.jyg, world.jyg.accords.read
    met: list[bytes] = []

    def counted(raw: bytes) -> Agreement:
        met.append(raw)
        return read(raw)

    side.accords.read = counted
    for number in range(3):
        await world.jq.agreements.propose(OPERATOR, revised(number))
        await world.exchange()
    await side.agreements.accept(OPERATOR, digest(revised(0)))
    assert [met.count(revised(n)) for n in range(3)] == [2, 2, 2], "judged, then kept"
    assert refusal(side, digest(revised(0))) == ""


async def test_our_own_proposals_take_no_place_of_the_partner_s(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accords_module, "AGREEMENTS_PER_PARTNER_MAX", 1)
    for number in range(2):
        await world.jyg.agreements.propose(OPERATOR, revised(number))
    await world.jq.agreements.propose(OPERATOR, revised(10))
    await world.jq.agreements.propose(OPERATOR, revised(11))
    await world.exchange()
    theirs = [digest(revised(n)) in world.jyg.directory.current().agreements for n in (10, 11)]
    assert theirs == [True, False]
    await world.jyg.agreements.drop(OPERATOR, digest(revised(10)))
    world.clock.advance(400_000)
    await world.exchange()
    theirs = [digest(revised(n)) in world.jyg.directory.current().agreements for n in (10, 11)]
    assert theirs == [False, True], "a place became free, and the same bytes came again"


async def test_a_proposal_can_be_let_go_of_and_comes_back_when_it_is_proposed_again(
    world: World,
) -> None:
    address = await proposed(world)
    await world.jyg.agreements.reject(OPERATOR, address, "示例")
    await world.exchange()
    await world.jyg.agreements.drop(OPERATOR, address)
    for fresh in (False, True):
        if fresh:
            world.jyg.directory.replace(world.jyg.setup.book)
            await world.jyg.crash()
            await world.jyg.accords.refresh()
        assert address not in world.jyg.directory.current().agreements
        assert address not in world.jyg.directory.current().documents
    kept = await world.jyg.journal.read(lambda s: s.agreement_acts(address))
    assert [a.party for a in kept] == ["620200", "620900"], "what was said of it stays"
    await world.jq.agreements.revoke(OPERATOR, address, "示例", OpenCases.CONTINUE)
    await world.exchange()
    assert await world.jq.journal.read(lambda s: s.lanes()) == [], "answered, not asked again"


@pytest.mark.parametrize("which", ["ours", "accepted", "founding"])
async def test_only_what_was_never_accepted_here_can_be_let_go_of(world: World, which: str) -> None:
    address = FOUNDING if which == "founding" else await proposed(world)
    side = world.jq if which == "ours" else world.jyg
    if which == "accepted":
        await side.agreements.accept(OPERATOR, address)
    with pytest.raises(Fault) as fault:
        await side.agreements.drop(OPERATOR, address)
    assert fault.value.code is FaultCode.AGREEMENT_ACT_OUT_OF_ORDER
    assert address in side.directory.current().agreements


async def fates(side: Side) -> list[tuple[int, str]]:
    return [(n.outcome, n.rule) for n in await side.journal.read(lambda s: s.notices())]


async def test_a_refused_notice_is_kept_told_and_sent_again(world: World) -> None:
    side, there = world.jq, world.jyg
    read = there.accords.read

    def narrower(_raw: bytes) -> Agreement:
        raise Fault(FaultCode.AGREEMENT_CONTENT_INVALID, "示例")

    there.accords.read = narrower
    address = (await side.agreements.propose(OPERATOR, AMENDED))["agreement"]
    assert await fates(side) == [(0, "")], "on its way"
    await world.exchange()
    assert await fates(side) == [(Outcome.REFUSED, FaultCode.AGREEMENT_CONTENT_INVALID)]
    (kept,) = await side.journal.read(lambda s: s.notices())
    assert (kept.partner, kept.settled_at_ms) == ("620200", world.clock.now_ms())
    assert kept.text_zh and kept.text_en.endswith("示例")
    (told,) = [fields for name, fields in side.log.events if name == "notice_refused"]
    assert (told["partner"], told["rule"]) == ("620200", FaultCode.AGREEMENT_CONTENT_INVALID)
    there.accords.read = read
    for days in (0, 29):  # a verdict older than its receiver hears is signed anew
        world.clock.advance(days * 86_400_000)
        view = await side.agreements.send(OPERATOR, bytes.fromhex(str(address)), "620200")
        assert view["told"] == (["620200"] if days == 0 else [])
        await world.exchange()
    assert await fates(side) == [(Outcome.TAKEN_IN, "")]
    assert len(agreement(there, digest(AMENDED)).acts) == 1


async def test_a_verdict_that_grew_old_is_signed_anew_when_it_is_sent_again(world: World) -> None:
    side, there = world.jq, world.jyg
    read = there.accords.read

    def narrower(_raw: bytes) -> Agreement:
        raise Fault(FaultCode.AGREEMENT_CONTENT_INVALID)

    there.accords.read = narrower
    await side.agreements.propose(OPERATOR, AMENDED)
    await world.exchange()
    there.accords.read = read
    world.clock.advance(40 * 86_400_000)
    await side.agreements.send(OPERATOR, digest(AMENDED))
    await world.exchange()
    assert await fates(side) == [(Outcome.TAKEN_IN, "")]
    (act,) = agreement(there, digest(AMENDED)).acts
    assert act.acted_at_ms == world.clock.now_ms()


async def test_a_notice_that_does_not_arrive_stays_on_its_way_and_is_not_sent_twice(
    world: World,
) -> None:
    world.jq.link.always = Trouble.LOSE_REQUEST
    await world.jq.agreements.propose(OPERATOR, AMENDED)
    said_ms = world.clock.now_ms()
    for _ in range(ATTEMPTS_MAX + 2):
        await world.exchange()
        world.clock.advance(400_000)
    (kept,) = await world.jq.journal.read(lambda s: s.notices())
    assert (kept.outcome, kept.said_at_ms) == (0, said_ms)
    assert (await world.jq.agreements.send(OPERATOR, digest(AMENDED)))["changed"] is False
    world.jq.link.always = Trouble.NONE
    for _ in range(3):
        await world.exchange()
        world.clock.advance(400_000)
    assert await fates(world.jq) == [(Outcome.TAKEN_IN, "")]


async def test_what_is_sent_again_goes_to_a_party_only(world: World) -> None:
    address = await proposed(world)
    with pytest.raises(Fault) as fault:
        await world.jq.agreements.send(OPERATOR, address, "620700")
    assert fault.value.code is FaultCode.AGREEMENT_NOT_PARTY
