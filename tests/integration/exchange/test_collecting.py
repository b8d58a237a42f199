"""Partners that can only call out: what they are handed, hand in, and are refused."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest

from gateway.app.provision import Site
from gateway.edge import partner_grpc
from gateway.flow import collecting as flow
from gateway.kernel.digests import digest
from gateway.kernel.envelope import AttachmentRef, Kind, Outcome
from gateway.kernel.faults import FaultCode as F
from gateway.kernel.identifiers import CaseId, CaseKey, uuid_text
from gateway.kernel.limits import (
    COLLECT_BYTES_MAX,
    COLLECT_LEASE_MS,
    COLLECTS_PER_PARTNER_MAX,
    DRAIN_S_MAX,
    ENVELOPES_PER_CALL_MAX,
)
from gateway.rules.trust import PartnerState
from gateway.wire.collecting import encode_collect, encode_fetch
from gateway.wire.envelopes import decode_envelope
from gateway.wire.receipts import decode_signed_receipt, encode_signed_receipt
from tests.integration.hot.reloads import asked
from tests.support.peer import CallRefused, Refusal
from tests.support.world import JIAYUGUAN

from .collectors import LARGE, Bench, collecting, files_of
from .worlds import World, own_channel


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with collecting(tmp_path).running() as made:
        yield made


# --- whose mail it is ----------------------------------------------------------------------------
async def test_a_partner_never_collects_what_is_anothers(bench: Bench) -> None:
    await bench.ask()
    assert await bench.zhangye.collected() == []
    (raw,) = await bench.jiayuguan.collected()
    assert decode_envelope(raw).header.recipient == "620200"


@pytest.mark.asyncio(loop_scope="module")
async def test_a_partner_that_is_dialled_collects_nothing(world: World) -> None:
    with pytest.raises(CallRefused) as told:
        await world.jiuquan.line.collect()
    assert told.value.refusal == Refusal(
        grpc.StatusCode.FAILED_PRECONDITION, F.DELIVERY_NOT_COLLECTED
    )


async def test_a_partner_that_collects_is_never_dialled(bench: Bench) -> None:
    case_id = await bench.ask()
    (raw,) = await bench.jiayuguan.collected(wait_ms=5_000)
    assert await bench.jiayuguan.hand_in(bench.jiayuguan.receipt(raw)) == [""]
    assert bench.outcomes(case_id) == [Outcome.TAKEN_IN]
    assert [name for name, _ in bench.node.log.events if name == "lane_down"] == []


# --- receipts ------------------------------------------------------------------------------------
async def test_a_forged_receipt_settles_nothing(bench: Bench) -> None:
    await bench.ask()
    jiayuguan = bench.jiayuguan
    (raw,) = await jiayuguan.collected()
    right = jiayuguan.receipt(raw)
    signed = decode_signed_receipt(right)
    refused = jiayuguan.receipt(raw, Outcome.REFUSED, rule="delivery.expired")
    forged = {
        "trust.signature_invalid": encode_signed_receipt(
            decode_signed_receipt(refused).receipt_bytes, signed.signatures
        ),
        "trust.unsigned": encode_signed_receipt(signed.receipt_bytes, []),
        "trust.key_unknown": bench.zhangye.receipt(raw, recipient="620200"),
        "wire.unparseable": right[:-1],
        "wire.unknown_field": right + b"\x98\x06\x01",
        "wire.attestation_not_local": encode_signed_receipt(
            signed.receipt_bytes, signed.signatures, b"\x0a\x00"
        ),
        "receipt.invalid": jiayuguan.receipt(raw, header_digest=bytes(32)),
    }
    before = bench.journal.everything()
    assert await jiayuguan.hand_in(*forged.values()) == list(forged)
    assert bench.journal.everything() == before
    assert await jiayuguan.hand_in(right) == [""]


async def test_a_bad_receipt_among_good_ones_never_fails_its_neighbours(bench: Bench) -> None:
    for _ in range(3):
        await bench.ask()
    jiayuguan = bench.jiayuguan
    handed = await jiayuguan.collected()
    cases = [uuid_text(decode_envelope(raw).header.case_id) for raw in handed]
    one, two, three = map(jiayuguan.receipt, handed)
    assert await jiayuguan.hand_in(one, two[:-1], three) == ["", "wire.unparseable", ""]
    bench.clock.step(COLLECT_LEASE_MS)
    assert await jiayuguan.collected() == [handed[1]]
    assert [bench.outcomes(case) for case in cases] == [[1], [None], [1]]


async def test_a_receipt_for_the_message_of_another_partner_settles_nothing(bench: Bench) -> None:
    await bench.ask()
    (raw,) = await bench.jiayuguan.collected()
    proven = bench.jiayuguan.receipt(raw)
    before = bench.journal.everything()
    own = bench.zhangye.receipt(raw)
    assert await bench.zhangye.hand_in(proven, own) == ["receipt.invalid"] * 2
    assert bench.journal.everything() == before


async def test_a_receipt_of_no_message_of_ours_is_told_so(bench: Bench) -> None:
    await bench.ask()
    jiayuguan = bench.jiayuguan
    (raw,) = await jiayuguan.collected()
    unknown = jiayuguan.receipt(raw, message_id=bytes(16))
    turned = jiayuguan.receipt(raw, sender="620200", recipient="620900")
    assert await jiayuguan.hand_in(unknown, turned) == ["receipt.invalid"] * 2


async def test_a_receipt_from_the_future_or_from_before_the_message_is_refused(
    bench: Bench,
) -> None:
    await bench.ask()
    jiayuguan = bench.jiayuguan
    (raw,) = await jiayuguan.collected()
    now_ms = bench.clock.now_ms()
    wrong = [jiayuguan.receipt(raw, received_at_ms=now_ms + at) for at in (-400_000, 400_000)]
    assert await jiayuguan.hand_in(*wrong) == ["receipt.invalid"] * 2


async def test_the_first_receipt_stands_and_may_come_again(bench: Bench) -> None:
    case_id = await bench.ask()
    jiayuguan = bench.jiayuguan
    (raw,) = await jiayuguan.collected()
    first = jiayuguan.receipt(raw)
    other = jiayuguan.receipt(raw, Outcome.REFUSED, rule="delivery.expired")
    assert await jiayuguan.hand_in(first, first, other) == ["", "", "receipt.invalid"]
    before = bench.journal.everything()
    assert await jiayuguan.hand_in(first, other) == ["", "receipt.invalid"]
    assert bench.journal.everything() == before
    assert bench.outcomes(case_id) == [Outcome.TAKEN_IN]
    answer = await jiayuguan.line.collect([other], envelopes_max=0)
    assert answer.receipts[0].retry is False
    assert answer.receipts[0].text_zh
    assert answer.receipts[0].text_en


async def test_a_refusal_by_the_recipient_is_settled_too(bench: Bench) -> None:
    case_id = await bench.ask()
    jiayuguan = bench.jiayuguan
    (raw,) = await jiayuguan.collected()
    refused = jiayuguan.receipt(raw, Outcome.REFUSED, rule="catalogue.item_unknown")
    assert await jiayuguan.hand_in(refused) == [""]
    view = await bench.node.call("GET", f"/v1/cases/{case_id}", wanted=200)
    assert "catalogue.item_unknown" in str(view)
    assert bench.waiting() == []


# --- leases --------------------------------------------------------------------------------------
async def test_what_is_handed_out_comes_again_after_its_lease_and_not_before(
    bench: Bench,
) -> None:
    await bench.ask()
    (raw,) = await bench.jiayuguan.collected()
    bench.clock.step(COLLECT_LEASE_MS - 1)
    assert await bench.jiayuguan.collected() == []
    bench.clock.step(1)
    assert await bench.jiayuguan.collected() == [raw], "the same bytes"
    assert await bench.jiayuguan.hand_in(bench.jiayuguan.receipt(raw)) == [""]
    bench.clock.step(COLLECT_LEASE_MS)
    assert await bench.jiayuguan.collected() == []


async def test_a_receipt_counts_after_the_lease_has_run_out(bench: Bench) -> None:
    case_id = await bench.ask()
    (raw,) = await bench.jiayuguan.collected()
    receipt = bench.jiayuguan.receipt(raw)
    bench.clock.step(COLLECT_LEASE_MS * 3)
    assert await bench.jiayuguan.hand_in(receipt) == [""]
    assert await bench.jiayuguan.collected() == []
    assert bench.outcomes(case_id) == [Outcome.TAKEN_IN]


async def test_a_gateway_that_died_in_between_hands_it_out_again_at_once(tmp_path: Path) -> None:
    made = collecting(tmp_path)
    async with made.running() as before:
        case_id = await before.ask()
        (raw,) = await before.jiayuguan.collected()
        receipt = before.jiayuguan.receipt(raw)
    async with made.running() as after:
        assert await after.jiayuguan.collected() == [raw]
        assert await after.jiayuguan.hand_in(receipt) == [""]
        assert after.outcomes(case_id) == [Outcome.TAKEN_IN]
    async with made.running() as later:
        assert await later.jiayuguan.collected() == []
        assert await later.jiayuguan.hand_in(receipt) == [""], "an answer that was lost"


async def test_a_receipt_brings_the_next_message_of_its_case_in_the_same_answer(
    bench: Bench,
) -> None:
    case_id = await bench.ask()
    (first,) = await bench.jiayuguan.collected()
    reason = {"reason": "不再需要（示例）"}
    await bench.node.call("POST", f"/v1/cases/{case_id}/withdraw", json_body=reason, wanted=200)
    assert await bench.jiayuguan.collected() == [], "one message of a case at a time"
    answer = await bench.jiayuguan.line.collect([bench.jiayuguan.receipt(first)])
    assert [one.rule for one in answer.receipts] == [""]
    (second,) = [decode_envelope(raw).header for raw in answer.envelopes]
    assert (second.kind, second.sequence) == (Kind.WITHDRAWN, 2)
    assert second.previous_digest == digest(decode_envelope(first).header_bytes)


async def test_what_was_given_up_while_it_was_dialled_is_handed_out_too(tmp_path: Path) -> None:
    made = collecting(tmp_path)
    async with made.running() as before:
        case_id = await before.ask()
    keep(made.sites[0], "UPDATE outbox SET status = 'unknown', attempts = 12")
    async with made.running() as after:
        (raw,) = await after.jiayuguan.collected()
        assert await after.jiayuguan.hand_in(after.jiayuguan.receipt(raw)) == [""]
        assert after.outcomes(case_id) == [Outcome.TAKEN_IN]


async def test_what_does_not_fit_into_one_answer_is_due_for_the_next(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        await bench.ask()
    assert len((await bench.jiayuguan.line.collect(envelopes_max=2)).envelopes) == 2
    monkeypatch.setattr(flow, "DELIVER_BYTES_MAX", 1)
    alone = await bench.jiayuguan.collected()
    assert len(alone) == 1, "a large one still crosses"
    monkeypatch.undo()
    rest = await bench.jiayuguan.collected()
    assert len(rest) == 2
    assert [attempts for _, attempts in bench.waiting()] == [1] * 5


# --- lanes ---------------------------------------------------------------------------------------
async def lane_of(bench: Bench, partner: str = "620200") -> dict[str, Any]:
    lanes = (await asked(bench.node.config, "lane-list"))["lanes"]
    return dict(next(lane for lane in lanes if lane["partner"] == partner))


async def test_a_paused_lane_hands_nothing_out_and_takes_receipts_all_the_same(
    tmp_path: Path,
) -> None:
    made = collecting(tmp_path)
    async with made.running() as before:
        first, second = await before.ask(), await before.ask()
        raws = await before.jiayuguan.collected()
    ids = [uuid_text(decode_envelope(raw).header.case_id) for raw in raws]
    keep(made.sites[0], "INSERT INTO lanes VALUES ('620200', 0, 1, 'op', '示例')")
    async with made.running() as paused:
        assert await paused.jiayuguan.collected() == []
        assert (await lane_of(paused))["state"] == "paused"
        one = raws[ids.index(first)]
        assert await paused.jiayuguan.hand_in(paused.jiayuguan.receipt(one)) == [""]
    keep(made.sites[0], "UPDATE lanes SET paused_at_ms = 0")
    async with made.running() as after:
        assert await after.jiayuguan.collected() == [raws[ids.index(second)]]


def keep(site: Site, sql: str) -> None:
    """Write into the journal of a gateway that does not run."""
    with closing(sqlite3.connect(site.journal)) as journal:
        journal.execute(sql)
        journal.commit()


async def test_an_operator_sees_what_waits_to_be_collected(bench: Bench) -> None:
    await bench.ask()
    seen = await lane_of(bench)
    assert (seen["state"], seen["queued"], seen["breaker"]) == ("collected", 1, None)
    assert seen["last_success_at"] is None
    (raw,) = await bench.jiayuguan.collected()
    assert await bench.jiayuguan.hand_in(bench.jiayuguan.receipt(raw)) == [""]
    seen = await lane_of(bench)
    assert seen["queued"] == 0
    assert seen["last_success_at"] is not None
    assert (await lane_of(bench, "620700"))["last_success_at"] is None


# --- waiting -------------------------------------------------------------------------------------
async def test_a_call_waits_for_a_first_message(bench: Bench) -> None:
    waiting = asyncio.ensure_future(bench.jiayuguan.collected(wait_ms=30_000))
    assert await bench.zhangye.collected(wait_ms=1_500) == []
    assert not waiting.done()
    await bench.ask()
    async with asyncio.timeout(10):
        (raw,) = await waiting
    assert decode_envelope(raw).header.recipient == "620200"


async def test_a_call_that_waits_in_vain_is_answered_in_time(bench: Bench) -> None:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    assert await bench.jiayuguan.collected(wait_ms=300) == []
    assert 0.3 <= loop.time() - begun < 10


async def test_calls_that_wait_never_take_the_partners_other_places(bench: Bench) -> None:
    calls = [
        asyncio.ensure_future(bench.jiayuguan.collected(wait_ms=20_000))
        for _ in range(COLLECTS_PER_PARTNER_MAX + 1)
    ]
    (refused,), waiting = await first_of(calls)
    assert isinstance(told := refused.exception(), CallRefused)
    assert told.refusal == Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, F.LIMIT_RATE)
    assert await bench.zhangye.collected() == [], "a partner has places of its own"
    await bench.ask()
    (handed,), (empty,) = await first_of(waiting)
    assert len(handed.result()) == 1
    empty.cancel()
    await asyncio.gather(empty, return_exceptions=True)


Call = asyncio.Future[list[bytes]]


async def first_of(calls: Iterable[Call]) -> tuple[set[Call], set[Call]]:
    return await asyncio.wait(calls, timeout=10, return_when=asyncio.FIRST_COMPLETED)


async def test_two_calls_at_once_are_never_handed_the_same_message(bench: Bench) -> None:
    for _ in range(12):
        await bench.ask()
    calls = [bench.jiayuguan.line.collect(envelopes_max=8) for _ in range(2)]
    one, two = [set(answer.envelopes) for answer in await asyncio.gather(*calls)]
    assert one.isdisjoint(two)
    assert len(one | two) == 12


async def test_a_caller_that_goes_away_leaves_its_place_and_its_mail(bench: Bench) -> None:
    for _ in range(COLLECTS_PER_PARTNER_MAX + 1):
        gone = asyncio.ensure_future(bench.jiayuguan.collected(wait_ms=50_000))
        assert await bench.zhangye.collected(wait_ms=100) == []
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
    await bench.ask()
    async with asyncio.timeout(10):
        while not (handed := await patiently(bench)):
            continue
    assert len(handed) == 1


async def patiently(bench: Bench) -> list[bytes]:
    """Collect; a place that was left a moment ago may not be free yet."""
    try:
        return await bench.jiayuguan.collected()
    except CallRefused as told:
        assert told.refusal.rule is F.LIMIT_RATE
        return []


async def test_a_partner_that_is_suspended_while_it_waits_is_handed_nothing(bench: Bench) -> None:
    waiting = asyncio.ensure_future(bench.jiayuguan.collected(wait_ms=20_000))
    assert await bench.zhangye.collected(wait_ms=500) == []
    directory = bench.node.running.directory
    book = directory.current()
    suspended = replace(book.partners[JIAYUGUAN.gateway_id], state=PartnerState.SUSPENDED)
    partners = {**book.partners, JIAYUGUAN.gateway_id: suspended}
    directory.replace(replace(book, partners=partners))
    await bench.ask()
    with pytest.raises(CallRefused) as told:
        await waiting
    assert told.value.refusal.rule is F.TRUST_PARTNER_NOT_ACTIVE
    assert bench.waiting()[0][1] == 0, "no attempt was made"


async def test_more_calls_than_may_wait_are_answered_at_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "COLLECTS_WAITING_MAX", 0)
    async with asyncio.timeout(10):
        assert await bench.jiayuguan.collected(wait_ms=50_000) == []


async def test_a_stopping_gateway_lets_nobody_wait(tmp_path: Path) -> None:
    made = collecting(tmp_path)
    jiuquan, jiayuguan, _ = made.sites
    async with made.running() as bench:
        line = own_channel(jiayuguan, jiuquan, bench.node.running.exchange_port)
        waiting = asyncio.ensure_future(line.collect(wait_ms=50_000))
        assert await bench.zhangye.collected(wait_ms=1_500) == []
        begun = asyncio.get_running_loop().time()
    assert (await waiting).envelopes == ()
    assert asyncio.get_running_loop().time() - begun < DRAIN_S_MAX
    await line.channel.close()


# --- what is asked -------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("raw", "status", "rule"),
    [
        (b"\xff", grpc.StatusCode.INVALID_ARGUMENT, F.WIRE_UNPARSEABLE),
        (b"\x98\x06\x01", grpc.StatusCode.INVALID_ARGUMENT, F.WIRE_UNKNOWN_FIELD),
        (
            encode_collect([b"x"] * (ENVELOPES_PER_CALL_MAX + 1), 0, 0),
            grpc.StatusCode.INVALID_ARGUMENT,
            F.LIMIT_ENVELOPES_PER_CALL,
        ),
        (
            encode_collect([bytes(COLLECT_BYTES_MAX)], 0, 0),
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            F.LIMIT_CALL_BYTES,
        ),
    ],
    ids=["garbage", "unknown_field", "too_many", "too_large"],
)
async def test_a_request_out_of_bounds_is_refused(
    bench: Bench, raw: bytes, status: grpc.StatusCode, rule: F
) -> None:
    with pytest.raises(CallRefused) as told:
        await bench.jiayuguan.line.call("Collect", raw)
    assert told.value.refusal == Refusal(status, rule)


# --- files ---------------------------------------------------------------------------------------
async def test_a_file_is_fetched_in_parts_from_where_it_broke_off(bench: Bench) -> None:
    await bench.found()
    (raw,) = await bench.jiayuguan.collected(wait_ms=10_000)
    _, files = files_of(raw)
    listed, ref = files["01"]
    assert listed.size == len(LARGE)
    line = bench.jiayuguan.line
    begun = await line.fetch(ref, chunks_max=1)
    assert 0 < len(begun) < len(LARGE)
    assert begun + await line.fetch(ref, len(begun)) == LARGE
    assert await line.fetch(ref, len(LARGE)) == b""
    assert await refused_fetch(bench, ref, len(LARGE) + 1) is F.ATTACHMENT_OFFSET
    assert await bench.jiayuguan.hand_in(bench.jiayuguan.receipt(raw)) == [""]
    assert await line.fetch(ref, 0) == LARGE, "it was taken in"


async def refused_fetch(
    bench: Bench, ref: AttachmentRef, offset: int = 0, *, by_zhangye: bool = False
) -> F | None:
    line = (bench.zhangye if by_zhangye else bench.jiayuguan).line
    with pytest.raises(CallRefused) as told:
        await line.fetch(ref, offset)
    return told.value.refusal.rule


async def test_only_files_of_messages_handed_out_to_the_peer_are_fetched(bench: Bench) -> None:
    await bench.found()
    (raw,) = await bench.jiayuguan.collected(wait_ms=10_000)
    envelope, files = files_of(raw)
    _, ref = files["02"]
    absent = F.ATTACHMENT_NOT_DECLARED
    assert await refused_fetch(bench, ref, by_zhangye=True) is absent
    elsewhere = CaseKey(envelope.header.sender, CaseId(envelope.header.message_id))
    wrong = [
        ref._replace(commitment=bytes(32)),
        ref._replace(salt=bytes(32)),
        ref._replace(case_key=elsewhere),
        ref._replace(agreement_digest=bytes(32)),
        ref._replace(salt=b"", commitment=b""),
    ]
    assert [await refused_fetch(bench, one) for one in wrong] == [absent] * len(wrong)
    refused = bench.jiayuguan.receipt(raw, Outcome.REFUSED, rule="catalogue.item_unknown")
    assert await bench.jiayuguan.hand_in(refused) == [""]
    assert await refused_fetch(bench, ref) is absent


async def test_a_file_is_not_handed_out_before_its_message(bench: Bench) -> None:
    await bench.found()
    (raw,) = await bench.jiayuguan.collected(wait_ms=10_000)
    _, files = files_of(raw)
    _, known = files["03"]
    await bench.found(LARGE + b"another")
    case = bench.journal.rows("SELECT envelope FROM messages WHERE direction = 'out'")
    (other,) = [bytes(e) for (e,) in case if isinstance(e, bytes) and e != raw]
    _, files = files_of(other)
    _, ref = files["01"]
    assert await refused_fetch(bench, ref) is F.ATTACHMENT_NOT_DECLARED
    assert await bench.jiayuguan.collected() == [other]
    assert await bench.jiayuguan.line.fetch(ref) == LARGE + b"another"
    assert await bench.jiayuguan.line.fetch(known)


async def test_reading_a_file_keeps_its_message_leased(bench: Bench) -> None:
    await bench.found()
    (raw,) = await bench.jiayuguan.collected(wait_ms=10_000)
    _, files = files_of(raw)
    _, ref = files["01"]
    bench.clock.advance(COLLECT_LEASE_MS - 1)
    assert await bench.jiayuguan.line.fetch(ref) == LARGE
    bench.clock.advance(COLLECT_LEASE_MS - 1)
    assert await bench.jiayuguan.collected() == []
    bench.clock.advance(1)
    assert await bench.jiayuguan.collected() == [raw]


async def test_a_caller_that_does_not_read_loses_its_place(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partner_grpc, "HTTP_UPLOAD_IDLE_S", 0.5)
    await bench.found(LARGE * 8)
    (raw,) = await bench.jiayuguan.collected(wait_ms=10_000)
    _, files = files_of(raw)
    made: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = (
        bench.jiayuguan.line.channel.unary_stream("/kuayu.v1.Exchange/FetchAttachment")
    )
    call = made(encode_fetch(files["01"][1], 0), timeout=30)
    async with asyncio.timeout(20):
        while True:
            if ("call_refused", {"rule": "portal.too_slow"}) in bench.node.log.events:
                break
            await asyncio.sleep(0.02)
    call.cancel()
    assert await bench.jiayuguan.line.fetch(files["02"][1])


async def test_a_partner_that_is_dialled_fetches_no_files(tmp_path: Path) -> None:
    made = collecting(tmp_path)
    async with made.running() as bench:
        await bench.found()
        (raw,) = await bench.jiayuguan.collected(wait_ms=10_000)
    _, files = files_of(raw)
    path = made.sites[0].root / "partners" / "jiayuguan" / "partner.toml"
    text = path.read_text(encoding="utf-8").replace("collects = true", "collects = false")
    path.write_text(text, encoding="utf-8")
    async with made.running() as bench:
        assert await refused_fetch(bench, files["01"][1]) is F.DELIVERY_NOT_COLLECTED
