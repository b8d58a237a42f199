"""What the instant rules would make of a form, without a case."""

from __future__ import annotations

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
    decision_document,
    judge,
)
from gateway.rules.schema.strict_json import parse


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
    }
    if isinstance(verdict, Instant):
        view |= _would_say(verdict, item.unit, document, at_ms)
    return view


def _would_say(verdict: Instant, unit: str, form: object, at_ms: int) -> dict[str, object]:
    today = china_date(at_ms)
    issue = Issue(unit, f"{today[:4]}-{today[4:6]}-{today[6:]}", 1, 1)
    try:
        return {"decision": decision_document(verdict, issue, form)}
    except OutcomeImpossible as problem:
        return {"decides": False, "reason": "not_applied", "where": str(problem)}
