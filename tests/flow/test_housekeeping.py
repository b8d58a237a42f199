"""What lies in the vault and nobody can name any more goes; what may yet be named stays."""

from __future__ import annotations

import pytest

from gateway.flow import uploads as uploads_module
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.limits import HOUSEKEEPING_MS, MESSAGE_LIFE_MS_MAX, SKEW_MS_MAX
from gateway.ports.journal import JournalDown
from gateway.ports.vault import Usage, VaultScope
from tests.flow.judge import require_converged
from tests.flow.test_attachments import receive, ref_of
from tests.flow.world import Side, World, settle
from tests.support.world import sample_files

FIRST = sample_files(("01",))["01"]
LONG_MS = MESSAGE_LIFE_MS_MAX + SKEW_MS_MAX + 1


def swept(side: Side) -> list[dict[str, str | int | float]]:
    return [fields for name, fields in side.log.events if name == "vault_swept"]


async def test_files_of_a_case_never_submitted_go_once_no_message_can_name_them(
    world: World,
) -> None:
    ref = ref_of(world, b"x")
    await receive(world, ref, b"x")
    world.clock.advance(LONG_MS - 1)
    await world.jyg.housekeeping.turn()
    assert (await world.jyg.uploads.status(world.jq.id, ref)).complete
    world.clock.advance(1)
    await world.jyg.housekeeping.turn()
    assert not (await world.jyg.uploads.status(world.jq.id, ref)).complete
    assert swept(world.jyg) == [{"partner": "620900", "cases": 1, "files": 1, "bytes": 1}]


async def test_a_swept_case_frees_its_place_in_the_quota(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads_module, "PARTNER_STAGED_CASES_MAX", 1)
    await receive(world, ref_of(world, b"x", 0), b"x")
    with pytest.raises(Fault) as raised:
        await receive(world, ref_of(world, b"x", 1), b"x")
    assert raised.value.code is FaultCode.LIMIT_QUOTA
    world.clock.advance(LONG_MS)
    await world.jyg.housekeeping.turn()
    assert (await receive(world, ref_of(world, b"x", 2), b"x")).complete


async def test_the_bytes_of_cases_not_submitted_are_bounded_and_counted_as_they_lie(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads_module, "PARTNER_STAGED_BYTES_MAX", 10)
    await receive(world, ref_of(world, b"12345", 0), b"12345")
    with pytest.raises(Fault):
        await receive(world, ref_of(world, b"67890", 1), b"wrong")
    assert (await receive(world, ref_of(world, b"67890", 2), b"67890")).complete
    for _ in range(2):
        with pytest.raises(Fault) as raised:
            await receive(world, ref_of(world, b"x", 3), b"x")
        assert raised.value.code is FaultCode.LIMIT_QUOTA
        assert "removed after 30 days" in raised.value.detail
        await world.jyg.crash()
    world.clock.advance(LONG_MS)
    await world.jyg.housekeeping.turn()
    assert (await receive(world, ref_of(world, b"x", 3), b"x")).complete


async def test_files_of_a_submitted_case_stay_and_its_broken_off_upload_goes(
    world: World,
) -> None:
    case_id = await world.open_branch()
    await world.drain()
    scope = VaultScope(world.jq.id, (await world.jyg.case(case_id)).key)
    before = await world.jyg.vault.usage(scope)
    ref = ref_of(world, b"0123456789")._replace(case_key=scope.case_key)
    await receive(world, ref, b"0123")
    world.clock.advance(LONG_MS)
    await world.jyg.housekeeping.turn()
    assert await world.jyg.vault.usage(scope) == before
    assert swept(world.jyg) == [{"partner": "620900", "cases": 1, "files": 1, "bytes": 4}]


async def test_what_our_own_portal_gathers_stays_however_long_it_takes(world: World) -> None:
    case_id = await world.open_branch(upload=False)
    await world.upload(case_id, "01", FIRST)
    world.clock.advance(LONG_MS)
    await world.jq.housekeeping.turn()
    scope = VaultScope(world.jyg.id, (await world.jq.case(case_id)).key)
    assert await world.jq.vault.usage(scope) == Usage(1, len(FIRST))
    assert swept(world.jq) == []


async def test_a_submission_that_waited_longer_than_its_files_lie_brings_them_again(
    world: World,
) -> None:
    case_id = await world.open_branch()
    key = (await world.jq.case(case_id)).key
    materials = await world.jq.journal.read(lambda s: s.materials(key))
    first = materials[0]
    ref = ref_of(world, FIRST)._replace(
        case_key=key, salt=first.salt, commitment=first.commitment, size=first.size
    )
    await receive(world, ref, FIRST)
    world.clock.advance(LONG_MS)
    await world.jyg.housekeeping.turn()
    assert len(swept(world.jyg)) == 1
    await world.drain()
    await require_converged(world)


async def test_housekeeping_goes_on_after_the_journal_was_down(world: World) -> None:
    ref = ref_of(world, b"x")
    await receive(world, ref, b"x")
    world.clock.advance(LONG_MS)
    side = world.jyg
    read = side.journal.read

    async def down(_work: object) -> None:
        raise JournalDown("no space left")

    side.journal.read = down  # type: ignore[assignment, method-assign]
    task = side.owner.start("housekeeping", side.housekeeping.run())
    await settle()
    assert "housekeeping_waits" in side.log.names()
    side.journal.read = read  # type: ignore[method-assign]
    world.clock.advance(HOUSEKEEPING_MS)
    await settle()
    assert len(swept(side)) == 1
    task.cancel()
