"""Whether an application is decided at once or falls to a person. Total: nothing is raised."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple, assert_never

from gateway.rules.instant.values import (
    AllIn,
    Between,
    Condition,
    Equals,
    NotEmpty,
    OneOf,
    RuleSet,
    Scalar,
)


class Reason(StrEnum):
    """Why a case falls to a person."""

    NO_RULE = "no_rule"
    ITEM_VERSION = "item_version"
    NOT_YET = "not_yet"
    SUPERSEDED = "superseded"
    MATERIAL_ABSENT = "material_absent"
    FIELD_ABSENT = "field_absent"
    FIELD_DIFFERS = "field_differs"
    SCOPE_OUTSIDE = "scope_outside"
    AMBIGUOUS = "ambiguous"
    NOT_APPLIED = "not_applied"
    """A rule covers it and yet did not decide: no licence could be made, or it is a later rule."""


class Application(NamedTuple):
    """A submission as far as rules look at it. `form` is any JSON value, parsed."""

    item_code: str
    item_version: str
    form: object
    materials: frozenset[str]
    """Codes of the materials that came."""
    complete: bool
    """Whether everything that the item requires is among them."""
    at_ms: int
    """When it was taken in."""


class Instant(NamedTuple):
    """Decided at once. `inputs` are the fields looked at, `inputs_digest` is over their values."""

    rules: RuleSet
    inputs: tuple[str, ...]
    inputs_digest: bytes


class ToPerson(NamedTuple):
    """Left to a person. `where` names a rule, a field or a material, never a value of the form."""

    reason: Reason
    where: str = ""


def judge(rules: Iterable[RuleSet], application: Application) -> Instant | ToPerson:
    """Return what follows from all known rules; never raises.

    Exactly one rule must be satisfied. None, or more than one, leaves the case to a person. That
    the form follows its schema and the case may be decided is *not* checked.
    """
    about = [r for r in rules if r.item_code == application.item_code]
    if not about:
        return ToPerson(Reason.NO_RULE)
    verdicts = [_apply(each, application) for each in about]
    satisfied = [v for v in verdicts if isinstance(v, Instant)]
    if len(satisfied) > 1:
        names = sorted(f"{v.rules.id}@{v.rules.version}" for v in satisfied)
        return ToPerson(Reason.AMBIGUOUS, ",".join(names))
    if satisfied:
        return satisfied[0]
    left = [v for v in verdicts if isinstance(v, ToPerson)]
    # The rule that came closest explains best: reasons are declared in the order of the checks.
    return max(left, key=lambda v: _ORDER.index(v.reason))


_ORDER = list(Reason)


def _apply(rules: RuleSet, application: Application) -> Instant | ToPerson:
    """Judge by one rule, cheapest question first."""
    name = f"{rules.id}@{rules.version}"
    if application.item_version not in rules.item_versions:
        return ToPerson(Reason.ITEM_VERSION, name)
    if application.at_ms < rules.valid_from_ms:
        return ToPerson(Reason.NOT_YET, name)
    if rules.superseded_at_ms is not None and application.at_ms >= rules.superseded_at_ms:
        return ToPerson(Reason.SUPERSEDED, name)
    absent = rules.materials - application.materials
    if absent or not application.complete:
        return ToPerson(Reason.MATERIAL_ABSENT, ",".join(sorted(absent)))
    if not rules.conditions:
        return ToPerson(Reason.NO_RULE, name)  # a rule that asks for nothing proves nothing
    for condition in rules.conditions:
        broken = _broken(rules, condition, application.form)
        if broken is not None:
            return broken
    pointers = dict.fromkeys((*(c.pointer for c in rules.conditions), *_taken(rules)))
    found = [(p, look_up(application.form, p)) for p in pointers]
    inputs = tuple((p, v) for p, v in found if _is_plain(v))
    return Instant(rules, tuple(p for p, _ in inputs), inputs_digest(inputs))


def _taken(rules: RuleSet) -> Sequence[str]:
    return list(rules.result.from_form.values())


def _broken(rules: RuleSet, condition: Condition, form: object) -> ToPerson | None:
    """Return why the condition does not hold; None if it does."""
    value = look_up(form, condition.pointer)
    if value is None:
        return ToPerson(Reason.FIELD_ABSENT, condition.pointer)
    differs = ToPerson(Reason.FIELD_DIFFERS, condition.pointer)
    match condition:
        case Equals(value=wanted):
            return None if _same(value, wanted) else differs
        case OneOf(values=wanted_any):
            return None if any(_same(value, w) for w in wanted_any) else differs
        case AllIn(classes=names):
            if not isinstance(value, list) or not value:
                return differs
            inside = frozenset[str]().union(*(c.scopes for c in rules.classes if c.id in names))
            known = all(isinstance(v, str) and v in inside for v in value)
            return None if known else ToPerson(Reason.SCOPE_OUTSIDE, condition.pointer)
        case Between(minimum=low, maximum=high):
            number = isinstance(value, int | float) and not isinstance(value, bool)
            return None if number and low <= value <= high else differs  # type: ignore[operator]
        case NotEmpty():
            return None if isinstance(value, str) and value.strip() else differs
        case _ as never:
            assert_never(never)


def _same(value: object, wanted: Scalar) -> bool:
    return type(value) is type(wanted) and value == wanted


def look_up(form: object, pointer: str) -> object:
    """Return the value at a JSON pointer (RFC 6901); None if there is none.

    Steps go through objects only: rules never speak of a place in a list.
    """
    value = form
    for step in pointer.split("/")[1:]:
        if not isinstance(value, dict):
            return None
        value = value.get(step.replace("~1", "/").replace("~0", "~"))
    return value


def _is_plain(value: object) -> bool:
    if isinstance(value, list):
        return all(isinstance(v, str) for v in value)
    return isinstance(value, str | int | float | bool)


def inputs_digest(inputs: Iterable[tuple[str, object]]) -> bytes:
    """Return SHA-256 over the fields a rule looked at: one line `[pointer,value]` for each.

    A line is JSON without spaces and with every character beyond ASCII escaped, lines end in LF.
    Values are texts, numbers, booleans and lists of texts.
    """
    lines = (json.dumps(pair, ensure_ascii=True, separators=(",", ":")) + "\n" for pair in inputs)
    return sha256("".join(lines).encode("ascii")).digest()
