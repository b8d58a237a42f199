"""Holds what offices were told against what both gateways have on disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from uuid import UUID

from tests.crash.checker import KINDS, REFUSED, TAKEN_IN, VOID, Side
from tests.crash.driver import Course


def broken_promises(course: Course, origin: Side, deciding: Side) -> Iterator[str]:
    """Say which acknowledgement of a case is not borne out by both journals, exactly once."""
    case = (course.origin.id, UUID(course.case_id).bytes)
    for side, office in ((origin, course.origin), (deciding, course.deciding)):
        promised = Counter(a.kind for a in course.acks if a.office is office and a.kind)
        if office is course.origin:
            promised += Counter(_by_uploads(course))
        final = (TAKEN_IN, REFUSED)
        sent = [m for m in side.of_case(case) if m["direction"] == "out" and m["outcome"] in final]
        held = Counter(KINDS[m["kind"]] for m in sent)
        if side is origin and _came_too_late(side, case):
            held["withdrawn"] += promised["withdrawn"] - held["withdrawn"]
        if held != promised:
            yield f"{course.plan} at {side.name}: promised {promised}, held {held}"
        for m in sent:
            late = KINDS[m["kind"]] == "withdrawn" and m["rule"] == "case.already_decided"
            if m["outcome"] == REFUSED and not late:
                yield f"{course.plan}: {KINDS[m['kind']]} was refused: {m['rule']}"
    row = origin.cases().get(case)
    kept = row["stage"] if row else "nothing"
    if kept != course.stage:
        yield f"{course.plan}: both offices saw {course.stage}, the journal has {kept}"
    yield from _lost_files(course, case, origin)


def _came_too_late(origin: Side, case: tuple[str, bytes]) -> bool:
    """Tell whether a withdrawal was overtaken by the decision before any try had got through.

    Its burnt ids are all there is of it then, and the case says so to the people who look at it.
    """
    row = origin.cases().get(case)
    burnt = [m for m in origin.of_case(case) if m["outcome"] == VOID]
    told = row is not None and row["attention"] == "case.already_decided"
    return told and any(KINDS[m["kind"]] == "withdrawn" for m in burnt)


def _by_uploads(course: Course) -> list[str]:
    """Return the kinds of messages that follow from the last upload of a batch."""
    if course.plan == "asked":
        return []
    return ["submitted", *(["materials_supplied"] if course.plan == "corrected" else [])]


def _lost_files(course: Course, case: tuple[str, bytes], origin: Side) -> Iterator[str]:
    kept = {
        f"{m['material_code']}/{m['batch']}": m
        for m in origin.tables["materials"]
        if (m["origin"], m["case_id"]) == case
    }
    for name, content in course.files.items():
        m = kept.get(name)
        if m is None or not m["commitment"] or m["sha256"] != sha256(content).digest():
            yield f"{course.plan}: the acknowledged file {name} is lost"


async def repeat(course: Course) -> None:
    """Send every acknowledged request again: the answer must be the one first given."""
    for ack in course.acks:
        view = await ack.office.post(ack.path, ack.body, ack.key)
        assert view == ack.view, f"{ack.path} answered otherwise the second time"
