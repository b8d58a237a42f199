"""Targets that lie: precisely the cases that must find it do."""

from __future__ import annotations

import pytest

from gateway.conformance.case_files import Case, applicable, load_cases
from gateway.conformance.running import Result, Status, verdict_of
from gateway.conformance.steps import Deliver, Expectation, Query
from tests.integration.conformance.benches import Judged, failures, results_of
from tests.integration.conformance.faulty import (
    Ahead,
    Babbling,
    English,
    Forgetful,
    Lenient,
    Liar,
    MixedUp,
    Nameless,
    NeverFails,
    NewReceipts,
    OfAnother,
    OtherHeader,
    Painter,
    Severe,
    Short,
    Silent,
    SilentOnQueries,
    Talkative,
    Unsigned,
    WithoutRule,
    lying,
    with_other_pins,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

CASES = applicable(load_cases(), "gateway")

BATCHES = {"correlation.answers_in_order", "limits.batch_of_256_one_bad", "link.queries_in_order"}
REPETITIONS = {
    "link.burn_does_not_undo",
    "link.delivered_once_after_a_cut",
    "link.missing_receipt_reported",
    "link.void_burns_the_id",
    "retry.at_once",
    "retry.refused_stays_refused",
    "retry.replay_of_application",
    "retry.same_bytes_same_receipt",
    "retry.same_id_other_content_refused",
    "retry.twice_in_one_call",
}
QUERIES = {
    "link.burn_does_not_undo",
    "link.delivered_once_after_a_cut",
    "link.missing_receipt_reported",
    "link.queries_in_order",
    "link.void_burns_the_id",
}
CALLS = {
    "attachments.damaged",
    "attachments.more_than_announced",
    "attachments.no_agreement",
    "attachments.oversized",
    "attachments.wrong_offset",
    "limits.batch_of_257",
    "limits.call_too_large",
    "limits.empty_call",
    "limits.garbage_call",
    "limits.queries_257",
    "refusal.of_a_call",
}
TAMPERED_BODY = {
    "limits.batch_of_256_one_bad",
    "tamper.body",
    "tamper.body_emptied",
    "tamper.salt",
    "tamper.salt_border",
}

EXACT: list[tuple[Liar, set[str]]] = [
    (MixedUp(), BATCHES),
    (NewReceipts(), REPETITIONS),
    (Forgetful(), QUERIES),
    (NeverFails(), CALLS),
    (English(), {"refusal.in_two_languages"}),
    (Talkative(), {"refusal.no_personal_data"}),
    (Ahead(), {"correlation.received_at_is_now"}),
    (WithoutRule("trust.body_mismatch"), TAMPERED_BODY),
    (Liar(), set()),
    (WithoutRule("trust.key_expired"), {"trust.expired_key"}),
    (WithoutRule("trust.key_not_yet_valid"), {"trust.key_not_yet_valid"}),
    (WithoutRule("delivery.expired"), {"delivery.expired"}),
    (WithoutRule("agreement.unknown"), {"agreement.agreement_unknown"}),
    (WithoutRule("trust.unsigned"), {"trust.unsigned"}),
]


async def judged_by(world: Judged, liar: Liar) -> list[Result]:
    async with lying(world, liar) as bench:
        return await results_of(bench)


def cases_of(failed: dict[str, str]) -> set[str]:
    return {name.partition("[")[0] for name in failed}


def expectations(case: Case) -> list[Expectation]:
    """Return what a case expects of messages it delivers."""
    steps = [s for s in case.file.steps if isinstance(s, Deliver)]
    return [e for s in steps for e in (s.expect, *s.expect_at.values()) if e is not None]


@pytest.mark.parametrize(
    ("liar", "cases"), EXACT, ids=[f"{type(li).__name__}_{len(c)}" for li, c in EXACT]
)
async def test_a_lie_is_found_by_precisely_the_cases_about_it(
    world: Judged, liar: Liar, cases: set[str]
) -> None:
    results = await judged_by(world, liar)
    failed = failures(results)
    assert cases_of(failed) == cases, failed
    musts = {c.id for c in CASES if c.file.level == "must"}
    assert verdict_of(results) == ("failed" if cases & musts else "passed")


async def test_who_takes_everything_in_fails_each_case_that_forbids_it(world: Judged) -> None:
    forbidding = {c.id for c in CASES if any("taken_in" not in e.outcome for e in expectations(c))}
    assert cases_of(failures(await judged_by(world, Lenient()))) == forbidding


async def test_who_takes_nothing_in_fails_each_case_that_needs_an_answer(world: Judged) -> None:
    failed = cases_of(failures(await judged_by(world, Severe())))
    passed = {c.id for c in CASES} - failed
    assert passed == CALLS - {"attachments.damaged", "limits.batch_of_257"} | {
        "refusal.in_two_languages",
        "refusal.names_a_rule",
        "services.certificate",
    }


async def test_refusals_without_a_rule_fail_each_case_that_asks_for_one(world: Judged) -> None:
    truth = await world.judge()
    refused = {
        r.case.id
        for r in truth
        if any(s.startswith(("refused ", "not_taken_in ")) for s in r.seen)
        and any(e.rules for e in expectations(r.case) if "taken_in" not in e.outcome)
    }
    decided = {r.case.id for r in truth if "refused case.already_decided" in r.seen}
    wanted = refused | decided | {"refusal.names_a_rule"}
    assert cases_of(failures(await judged_by(world, Nameless()))) == wanted


@pytest.mark.parametrize(
    "liar", [OfAnother(), OtherHeader(), Unsigned()], ids=lambda li: type(li).__name__
)
async def test_a_receipt_that_proves_nothing_is_never_accepted(world: Judged, liar: Liar) -> None:
    truth = await world.judge()
    receipted = {
        r.case.id for r in truth if any(s.split()[0] in ("taken_in", "refused") for s in r.seen)
    }
    failed = cases_of(failures(await judged_by(world, liar)))
    assert failed == receipted | {"retry.at_once"}


@pytest.mark.parametrize("liar", [Babbling(), Short()], ids=lambda li: type(li).__name__)
async def test_an_answer_that_is_none_fails_each_case_that_delivers(
    world: Judged, liar: Liar
) -> None:
    failed = cases_of(failures(await judged_by(world, liar)))
    delivering = {c.id for c in CASES if expectations(c)} | {"retry.at_once"}
    assert failed == delivering


async def test_who_never_answers_fails_and_is_not_waited_for(world: Judged) -> None:
    liar = Silent()
    async with lying(world, liar, call_s=0.2) as bench:
        results = await results_of(bench)
        liar.never.set()
    failed = [r for r in results if r.status is Status.FAILED]
    assert len(failed) == 3
    assert all(r.reason == "no answer: deadline_exceeded" for r in failed)
    rest = [r for r in results if r.status is Status.NOT_RUN]
    assert len(failed) + len(rest) == len(results)
    assert {r.reason for r in rest} == {"the target does not answer"}
    assert verdict_of(results) == "failed"


async def test_one_question_that_hangs_fails_alone(world: Judged) -> None:
    cases = [c for c in CASES if c.id.partition(".")[0] in ("link", "ping")]
    liar = SilentOnQueries()
    async with lying(world, liar, call_s=1.0) as bench:
        results = await results_of(bench, cases)
        liar.never.set()
    asking = {c.id for c in cases if any(isinstance(s, Query) for s in c.file.steps)}
    assert len(asking) > 3, "more than the kit waits for a silent target"
    assert cases_of(failures(results)) == asking
    assert {r.status for r in results} == {Status.PASSED, Status.FAILED}


async def test_what_a_target_says_cannot_write_to_the_terminal(world: Judged) -> None:
    results = await judged_by(world, Painter())
    told = "".join(r.reason + "".join(r.seen) for r in results)
    assert "rule" in told
    assert told.isprintable()


async def test_a_certificate_that_is_not_registered_is_found(world: Judged) -> None:
    async with lying(world, Liar()) as bench:
        failed = failures(await results_of(with_other_pins(bench)))
    assert failed.keys() == {"services.certificate"}


async def test_no_case_cannot_fail(world: Judged) -> None:
    failed: set[str] = {"services.certificate"}
    for liar in (Lenient(), Severe(), NeverFails(), Ahead(), OfAnother()):
        failed |= cases_of(failures(await judged_by(world, liar)))
    assert {c.id for c in CASES} - failed == set()
