"""Files on their way: declared, uploaded, brought to the partner, and bounded there."""

from __future__ import annotations

from asyncio import gather

import pytest

from gateway.flow import uploads as uploads_module
from gateway.kernel.case import Stage
from gateway.kernel.digests import commitment
from gateway.kernel.envelope import AttachmentRef, AttachmentState, Kind, Outcome
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import CaseId, CaseKey, uuid7
from gateway.ports.vault import VaultScope
from tests.flow.judge import require_converged
from tests.flow.link import Trouble
from tests.flow.stillness import rest
from tests.flow.world import REGISTRAR, WINDOW, World, actor, chunks, declared
from tests.support.world import sample_files


def ref_of(world: World, content: bytes, serial: int = 0) -> AttachmentRef:
    """Return what Jiuquan would announce for a file of a new case of its own."""
    salt = bytes(32)
    key = CaseKey(world.jq.id, CaseId(uuid7(world.clock.now_ms(), bytes([serial]) * 10)))
    (agreement,) = world.jq.directory.current().agreements
    return AttachmentRef(
        key, agreement, salt, commitment(salt, content), len(content), "application/pdf"
    )


async def test_files_uploaded_at_once_send_the_message_that_waits_for_them(world: World) -> None:
    case_id = await world.open_branch(upload=False)
    files = sample_files(("01", "02", "03", "04", "05"))
    await gather(*(world.upload(case_id, code, content) for code, content in files.items()))
    assert (await world.jq.case(case_id)).stage is Stage.SUBMITTED
    await world.drain()
    await require_converged(world)


async def test_a_file_missing_at_the_partner_is_uploaded_again(world: World) -> None:
    case_id = await world.open_branch()
    world.jq.link.next.append(Trouble.LOSE_REQUEST)
    await world.jq.lane.turn()
    assert world.jq.link.calls.count(("upload", 1)) == 5
    lost_key = (await world.jq.case(case_id)).key
    materials = await world.jq.journal.read(lambda s: s.materials(lost_key))
    world.jyg.vault.lose(VaultScope(world.jq.id, lost_key), materials[2].commitment)
    await world.drain()
    assert world.jq.link.calls.count(("upload", 1)) == 6
    assert (await world.jyg.case(case_id)).stage is Stage.SUBMITTED
    await require_converged(world)


async def test_a_message_whose_file_got_lost_after_the_upload_is_not_taken_in(
    world: World,
) -> None:
    case_id = await world.open_branch()
    world.jq.link.next.append(Trouble.HOLD_REQUEST)
    turn = world.begin_turn(world.jq)
    await rest()
    key = (await world.jq.case(case_id)).key
    materials = await world.jq.journal.read(lambda s: s.materials(key))
    world.jyg.vault.lose(VaultScope(world.jq.id, key), materials[0].commitment)
    world.jq.link.release()
    await turn
    (entry,) = await world.jq.outbox()
    assert entry.last_fault == FaultCode.ATTACHMENT_ABSENT
    assert not await world.jyg.history(case_id)
    await world.drain()
    assert (await world.jyg.case(case_id)).stage is Stage.SUBMITTED


async def test_a_partner_over_its_quota_refuses_the_file_and_the_message_waits(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads_module, "CASE_ATTACHMENT_BYTES_MAX", 10)
    case_id = await world.open_branch()
    other = await world.open_query()
    await world.jq.lane.turn()
    assert {e.last_fault for e in await world.jq.outbox()} == {FaultCode.LIMIT_QUOTA}
    assert (await world.jq.said(other))[0].outcome is Outcome.TAKEN_IN, "its neighbour went"
    monkeypatch.undo()
    await world.drain()
    assert (await world.jyg.case(case_id)).stage is Stage.SUBMITTED
    await require_converged(world)


async def test_a_refused_upload_is_tried_again_later_and_never_delivered_without_it(
    world: World,
) -> None:
    case_id = await world.open_branch()
    world.jq.link.refuses_uploads = Fault(FaultCode.LIMIT_QUOTA, retry_after_ms=90_000)
    await world.jq.lane.turn()
    assert ("deliver", 1) not in world.jq.link.calls
    (entry,) = await world.jq.outbox()
    assert entry.due_ms >= world.clock.now_ms() + 90_000
    world.jq.link.refuses_uploads = None
    await world.drain()
    assert (await world.jq.said(case_id))[0].outcome is Outcome.TAKEN_IN


async def test_a_file_our_own_disk_cannot_read_holds_up_its_own_message_only(
    world: World,
) -> None:
    case_id = await world.open_branch()
    key = (await world.jq.case(case_id)).key
    materials = await world.jq.journal.read(lambda s: s.materials(key))
    world.jq.vault.broken = {materials[0].commitment}
    world.clock.advance(1)
    other = await world.open_query()
    await world.jq.lane.turn()
    assert (await world.jq.said(other))[0].outcome is Outcome.TAKEN_IN
    world.jq.vault.broken = set()
    await world.drain()
    assert (await world.jq.said(case_id))[0].outcome is Outcome.TAKEN_IN
    await require_converged(world)


async def test_the_staging_quota_counts_only_cases_that_were_never_submitted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads_module, "PARTNER_STAGED_CASES_MAX", 2)
    for _ in range(4):  # each is submitted, so each frees its place
        await world.open_branch()
        await world.drain()
    await require_converged(world)
    for serial in range(2):
        await receive(world, ref_of(world, b"x", serial), b"x")
    with pytest.raises(Fault) as raised:
        await receive(world, ref_of(world, b"x", 9), b"x")
    assert raised.value.code is FaultCode.LIMIT_QUOTA
    assert (await receive(world, ref_of(world, b"y", 1), b"y")).complete, "a known case goes on"


async def test_the_staging_quota_survives_a_restart(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads_module, "PARTNER_STAGED_CASES_MAX", 1)
    await receive(world, ref_of(world, b"x", 0), b"x")
    await world.jyg.crash()
    with pytest.raises(Fault) as raised:
        await receive(world, ref_of(world, b"x", 1), b"x")
    assert raised.value.code is FaultCode.LIMIT_QUOTA


async def test_a_staged_case_whose_first_file_failed_keeps_its_place(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads_module, "PARTNER_STAGED_CASES_MAX", 1)
    ref = ref_of(world, b"whole", 0)
    with pytest.raises(Fault):
        await receive(world, ref, b"wrong")
    assert (await receive(world, ref, b"whole")).complete


async def test_an_upload_that_broke_off_goes_on_where_it_stopped(world: World) -> None:
    ref = ref_of(world, b"0123456789")
    assert await receive(world, ref, b"0123") == AttachmentState(4, False)
    assert await world.jyg.uploads.status(world.jq.id, ref) == AttachmentState(4, False)
    with pytest.raises(Fault) as raised:
        await receive(world, ref, b"0123456789")
    assert raised.value.code is FaultCode.ATTACHMENT_OFFSET
    state = await world.jyg.uploads.receive(world.jq.id, ref, 4, chunks(b"456789"))
    assert state == AttachmentState(10, True)


async def test_files_of_a_case_that_another_partner_opened_are_refused(world: World) -> None:
    ref = ref_of(world, b"x")._replace(
        case_key=CaseKey(world.jyg.id, CaseId(uuid7(world.clock.now_ms(), bytes(10))))
    )
    with pytest.raises(Fault) as raised:
        await receive(world, ref, b"x")
    assert raised.value.code is FaultCode.CASE_NOT_PARTY


async def test_a_supplement_replaces_one_whose_files_never_came(world: World) -> None:
    case_id = await asked_for_material(world)
    desk, window = world.jq.desk, actor(WINDOW)
    first, second = b"%PDF first", b"%PDF second"
    await desk.supplement(window, case_id, None, [declared("04", first)], None)
    await desk.supplement(window, case_id, None, [declared("05", second)], None)
    with pytest.raises(Fault) as raised:
        await world.upload(case_id, "04", first)
    assert raised.value.code is FaultCode.ATTACHMENT_NOT_DECLARED
    await world.upload(case_id, "05", second)
    await world.drain()
    assert [m.kind for m in await world.jq.said(case_id)] == [
        Kind.SUBMITTED,
        Kind.MATERIALS_SUPPLIED,
    ]
    await require_converged(world)


async def test_two_supplements_at_once_leave_the_later_one(world: World) -> None:
    case_id = await asked_for_material(world)
    desk, window = world.jq.desk, actor(WINDOW)
    two = [declared("04", b"%PDF 4"), declared("05", b"%PDF 5")]
    await gather(
        desk.supplement(window, case_id, None, two, None),
        desk.supplement(window, case_id, None, [declared("01", b"%PDF 1")], None),
    )
    await world.upload(case_id, "01", b"%PDF 1")
    await world.drain()
    assert (await world.jyg.case(case_id)).stage is Stage.MATERIALS_SUPPLIED
    task = await world.jyg.tasks.task(actor(REGISTRAR), case_id)
    supplied = [m for m in task["materials"] if m["sent_with"] == "materials_supplied"]  # type: ignore[attr-defined]
    assert [m["material_code"] for m in supplied] == ["01"]


async def test_material_that_comes_after_the_case_closed_is_refused_at_the_window(
    world: World,
) -> None:
    case_id = await asked_for_material(world)
    content = b"%PDF late"
    await world.jq.desk.supplement(actor(WINDOW), case_id, None, [declared("04", content)], None)
    await world.act(case_id, Kind.NOT_ACCEPTED)
    await world.drain()
    with pytest.raises(Fault) as raised:
        await world.upload(case_id, "04", content)
    assert raised.value.code is FaultCode.CASE_CLOSED
    await require_converged(world)


async def asked_for_material(world: World) -> bytes:
    case_id = await world.open_branch()
    await world.drain()
    await world.act(case_id, Kind.ACKNOWLEDGED, Kind.MATERIALS_REQUESTED)
    await world.drain()
    return case_id


async def receive(world: World, ref: AttachmentRef, content: bytes) -> AttachmentState:
    return await world.jyg.uploads.receive(world.jq.id, ref, 0, chunks(content))
