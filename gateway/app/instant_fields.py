"""The fields of an instant rule (秒批规则) against the form of the item it is about."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.ports.directory import Book
from gateway.rules.catalogue import Item, ItemVersion
from gateway.rules.instant import RuleSet, findings
from gateway.rules.schema.strict_json import parse


def misfits(
    rule: RuleSet, item: Item | None, schemas: Mapping[bytes, bytes], raw: bytes
) -> list[str]:
    """Say with key and line which fields no form of the item's versions can hold as asked.

    `raw` is the rule's file, `schemas` the form schemas by digest, all of them read before.
    Versions that the item does not have are *not* checked: `versions_unchecked` names them.
    """
    wrong = []
    for version in _versions(rule, item):
        for each in findings(rule, parse(schemas[version.form_schema])):
            if each.certain:
                where = f"{each.key} (line {_line_of(raw, each.pointer)})"
                what = f"{each.pointer} {each.message}"
                wrong.append(f"{where}: {what}, in version {version.version} of the item")
    return wrong


def fields_unknown(rule: RuleSet, book: Book) -> list[str]:
    """Return the fields of a loaded rule of which the item's form leaves open if they exist."""
    found: dict[str, None] = {}
    for version in _versions(rule, _item(rule, book)):
        schema = parse(book.documents[version.form_schema][1])
        found.update({f.pointer: None for f in findings(rule, schema) if not f.certain})
    return list(found)


def versions_unchecked(rule: RuleSet, book: Book) -> list[str]:
    """Return the item versions a rule names that are not here: gone, or still to come."""
    item = _item(rule, book)
    return sorted(rule.item_versions - (item.versions.keys() if item else set()))


def _item(rule: RuleSet, book: Book) -> Item | None:
    return book.catalogue.get((book.home.gateway_id, rule.item_code))


def _versions(rule: RuleSet, item: Item | None) -> list[ItemVersion]:
    known = item.versions if item is not None else {}
    return [known[name] for name in sorted(rule.item_versions) if name in known]


def _line_of(raw: bytes, pointer: str) -> int:
    """Return the line of a rule's file where a pointer first stands in quotes; 0 if none."""
    lines = enumerate(raw.decode("utf-8").splitlines(), start=1)
    quoted = (f'"{pointer}"', f"'{pointer}'")
    return next((at for at, line in lines if any(q in line for q in quoted)), 0)


def unknowns(rule: RuleSet, book: Book) -> dict[str, list[str]]:
    """Return what of a rule could not be checked against its item, JSON-ready."""
    return {
        "fields_unknown": fields_unknown(rule, book),
        "item_versions_unchecked": versions_unchecked(rule, book),
    }
