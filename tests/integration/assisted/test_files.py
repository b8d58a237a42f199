"""Scans of what the partner wrote: named by one person, looked at by another, attested."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pytest

from gateway.adapters.sql.sqlite import open_sqlite_reader
from gateway.kernel.faults import FaultCode as F
from tests.support.world import PDF

from .desks import NUMBER, Desk, View, item_path, typed

LETTER = PDF + b"% the letter\n"
PHOTO = b"\x89PNG\r\n\x1a\n" + b"a page"


async def upload(
    desk: Desk,
    path: str,
    content: bytes,
    media_type: str = "application/pdf",
    *,
    named: str | None = None,
    unit: str | None = None,
    wanted: int = 201,
) -> View:
    """Upload a scan as the typist; return the answer, whose status must be `wanted`."""
    digest = sha256(content).hexdigest() if named is None else named
    return await desk.node.call(
        "POST",
        f"{path}/files?sha256={digest}",
        data=content,
        headers={"Content-Type": media_type},
        unit=unit,
        wanted=wanted,
    )


async def told(desk: Desk) -> tuple[str, View, str]:
    case_id, item = await desk.told()
    return case_id, item, item_path(item["work_id"])


def confirmed(*files: View) -> View:
    fields = {"kind": "acknowledged", "number": NUMBER}
    return {"fields": fields, "files": [f["commitment"] for f in files]}


async def typed_with(desk: Desk, item: View, *files: View) -> View:
    body = typed(item, "acknowledged", {}, files=list(files))
    return await desk.good("POST", f"{item_path(item['work_id'])}/outcome", body)


@pytest.mark.parametrize(
    ("content", "media_type", "named", "rule", "status"),
    [
        (b"MZ program", "application/pdf", None, F.ATTACHMENT_TYPE, 415),
        (LETTER, "image/png", None, F.ATTACHMENT_TYPE, 415),
        (b"<html>", "text/html", None, F.ATTACHMENT_TYPE, 415),
        (LETTER, "application/pdf", "00" * 32, F.ATTACHMENT_DIGEST, 422),
        (LETTER, "application/pdf", "AB" * 32, F.PORTAL_REQUEST_INVALID, 400),
        (LETTER, "application/pdf", "", F.PORTAL_REQUEST_INVALID, 400),
    ],
)
async def test_what_is_no_scan_or_not_what_was_announced_is_refused(
    desk: Desk, content: bytes, media_type: str, named: str | None, rule: F, status: int
) -> None:
    _, _, path = await told(desk)
    answer = await upload(desk, path, content, media_type, named=named, wanted=status)
    assert answer["rule"] == rule


async def test_a_scan_before_the_partner_was_told_or_of_another_unit_is_refused(
    desk: Desk,
) -> None:
    item = await desk.listed(await desk.open_case())
    path = item_path(item["work_id"])
    early = await upload(desk, path, LETTER, wanted=409)
    assert early["rule"] == F.ASSISTED_NOT_HANDED_OVER
    await desk.hand_over(item["work_id"])
    other = await upload(desk, path, LETTER, unit="91620900MA0000000M", wanted=404)
    assert other["rule"] == F.PORTAL_NOT_FOUND
    body = LETTER
    confirmer = {"by": "reader-b", "scopes": ("assisted:confirm",), "raw": body}
    await desk.refused(F.PORTAL_SCOPE_MISSING, "POST", f"{path}/files", None, **confirmer)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"commitment": "ab" * 32}, F.ATTACHMENT_ABSENT),
        ({"size": 1}, F.ATTACHMENT_SIZE),
        ({"media_type": "image/png"}, F.ATTACHMENT_TYPE),
        ({"media_type": "text/html"}, F.ATTACHMENT_TYPE),
        ({"commitment": "short"}, F.PORTAL_REQUEST_INVALID),
        ({"name": "信.pdf"}, F.PORTAL_REQUEST_INVALID),
    ],
)
async def test_an_answer_that_names_a_scan_otherwise_than_it_lies_here_is_not_kept(
    desk: Desk, changes: dict[str, object], rule: F
) -> None:
    _, item, path = await told(desk)
    scan = await upload(desk, path, LETTER)
    body = typed(item, "acknowledged", {}, files=[{**scan, **changes}])
    await desk.refused(rule, "POST", f"{path}/outcome", body)
    assert (await desk.good("GET", path))["typed"] == []


async def test_scans_of_another_case_twice_one_or_too_many_are_refused(desk: Desk) -> None:
    _, item, path = await told(desk)
    _, _, elsewhere = await told(desk)
    scan = await upload(desk, elsewhere, LETTER)
    body = typed(item, "acknowledged", {}, files=[scan])
    await desk.refused(F.ATTACHMENT_ABSENT, "POST", f"{path}/outcome", body)
    mine = await upload(desk, path, LETTER)
    for files in ([mine, mine], [mine] * 5):
        body = typed(item, "acknowledged", {}, files=files)
        await desk.refused(F.PORTAL_REQUEST_INVALID, "POST", f"{path}/outcome", body)


async def test_who_did_not_look_at_the_same_scans_does_not_confirm(desk: Desk) -> None:
    case_id, item, path = await told(desk)
    one, two = await upload(desk, path, LETTER), await upload(desk, path, PHOTO, "image/png")
    for seen in ((), (one,), (one, {"commitment": "ab" * 32})):
        await typed_with(desk, item, one, two)
        problem = await desk.refused(
            F.ASSISTED_MISMATCH, "POST", f"{path}/confirm", confirmed(*seen), by="reader-b"
        )
        assert problem["errors"] == [{"pointer": "/files", "detail": "differs"}]
    await typed_with(desk, item, one)
    await desk.refused(
        F.ASSISTED_MISMATCH, "POST", f"{path}/confirm", confirmed(one, two), by="reader-b"
    )
    assert (await desk.case(case_id))["stage"] == "submitted"


async def test_a_scan_that_no_answer_names_is_shown_to_nobody(desk: Desk) -> None:
    _, item, path = await told(desk)
    scan = await upload(desk, path, LETTER)
    where = f"{path}/files/{scan['commitment']}"
    await desk.refused(F.PORTAL_NOT_FOUND, "GET", where, None, by="reader-b")
    await typed_with(desk, item, scan)
    _, _, elsewhere = await told(desk)
    other = f"{elsewhere}/files/{scan['commitment']}"
    await desk.refused(F.PORTAL_NOT_FOUND, "GET", other, None, by="reader-b")


async def test_the_second_reader_sees_the_same_digests_and_the_attestation_covers_them(
    desk: Desk,
) -> None:
    case_id, item, path = await told(desk)
    one, two = await upload(desk, path, LETTER), await upload(desk, path, PHOTO, "image/png")
    assert (one["media_type"], one["size"]) == ("application/pdf", len(LETTER))
    await typed_with(desk, item, one, two)
    shown = (await desk.good("GET", path, by="reader-b"))["typed"][0]
    assert shown["files"] == [one, two]
    assert shown["confirm_fields"] == ["files", "kind", "number"]
    assert await downloaded(desk, f"{path}/files/{one['commitment']}") == LETTER
    for _ in range(2):  # the answer was lost: asked again, it is the same answer
        done = await desk.good("POST", f"{path}/confirm", confirmed(two, one), by="reader-b")
        assert done["typed"][0]["status"] == "taken_in"
    history = (await desk.case(case_id))["history"]
    explained = await desk.explained(history[-1]["message_id"])
    record = kept_record(desk, explained)
    for who in ("typed", "confirmed"):
        said = json.loads(record[who]["text"])["files"]
        assert {f if isinstance(f, str) else f["commitment"] for f in said} == {
            one["commitment"],
            two["commitment"],
        }
    assert explained["strength"] == "assisted"


async def downloaded(desk: Desk, where: str) -> bytes:
    headers = {"Authorization": f"Bearer {desk.node.token()}"}
    async with desk.node.http.get(desk.node.url + where, headers=headers) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "application/pdf"
        return await answer.read()


def kept_record(desk: Desk, explained: View) -> Any:
    """Return the record that the attestation's digest is of, from the evidence."""
    digest = bytes.fromhex(explained["attestation"]["record"])
    with open_sqlite_reader(desk.node.config.journal.path) as snapshot:
        kept = snapshot.evidence(digest)
    assert kept is not None
    assert sha256(kept.content).digest() == digest
    return json.loads(kept.content)
