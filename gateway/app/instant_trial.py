"""What the instant rules would make of a form, without a case."""

from __future__ import annotations

from typing import Final

from gateway.app.instant_fields import unknowns
from gateway.flow.desk import View
from gateway.flow.instant import verdict_view
from gateway.kernel.instants import china_date
from gateway.ports.directory import Book
from gateway.rules.catalogue import current_version, find_item, missing_codes, version_of
from gateway.rules.instant import (
    Application,
    Instant,
    Issue,
    OutcomeImpossible,
    Reason,
    decision_document,
    judge,
)
from gateway.rules.schema.strict_json import parse

REASONS: Final = {
    Reason.NO_RULE: ("没有适用的规则", "no rule is about this item"),
    Reason.ITEM_VERSION: ("规则不适用于此事项版本", "the rule is about another item version"),
    Reason.NOT_YET: ("规则尚未生效", "the rule does not hold yet"),
    Reason.SUPERSEDED: ("规则已被取代", "the rule is superseded"),
    Reason.MATERIAL_ABSENT: ("材料不齐", "material is absent"),
    Reason.FIELD_ABSENT: ("缺少规则所需字段", "a field the rule looks at is absent"),
    Reason.FIELD_DIFFERS: ("字段不符合规则", "a field is not what the rule asks for"),
    Reason.SCOPE_OUTSIDE: ("经营范围不在秒批清单内", "a business scope is outside the list"),
    Reason.AMBIGUOUS: ("多条规则同时适用", "more than one rule matches"),
    Reason.NOT_APPLIED: ("规则未能出具证照", "the rule could not make its licence"),
}
"""Why a case falls to a person, in Chinese and English."""


def try_form(
    book: Book, raw: bytes, item_code: str, version: str, materials: frozenset[str], at_ms: int
) -> View:
    """Judge `raw`, an item's form or a whole submission with `form` inside, as of `at_ms`.

    The decision is shown with the first serials; a real one has its own. Whether a partner may
    submit it is *not* checked.

    Raises:
        Fault: it is no such item, version, JSON or form; it would not be taken in at all.
    """
    item = find_item(book.catalogue, book.home.gateway_id, item_code)
    chosen = version_of(item, version) if version else current_version(item, at_ms)
    document = parse(raw)
    if isinstance(document, dict) and isinstance(document.get("form"), dict):
        document = document["form"]
    book.forms.require(chosen.form_schema, document)
    missing = missing_codes(chosen, materials)
    verdict = judge(
        book.instant,
        Application(item_code, chosen.version, document, materials, not missing, at_ms),
    )
    view = {
        "item_code": item_code,
        "item_version": chosen.version,
        "missing_materials": missing,
        **verdict_view(verdict),
        "unknown": _unknown(book, item_code),
    }
    if isinstance(verdict, Instant):
        view |= _would_say(verdict, item.unit, document, at_ms)
    return view


def _unknown(book: Book, item_code: str) -> list[View]:
    """Return, for each rule about the item, what could not be checked against its form."""
    rows = [
        (f"{rule.id}@{rule.version}", unknowns(rule, book))
        for rule in book.instant
        if rule.item_code == item_code
    ]
    return [{"rule": name, **found} for name, found in rows if any(found.values())]


def _would_say(verdict: Instant, unit: str, form: object, at_ms: int) -> dict[str, object]:
    today = china_date(at_ms)
    issue = Issue(unit, f"{today[:4]}-{today[4:6]}-{today[6:]}", 1, 1)
    try:
        return {"decision": decision_document(verdict, issue, form)}
    except OutcomeImpossible as problem:
        return {"decides": False, "reason": Reason.NOT_APPLIED.value, "where": str(problem)}
