"""What a partner's own platform sends: kept, judged once, put aside if it cannot be read."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import cast

import pytest

from gateway.kernel.arrivals import ArrivalStatus
from gateway.kernel.case import Stage
from gateway.kernel.envelope import Kind, Outcome, Strength
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import CaseId, CaseKey, GatewayId, uuid_text
from gateway.kernel.limits import ARRIVAL_RESUME_MS
from gateway.kernel.trees import Tree
from gateway.ports.outlet import Listed, OutletDown
from gateway.ports.reception import LateAnswer, Unreadable
from gateway.wire.envelopes import decode_envelope, decode_signed_attestation
from gateway.wire.receipts import decode_signed_receipt
from tests.flow.platforms import THEM, PlatformPartner, told
from tests.flow.world import World, settle

OURS = "JQ-2026-000003"
APPROVED: dict[str, object] = {"result": "approved", "answer_zh": "登记状态：存续（示例）"}


async def submitted(world: World, platform: PlatformPartner) -> bytes:
    case_id = await world.open_query()
    await world.jq.lane.turn()
    return case_id


def number_of(platform: PlatformPartner) -> str:
    _, ours, _ = platform.dialect.pushed[0]
    return str(cast("Tree", ours["case"])["applicant_number"])


@pytest.fixture
def platform(world: World) -> PlatformPartner:
    return PlatformPartner(world)


# --- hostile, and in trouble ---------------------------------------------------------------------


async def test_a_nonce_is_taken_once_and_a_replay_stores_nothing(
    world: World, platform: PlatformPartner
) -> None:
    await submitted(world, platform)
    said = told("R-1", number_of(platform))
    assert (await platform.says(Kind.ACKNOWLEDGED, said, nonce="n-1")).taken_in
    with pytest.raises(Fault) as refused:
        await platform.says(Kind.ACCEPTED, told("R-2", number_of(platform)), nonce="n-1")
    assert refused.value.code is FaultCode.PARTNER_NONCE_REPLAYED
    received = await world.jq.journal.read(lambda s: s.arrivals_named(THEM, "R-2/accepted"))
    assert received == []


async def test_a_number_does_not_say_another_thing_later(
    world: World, platform: PlatformPartner
) -> None:
    case_id = await submitted(world, platform)
    number = number_of(platform)
    await platform.says(Kind.ACKNOWLEDGED, told("R-1", number))
    await platform.says(Kind.ACCEPTED, told("R-2", number, accepted_on="2026-06-01"))
    await platform.says(Kind.DECIDED, told("R-3", number, **APPROVED))
    with pytest.raises(Fault) as refused:
        await platform.says(
            Kind.DECIDED, told("R-3", number, result="refused", reason_zh="不实（示例）")
        )
    assert refused.value.code is FaultCode.PARTNER_NUMBER_REUSED
    assert (await world.jq.case(case_id)).result == "approved"


async def test_a_case_of_another_partner_cannot_be_named(
    world: World, platform: PlatformPartner
) -> None:
    case_id = await submitted(world, platform)
    case = await world.jq.case(case_id)
    key = CaseKey(case.key.origin, CaseId(case_id[:-1] + b"\x01"))
    other = case._replace(key=key, counterpart=GatewayId("620700"))
    await world.jq.journal.write(lambda tx: tx.save_cases([other]))
    named: Tree = {"id": f"620900/{uuid_text(key.case_id)}"}
    document: Tree = {"message": {"number": "R-1"}, "case": named, "form": {}}
    met = await platform.says(Kind.ACKNOWLEDGED, document)
    assert (met.status, met.rule) == (
        ArrivalStatus.QUARANTINED,
        FaultCode.PARTNER_CASE_UNNAMED.value,
    )


async def test_a_claim_beyond_what_the_adapter_can_prove_is_refused(
    world: World, platform: PlatformPartner
) -> None:
    book = world.jq.directory.current()
    weak = replace(book.partners[THEM], outlet="file_drop")
    world.jq.directory.replace(replace(book, partners={THEM: weak}))
    with pytest.raises(Fault) as refused:
        await platform.says(Kind.ACKNOWLEDGED, told("R-1", OURS), strength=Strength.SIGNED)
    assert refused.value.code is FaultCode.TRUST_ATTESTATION_INVALID


async def test_proof_below_what_the_agreement_demands_is_refused_by_rule(
    world: World, platform: PlatformPartner
) -> None:
    case_id = await submitted(world, platform)
    met = await platform.says(
        Kind.ACKNOWLEDGED, told("R-1", number_of(platform)), strength=Strength.INTEGRITY_ONLY
    )
    assert (met.status, met.rule) == (
        ArrivalStatus.REFUSED,
        FaultCode.AGREEMENT_STRENGTH_TOO_WEAK.value,
    )
    assert met.text_zh
    assert met.text_en
    assert (await world.jq.case(case_id)).stage is Stage.SUBMITTED


async def test_what_cannot_be_mapped_waits_with_its_bytes_until_the_table_is_mended(
    world: World, platform: PlatformPartner
) -> None:
    case_id = await submitted(world, platform)
    platform.translation.broken.add("acknowledged")
    said = told("R-1", number_of(platform))
    met = await platform.says(Kind.ACKNOWLEDGED, said)
    assert (met.status, met.rule) == (
        ArrivalStatus.QUARANTINED,
        FaultCode.MAPPING_VALUE_INVALID.value,
    )
    kept = await world.jq.journal.read(lambda s: s.arrival(met.arrival_id))
    assert kept is not None
    assert (kept.detail, kept.raw[:3]) == ("/form/state", b'["",'[:3])
    platform.translation.broken.clear()
    # The same again, as platforms do: it is judged by the mended table.
    assert (await platform.says(Kind.ACKNOWLEDGED, said)).taken_in
    assert (await world.jq.case(case_id)).stage is Stage.ACKNOWLEDGED


async def test_a_bug_that_a_document_finds_puts_it_aside_and_holds_up_nothing(
    world: World, platform: PlatformPartner, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = await submitted(world, platform)
    said = told("R-1", number_of(platform))
    platform.translation.bugs.add("acknowledged")
    met = await platform.says(Kind.ACKNOWLEDGED, said)
    assert (met.status, met.rule) == (ArrivalStatus.QUARANTINED, FaultCode.INTERNAL.value)
    platform.translation.bugs.clear()
    with monkeypatch.context() as patched:

        def broken(*_: object) -> None:
            raise ValueError("nobody foresaw this")

        patched.setattr("gateway.flow.receiving.prepare", broken)
        met = await platform.says(Kind.ACKNOWLEDGED, said)
        assert (met.status, met.rule) == (ArrivalStatus.QUARANTINED, FaultCode.INTERNAL.value)
    assert (await platform.says(Kind.ACKNOWLEDGED, said)).taken_in
    assert (await world.jq.case(case_id)).stage is Stage.ACKNOWLEDGED


async def test_what_cannot_even_be_read_is_kept_as_it_came(
    world: World, platform: PlatformPartner
) -> None:
    raw = b"<html>\xff\xfe not what was agreed"
    fault = Fault(FaultCode.SCHEMA_JSON_INVALID, "line 1, column 1")
    unreadable = Unreadable(THEM, "decided", raw, Strength.AUTHENTICATED, fault, "row-1")
    met = await platform.receiving.keep_unreadable(unreadable)
    again = await platform.receiving.keep_unreadable(unreadable)
    until_ms = world.clock.now_ms() + 60_000
    once = unreadable._replace(raw=b"other", nonce="n", nonce_until_ms=until_ms)
    await platform.receiving.keep_unreadable(once)
    with pytest.raises(Fault) as replayed:
        await platform.receiving.keep_unreadable(once._replace(raw=b"and another"))
    assert replayed.value.code is FaultCode.PARTNER_NONCE_REPLAYED
    assert met.status is again.status is ArrivalStatus.QUARANTINED
    assert met.arrival_id == again.arrival_id
    kept = await world.jq.journal.read(lambda s: s.arrival(met.arrival_id))
    assert kept is not None
    assert (kept.raw, kept.rule, kept.source) == (raw, "schema.json_invalid", "row-1")


async def test_a_partner_fills_only_its_own_place(
    world: World, platform: PlatformPartner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.flow.arrival_admission.ARRIVALS_HELD_MAX", 1)
    platform.translation.broken.add("acknowledged")
    await platform.says(Kind.ACKNOWLEDGED, told("R-1", OURS))
    with pytest.raises(Fault) as refused:
        await platform.says(Kind.ACKNOWLEDGED, told("R-2", OURS))
    assert refused.value.code is FaultCode.LIMIT_QUOTA


@pytest.mark.parametrize("lost", [1, 2, 3, 4])
async def test_a_commit_that_is_lost_anywhere_changes_nothing_in_the_end(
    world: World, platform: PlatformPartner, lost: int
) -> None:
    """Each of the commits of one arrival is lost in turn; the same bytes then meet one effect."""
    case_id = await submitted(world, platform)
    said = told("R-1", number_of(platform))
    world.jq.journal.lose_write = world.jq.journal.begun + lost
    try:
        await platform.says(Kind.ACKNOWLEDGED, said)
    except Fault as fault:
        assert fault.code in (FaultCode.DELIVERY_JOURNAL_DOWN, FaultCode.INTERNAL)
    world.jq.journal.lose_write = 0
    await world.jq.crash()
    platform.restart()
    await platform.receiving.resume()
    assert (await platform.says(Kind.ACKNOWLEDGED, said)).taken_in
    history = await world.jq.history(case_id)
    assert [m.kind for m in history if m.kind is Kind.ACKNOWLEDGED] == [Kind.ACKNOWLEDGED]
    assert (await world.jq.case(case_id)).stage is Stage.ACKNOWLEDGED
    assert (
        await world.jq.journal.read(lambda s: s.arrivals_in(ArrivalStatus.RECEIVED, limit=9)) == []
    )


# --- the road ------------------------------------------------------------------------------------


async def test_a_case_goes_out_and_comes_back_attested(
    world: World, platform: PlatformPartner
) -> None:
    case_id = await submitted(world, platform)
    operation, ours, ident = platform.dialect.pushed[0]
    assert operation == "push_submitted"
    assert ours["form"] == {
        "uscc": "91620200MA0000000H",
        "query_purpose": "核对企业登记信息（示例）",
    }
    (sent,) = await world.jq.said(case_id)
    assert sent.outcome is Outcome.TAKEN_IN
    assert sent.ref.message_id.hex() == ident.replace("-", "")
    attested = decode_signed_attestation(decode_signed_receipt(sent.receipt).attestation)
    assert attested.attestation.adapter == "rest"
    assert attested.attestation.strength is Strength.AUTHENTICATED
    number = number_of(platform)
    course: list[tuple[Kind, dict[str, object]]] = [
        (Kind.ACKNOWLEDGED, {"handling_number": "H-2026-1"}),
        (Kind.ACCEPTED, {"accepted_on": "2026-06-01"}),
        (Kind.DECIDED, APPROVED),
    ]
    for at, (kind, form) in enumerate(course):
        met = await platform.says(kind, told(f"R-{at}", number, **form))
        assert met.taken_in, met
        assert met.number == number
    case = await world.jq.case(case_id)
    assert (case.stage, case.result, case.handling_number) == (
        Stage.DECIDED,
        "approved",
        "H-2026-1",
    )
    heard = [m for m in await world.jq.history(case_id) if m.ref.sender == THEM]
    assert {decode_envelope(m.envelope).header.strength for m in heard} == {Strength.AUTHENTICATED}


async def test_their_number_from_the_answer_to_our_push_names_the_case(
    world: World, platform: PlatformPartner
) -> None:
    case_id = await submitted(world, platform)
    document: Tree = {
        "message": {"number": "R-1"},
        "case": {"handling_number": "H-2026-1"},
        "form": {},
    }
    assert (await platform.says(Kind.ACKNOWLEDGED, document)).taken_in
    assert (await world.jq.case(case_id)).stage is Stage.ACKNOWLEDGED


async def test_what_came_too_early_waits_for_what_goes_before_it(
    world: World, platform: PlatformPartner
) -> None:
    """Files are read by name, rows by time: a result may be read before its acceptance."""
    case_id = await submitted(world, platform)
    number = number_of(platform)
    early = await platform.says(Kind.DECIDED, told("R-3", number, **APPROVED))
    assert (early.status, early.rule) == (
        ArrivalStatus.RECEIVED,
        FaultCode.PARTNER_OUT_OF_ORDER.value,
    )
    await platform.says(Kind.ACCEPTED, told("R-2", number, accepted_on="2026-06-01"))
    assert (await world.jq.case(case_id)).stage is Stage.SUBMITTED
    assert (await platform.says(Kind.ACKNOWLEDGED, told("R-1", number))).taken_in
    assert (await world.jq.case(case_id)).stage is Stage.DECIDED
    assert (await platform.says(Kind.DECIDED, told("R-3", number, **APPROVED))).taken_in


async def test_what_is_early_for_a_day_is_judged_as_it_stands(
    world: World, platform: PlatformPartner
) -> None:
    await submitted(world, platform)
    said = told("R-3", number_of(platform), **APPROVED)
    await platform.says(Kind.DECIDED, said)
    world.clock.advance(86_400_001)
    await platform.receiving.resume()
    met = await platform.says(Kind.DECIDED, said)
    assert (met.status, met.rule) == (ArrivalStatus.REFUSED, FaultCode.CASE_STAGE.value)


async def test_the_same_again_under_other_bytes_has_one_effect(
    world: World, platform: PlatformPartner
) -> None:
    case_id = await submitted(world, platform)
    said = told("R-1", number_of(platform))
    first = await platform.says(Kind.ACKNOWLEDGED, said, noise="first try")
    second = await platform.says(Kind.ACKNOWLEDGED, said, noise="second try")
    assert first.taken_in
    assert (second.status, second.message_id) == (first.status, first.message_id)
    assert len(await world.jq.history(case_id)) == 2


async def test_a_partner_opens_a_case_here_and_hears_of_it_by_its_own_number(
    world: World, platform: PlatformPartner
) -> None:
    document: Tree = {
        "message": {
            "number": "T-1",
            "item_code": "00013112700701",
            "item_version": "1",
            "mode": "online",
            "purpose": "enterprise-information-query",
        },
        "case": {"applicant_number": "JYG-2026-9"},
        "form": {"uscc": "91620200MA0000000H", "query_purpose": "核对企业登记信息（示例）"},
    }
    met = await platform.says(Kind.SUBMITTED, document)
    assert met.taken_in, met
    key = await world.jq.journal.read(lambda s: s.case_named(THEM, "JYG-2026-9"))
    assert key is not None
    case = await world.jq.case(key.case_id)
    assert (case.counterpart, case.applicant_number) == (THEM, "JYG-2026-9")
    assert met.number == case.handling_number
    again = await platform.says(Kind.SUBMITTED, document, noise="again")
    assert again.message_id == met.message_id
    assert len(await world.jq.journal.read(lambda s: s.cases_of(None, limit=9))) == 1


async def test_a_refusal_of_theirs_is_a_receipt_with_their_words(
    world: World, platform: PlatformPartner
) -> None:
    platform.dialect.answers = [{"code": "1", "message": "事项未开通（示例）"}]
    case_id = await submitted(world, platform)
    (sent,) = await world.jq.said(case_id)
    assert (sent.outcome, sent.rule) == (Outcome.REFUSED, FaultCode.PARTNER_REFUSED.value)
    assert "事项未开通" in decode_signed_receipt(sent.receipt).receipt.text_zh
    assert (await world.jq.case(case_id)).attention == FaultCode.PARTNER_REFUSED.value


@pytest.mark.parametrize(
    "trouble", [{"code": "busy"}, {"code": "?"}, OutletDown("connection refused")]
)
async def test_what_is_neither_yes_nor_no_is_pushed_again_under_the_same_number(
    world: World, platform: PlatformPartner, trouble: Tree | OutletDown
) -> None:
    platform.dialect.answers = [trouble]
    case_id = await submitted(world, platform)
    assert [m.outcome for m in await world.jq.said(case_id)] == [None]
    world.clock.advance(400_000)
    await world.jq.lane.turn()
    await settle()
    assert [m.outcome for m in await world.jq.said(case_id)] == [Outcome.TAKEN_IN]
    assert len({number for _, _, number in platform.dialect.pushed}) == 1


async def test_a_kind_their_platform_has_no_words_for_ends_refused_and_the_case_goes_on(
    world: World, platform: PlatformPartner
) -> None:
    platform.translation.unsaid.add("withdrawn")
    case_id = await submitted(world, platform)
    await world.withdraw(case_id)
    await world.jq.lane.turn()
    said = await world.jq.said(case_id)
    assert [(m.outcome, m.rule) for m in said] == [
        (Outcome.TAKEN_IN, ""),
        (Outcome.REFUSED, FaultCode.MAPPING_KIND_UNMAPPED.value),
    ]
    met = await platform.says(Kind.ACKNOWLEDGED, told("R-1", number_of(platform)))
    assert met.taken_in


async def test_what_lies_ready_is_settled_by_the_answer_that_comes_by_itself(
    world: World, platform: PlatformPartner
) -> None:
    platform.dialect.answers = [Listed()]
    case_id = await submitted(world, platform)
    (sent,) = await world.jq.said(case_id)
    assert sent.outcome is None
    answer = LateAnswer(THEM, sent.ref.message_id, b"raw", {"code": "0"}, Strength.AUTHENTICATED)
    assert not await platform.receiving.answered(answer._replace(message_id=b"x" * 16))
    assert not await platform.receiving.answered(answer._replace(partner="620700"))  # type: ignore[arg-type]
    assert await platform.receiving.answered(answer)
    assert not await platform.receiving.answered(answer)
    assert [m.outcome for m in await world.jq.said(case_id)] == [Outcome.TAKEN_IN]


async def test_a_word_about_a_case_whose_number_is_still_on_its_way_waits_for_it(
    world: World, platform: PlatformPartner
) -> None:
    """A platform may say what comes of a push before we have kept its answer to the push."""
    platform.dialect.answers = [Listed()]
    case_id = await submitted(world, platform)
    world.jq.committer.listen(platform.receiving.notice)
    going_on = asyncio.ensure_future(_going_on(platform))
    early = await platform.says(Kind.ACKNOWLEDGED, told("n-1", "H-2026-7"))
    assert (early.status, early.rule) == (ArrivalStatus.RECEIVED, "partner.out_of_order")
    assert (await world.jq.case(case_id)).stage is not Stage.ACKNOWLEDGED
    (sent,) = await world.jq.said(case_id)
    began_ms = world.clock.now_ms()
    answer: Tree = {"code": "0", "number": "H-2026-7"}
    late = LateAnswer(THEM, sent.ref.message_id, b"raw", answer, Strength.AUTHENTICATED)
    assert await platform.receiving.answered(late)
    await asyncio.sleep(2)
    await settle()
    assert (await world.jq.case(case_id)).stage is Stage.ACKNOWLEDGED
    assert world.clock.now_ms() - began_ms < ARRIVAL_RESUME_MS, "nobody waited for the minute"
    going_on.cancel()


async def test_words_nobody_can_place_do_not_hide_one_behind_them(
    world: World, platform: PlatformPartner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.flow.receiving.ARRIVAL_RESUME_MAX", 1)
    platform.dialect.answers = [Listed()]
    case_id = await submitted(world, platform)
    for number, case in (("n-1", "H-1"), ("n-2", "H-2"), ("n-3", "H-2026-7")):
        met = await platform.says(Kind.ACKNOWLEDGED, told(number, case))
        assert met.rule == "partner.out_of_order"
    (sent,) = await world.jq.said(case_id)
    answer: Tree = {"code": "0", "number": "H-2026-7"}
    late = LateAnswer(THEM, sent.ref.message_id, b"raw", answer, Strength.AUTHENTICATED)
    assert await platform.receiving.answered(late)
    await platform.receiving.resume()
    assert (await world.jq.case(case_id)).stage is Stage.ACKNOWLEDGED
    aside = await world.jq.journal.read(lambda s: s.arrivals_in(ArrivalStatus.QUARANTINED, limit=9))
    assert [a.rule for a in aside] == ["partner.case_unnamed"] * 2


async def _going_on(platform: PlatformPartner) -> None:
    while True:
        await platform.receiving.resume()
        await platform.receiving.pause()


async def test_a_case_nobody_knows_is_quarantined_once_nothing_is_on_its_way(
    world: World, platform: PlatformPartner
) -> None:
    await submitted(world, platform)
    met = await platform.says(Kind.ACKNOWLEDGED, told("n-1", "H-2026-99"))
    assert (met.status, met.rule) == (ArrivalStatus.QUARANTINED, "partner.case_unnamed")


async def test_our_own_number_of_a_case_is_known_before_it_is_pushed(
    world: World, platform: PlatformPartner
) -> None:
    platform.dialect.answers = [Listed()]
    case_id = await submitted(world, platform)
    number = (await world.jq.case(case_id)).applicant_number
    met = await platform.says(Kind.ACKNOWLEDGED, told("n-1", number))
    assert met.taken_in


async def test_what_lies_ready_is_laid_anew_if_the_partner_asks_for_that(
    world: World, platform: PlatformPartner
) -> None:
    platform.dialect.answers = [Listed()]
    case_id = await submitted(world, platform)
    (sent,) = await world.jq.said(case_id)
    busy = LateAnswer(THEM, sent.ref.message_id, b"raw", {"code": "busy"}, Strength.AUTHENTICATED)
    assert await platform.receiving.answered(busy)
    await world.jq.lane.turn()
    assert [m.outcome for m in await world.jq.said(case_id)] == [Outcome.TAKEN_IN]
    assert len(platform.dialect.pushed) == 2
