"""What may be asked for: items of partners under agreements in force."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, replace

from gateway.flow.desk import OpenCase, View
from gateway.kernel.envelope import Right
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.ports.directory import Book
from gateway.rules import catalogue
from gateway.rules.agreement import (
    Agreement,
    Exchange,
    Grant,
    require_in_force,
    require_permitted,
    require_proof,
)
from gateway.rules.arrivals import PROVABLE


def choose_agreement(
    book: Book,
    wish: OpenCase,
    version: str,
    right: Right,
    at_ms: int,
    relied_on: Collection[str] = (),
) -> Agreement:
    """Return an agreement in force that permits the case and the licence types relied on in it.

    Raises:
        Fault: `agreement.unknown` if there is none with the region; otherwise what the agreement
            that came nearest refuses: one in force speaks before one that is not.
    """
    home = book.home.gateway_id
    exchange = Exchange(home, wish.region, wish.item_code, version, wish.mode, wish.purpose, right)
    outdated: Fault | None = None
    refusal: Fault | None = None
    for agreement in book.agreements_with(wish.region):
        try:
            require_in_force(agreement, at_ms)
        except Fault as fault:
            outdated = outdated or fault
            continue
        try:
            for licence_type in relied_on or ("",):
                require_permitted(agreement, replace(exchange, licence_type=licence_type))
            _require_answerable(book, wish, agreement)
        except Fault as fault:
            refusal = refusal or fault
            continue
        return agreement
    raise refusal or outdated or Fault(FaultCode.AGREEMENT_UNKNOWN, wish.region)


def _require_answerable(book: Book, wish: OpenCase, agreement: Agreement) -> None:
    """Check that the partner's answers could be taken in at all: adapters prove less than keys.

    Raises:
        Fault: `agreement.strength_too_weak`.
    """
    partner = book.partners.get(wish.region)
    if partner is not None and partner.outlet in PROVABLE:
        require_proof(agreement, PROVABLE[partner.outlet], ())


def item_views(
    book: Book, at_ms: int, keys: Iterable[tuple[GatewayId, str]] | None = None
) -> list[View]:
    """List each item this gateway may open cases for, with its current version's material list.

    Of `keys` only, if given.
    """
    home = book.home.gateway_id
    views: list[View] = []
    for region, code in book.item_keys if keys is None else keys:
        item = book.catalogue[region, code]
        try:
            catalogue.require_in_scope(item, home)
            version = catalogue.current_version(item, at_ms)
        except Fault:
            continue  # out of scope, or between versions, nothing can be asked for
        for agreement in book.agreements_with(region):
            grants = [
                g
                for g in agreement.grants_of.get((home, region, code), ())
                if version.version in g.items[code] and not item.modes.isdisjoint(g.modes)
            ]
            if not grants or not _in_force(agreement, at_ms):
                continue
            views.append(_view(book, item, version, agreement, grants))
    return views


def _view(
    book: Book,
    item: catalogue.Item,
    version: catalogue.ItemVersion,
    agreement: Agreement,
    grants: Sequence[Grant],
) -> View:
    return {
        "region": item.region,
        "item_code": item.code,
        "name_zh": item.name_zh,
        "name_en": item.name_en,
        "version": version.version,
        "modes": sorted({m.name.lower() for g in grants for m in g.modes & item.modes}),
        "purposes": sorted({p for g in grants for p in g.purposes}),
        "rights": sorted({r.name.lower() for g in grants for r in g.rights}),
        "promised_days": item.promised_days,
        "statutory_days": item.statutory_days,
        "extension_days": item.extension_days,
        "joint": None if item.joint is None else asdict(item.joint),
        "level": int(item.level),
        "scope": sorted(item.scope),
        "licence_type": item.licence_type,
        "licence_face_schema": _schema(book, version.licence_face_schema),
        "form_schema": _schema(book, version.form_schema),
        "form_schema_digest": version.form_schema.hex(),
        "materials": [_material(m) for m in version.materials],
        "agreement": agreement.digest.hex(),
    }


def _material(m: catalogue.MaterialRequirement) -> View:
    return {
        "code": m.code,
        "name_zh": m.name_zh,
        "name_en": m.name_en,
        "required": m.required,
        "media_types": sorted(m.media_types),
        "copies_max": m.copies_max,
        "forms": sorted(m.forms),
        "licence_types": sorted(m.licence_types),
        "licence_field": m.licence_field,
    }


def _schema(book: Book, address: bytes) -> object:
    """Return the form's JSON Schema, so that a portal can draw the form."""
    kept = book.documents.get(address)
    return json.loads(kept[1]) if kept is not None else None


def _in_force(agreement: Agreement, at_ms: int) -> bool:
    try:
        require_in_force(agreement, at_ms)
    except Fault:
        return False
    return True
