"""Partners that only call out are judged at a door of the kit's own."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from gateway.app.conformance import line_to
from gateway.app.judged_collectors import CollectorLine
from gateway.conformance.case_files import Case, applicable, load_cases
from gateway.conformance.running import Status, verdict_of
from gateway.kernel.faults import FaultCode
from tests.integration.conformance.benches import CALL_S, Judged, failures, judged, results_of
from tests.integration.conformance.collectors import Client, Gullible, collector
from tests.integration.conformance.faulty import (
    Liar,
    NewReceipts,
    OfAnother,
    OtherHeader,
    Severe,
    Unsigned,
    WithoutRule,
)
from tests.integration.conformance.test_commands import kuayu, run_kuayu, started
from tests.integration.conformance.test_faulty_targets import (
    TAMPERED_BODY,
    cases_of,
    expectations,
)
from tests.integration.exchange.collectors import only_calls_out
from tests.integration.exchange.worlds import own_channel
from tests.support.peer import CallRefused

pytestmark = pytest.mark.asyncio(loop_scope="module")

CASES = applicable(load_cases(), "collector")


async def failed_by(world: Judged, liar: Liar) -> set[str]:
    async with collector(world, liar) as bench:
        results = await results_of(bench)
    failed = cases_of(failures(results))
    assert verdict_of(results) == ("failed" if failed else "passed")
    return failed


def wanting(*outcomes: str) -> set[str]:
    """Return the cases that expect nothing but these of some message."""

    def wants(case: Case) -> bool:
        return any(set(e.outcome) <= set(outcomes) for e in expectations(case))

    return {c.id for c in CASES if wants(c)}


async def test_one_that_answers_as_a_gateway_does_passes_every_case(world: Judged) -> None:
    async with collector(world) as bench:
        results = await results_of(bench)
        pin = await bench.line.certificate_pin()
    assert failures(results) == {}
    assert {r.status for r in results} == {Status.PASSED}
    assert verdict_of(results) == "passed"
    assert {r.case.id for r in results} == {c.id for c in CASES}
    assert pin in bench.target.partner.transport_pins
    assert {c.id.partition(".")[0] for c in CASES} >= {"collect", "tamper", "trust", "casework"}


async def test_who_receipts_everything_fails_each_case_that_forbids_it(world: Judged) -> None:
    forbidding = {c.id for c in CASES if any("taken_in" not in e.outcome for e in expectations(c))}
    assert await failed_by(world, Gullible()) == forbidding


async def test_who_receipts_nothing_fails_each_case_that_needs_a_receipt(world: Judged) -> None:
    needing = wanting("taken_in", "refused")
    assert len(needing) > 20
    assert await failed_by(world, Severe()) == needing


@pytest.mark.parametrize(
    "liar", [OfAnother(), OtherHeader(), Unsigned()], ids=lambda li: type(li).__name__
)
async def test_a_receipt_that_proves_nothing_is_never_accepted(world: Judged, liar: Liar) -> None:
    assert wanting("taken_in", "refused") <= await failed_by(world, liar)


async def test_other_receipts_for_the_same_bytes_are_found(world: Judged) -> None:
    again = {c.id for c in CASES if any(e.same_as for e in expectations(c))}
    assert await failed_by(world, NewReceipts()) == again


@pytest.mark.parametrize(
    ("rule", "cases"),
    [
        ("trust.body_mismatch", TAMPERED_BODY),
        ("attachment.absent", {"collect.absent_file", "collect.damaged_file"}),
        ("trust.unsigned", {"trust.unsigned"}),
        ("delivery.expired", {"delivery.expired"}),
    ],
)
async def test_what_is_receipted_against_one_rule_is_found(
    world: Judged, rule: str, cases: set[str]
) -> None:
    assert await failed_by(world, WithoutRule(rule)) == cases


async def test_who_never_calls_fails_and_is_not_waited_for(world: Judged) -> None:
    async with collector(world, call_s=0.2, calls=False) as bench:
        results = await results_of(bench)
    assert verdict_of(results) == "failed"
    failed = [r.reason for r in results if r.status is Status.FAILED]
    assert failed == ["no answer: it does not call"] * 3


async def test_nobody_else_is_handed_anything(world: Judged) -> None:
    async with collector(world, calls=False) as bench:
        assert isinstance(bench.line, CollectorLine)
        stranger = own_channel(world.jiuquan, world.jiuquan, bench.line.port)
        try:
            with pytest.raises(CallRefused) as caught:
                await stranger.collect()
        finally:
            await stranger.channel.close()
    assert caught.value.refusal.rule in (None, FaultCode.TRUST_PEER_UNKNOWN)


async def test_the_command_waits_for_the_call_and_keeps_the_pass(tmp_path: Path) -> None:
    async with judged(tmp_path, other_keys=False) as world:
        only_calls_out(world.jiuquan.root, "jiayuguan")
        untold = await kuayu(world, "run", "jiayuguan")
        assert untold.code == 2
        assert "--listen HOST:PORT" in untold.err
        nowhere = await kuayu(world, "run", "jiayuguan", "--listen", "127.0.0.1:no")
        assert nowhere.code == 2
        assert "cannot bind" in nowhere.err

        checked = await run_kuayu(world, "partner", "check", "jiayuguan")
        assert "only calls out" in checked.out

        process = await started(world, "conformance", "run", "jiayuguan", "--listen", "127.0.0.1:0")
        assert process.stderr is not None
        told = (await process.stderr.readline()).decode()
        port = int(told.partition("127.0.0.1:")[2].partition(";")[0])
        behind = line_to(world.config, world.target(), CALL_S)
        door = own_channel(world.jiayuguan, world.jiuquan, port)
        calling = asyncio.create_task(Client(door, behind, Liar()).run())
        out, err = await asyncio.wait_for(process.communicate(), 60)
        await asyncio.wait_for(calling, CALL_S)
        await door.channel.close()
        await behind.close()
        assert process.returncode == 0, out.decode() + err.decode()
        kept = json.loads((await kuayu(world, "status", "jiayuguan", "--json")).out)
        assert kept["passed"], kept


async def test_what_is_no_receipt_settles_nothing_and_is_said_so(world: Judged) -> None:
    async with collector(world, calls=False) as bench:
        assert isinstance(bench.line, CollectorLine)
        door = own_channel(world.jiayuguan, world.jiuquan, bench.line.port)
        try:
            answer = await door.collect([b"\xff", b""], envelopes_max=0)
        finally:
            await door.channel.close()
    assert [bool(one.rule) for one in answer.receipts] == [True, True]
