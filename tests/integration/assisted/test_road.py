"""A case that a partner without a system decides, from the application to the licence."""

from __future__ import annotations

import json

from gateway.adapters.sql.sqlite import open_sqlite_reader

from .desks import NUMBER, Desk, item_path, sample, typed


async def test_a_case_goes_to_a_partner_without_a_system_and_comes_back_decided(
    desk: Desk,
) -> None:
    case_id = await desk.open_case()
    item = await desk.listed(case_id)
    assert (item["kind"], item["status"], item["region"]) == ("submitted", "listed", "620300")
    await desk.parked(case_id)
    assert (await desk.case(case_id))["history"][0]["receipt"] is None

    item = await desk.hand_over(item["work_id"])
    assert item["status"] == "handed_over"
    assert item["handed_over"]["by"] == "typist-a"
    view = await desk.case(case_id)
    assert view["stage"] == "submitted"
    assert view["outbox"] == []
    receipt = view["history"][0]["receipt"]
    assert (receipt["outcome"], receipt["strength"]) == ("taken_in", "assisted")

    await desk.type_and_confirm(item, "acknowledged", {})
    view = await desk.case(case_id)
    assert view["stage"] == "acknowledged"
    assert view["case_numbers"]["handling"] == NUMBER

    on = {"accepted_on": "2026-06-01"}
    await desk.type_and_confirm(item, "accepted", on, **on)
    decided = sample("decided")
    licence_id = decided["licence"]["licence_id"]
    done = await desk.type_and_confirm(
        item, "decided", decided, result="approved", licence_id=licence_id
    )
    assert done["status"] == "done"
    assert [t["status"] for t in done["typed"]] == ["taken_in"] * 3
    view = await desk.case(case_id)
    assert (view["stage"], view["result"]) == ("decided", "approved")
    assert view["licence"]["licence_id"] == licence_id
    assert [m["strength"] for m in view["history"]] == ["signed", *["assisted"] * 3]
    for message in view["history"][1:]:
        assert message["sender"] == "620300"
        assert message["receipt"]["outcome"] == "taken_in"


async def test_material_that_is_wanted_is_supplied_on_a_new_sheet(desk: Desk) -> None:
    case_id, item = await desk.told()
    await desk.type_and_confirm(item, "acknowledged", {})
    wanted = {
        "notice": {"zh": "请补交经营场所使用证明（示例）"},
        "materials": [{"code": "02", "reason": "未提交（示例）"}],
    }
    asked = await desk.type_and_confirm(item, "materials_requested", wanted, materials="02")
    assert asked["status"] == "done"
    view = await desk.case(case_id)
    assert view["stage"] == "materials_requested"
    assert view["request"]["materials"][0]["code"] == "02"

    form = sample("submitted")["form"]
    await desk.good("POST", f"/v1/cases/{case_id}/supplement", {"form": form, "materials": []})
    again = await desk.listed(case_id, 2)
    assert again["kind"] == "materials_supplied"
    again = await desk.hand_over(again["work_id"])
    on = {"accepted_on": "2026-06-01"}
    await desk.type_and_confirm(again, "accepted", on, **on)
    assert (await desk.case(case_id))["stage"] == "accepted"


async def test_what_was_typed_and_by_whom_can_be_shown_later(desk: Desk) -> None:
    case_id, item = await desk.told()
    path = item_path(item["work_id"])
    body = typed(item, "acknowledged", {})
    await desk.good("POST", f"{path}/outcome", body)
    fields = {"fields": {"kind": "acknowledged", "number": NUMBER}}
    await desk.good("POST", f"{path}/confirm", fields, by="reader-b")
    _, answer = (await desk.case(case_id))["history"]
    shown = await desk.explained(answer["message_id"])
    attestation = shown["attestation"]
    assert attestation["strength"] == "assisted"
    assert attestation["adapter"] == "assisted"
    assert shown["header"]["strength"] == "assisted"
    assert shown["signatures"] == []
    assert shown["evidence"]["certificates"]
    assert shown["evidence"]["adapter_of"]
    record = desk_record(desk, attestation["record"])
    assert record["typed"]["by"] == "typist-a"
    assert record["confirmed"]["by"] == "reader-b"
    assert json.loads(record["typed"]["text"]) == body
    assert json.loads(record["confirmed"]["text"]) == fields


def desk_record(desk: Desk, digest: str) -> dict[str, dict[str, str]]:
    with open_sqlite_reader(desk.node.config.journal.path) as snapshot:
        kept = snapshot.evidence(bytes.fromhex(digest))
    assert kept is not None and kept.kind == "assisted-record"
    found: dict[str, dict[str, str]] = json.loads(kept.content)
    return found
