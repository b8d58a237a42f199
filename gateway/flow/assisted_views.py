"""Work items, typed answers and the printed sheet: JSON-ready."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, cast

from gateway.flow.assisted_desk import TypedFile
from gateway.flow.desk import View
from gateway.flow.views import STAGE_ZH
from gateway.kernel.assisted import TypingStatus
from gateway.kernel.case import CaseRecord, CaseRole
from gateway.kernel.envelope import Body, Kind
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import uuid_text
from gateway.kernel.instants import to_iso
from gateway.ports.assisted import Typing, WorkItem
from gateway.ports.directory import Book
from gateway.ports.journal import StoredMessage
from gateway.rules.assisted import key_fields
from gateway.rules.casework import can_step, right_needed, step
from gateway.rules.catalogue import ItemVersion, find_item, version_of
from gateway.rules.schema.strict_json import parse
from gateway.wire.envelopes import decode_envelope
from gateway.wire.headers import decode_body

AWAITS_ANSWER: Final = frozenset({Kind.SUBMITTED, Kind.MATERIALS_SUPPLIED})
"""What is told to be answered; the rest only has to be known."""


def work_view(
    item: WorkItem, case: CaseRecord, typings: Sequence[Typing] = ()
) -> dict[str, object]:
    """Show an item: what is to be told to whom, and how far it has come."""
    return {
        "work_id": uuid_text(item.message_id),
        "region": item.partner,
        "kind": item.kind.name.lower(),
        "status": item.status.value,
        "case_id": uuid_text(case.key.case_id),
        "case_number": case.applicant_number,
        "item_code": case.item_code,
        "stage": case.stage.value,
        "stage_zh": STAGE_ZH[case.stage],
        "listed_at": to_iso(item.listed_at_ms),
        "handed_over": None
        if not item.method
        else {
            "method": item.method,
            "at": to_iso(item.handed_over_at_ms),
            "by": item.handed_over_by,
        },
        "answers": expected_answers(case),
        "typed": [typing_view(t) for t in typings if t.work_id == item.message_id],
    }


def expected_answers(case: CaseRecord) -> list[str]:
    """Return the kinds the partner may say next."""
    return [
        kind.name.lower()
        for kind in Kind
        if can_step(case.stage, kind) and right_needed(CaseRole.DECIDING, kind) is not None
    ]


def sheet_answers(case: CaseRecord) -> list[str]:
    """Return every kind that may still be said under one sheet, one after another."""
    stages, kinds = [case.stage], list[Kind]()
    for stage in stages:  # grows while it is read
        for kind in Kind:
            says = right_needed(CaseRole.DECIDING, kind) is not None and can_step(stage, kind)
            if says and kind not in kinds:
                kinds.append(kind)
                stages.append(step(stage, kind))
    return [kind.name.lower() for kind in Kind if kind in kinds]


def typing_view(typing: Typing) -> View:
    """Show what was typed as far as a second reader may know it: names of fields, no values."""
    return {
        "kind": typing.kind.name.lower(),
        "status": typing.status.value,
        "typed_at": to_iso(typing.typed_at_ms),
        "typed_by": typing.typed_by,
        "confirm_fields": sorted(typed_fields(typing)),
        "files": [f.view() for f in typed_files(typing)],
        "confirmed_at": to_iso(typing.confirmed_at_ms) if typing.confirmed_at_ms else None,
        "confirmed_by": typing.confirmed_by or None,
        "message_id": uuid_text(typing.message_id) if typing.message_id else None,
        "strength": "assisted" if typing.status is TypingStatus.TAKEN_IN else None,
        "rule": typing.rule or None,
    }


def typed_content(typing: Typing) -> Mapping[str, object]:
    """Return the answer's content as it was typed."""
    document = cast("dict[str, Mapping[str, object]]", parse(typing.typed))
    return document["content"]


def typed_files(typing: Typing) -> list[TypedFile]:
    """Return the scans that the answer names."""
    document = cast("dict[str, list[dict[str, Any]]]", parse(typing.typed))
    return [
        TypedFile(bytes.fromhex(f["commitment"]), f["media_type"], f["size"])
        for f in document.get("files", [])
    ]


def typed_fields(typing: Typing) -> dict[str, str]:
    """Return what the second person has to read and type again, and which scans to look at."""
    fields = key_fields(typing.kind, typing.number, typed_content(typing))
    return with_files(fields, [f.commitment for f in typed_files(typing)])


def with_files(fields: Mapping[str, str], commitments: Iterable[bytes]) -> dict[str, str]:
    """Return key fields with the scans among them, in whatever order they were named."""
    named = ",".join(sorted(c.hex() for c in commitments))
    return {**fields, "files": named} if named else dict(fields)


def material_views(message: StoredMessage, version: ItemVersion | None = None) -> list[View]:
    """Show the files that go with a message; names of material where the item's list is given."""
    names = {m.code: m.name_zh for m in version.materials} if version else {}
    body = decode_body(decode_envelope(message.envelope).body_bytes)
    return [
        {
            "material_code": a.material_code,
            "name_zh": names.get(a.material_code, ""),
            "name": a.name,
            "media_type": a.media_type,
            "size": a.size,
            "commitment": a.commitment.hex(),
        }
        for a in body.attachments
    ]


def sheet_view(item: WorkItem, case: CaseRecord, message: StoredMessage, book: Book) -> View:
    """Return everything that stands on the sheet. It holds the applicant's form: personal data.

    Raises:
        Fault: `trust.partner_not_active`.
    """
    partner, home = book.partners.get(item.partner), book.home
    if partner is None:
        raise Fault(FaultCode.TRUST_PARTNER_NOT_ACTIVE, "no longer in the directory")
    body = decode_body(decode_envelope(message.envelope).body_bytes)
    try:
        listed = find_item(book.catalogue, item.partner, case.item_code)
        version = version_of(listed, case.item_version)
    except Fault:  # taken from the catalogue since: the case goes on under what it froze
        listed, version = None, None
    return {
        "work_id": uuid_text(item.message_id),
        "kind": item.kind.name.lower(),
        "from": {"region": home.gateway_id, "name_zh": home.name_zh, "name_en": home.name_en},
        "to": {"region": item.partner, "name_zh": partner.name_zh, "name_en": partner.name_en},
        "simulated": partner.simulated or home.simulated,
        "item": {
            "code": case.item_code,
            "version": case.item_version,
            "name_zh": listed.name_zh if listed else "",
            "name_en": listed.name_en if listed else "",
            "promised_days": listed.promised_days if listed else None,
        },
        "case_number": case.applicant_number,
        "their_number": case.handling_number,
        "mode": case.mode.name.lower(),
        "purpose": case.purpose,
        "opened_at": to_iso(case.opened_at_ms),
        "listed_at": to_iso(item.listed_at_ms),
        "header_digest": item.header_digest.hex(),
        "lines": _lines(body, version, book),
        "materials": material_views(message, version),
        "answers": sheet_answers(case) if item.kind in AWAITS_ANSWER else [],
    }


def _lines(body: Body, version: ItemVersion | None, book: Book) -> list[tuple[str, str]]:
    """Return (label, value) of each field; labels are the schema's titles."""
    document = json.loads(body.form)
    form = document.get("form")
    rest = {k: v for k, v in document.items() if k not in ("form", "applicant_number")}
    titles: Mapping[str, object] = {}
    kept = book.documents.get(version.form_schema) if version else None
    if kept is not None:
        titles = json.loads(kept[1]).get("properties", {})
    lines = [*(form.items() if isinstance(form, dict) else ()), *rest.items()]
    return [(_label(name, titles.get(name)), _value(value)) for name, value in lines]


def _label(name: str, schema: object) -> str:
    title = schema.get("title") if isinstance(schema, dict) else None
    return f"{title} {name}" if isinstance(title, str) else name


def _value(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
