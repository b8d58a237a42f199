"""Proposals and verdicts that a partner must not get away with, over the real socket."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway.flow.accords import VERDICTS
from gateway.kernel.digests import TYPE_AGREEMENT_ACT, digest, pae
from gateway.kernel.envelope import Kind
from gateway.kernel.faults import Fault
from gateway.kernel.faults import FaultCode as F
from gateway.kernel.identifiers import GatewayId
from gateway.rules.agreement import Act, OpenCases, Verdict, as_of, require_in_force
from gateway.wire.receipts import encode_agreement_act, encode_signed_agreement_act
from tests.support.peer import Peer, Sealed, body_of
from tests.support.world import agreement_bytes

from .outcomes import not_taken_in, refused, taken_in
from .worlds import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

DAY_MS = 86_400_000


def amended(name: str) -> bytes:
    """Return an agreement of the sample's content that no one has seen yet."""
    return agreement_bytes() + f"# {name}\n".encode()


def signed_act(peer: Peer, address: bytes, act: Act, tamper: bool = False) -> bytes:
    raw = encode_agreement_act(address, act)
    signatures = peer.sealer.sign([pae(TYPE_AGREEMENT_ACT, raw)], ("ES256",))[0]
    if tamper:
        raw = encode_agreement_act(address, replace(act, acted_at_ms=act.acted_at_ms + 1))
    return encode_signed_agreement_act(raw, signatures)


def act_of(peer: Peer, verdict: Verdict = Verdict.ACCEPT) -> Act:
    said = OpenCases.CONTINUE if verdict is Verdict.REVOKE else OpenCases.UNSAID
    return Act(peer.site.identity.gateway_id, verdict, peer.clock.now_ms(), open_cases=said)


def notice(
    peer: Peer,
    kind: Kind,
    content: bytes,
    *,
    act: bytes | None = None,
    address: bytes | None = None,
) -> Sealed:
    """Return a proposal or verdict that is right, but for what is given."""
    known = digest(content)
    signed = act if act is not None else signed_act(peer, known, act_of(peer, VERDICTS[kind]))
    form: dict[str, str] = {"act": base64.b64encode(signed).decode()}
    if kind is Kind.AGREEMENT_PROPOSED:
        form["content"] = content.decode()
    else:
        form["agreement"] = known.hex()
    header = peer.header(kind)._replace(agreement_digest=address or known)
    return peer.seal(header, body_of(form))


BROKEN: dict[str, Callable[[Peer, bytes], bytes]] = {
    "tampered": lambda p, d: signed_act(p, d, act_of(p), tamper=True),
    "of_another_party": lambda p, d: signed_act(
        p, d, replace(act_of(p), party=GatewayId("620200"))
    ),
    "of_another_verdict": lambda p, d: signed_act(p, d, act_of(p, Verdict.REJECT)),
    "on_another_agreement": lambda p, d: signed_act(p, bytes(32), act_of(p)),
    "of_next_week": lambda p, d: signed_act(
        p, d, replace(act_of(p), acted_at_ms=p.clock.now_ms() + 7 * DAY_MS)
    ),
    "of_last_year": lambda p, d: signed_act(
        p, d, replace(act_of(p), acted_at_ms=p.clock.now_ms() - 365 * DAY_MS)
    ),
    "unsigned": lambda p, d: encode_signed_agreement_act(encode_agreement_act(d, act_of(p)), ()),
    "of_no_bytes": lambda p, d: b"\xff\xff\xff",
}


@pytest.mark.parametrize("case", BROKEN)
async def test_an_act_that_does_not_hold_brings_nothing_into_force(world: World, case: str) -> None:
    peer, content = world.jiuquan, amended(case)
    act = BROKEN[case](peer, digest(content))
    await refused(
        world, notice(peer, Kind.AGREEMENT_PROPOSED, content, act=act), F.AGREEMENT_ACT_INVALID
    )
    assert digest(content) not in world.node.running.directory.current().agreements
    assert world.journal.rows("SELECT * FROM agreements") == []
    assert world.journal.rows("SELECT * FROM agreement_acts") == []


async def test_a_verdict_dated_back_changes_nothing_that_was_answered_before(world: World) -> None:
    peer, content = world.jiuquan, amended("dated_back")
    acted_ms = peer.clock.now_ms() - 29 * DAY_MS
    act = signed_act(peer, digest(content), replace(act_of(peer), acted_at_ms=acted_ms))
    await taken_in(world, notice(peer, Kind.AGREEMENT_PROPOSED, content, act=act))
    held = world.node.running.directory.current().agreements[digest(content)]
    assert as_of(held, peer.clock.now_ms() - DAY_MS).acts == ()
    (heard,) = as_of(held, peer.clock.now_ms()).acts
    assert heard.acted_at_ms == acted_ms
    assert heard.recorded_at_ms > acted_ms


async def test_a_revocation_from_a_clock_ahead_of_ours_holds_at_once(world: World) -> None:
    peer, content = world.jiuquan, amended("ahead")
    await taken_in(world, notice(peer, Kind.AGREEMENT_PROPOSED, content))
    revoked = act_of(peer, Verdict.REVOKE)
    ahead = replace(revoked, acted_at_ms=revoked.acted_at_ms + 290_000)
    act = signed_act(peer, digest(content), ahead)
    await taken_in(world, notice(peer, Kind.AGREEMENT_REVOKED, content, act=act))
    held = world.node.running.directory.current().agreements[digest(content)]
    for seen in (held, as_of(held, peer.clock.now_ms())):
        with pytest.raises(Fault) as fault:
            require_in_force(seen, peer.clock.now_ms())
        assert fault.value.code is F.AGREEMENT_REVOKED


async def test_an_acceptance_from_a_clock_ahead_of_ours_counts_from_its_own_time(
    world: World,
) -> None:
    peer, content = world.jiuquan, amended("accepted_ahead")
    ahead = replace(act_of(peer), acted_at_ms=peer.clock.now_ms() + 290_000)
    act = signed_act(peer, digest(content), ahead)
    await taken_in(world, notice(peer, Kind.AGREEMENT_PROPOSED, content, act=act))
    held = world.node.running.directory.current().agreements[digest(content)]
    assert as_of(held, ahead.acted_at_ms - 1).acts == ()
    assert len(as_of(held, ahead.acted_at_ms).acts) == 1


async def test_an_act_by_another_partner_s_key_is_refused(world: World) -> None:
    content = amended("stolen")
    act = signed_act(world.zhangye, digest(content), act_of(world.jiuquan))
    sealed = notice(world.jiuquan, Kind.AGREEMENT_PROPOSED, content, act=act)
    await refused(world, sealed, F.AGREEMENT_ACT_INVALID)


async def test_an_act_without_a_suite_the_agreement_demands_is_refused(world: World) -> None:
    content = agreement_bytes().replace(b'["ES256"]', b'["ES256", "EdDSA"]') + b"# two suites\n"
    sealed = notice(world.jiuquan, Kind.AGREEMENT_PROPOSED, content)
    receipt = await refused(world, sealed, F.AGREEMENT_ACT_INVALID)
    assert receipt.text_en.endswith("trust.suite_missing")


async def test_an_agreement_with_a_suite_nobody_here_knows_is_refused(world: World) -> None:
    content = agreement_bytes().replace(b'["ES256"]', b'["ES256", "ROT13"]') + b"# unknown\n"
    sealed = notice(world.jiuquan, Kind.AGREEMENT_PROPOSED, content)
    receipt = await refused(world, sealed, F.AGREEMENT_ACT_INVALID)
    assert receipt.text_en.endswith("trust.suite_unknown")


@pytest.mark.parametrize("content", [b"nonsense", b"a = " + b"[" * 5_000, b"#" * 66_000])
async def test_content_that_is_no_agreement_is_refused(world: World, content: bytes) -> None:
    sealed = notice(world.jiuquan, Kind.AGREEMENT_PROPOSED, content)
    rule = F.SCHEMA_FORM_INVALID if len(content) > 65_536 else F.AGREEMENT_CONTENT_INVALID
    await refused(world, sealed, rule)


async def test_a_header_that_names_another_agreement_is_refused(world: World) -> None:
    content = amended("header")
    sealed = notice(world.jiuquan, Kind.AGREEMENT_PROPOSED, content, address=bytes(31) + b"\x01")
    await refused(world, sealed, F.AGREEMENT_ACT_INVALID)


async def test_an_agreement_of_others_is_refused(world: World) -> None:
    content = amended("others").replace(b"620200", b"620600")
    sealed = notice(world.jiuquan, Kind.AGREEMENT_PROPOSED, content)
    await refused(world, sealed, F.AGREEMENT_NOT_PARTY)


async def test_a_third_partner_cannot_revoke_what_it_is_no_party_of(world: World) -> None:
    founding = agreement_bytes()
    sealed = notice(world.zhangye, Kind.AGREEMENT_REVOKED, founding)
    await refused(world, sealed, F.AGREEMENT_NOT_PARTY, by=world.zhangye)
    await taken_in(world, world.jiuquan.submission())


async def test_a_verdict_on_what_was_never_proposed_waits_for_the_proposal(world: World) -> None:
    peer, content = world.jiuquan, amended("late")
    early = notice(peer, Kind.AGREEMENT_REJECTED, content)
    await not_taken_in(world, early, F.AGREEMENT_UNKNOWN, retry=True)


async def test_a_verdict_that_cannot_follow_is_refused(world: World) -> None:
    peer, content = world.jiuquan, amended("order")
    await taken_in(world, notice(peer, Kind.AGREEMENT_PROPOSED, content))
    await refused(
        world, notice(peer, Kind.AGREEMENT_REJECTED, content), F.AGREEMENT_ACT_OUT_OF_ORDER
    )
    await taken_in(world, notice(peer, Kind.AGREEMENT_REVOKED, content))
    again = notice(peer, Kind.AGREEMENT_REVOKED, content)
    await taken_in(world, again)
    rows = world.journal.rows(
        "SELECT party, verdict FROM agreement_acts WHERE digest = ? ORDER BY verdict",
        digest(content),
    )
    assert rows == [("620900", 1), ("620900", 3)]


async def test_a_proposal_replayed_gives_the_same_receipt_and_one_agreement(world: World) -> None:
    peer, content = world.jiuquan, amended("replay")
    sealed = notice(peer, Kind.AGREEMENT_PROPOSED, content)
    first, second = await peer.deliver(sealed), await peer.deliver(sealed)
    assert first == second
    count = "SELECT count(*) FROM agreements WHERE digest = ?"
    assert world.journal.rows(count, digest(content)) == [(1,)]


async def test_a_revocation_refuses_the_next_case_in_the_same_breath(world: World) -> None:
    """The answer to a verdict leaves after the book has changed."""
    peer = world.jiuquan
    await taken_in(world, notice(peer, Kind.AGREEMENT_REVOKED, agreement_bytes()))
    await refused(world, peer.submission(), F.AGREEMENT_REVOKED)
