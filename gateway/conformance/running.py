"""A whole run: every case that is wanted, one after the other, each with its result."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from gateway.conformance.bench import Bench, CallFailed, NoAnswer, Sample, Unreadable
from gateway.conformance.case_files import WAIVABLE, Case, applicable
from gateway.conformance.engine import Engine
from gateway.conformance.expecting import Failed
from gateway.conformance.messages import bind, body_of, ping_header, sign
from gateway.kernel.limits import CONFORMANCE_SILENT_MAX

_REASON_CHARS_MAX: Final = 500  # a few lines of a table; what a target says has no bound


class Status(StrEnum):
    """How a case ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not_run"


class Result(NamedTuple):
    """One case, run once."""

    case: Case
    item: str
    """`code v version` for a case that runs once an item, else empty."""
    status: Status
    reason: str
    """Why it failed or was not run; empty if it passed."""
    step: int
    """The step that failed, counted from 1; 0: none."""
    seen: tuple[str, ...]
    duration_ms: int
    waived: bool = False
    """Not run for a precondition that is seldom met: the run can still pass."""

    @property
    def id(self) -> str:
        """`area.case`, with the item in brackets."""
        return f"{self.case.id}[{self.item}]" if self.item else self.case.id


_MISSING: Final = {
    "sample": "a sample application for an item that an agreement in force lets us apply for at "
    "the target: agree one, and put vectors/<item>/submitted.json into the partner's folder",
    "expired_key": "a signing key of ours that is registered at the target and has expired: "
    "name it with --expired-key",
    "not_yet_valid_key": "a signing key of ours that is registered at the target and is not yet "
    "valid: name it with --future-key",
    "batches": "a target that takes several messages in one call",
    "query": "a target that can be asked after receipts",
    "bytes": "a target whose requests can be any bytes",
    "attachments": "a target that takes attachments in chunks",
    "services": "a target with health and reflection services",
    "tls": "a target behind mutual TLS",
    "credentials": "a partner whose settings name secrets: this convention has none",
    "signed_time": "a partner whose convention signs the time of a push: this one does not",
}


def missing(bench: Bench, case: Case) -> list[str]:
    """Return the needs of a case that are not met."""
    sender, target = bench.sender, bench.target
    here = set(bench.line.offers)
    if target.samples:
        here.add("sample")
    if sender.expired is not None:
        here.add("expired_key")
    if sender.not_yet_valid is not None:
        here.add("not_yet_valid_key")
    return [need for need in case.file.needs if need not in here]


async def run_cases(
    bench: Bench, cases: Sequence[Case], tell: Callable[[Result], None]
) -> list[Result]:
    """Run those cases that are for such a target, and return their results; `tell` hears of each.

    After `CONFORMANCE_SILENT_MAX` cases in a row without an answer, to a ping neither, the rest is
    not run: each is reported so, and the run has failed.
    """
    results: list[Result] = []
    silent = 0
    waivable = _waivable(bench)
    for case in applicable(cases, bench.target.judged_as):
        needs = missing(bench, case)
        for item, sample, gap in _turns(bench, case):
            if silent >= CONFORMANCE_SILENT_MAX:
                result = _not_run(case, item, "the target does not answer")
            elif needs:
                reason = "needs " + "; ".join(_MISSING[need] for need in needs)
                result = _not_run(case, item, reason, waived=set(needs) <= waivable)
            elif gap:
                result = _not_run(case, item, f"needs a sample application: {gap}")
            else:
                result, alive = await _run_one(bench, case, item, sample)
                silent = 0 if alive else silent + 1
            results.append(result)
            tell(result)
    return results


def _waivable(bench: Bench) -> frozenset[str]:
    """Return the needs whose lack does not fail the run.

    With an agreement in force that lets us apply for nothing there, no application can be judged.
    """
    target = bench.target
    one_way = target.agreements and not target.samples and not target.gaps
    return WAIVABLE | {"sample"} if one_way else WAIVABLE


def _turns(bench: Bench, case: Case) -> Iterator[tuple[str, Sample | None, str]]:
    """Yield (item, sample, why there is none) for each time a case is to be run."""
    target = bench.target
    if case.file.each != "item":
        # The smallest sample: fewest files, so that a run writes little at the target.
        smallest = min(target.samples, key=lambda s: (len(s.files), s.item_code), default=None)
        yield "", smallest, ""
        return
    if not target.samples and not target.gaps:
        yield "", None, ""
    for sample in target.samples:
        yield f"{sample.item_code} v{sample.item_version}", sample, ""
    for gap in target.gaps:
        yield f"{gap.item_code} v{gap.item_version}", None, gap.why


def _not_run(case: Case, item: str, reason: str, *, waived: bool = False) -> Result:
    return Result(case, item, Status.NOT_RUN, reason, 0, (), 0, waived)


async def _run_one(
    bench: Bench, case: Case, item: str, sample: Sample | None
) -> tuple[Result, bool]:
    """Run a case once; also tell whether the target answers at all."""
    engine = Engine(bench, sample)
    begin = bench.monotonic_ms()
    status, reason, alive = Status.PASSED, "", True
    try:
        if case.code is not None:
            await case.code(bench)
        else:
            await engine.run(case.file.steps)
    except Failed as failed:
        status, reason = Status.FAILED, str(failed)
    except (CallFailed, Unreadable) as said:
        status, reason = Status.FAILED, f"no answer to the question: {said}"
    except NoAnswer as silence:
        status, reason = Status.FAILED, f"no answer: {silence}"
        alive = await _alive(bench)
    took = bench.monotonic_ms() - begin
    at = engine.at if status is Status.FAILED else 0
    seen = tuple(map(_printable, engine.seen))
    return Result(case, item, status, _printable(reason), at, seen, took), alive


async def _alive(bench: Bench) -> bool:
    """Tell whether the target answers a ping, with whatever: one question may hang alone."""
    ping = bind(bench, ping_header(bench), body_of({}))
    try:
        await bench.line.deliver([m.raw for m in sign(bench.sender.signers[:1], [ping])])
    except NoAnswer:
        return False
    except (CallFailed, Unreadable):
        return True
    return True


def _printable(text: str) -> str:
    """Return what a target said as it may stand on a terminal and in XML."""
    plain = "".join(c if c.isprintable() else "\ufffd" for c in text)
    return plain if len(plain) <= _REASON_CHARS_MAX else plain[: _REASON_CHARS_MAX - 1] + "…"


def verdict_of(results: Sequence[Result]) -> str:
    """Return `passed`, `passed_with_gaps` (only waivable cases were not run) or `failed`.

    Of level `must`, one that failed, or was not run without being waived, fails the run. Of level
    `should`, none does. A run of nothing has failed.
    """
    musts = [r for r in results if r.case.file.level == "must"]
    if not any(r.status is Status.PASSED for r in musts):
        return "failed"
    if any(r.status is not Status.PASSED and not r.waived for r in musts):
        return "failed"
    return "passed_with_gaps" if any(r.status is Status.NOT_RUN for r in results) else "passed"
