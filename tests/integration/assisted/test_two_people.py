"""What one person alone, or two who do not agree, can never do."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from gateway.kernel.faults import FaultCode as F
from tests.support.world import PDF

from .desks import NUMBER, Desk, item_path, sample, typed

ACKNOWLEDGED = {"fields": {"kind": "acknowledged", "number": NUMBER}}


@pytest.mark.parametrize("alias", ["typist-a", "Typist-A", "typist-a "])
async def test_nobody_confirms_what_he_typed_himself(desk: Desk, alias: str) -> None:
    case_id, item = await desk.told()
    path = item_path(item["work_id"])
    await desk.good("POST", f"{path}/outcome", typed(item, "acknowledged", {}))
    await desk.refused(F.ASSISTED_SAME_PERSON, "POST", f"{path}/confirm", ACKNOWLEDGED, by=alias)
    assert (await desk.case(case_id))["stage"] == "submitted"
    await desk.good("POST", f"{path}/confirm", ACKNOWLEDGED, by="reader-b")
    assert (await desk.case(case_id))["stage"] == "acknowledged"


async def test_a_mismatch_voids_what_was_typed_and_tells_no_value(desk: Desk) -> None:
    case_id, item = await desk.told()
    path = item_path(item["work_id"])
    await desk.good("POST", f"{path}/outcome", typed(item, "acknowledged", {}))
    wrong = {"fields": {"kind": "acknowledged", "number": "金登字〔2026〕第 7 号"}}
    problem = await desk.refused(
        F.ASSISTED_MISMATCH, "POST", f"{path}/confirm", wrong, by="reader-b"
    )
    assert problem["errors"] == [{"pointer": "/number", "detail": "differs"}]
    assert NUMBER not in json.dumps(problem, ensure_ascii=False)
    # Void: reading it right now does not bring it back, nor can it be tried field by field.
    await desk.refused(
        F.ASSISTED_NOTHING_TYPED, "POST", f"{path}/confirm", ACKNOWLEDGED, by="reader-b"
    )
    assert (await desk.case(case_id))["stage"] == "submitted"
    await desk.type_and_confirm(item, "acknowledged", {})
    view = await desk.case(case_id)
    assert view["stage"] == "acknowledged"
    assert len(view["history"]) == 2


async def test_values_that_wait_for_a_second_reader_are_not_shown_to_him(desk: Desk) -> None:
    _, item = await desk.told()
    path = item_path(item["work_id"])
    await desk.good("POST", f"{path}/outcome", typed(item, "acknowledged", {}))
    shown = await desk.good("GET", path, by="reader-b")
    assert shown["typed"][0]["confirm_fields"] == ["kind", "number"]
    listed = await desk.good("GET", "/v1/assisted/work", by="reader-b")
    for view in (shown, listed):
        assert NUMBER not in json.dumps(view, ensure_ascii=False)


async def test_typed_twice_is_one_message(desk: Desk) -> None:
    case_id, item = await desk.told()
    path = item_path(item["work_id"])
    body = typed(item, "acknowledged", {})
    for _ in range(2):
        view = await desk.good("POST", f"{path}/outcome", body)
        assert len(view["typed"]) == 1
    await desk.good("POST", f"{path}/outcome", body, by="typist-c")
    # The answer to the confirmation was lost: asked again, it is the same answer.
    first = await desk.good("POST", f"{path}/confirm", ACKNOWLEDGED, by="reader-b")
    again = await desk.good("POST", f"{path}/confirm", ACKNOWLEDGED, by="reader-b")
    assert first == again
    # Typed once more when it is long taken in: still the one message.
    view = await desk.good("POST", f"{path}/outcome", body)
    assert [t["status"] for t in view["typed"]] == ["taken_in"]
    assert len((await desk.case(case_id))["history"]) == 2


async def test_another_answer_waits_until_the_first_is_confirmed(desk: Desk) -> None:
    _, item = await desk.told()
    path = item_path(item["work_id"])
    await desk.good("POST", f"{path}/outcome", typed(item, "acknowledged", {}))
    other = typed(item, "acknowledged", {}, "金登字〔2026〕第 2 号（示例）")
    await desk.refused(
        F.ASSISTED_AWAITS_CONFIRMATION, "POST", f"{path}/outcome", other, by="typist-c"
    )
    # Whoever typed it may correct it.
    corrected = await desk.good("POST", f"{path}/outcome", other)
    assert sorted(t["status"] for t in corrected["typed"]) == ["replaced", "typed"]
    await desk.refused(F.ASSISTED_MISMATCH, "POST", f"{path}/confirm", ACKNOWLEDGED, by="reader-b")


async def test_an_answer_typed_under_another_case_or_partner_is_refused(desk: Desk) -> None:
    _, item = await desk.told()
    _, other = await desk.told()
    path = f"{item_path(item['work_id'])}/outcome"
    wrong: list[tuple[dict[str, object], str]] = [
        ({"case_number": other["case_number"]}, "/case_number"),
        ({"region": "620700"}, "/region"),
    ]
    for changes, pointer in wrong:
        body = {**typed(item, "acknowledged", {}), **changes}
        problem = await desk.refused(F.ASSISTED_WRONG_CASE, "POST", path, body)
        assert problem["errors"][0]["pointer"] == pointer
    assert (await desk.good("GET", item_path(item["work_id"])))["typed"] == []


async def test_an_answer_before_the_partner_was_told_is_refused(desk: Desk) -> None:
    case_id = await desk.open_case()
    item = await desk.listed(case_id)
    path = f"{item_path(item['work_id'])}/outcome"
    body = typed(item, "acknowledged", {})
    await desk.refused(F.ASSISTED_NOT_HANDED_OVER, "POST", path, body)


@pytest.mark.parametrize(
    ("kind", "content", "rule"),
    [
        ("decided", {"result": "refused", "reason_zh": "示例"}, F.CASE_STAGE),
        ("accepted", {"accepted_on": "2026-06-01"}, F.CASE_STAGE),
        ("submitted", {"form": {}}, F.CASE_ROLE),
        ("withdrawn", {}, F.CASE_ROLE),
        ("ping", {}, F.CASE_KIND_NOT_SERVED),
        ("invented", {}, F.PORTAL_REQUEST_INVALID),
        ("acknowledged", {"handling_number": 7}, F.SCHEMA_FORM_INVALID),
        ("acknowledged", {"surprise": "x"}, F.SCHEMA_FORM_INVALID),
    ],
)
async def test_what_the_stage_the_role_or_the_form_forbids_is_not_even_kept(
    desk: Desk, kind: str, content: dict[str, Any], rule: F
) -> None:
    _, item = await desk.told()
    path = item_path(item["work_id"])
    await desk.refused(rule, "POST", f"{path}/outcome", typed(item, kind, content))
    assert (await desk.good("GET", path))["typed"] == []


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (r"\ud800", F.SCHEMA_JSON_ENCODING),
        ("示例" * 50_000, F.SCHEMA_JSON_INVALID),
        ("示例" * 60_000, F.PORTAL_TOO_LARGE),
    ],
    ids=["surrogate", "long", "too long"],
)
async def test_text_that_cannot_be_kept_is_a_problem_and_no_failure(
    desk: Desk, text: str, rule: F
) -> None:
    _, item = await desk.told()
    path = item_path(item["work_id"])
    body = json.dumps(typed(item, "not_accepted", {"reason_code": "X", "reason_zh": "@@"}))
    raw = body.replace("@@", text).encode()
    await desk.refused(rule, "POST", f"{path}/outcome", None, raw=raw)
    assert (await desk.good("GET", path))["typed"] == []


async def test_a_licence_of_a_type_the_item_does_not_issue_is_refused(desk: Desk) -> None:
    _, item = await desk.told()
    await desk.type_and_confirm(item, "acknowledged", {})
    on = {"accepted_on": "2026-06-01"}
    await desk.type_and_confirm(item, "accepted", on, **on)
    decided = sample("decided")
    path = f"{item_path(item['work_id'])}/outcome"
    wrong = {**decided["licence"], "uniscid": "92620302MA00000001"}
    body = typed(item, "decided", {**decided, "licence": wrong})
    await desk.refused(F.SCHEMA_FORM_INVALID, "POST", path, body)
    answer = {"result": "approved", "answer_zh": "准予（示例）"}
    await desk.refused(F.SCHEMA_FORM_INVALID, "POST", path, typed(item, "decided", answer))


@pytest.mark.parametrize(
    ("scopes", "method", "tail"),
    [
        (("assisted:confirm",), "POST", "/outcome"),
        (("assisted:confirm",), "POST", "/handed-over"),
        (("assisted:type",), "POST", "/confirm"),
        (("cases:read", "cases:write", "tasks:act"), "GET", ""),
        (("cases:read", "tasks:read"), "GET", "/sheet"),
    ],
)
async def test_a_token_without_the_scope_may_not(
    desk: Desk, scopes: tuple[str, ...], method: str, tail: str
) -> None:
    item = await desk.listed(await desk.open_case())
    path = item_path(item["work_id"]) + tail
    body: object = {} if method == "POST" else None
    await desk.refused(F.PORTAL_SCOPE_MISSING, method, path, body, scopes=scopes)


async def test_another_units_work_is_not_to_be_seen(desk: Desk) -> None:
    item = await desk.listed(await desk.open_case())
    other = "11620200MB0000000U"
    assert (await desk.good("GET", "/v1/assisted/work", unit=other))["work"] == []
    path = item_path(item["work_id"])
    bodies: list[tuple[str, str, object]] = [
        ("GET", path, None),
        ("GET", f"{path}/sheet", None),
        ("GET", f"{path}/materials/{'0' * 64}", None),
        ("POST", f"{path}/handed-over", {"method": "phone", "received_by": "x"}),
        ("POST", f"{path}/outcome", typed(item, "acknowledged", {})),
        ("POST", f"{path}/confirm", ACKNOWLEDGED),
    ]
    for method, where, body in bodies:
        await desk.refused(F.PORTAL_NOT_FOUND, method, where, body, unit=other)


async def test_telling_the_partner_twice_is_one_receipt(desk: Desk) -> None:
    case_id = await desk.open_case()
    item = await desk.listed(case_id)
    first = await desk.hand_over(item["work_id"])
    receipt = (await desk.case(case_id))["history"][0]["receipt"]
    again = await desk.hand_over(item["work_id"], by="typist-c")
    assert again == first
    assert (await desk.case(case_id))["history"][0]["receipt"] == receipt


@pytest.mark.parametrize("at", ["2020-01-01T00:00:00+08:00", "2099-01-01T00:00:00+08:00"])
async def test_a_handing_over_before_the_message_or_in_the_future_is_refused(
    desk: Desk, at: str
) -> None:
    item = await desk.listed(await desk.open_case())
    path = f"{item_path(item['work_id'])}/handed-over"
    body = {"method": "fax", "received_by": "收发室（示例）", "at": at}
    await desk.refused(F.PORTAL_REQUEST_INVALID, "POST", path, body)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"method":"phone","method":"fax","received_by":"x"}',
        b'{"method":"pigeon","received_by":"x"}',
        b'{"method":"phone","received_by":"x\\u0000y"}',
        b'{"method":"phone","received_by":"x","extra":1}',
        b"\xff\xfe",
        b"[]",
    ],
)
async def test_a_handing_over_that_is_not_sound_is_refused(desk: Desk, raw: bytes) -> None:
    item = await desk.listed(await desk.open_case())
    path = item_path(item["work_id"])
    status, _ = await desk.call("POST", f"{path}/handed-over", raw=raw)
    assert status in (400, 422)
    assert (await desk.good("GET", path))["status"] == "listed"


async def test_files_of_the_sheet_can_be_fetched_to_be_printed(desk: Desk) -> None:
    listed = await desk.listed(await desk.open_case())
    path = item_path(listed["work_id"])
    (file,) = (await desk.good("GET", path))["materials"]
    assert (file["material_code"], file["name"]) == ("01", "申请书.pdf")
    headers = {"Authorization": f"Bearer {desk.node.token()}"}
    url = f"{desk.node.url}{path}/materials/{file['commitment']}"
    async with desk.node.http.get(url, headers=headers) as answer:
        assert answer.status == 200
        assert (await answer.read()).startswith(PDF)
    await desk.refused(F.PORTAL_NOT_FOUND, "GET", f"{path}/materials/{'0' * 64}", None)


async def test_of_two_who_type_at_once_one_waits_for_the_other(desk: Desk) -> None:
    _, item = await desk.told()
    path = f"{item_path(item['work_id'])}/outcome"
    bodies = [typed(item, "acknowledged", {}, f"金登字〔2026〕第 {n} 号（示例）") for n in (1, 2)]
    answers = await asyncio.gather(
        *(desk.call("POST", path, b, by=f"typist-{n}") for n, b in enumerate(bodies))
    )
    assert sorted(status for status, _ in answers) == [200, 409]
    (refused,) = [view for status, view in answers if status == 409]
    assert refused["rule"] == F.ASSISTED_AWAITS_CONFIRMATION


async def test_of_many_who_confirm_at_once_one_message_comes(desk: Desk) -> None:
    case_id, item = await desk.told()
    path = item_path(item["work_id"])
    await desk.good("POST", f"{path}/outcome", typed(item, "acknowledged", {}))
    answers = await asyncio.gather(
        *(desk.call("POST", f"{path}/confirm", ACKNOWLEDGED, by=f"reader-{n}") for n in range(6))
    )
    assert any(status == 200 for status, _ in answers)
    rules = {view["rule"] for status, view in answers if status != 200}
    assert rules <= {F.PORTAL_STALE, F.ASSISTED_NOTHING_TYPED}
    view = await desk.case(case_id)
    assert (view["stage"], len(view["history"])) == ("acknowledged", 2)
