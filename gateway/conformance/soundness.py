"""Whether the steps of a case fit together, before any of them is done."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

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


def unsound(
    steps: Sequence[Step], needs: Collection[str], judges: Collection[str] = ("gateway",)
) -> list[str]:
    """Return what is wrong: names used before they are made, needs not stated, nothing judged."""
    wrong: list[str] = []
    messages: set[str] = set()
    files: set[str] = set()
    saved: set[str] = set()
    for at, step in enumerate(steps, 1):
        for name, kind, known in _uses(step, messages, files, saved):
            if name not in known:
                wrong.append(f"steps.{at}: there is no {kind} {name!r} before this step")
        unsaid = [need for need in _needed(step, judges) if need not in needs]
        wrong += [f"steps.{at}: needs: {need!r} must be named in `needs`" for need in unsaid]
        wrong += [f"steps.{at}: {place}" for place in _nowhere(step, messages)]
        wrong += [f"steps.{at}: {said}" for said in _contradictions(step)]
        _remember(step, messages, files, saved)
    if steps and not any(_judges(step) for step in steps):
        wrong.append("steps: nothing is expected of the target: the case could not fail")
    return wrong


def _uses(
    step: Step, messages: set[str], files: set[str], saved: set[str]
) -> Iterator[tuple[str, str, set[str]]]:
    """Yield (name, kind of thing, what is known of that kind) for each name a step uses."""
    if isinstance(step, Make):
        for name in (step.follows, step.same_id_as):
            if name is not None:
                yield name, "message", messages
        if step.files != "sample":
            yield from ((name, "file", files) for name in step.files)
    elif isinstance(step, Alter):
        yield step.source, "message", messages
    elif isinstance(step, Deliver | Query):
        yield from ((name, "message", messages) for name in step.messages)
        if isinstance(step, Deliver):
            yield from ((name, "message", messages) for name in step.instead.values())
    elif isinstance(step, Upload | Status):
        yield step.file, "file", files
    elif isinstance(step, Quality):
        yield from ((name, "saved answer", saved) for name in step.answers)
    elif isinstance(step, TamperReceipt):
        yield step.answer, "saved answer", saved
    for expect in expectations(step):
        for name in (expect.same_as, expect.agrees_with, expect.number_as):
            if name is not None:
                yield name, "saved answer", saved


def expectations(step: Step) -> list[Expectation]:
    """Return what a step expects of single messages."""
    if isinstance(step, Deliver):
        return [e for e in (step.expect, *step.expect_at.values()) if e is not None]
    if isinstance(step, Query):
        return [step.expect] if step.expect is not None else []
    return []


def call_expected(step: Step) -> CallExpectation | None:
    """Return how a step expects the whole call to fail, if it does."""
    return step.call if isinstance(step, Deliver | DeliverBytes | Query | Upload) else None


def _needed(step: Step, judges: Collection[str]) -> Iterator[str]:
    if isinstance(step, FileStep) or (isinstance(step, Make) and step.base == "application"):
        yield "sample"
    if isinstance(step, FileStep) or (isinstance(step, Make) and step.files == "sample"):
        yield "attachments"
    if isinstance(step, Make) and step.signed_by in ("expired", "not_yet_valid"):
        yield f"{step.signed_by}_key"
    if isinstance(step, Query):
        yield "query"
    if isinstance(step, DeliverBytes):
        yield "bytes"
    if isinstance(step, Deliver) and step.over == "anonymous":
        yield "tls" if "gateway" in judges else "credentials"
    if isinstance(step, Deliver) and step.over == "stale":
        yield "signed_time"
    if isinstance(step, Deliver) and (len(step.messages) > 1 or step.messages[0].endswith("*")):
        yield "batches"
    if isinstance(step, Ask):
        yield "tls" if step.service == "certificate" else "services"


def _contradictions(step: Step) -> Iterator[str]:
    if isinstance(step, Make):
        if (step.base in ("withdrawn", "word")) != (step.follows is not None):
            yield "follows: `withdrawn` and `word` follow a message, and nothing else does"
        if (step.base == "word") != (step.kind is not None):
            yield "kind: a `word` names its kind, and nothing else does"
        if step.base == "word" and step.json_body is None:
            yield "json_body: a `word` brings its form"
    if isinstance(step, Deliver) and step.over == "cut":
        if expectations(step) or step.call is not None:
            yield "expect: nothing comes back over a connection that is cut"
    elif isinstance(step, Deliver | Query) and bool(expectations(step)) == bool(step.call):
        yield "expect: say either what each message meets, or how the `call` fails"


def _nowhere(step: Step, messages: set[str]) -> Iterator[str]:
    """Yield places that are named and at which no message stands: nothing would be judged."""
    if not isinstance(step, Deliver):
        return
    stands = 0
    for name in step.messages:
        prefix = name.removesuffix("*")
        batch = sum(m.startswith(prefix) and not m.endswith("*") for m in messages)
        stands += batch if name.endswith(".*") else 1
    for word, places in (("expect_at", step.expect_at), ("instead", step.instead)):
        for place in places:
            if not place.isdecimal() or int(place) >= stands:
                yield f"{word}: there is no message {place}; they are counted from 0"
    if step.expect is None and step.expect_at and len(step.expect_at) < stands:
        yield "expect_at: without `expect` every message needs its own"


def _judges(step: Step) -> bool:
    if isinstance(step, Deliver | Query):
        return bool(expectations(step)) or step.call is not None
    if isinstance(step, Upload):
        return step.call is not None or step.held is not None or step.complete is not None
    return isinstance(step, DeliverBytes | Status | Quality | TamperReceipt | Ask)


def _remember(step: Step, messages: set[str], files: set[str], saved: set[str]) -> None:
    if isinstance(step, Make):
        if step.count == 1:
            messages.add(step.name)
        else:
            messages.update(f"{step.name}.{i}" for i in (*range(step.count), "*"))
    elif isinstance(step, Alter):
        messages.add(step.name)
    elif isinstance(step, FileStep):
        files.add(step.name)
    saved.update(e.save for e in expectations(step) if e.save is not None)
    call = call_expected(step)
    if call is not None and call.save is not None:
        saved.add(call.save)
