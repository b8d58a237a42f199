"""Running one case: step after step, until one finds that the target does otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from gateway.conformance import uploading
from gateway.conformance.bench import (
    Answer,
    Bench,
    CallFailed,
    Sample,
    Silence,
    Unreadable,
)
from gateway.conformance.expecting import (
    Failed,
    Worded,
    bound,
    judge,
    judge_call,
    require_quality,
    verify_receipt,
)
from gateway.conformance.making import PERSONAL, made_of
from gateway.conformance.messages import File, Made
from gateway.conformance.steps import (
    Alter,
    Ask,
    CallExpectation,
    Deliver,
    DeliverBytes,
    Expectation,
    FileStep,
    Make,
    Quality,
    Query,
    Status,
    Step,
    TamperReceipt,
    Upload,
)
from gateway.conformance.tampering import ALTERATIONS, flipped
from gateway.kernel.faults import Fault
from gateway.wire.calls import SERVICE
from gateway.wire.receipts import decode_receipt, decode_signed_receipt


class Engine:
    """Interprets the steps of one case; one instance a run of a case."""

    def __init__(self, bench: Bench, sample: Sample | None) -> None:
        self._bench = bench
        self._sample = sample
        self._made: dict[str, Made] = {}
        self._batches: dict[str, int] = {}
        self._files: dict[str, File] = {}
        self._sent: dict[str, Sequence[bytes]] = {}
        self._answers: dict[str, Answer] = {}
        self._calls: dict[str, CallFailed] = {}
        self._about: dict[str, Made] = {}
        self.seen: list[str] = []
        """What came back, step by step; rule ids and outcomes only."""
        self.at = 0
        """The step that is being done, counted from 1."""

    async def run(self, steps: Sequence[Step]) -> None:
        """Do the steps.

        Raises:
            Failed: the target does otherwise. NoAnswer: it does not answer.
        """
        for self.at, step in enumerate(steps, 1):
            try:
                await self._do(step)
            except Unreadable as said:
                raise Failed(f"what came back cannot be read: {said}") from said
            except CallFailed as failed:
                raise Failed(f"the whole call failed: {failed}") from failed

    async def _do(self, step: Step) -> None:
        match step:
            case Make():
                await self._make(step)
            case Alter():
                self._made[step.name] = ALTERATIONS[step.change](self._made[step.source])
            case Deliver():
                await self._deliver(step)
            case DeliverBytes():
                await self._deliver_bytes(step)
            case Query():
                await self._query(step)
            case FileStep():
                self._file(step)
            case Upload():
                self.seen.append(await uploading.upload(self._bench, step, *self._held(step.file)))
            case Status():
                file, _ = self._held(step.file)
                self.seen.append(await uploading.status(self._bench, step, file))
            case Quality():
                self._quality(step)
            case TamperReceipt():
                self._tamper_receipt(step)
            case Ask():
                await self._ask(step)
            case _:
                assert_never(step)

    async def _make(self, step: Make) -> None:
        files = await self._attached(step)
        made = made_of(self._bench, step, self._made, self._sample, files)
        if step.count == 1:
            self._made[step.name] = made[0]
            return
        self._batches[step.name] = step.count
        self._made.update({f"{step.name}.{i}": one for i, one in enumerate(made)})

    async def _attached(self, step: Make) -> list[File]:
        if step.files != "sample":
            return [self._files[name] for name in step.files]
        assert self._sample is not None, "a case with sample files needs a sample"
        return await uploading.sample_files(self._bench, self._sample)

    def _names(self, references: Sequence[str]) -> list[str]:
        names: list[str] = []
        for reference in references:
            base, _, place = reference.partition(".")
            every = [f"{base}.{i}" for i in range(self._batches[base])] if place == "*" else None
            names += every or [reference]
        return names

    async def _deliver(self, step: Deliver) -> None:
        names = self._names(step.messages)
        for at, name in step.instead.items():
            names[int(at)] = name
        made = [self._made[name] for name in names]
        raws = [m.raw for m in made]
        if step.over == "cut":
            await self._bench.line.deliver_and_cut(raws)
            self.seen.append("connection cut before the answer")
            return
        line = self._bench.line
        send = {
            "line": line.deliver,
            "anonymous": line.deliver_anonymously,
            "stale": line.deliver_stale,
        }[step.over]
        try:
            answers = await send(raws)
        except CallFailed as failed:
            self._call_failed(failed, step.call)
            return
        _require_answered(step.call, len(answers), len(raws))
        for place, (one, answer) in enumerate(zip(made, answers, strict=True)):
            expect = step.expect_at.get(str(place), step.expect)
            self._judge(one, answer, expect, place)

    async def _deliver_bytes(self, step: DeliverBytes) -> None:
        try:
            await self._bench.line.deliver_bytes(bytes.fromhex(step.hex) + b"\0" * step.zeros)
        except CallFailed as failed:
            self._call_failed(failed, step.call)
            return
        raise Failed("the call was answered; it must fail as a whole")

    async def _query(self, step: Query) -> None:
        made = [self._made[name] for name in self._names(step.messages)]
        queries = [m.query(burn=step.burn) for m in made]
        try:
            answers = await self._bench.line.query(queries)
        except CallFailed as failed:
            self._call_failed(failed, step.call)
            return
        _require_answered(step.call, len(answers), len(queries))
        for place, (one, answer) in enumerate(zip(made, answers, strict=True)):
            self._judge(one, answer, step.expect, place)

    def _judge(self, made: Made, answer: Answer, expect: Expectation | None, place: int) -> None:
        if expect is None:
            raise Failed("the case does not say what it expects of this message")
        try:
            seen = judge(self._bench, made, answer, expect, self._answers)
        except Failed as failed:
            raise Failed(f"message {place}: {failed}" if place else str(failed)) from failed
        if expect.save is not None:
            self._about[expect.save] = made
        if not self.seen or self.seen[-1] != seen:
            self.seen.append(seen)

    def _call_failed(self, failed: CallFailed, expect: CallExpectation | None) -> None:
        if expect is None:
            raise failed
        self.seen.append(judge_call(failed, expect))
        if expect.save is not None:
            self._calls[expect.save] = failed

    def _file(self, step: FileStep) -> None:
        assert self._sample is not None, "a case with files needs a sample"
        known = [f.ref.case_key.case_id for f in self._files.values()]
        made = uploading.file_of(self._bench, step, self._sample, known[0] if known else None)
        self._files[step.name], self._sent[step.name] = made

    def _held(self, name: str) -> tuple[File, bytes]:
        return self._files[name], b"".join(self._sent[name])

    def _quality(self, step: Quality) -> None:
        worded = [n for n in step.answers if not isinstance(self._answers.get(n), Silence)]
        for name in worded:
            require_quality(self._worded(name), step.about, PERSONAL)
        self.seen.append(f"{step.about}: {len(worded)} refusals")

    def _worded(self, name: str) -> Worded:
        if name in self._calls:
            call = self._calls[name]
            return Worded(call.rule, call.text_zh, call.text_en)
        answer = self._answers[name]
        if isinstance(answer, bytes):
            receipt = bound(self._bench, self._about[name], answer)
            return Worded(receipt.rule, receipt.text_zh, receipt.text_en)
        return Worded(answer.rule, answer.text_zh, answer.text_en)

    def _tamper_receipt(self, step: TamperReceipt) -> None:
        answer = self._answers[step.answer]
        if not isinstance(answer, bytes):
            raise Failed("there is no receipt to change")
        signed = decode_signed_receipt(answer)
        for at in range(len(signed.receipt_bytes)):
            raw = flipped(signed.receipt_bytes, at)
            try:
                changed = signed._replace(receipt_bytes=raw, receipt=decode_receipt(raw))
                verify_receipt(self._bench, changed)
            except Fault:
                continue  # unreadable or unproven: as it must be
            raise Failed(f"a receipt whose byte {at} was changed still verifies")
        self.seen.append(f"{len(signed.receipt_bytes)} changed receipts, none verifies")

    async def _ask(self, step: Ask) -> None:
        line = self._bench.line
        if step.service == "health":
            if not await line.serving():
                raise Failed(f"the health service does not say that {SERVICE} is serving")
        elif step.service == "reflection":
            if SERVICE not in await line.services():
                raise Failed(f"the reflection service does not name {SERVICE}")
        elif await line.certificate_pin() not in self._bench.target.partner.transport_pins:
            raise Failed("the certificate it shows is none that is registered for it")
        self.seen.append(step.service)


def _require_answered(call: CallExpectation | None, answers: int, asked: int) -> None:
    if call is not None:
        raise Failed("the call was answered; it must fail as a whole")
    if answers != asked:
        raise Failed(f"{answers} answers to {asked} questions")
