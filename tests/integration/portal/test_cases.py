from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from hashlib import sha256, sha512

import pytest
from yarl import URL

from gateway.edge.portal_http.cases import ACTS
from gateway.kernel.envelope import Mode
from gateway.kernel.faults import FaultCode
from gateway.kernel.identifiers import uuid_text
from gateway.kernel.limits import ATTACHMENT_CHUNK_BYTES_MAX

from .conftest import World
from .fakes import OTHER_UNIT, UNIT, bearer, eventually

PDF = b"%PDF-1.7\n" + b"\x00" * 600_000
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 20


def _material(content: bytes = PDF, **changes: object) -> dict[str, object]:
    return {
        "material_code": "charter",
        "name": "公司章程 示例.pdf",
        "media_type": "application/pdf",
        "size": len(content),
        "sha256": sha256(content).hexdigest(),
        **changes,
    }


def _wish(**changes: object) -> dict[str, object]:
    return {
        "region": "620200",
        "item_code": "00013112700402",
        "mode": "collect_on_behalf",
        "purpose": "分公司设立登记",
        "form": {
            "entname": "示例㛃𬭊商贸有限公司嘉峪关分公司",
            "n": 9007199254740991,
            "b": [1, {}],
        },
        "materials": [_material()],
        **changes,
    }


async def _open(world: World, **changes: object) -> str:
    async with world.client.post("/v1/cases", json=_wish(**changes), headers=bearer()) as answer:
        body = await answer.json()
        assert answer.status == 201, body
        assert answer.headers["Location"] == f"/v1/cases/{body['case_id']}"
        return str(body["case_id"])


async def _upload(
    world: World, case_id: str, content: bytes, code: str = "charter", **headers: str
) -> tuple[int, dict[str, object]]:
    given = {**bearer(), "Content-Type": "application/pdf", **headers}
    path = f"/v1/cases/{case_id}/materials"
    async with world.client.post(
        path, params={"material": code}, data=content, headers=given
    ) as answer:
        return answer.status, await answer.json(content_type=None)


async def test_a_case_of_another_unit_is_not_found(world: World) -> None:
    case_id = await _open(world)
    stranger = bearer(unit=OTHER_UNIT)
    for method, path, body in (
        ("GET", f"/v1/cases/{case_id}", None),
        ("POST", f"/v1/cases/{case_id}/withdraw", {"reason": "x"}),
        ("POST", f"/v1/cases/{case_id}/supplement", {}),
        ("POST", f"/v1/cases/{case_id}/delivered", {"method": "window"}),
    ):
        async with world.client.request(method, path, json=body, headers=stranger) as answer:
            found = await answer.json(content_type="application/problem+json")
        assert (answer.status, found["rule"]) == (404, "portal.not_found"), path
    async with world.client.get("/v1/cases", headers=stranger) as answer:
        assert (await answer.json())["cases"] == []


async def test_what_is_no_case_id_is_not_found(world: World) -> None:
    for name in ("1", "..%2f..%2fetc", "00000000-0000-4000-8000-000000000000"):
        async with world.client.get(f"/v1/cases/{name}", headers=bearer()) as answer:
            assert answer.status == 404


BAD_JSON = {
    "duplicate_key": (b'{"region": "620200", "region": "620900"}', "schema.json_duplicate_key"),
    "nan": (b'{"form": NaN}', "schema.json_number"),
    "two_to_the_64": (b'{"form": {"n": 18446744073709551616}}', "schema.json_number"),
    "invalid_utf8": (b'{"purpose": "\xff\xfe"}', "schema.json_encoding"),
    "nested": (b'{"form": ' + b"[" * 5_000 + b"]" * 5_000 + b"}", "schema.json_depth"),
    "not_json": (b"region=620200", "schema.json_invalid"),
    "empty": (b"", "schema.json_invalid"),
}


@pytest.mark.parametrize(("raw", "rule"), BAD_JSON.values(), ids=BAD_JSON.keys())
async def test_json_that_two_parsers_may_read_differently_is_refused(
    world: World, raw: bytes, rule: str
) -> None:
    headers = {**bearer(), "Content-Type": "application/json"}
    async with world.client.post("/v1/cases", data=raw, headers=headers) as answer:
        body = await answer.json(content_type="application/problem+json")
    assert answer.status == 400
    assert body["rule"] == rule
    assert world.desk.store == {}


@pytest.mark.parametrize("document", [[], "x", None, 1, {}])
async def test_a_body_that_is_no_request_is_refused(world: World, document: object) -> None:
    headers = {**bearer(), "Content-Type": "application/json"}
    raw = json.dumps(document)
    async with world.client.post("/v1/cases", data=raw, headers=headers) as answer:
        body = await answer.json(content_type="application/problem+json")
    assert body["rule"] == "portal.request_invalid"
    assert body["errors"]


async def test_all_errors_are_told_at_once_and_no_value_is_repeated(world: World) -> None:
    wish = _wish(
        region="6202",
        mode="by_magic",
        verified_originals="yes",
        secret_name="张三示例",
        materials=[_material(size="12", sha256="张三示例", name="../张三示例")],
    )
    async with world.client.post("/v1/cases", json=wish, headers=bearer()) as answer:
        text = await answer.text()
    pointers = {e["pointer"] for e in json.loads(text)["errors"]}
    assert pointers == {
        "/region",
        "/mode",
        "/verified_originals",
        "/secret_name",
        "/materials/0/size",
        "/materials/0/sha256",
        "/materials/0/name",
    }
    assert "张三" not in text and "by_magic" not in text


@pytest.mark.parametrize(
    "changes",
    [
        {"materials": [_material()] * 101},
        {"materials": [_material(size=100 * 1_048_576 + 1)]},
        {"materials": [_material(size=0)]},
        {"materials": [_material(size=1.0)]},
        {"materials": [_material(media_type="application/pdf\r\nX: y")]},
        {"form": "{}"},
        {"purpose": ""},
        {"region": "620200\n"},
    ],
)
async def test_a_wish_outside_its_bounds_is_refused(
    world: World, changes: dict[str, object]
) -> None:
    async with world.client.post("/v1/cases", json=_wish(**changes), headers=bearer()) as answer:
        body = await answer.json(content_type="application/problem+json")
    assert body["rule"] == "portal.request_invalid"
    assert len(body["errors"]) == 1


async def test_a_form_that_is_too_large_is_refused(world: World) -> None:
    wish = _wish(form={"x": "字" * 90_000})
    raw = json.dumps(wish, ensure_ascii=False).encode()
    headers = {**bearer(), "Content-Type": "application/json"}
    async with world.client.post("/v1/cases", data=raw, headers=headers) as answer:
        body = await answer.json(content_type="application/problem+json")
    assert (answer.status, body["rule"]) == (413, "portal.too_large")


async def test_a_lone_surrogate_is_refused(world: World) -> None:
    raw = json.dumps(_wish(form={"x": "\ud83e"})).encode()
    headers = {**bearer(), "Content-Type": "application/json"}
    async with world.client.post("/v1/cases", data=raw, headers=headers) as answer:
        assert answer.status == 400
    assert world.desk.store == {}


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/json; charset=gb18030"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
async def test_another_media_type_is_refused(world: World, headers: dict[str, str]) -> None:
    given = {**bearer(), **headers}
    async with world.client.post("/v1/cases", data=b"{}", headers=given) as answer:
        body = await answer.json(content_type="application/problem+json")
    assert (answer.status, body["rule"]) == (415, "portal.media_type")


@pytest.mark.parametrize("key", ["", "k" * 129, "钥匙", "a\tb"])
async def test_an_idempotency_key_out_of_bounds_is_refused(world: World, key: str) -> None:
    headers = {**bearer(), "Idempotency-Key": key}
    async with world.client.post("/v1/cases", json=_wish(), headers=headers) as answer:
        assert answer.status == 400
    assert world.desk.store == {}


async def test_an_idempotency_key_is_passed_on(world: World) -> None:
    headers = {**bearer(), "Idempotency-Key": "7f-1"}
    ids = set()
    for _ in range(2):
        async with world.client.post("/v1/cases", json=_wish(), headers=headers) as answer:
            ids.add((await answer.json())["case_id"])
    assert len(ids) == 1 == len(world.desk.store)


async def test_a_wish_reaches_the_desk_as_it_was_meant(world: World) -> None:
    await _open(world, item_version="2", applicant_number="A-1", verified_originals=True)
    (case,) = world.desk.store.values()
    wish = case.wish
    assert case.unit == UNIT
    assert (wish.region, wish.item_code, wish.item_version) == ("620200", "00013112700402", "2")
    assert (wish.mode, wish.purpose) == (Mode.COLLECT_ON_BEHALF, "分公司设立登记")
    assert (wish.applicant_number, wish.verified_originals) == ("A-1", True)
    assert json.loads(wish.applicant) == {}
    assert wish.form.decode() == (
        '{"entname":"示例㛃𬭊商贸有限公司嘉峪关分公司","n":9007199254740991,"b":[1,{}]}'
    )
    (material,) = wish.materials
    assert material.sha256 == sha256(PDF).digest()
    assert (material.size, material.name) == (len(PDF), "公司章程 示例.pdf")


async def test_the_list_leads_through_every_case_once(world: World) -> None:
    made = [await _open(world) for _ in range(5)]
    seen: list[str] = []
    path = "/v1/cases?limit=2"
    while path:
        async with world.client.get(path, headers=bearer()) as answer:
            seen += [c["case_id"] for c in (await answer.json())["cases"]]
            path = URL(answer.links["next"]["url"]).path_qs if answer.links else ""
    assert seen == sorted(made, reverse=True)


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=-1", "limit=x", "limit=1&limit=2", "before=x", "color=red"]
)
async def test_a_query_that_is_not_understood_is_refused(world: World, query: str) -> None:
    async with world.client.get(f"/v1/cases?{query}", headers=bearer()) as answer:
        body = await answer.json(content_type="application/problem+json")
    assert (answer.status, body["rule"]) == (400, "portal.request_invalid")


async def test_a_case_carries_its_revision_as_etag(world: World) -> None:
    case_id = await _open(world)
    async with world.client.get(f"/v1/cases/{case_id}", headers=bearer()) as answer:
        assert answer.headers["ETag"] == '"1"'
        assert answer.headers["Cache-Control"] == "no-store"


async def test_what_the_applicant_s_side_does_reaches_the_desk(world: World) -> None:
    case_id = await _open(world)
    headers = {**bearer(), "Idempotency-Key": "w-1"}
    for name, body, last in (
        ("supplement", {"form": {"a": 1}, "materials": [_material()]}, 'supplement {"a":1} 1'),
        ("supplement", {}, "supplement - 0"),
        ("supplement", {"verified_originals": True}, "supplement - 0 originals seen"),
        ("withdraw", {"reason": "改变主意"}, "withdraw 改变主意 w-1"),
        ("delivered", {"method": "window"}, "delivered window"),
    ):
        path = f"/v1/cases/{case_id}/{name}"
        async with world.client.post(path, json=body, headers=headers) as answer:
            assert (answer.status, (await answer.json())["last"]) == (200, last)


# --- material -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declared", "content"),
    [
        ("application/pdf", b"MZ\x90\x00" + b"\x00" * 60),
        ("application/pdf", b"%PD"),
        ("image/png", PDF[:100]),
        ("image/jpeg", PNG),
    ],
)
async def test_content_that_is_not_of_its_type_is_refused(
    world: World, declared: str, content: bytes
) -> None:
    case_id = await _open(world, materials=[_material(content, media_type=declared)])
    status, body = await _upload(world, case_id, content, **{"Content-Type": declared})
    assert 400 <= status < 500
    assert body["rule"] == "attachment.type"
    assert world.desk.broken_uploads == 1
    assert all(not case.files for case in world.desk.store.values())


async def test_a_content_type_other_than_declared_is_refused(world: World) -> None:
    case_id = await _open(world)
    _, body = await _upload(world, case_id, PNG, **{"Content-Type": "image/png"})
    assert body["rule"] == "attachment.type"


@pytest.mark.parametrize(
    "value",
    [
        f"sha-256=:{base64.b64encode(sha256(b'x').digest()).decode()}:",
        f"sha-512=:{base64.b64encode(sha512(b'x').digest()).decode()}:",
        f"sha-256=:{base64.b64encode(sha256(PDF).digest()).decode()}:, sha-512=:AAAA:",
    ],
)
async def test_a_content_digest_that_does_not_match_is_refused(world: World, value: str) -> None:
    case_id = await _open(world)
    _, body = await _upload(world, case_id, PDF, **{"Content-Digest": value})
    assert body["rule"] == "attachment.digest"
    assert world.desk.broken_uploads == 1


@pytest.mark.parametrize("value", ["sha-256=abc", "sha-256", "sha-256=:A:"])
async def test_a_content_digest_that_cannot_be_read_is_refused(world: World, value: str) -> None:
    case_id = await _open(world)
    status, body = await _upload(world, case_id, PDF, **{"Content-Digest": value})
    assert (status, body["rule"]) == (400, "portal.request_invalid")


async def test_an_upload_without_a_length_is_refused(world: World) -> None:
    case_id = await _open(world)

    async def chunks() -> AsyncIterator[bytes]:
        yield PDF

    headers = {**bearer(), "Content-Type": "application/pdf"}
    path = f"/v1/cases/{case_id}/materials?material=charter"
    async with world.client.post(path, data=chunks(), headers=headers) as answer:
        body = await answer.json(content_type="application/problem+json")
    assert body["rule"] == FaultCode.PORTAL_REQUEST_INVALID
    assert not world.desk.uploading.is_set()


async def test_an_upload_without_a_type_or_a_code_is_refused(world: World) -> None:
    case_id = await _open(world)
    status, body = await _upload(world, case_id, PDF, **{"Content-Type": "pdf"})
    assert (status, body["rule"]) == (415, "portal.media_type")
    status, body = await _upload(world, case_id, PDF, code="")
    assert (status, body["rule"]) == (400, "portal.request_invalid")


async def test_an_upload_that_breaks_off_is_not_kept(world: World) -> None:
    case_id = await _open(world)
    reader, writer = await asyncio.open_connection("127.0.0.1", world.server.port)
    writer.write(
        f"POST /v1/cases/{case_id}/materials?material=charter HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: {bearer()['Authorization']}\r\nContent-Type: application/pdf\r\n"
        f"Content-Length: {len(PDF)}\r\n\r\n".encode()
        + PDF[:400_000]
    )
    await asyncio.wait_for(world.desk.uploading.wait(), 5)
    writer.close()
    await writer.wait_closed()
    await eventually(lambda: world.desk.broken_uploads)
    assert all(not case.files for case in world.desk.store.values())
    assert "http_internal_error" not in world.log.names()
    del reader


async def test_an_upload_arrives_whole_in_bounded_chunks(world: World) -> None:
    digest = base64.b64encode(sha256(PDF).digest()).decode()
    case_id = await _open(world)
    value = f"sha-256=:{digest}:, unixsum=:AAAA:"
    status, body = await _upload(world, case_id, PDF, **{"Content-Digest": value})
    assert (status, body["held"]) == (200, ["charter"])
    (case,) = world.desk.store.values()
    assert case.files["charter"] == PDF
    assert world.desk.largest_chunk <= ATTACHMENT_CHUNK_BYTES_MAX


async def test_an_expected_body_is_asked_for_only_when_it_is_wanted(world: World) -> None:
    case_id = await _open(world)
    for code, first in (("charter", b"HTTP/1.1 100"), ("nothing", b"HTTP/1.1 4")):
        reader, writer = await asyncio.open_connection("127.0.0.1", world.server.port)
        writer.write(
            f"POST /v1/cases/{case_id}/materials?material={code} HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: {bearer()['Authorization']}\r\nContent-Type: application/pdf\r\n"
            f"Content-Length: {len(PDF)}\r\nExpect: 100-continue\r\n\r\n".encode()
        )
        assert (await asyncio.wait_for(reader.readline(), 5)).startswith(first)
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("name", ACTS)
async def test_every_word_without_files_reaches_the_desk(world: World, name: str) -> None:
    case_id = await _open(world)
    path, headers = f"/v1/cases/{case_id}/{name}", {**bearer(), "Idempotency-Key": "k-7"}
    async with world.client.post(path, json=[], headers=headers) as answer:
        assert answer.status == 400
    form = {"grade": "satisfied", "comment_zh": "示例㛃"}
    async with world.client.post(path, json=form, headers=headers) as answer:
        body = await answer.json()
        assert answer.status == 200
    said, _, rest = body["last"].partition(" ")
    assert said == ACTS[name].name.lower()
    assert rest == json.dumps(form, ensure_ascii=False, separators=(",", ":")) + " k-7"
    async with world.client.post(path, json=form, headers=bearer(unit=OTHER_UNIT)) as answer:
        assert answer.status == 404


async def test_how_the_applicant_was_identified_reaches_the_desk(world: World) -> None:
    agent = {
        "agent_name": "示例乙𬭊",
        "agent_id": "629900199207080006",
        "material_code": "charter",
        "scope_zh": "代为办理（示例）",
        "valid_until": "2036-05-26",
    }
    stated = {"identity": {"method": "agent", "staff": "staff-9"}, "authorisation": agent}
    case_id = await _open(world, **stated)
    held = {uuid_text(c): case for c, case in world.desk.store.items()}[case_id]
    assert json.loads(held.wish.applicant) == stated
    for wrong in ({"identity": {"method": "hearsay"}}, {"authorisation": {"agent_name": "示例"}}):
        wish = _wish(**wrong)
        async with world.client.post("/v1/cases", json=wish, headers=bearer()) as answer:
            assert answer.status == 400
