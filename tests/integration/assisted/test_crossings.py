"""When words cross on the telephone, and when the intake says no after two people said yes."""

from __future__ import annotations

from dataclasses import replace

from gateway.kernel.envelope import Strength
from gateway.kernel.faults import FaultCode as F

from .desks import NUMBER, Desk, item_path, sample, typed

ON = {"accepted_on": "2026-06-01"}
REFUSED = {"result": "refused", "reason_zh": "场所不符合规定（示例）"}


async def accepted(desk: Desk) -> tuple[str, dict[str, object]]:
    case_id, item = await desk.told()
    await desk.type_and_confirm(item, "acknowledged", {})
    await desk.type_and_confirm(item, "accepted", ON, **ON)
    return case_id, item


async def test_a_withdrawal_that_comes_after_the_decision_is_noted_as_refused(
    desk: Desk,
) -> None:
    case_id, item = await accepted(desk)
    await desk.good("POST", f"/v1/cases/{case_id}/withdraw", {"reason": "不再需要（示例）"})
    withdrawal = await desk.listed(case_id, 2)
    body = {"method": "phone", "received_by": "窗口（示例）", "answer": "already_decided"}
    path = item_path(withdrawal["work_id"])
    told = await desk.good("POST", f"{path}/handed-over", body)
    assert told["status"] == "done"
    view = await desk.case(case_id)
    assert view["stage"] == "accepted"
    assert view["attention"] == F.CASE_ALREADY_DECIDED
    receipt = view["history"][-1]["receipt"]
    assert (receipt["outcome"], receipt["rule"]) == ("refused", F.CASE_ALREADY_DECIDED)
    assert receipt["strength"] == "assisted"
    await desk.type_and_confirm(item, "decided", REFUSED, result="refused")
    assert (await desk.case(case_id))["result"] == "refused"


async def test_a_decision_typed_while_a_withdrawal_waits_to_be_told_stands(desk: Desk) -> None:
    case_id, item = await accepted(desk)
    await desk.good("POST", f"/v1/cases/{case_id}/withdraw", {"reason": "不再需要（示例）"})
    await desk.listed(case_id, 2)
    await desk.type_and_confirm(item, "decided", REFUSED, result="refused")
    view = await desk.case(case_id)
    assert (view["stage"], view["result"]) == ("decided", "refused")


async def test_a_withdrawal_in_time_closes_the_case(desk: Desk) -> None:
    case_id, item = await accepted(desk)
    await desk.good("POST", f"/v1/cases/{case_id}/withdraw", {"reason": "不再需要（示例）"})
    withdrawal = await desk.listed(case_id, 2)
    await desk.hand_over(withdrawal["work_id"])
    assert (await desk.case(case_id))["stage"] == "withdrawn"
    body = typed(item, "decided", REFUSED)
    path = f"{item_path(str(item['work_id']))}/outcome"
    await desk.refused(F.CASE_CLOSED, "POST", path, body)
    work = (await desk.good("GET", "/v1/assisted/work"))["work"]
    assert [i for i in work if i["case_id"] == case_id] == []


async def test_only_a_withdrawal_can_come_too_late(desk: Desk) -> None:
    item = await desk.listed(await desk.open_case())
    body = {"method": "phone", "received_by": "窗口（示例）", "answer": "already_decided"}
    path = f"{item_path(item['work_id'])}/handed-over"
    await desk.refused(F.PORTAL_REQUEST_INVALID, "POST", path, body)


async def test_the_result_handed_over_at_the_window_is_told_and_needs_no_answer(
    desk: Desk,
) -> None:
    case_id, item = await accepted(desk)
    decided = sample("decided")
    licence_id = decided["licence"]["licence_id"]
    await desk.type_and_confirm(item, "decided", decided, result="approved", licence_id=licence_id)
    await desk.good("POST", f"/v1/cases/{case_id}/delivered", {"method": "window"})
    told = await desk.listed(case_id, 2)
    assert told["kind"] == "delivered"
    assert (await desk.hand_over(told["work_id"]))["status"] == "done"
    view = await desk.case(case_id)
    assert (view["stage"], view["outbox"]) == ("delivered", [])


async def test_a_refusal_of_the_intake_is_kept_and_never_blocks_the_corrected_answer(
    desk: Desk,
) -> None:
    case_id, item = await desk.told()
    path = item_path(item["work_id"])
    body = typed(item, "acknowledged", {})
    given = {"fields": {"kind": "acknowledged", "number": NUMBER}}
    await desk.good("POST", f"{path}/outcome", body)
    held = desk.node.running.directory
    book = held.current()
    stronger = {d: replace(a, strength_min=Strength.SIGNED) for d, a in book.agreements.items()}
    held.replace(replace(book, agreements=stronger))
    weak = F.AGREEMENT_STRENGTH_TOO_WEAK
    await desk.refused(weak, "POST", f"{path}/confirm", given, by="reader-b")
    shown = (await desk.good("GET", path))["typed"][0]
    assert (shown["status"], shown["rule"]) == ("refused", weak)
    view = await desk.case(case_id)
    assert view["stage"] == "submitted"
    assert view["history"][-1]["receipt"]["rule"] == weak

    held.replace(book)
    await desk.type_and_confirm(item, "acknowledged", {})
    view = await desk.case(case_id)
    assert view["stage"] == "acknowledged"
    assert len({m["message_id"] for m in view["history"]}) == 3
