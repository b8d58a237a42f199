"""What the agreement allows, and the instants at which it is asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.adapters.pki.key_files import load_signer
from gateway.adapters.system.clock import SystemClock
from gateway.app.provision import Site
from gateway.flow.sealing import Sealer
from gateway.kernel.digests import TYPE_AGREEMENT_ACT, digest, pae
from gateway.kernel.envelope import Kind, Mode, Right, Strength
from gateway.kernel.faults import FaultCode as F
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.instants import to_iso
from gateway.rules.agreement import Act, OpenCases, Verdict
from gateway.wire.receipts import encode_agreement_act, encode_signed_agreement_act
from tests.support.peer import body_of
from tests.support.world import BRANCH, JIUQUAN, QUERY, agreement_bytes, sample_answer

from .outcomes import not_taken_in, refused, taken_in
from .worlds import DAY_MS, MINUTE_MS, World, exchange_world

pytestmark = pytest.mark.asyncio(loop_scope="module")

REFUSED: dict[str, tuple[dict[str, object], F]] = {
    "item": ({"item_code": "00099999900101"}, F.AGREEMENT_ITEM_UNLISTED),
    "version": ({"item_version": "2"}, F.AGREEMENT_VERSION_UNLISTED),
    "mode": ({"mode": Mode.COLLECT_ON_BEHALF}, F.AGREEMENT_MODE_UNLISTED),
    "joint": ({"mode": Mode.JOINT}, F.AGREEMENT_MODE_UNLISTED),
    "purpose": ({"purpose": "branch-registration"}, F.AGREEMENT_PURPOSE_UNLISTED),
    "right": ({"delegated_right": Right.VERIFY_ORIGINALS}, F.AGREEMENT_RIGHT_NOT_DELEGATED),
    "strength": ({"strength": Strength.AUTHENTICATED}, F.AGREEMENT_STRENGTH_TOO_WEAK),
    "no_suites": ({"required_suites": ()}, F.AGREEMENT_SUITES_DIFFER),
    "suite_twice": ({"required_suites": ("ES256", "ES256")}, F.AGREEMENT_SUITES_DIFFER),
    "superseded_version": (
        {
            "item_code": BRANCH,
            "item_version": "1",
            "mode": Mode.COLLECT_ON_BEHALF,
            "purpose": "branch-registration",
        },
        F.CATALOGUE_VERSION_SUPERSEDED,
    ),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_what_the_agreement_does_not_list_is_refused(world: World, what: str) -> None:
    changes, rule = REFUSED[what]
    sealed = world.jiuquan.submission(**changes)
    await refused(world, sealed, rule)
    assert world.journal.case(sealed.header) is None


async def test_an_agreement_nobody_knows_is_not_taken_in_and_may_come_again(world: World) -> None:
    sealed = world.jiuquan.submission(agreement_digest=b"\1" * 32)
    await not_taken_in(world, sealed, F.AGREEMENT_UNKNOWN, retry=True)


async def test_a_right_that_is_not_delegated_cannot_be_exercised_in_a_case(world: World) -> None:
    peer = world.jiuquan
    first = peer.submission()
    await taken_in(world, first)
    for kind, document, right in (
        (Kind.ACCEPTED, sample_answer("accepted"), Right.ACCEPT),
        (Kind.DELIVERED, sample_answer("delivered"), Right.DELIVER_RESULT),
        (Kind.MATERIALS_REQUESTED, sample_answer("materials_requested"), Right.NOTIFY_ONCE),
    ):
        forged = peer.next(first, kind, document, delegated_right=right)
        await refused(world, forged, F.AGREEMENT_RIGHT_NOT_DELEGATED)
    assert world.journal.stage(first.header) == "submitted"


def with_time(name: str, at_ms: int) -> bytes:
    """Return the sample agreement with another beginning or end."""
    lines = agreement_bytes().decode().splitlines()
    changed = [f"{name} = {to_iso(at_ms)}" if li.startswith(name) else li for li in lines]
    assert changed != lines
    return "\n".join(changed).encode()


async def test_an_agreement_that_ended_takes_no_new_case_and_open_ones_go_on(
    tmp_path: Path,
) -> None:
    ends_ms = SystemClock().now_ms() + 60 * MINUTE_MS
    async with exchange_world(tmp_path, content=with_time("not_after", ends_ms)) as world:
        peer = world.jiuquan
        before = peer.submission()
        await taken_in(world, before)
        with world.later(ends_ms - world.clock.now_ms()):
            await taken_in(world, peer.submission())
        with world.later(ends_ms - world.clock.now_ms() + 1):
            await refused(world, peer.submission(), F.AGREEMENT_ENDED)
        with world.later(ends_ms - world.clock.now_ms() + DAY_MS):
            late = peer.submission()
            await refused(world, late, F.AGREEMENT_ENDED)
            assert world.journal.case(late.header) is None
            await taken_in(world, peer.next(before, Kind.WITHDRAWN))
            assert world.journal.stage(before.header) == "withdrawn"
            await taken_in(world, world.zhangye.submission(), by=world.zhangye)


async def test_an_agreement_that_starts_tomorrow_takes_no_case_today(tmp_path: Path) -> None:
    starts_ms = SystemClock().now_ms() + DAY_MS
    async with exchange_world(tmp_path, content=with_time("not_before", starts_ms)) as world:
        peer = world.jiuquan
        await refused(world, peer.submission(), F.AGREEMENT_NOT_YET)
        with world.later(starts_ms - world.clock.now_ms() - 1):
            await refused(world, peer.submission(), F.AGREEMENT_NOT_YET)
        with world.later(starts_ms - world.clock.now_ms()):
            await taken_in(world, peer.submission())


async def test_the_receivers_clock_decides_not_what_the_sender_says(tmp_path: Path) -> None:
    ends_ms = SystemClock().now_ms() + 60 * MINUTE_MS
    async with exchange_world(tmp_path, content=with_time("not_after", ends_ms)) as world:
        sent_before = world.jiuquan.submission()
        with world.later(ends_ms - world.clock.now_ms() + MINUTE_MS):
            await refused(world, sent_before, F.AGREEMENT_ENDED)


def acts_of(site: Site) -> Path:
    return site.root / "partners" / JIUQUAN.folder / "acts"


@pytest.mark.parametrize("party", ["620900", "620200"])
async def test_an_agreement_that_a_party_did_not_accept_is_not_in_force(
    tmp_path: Path, party: str
) -> None:
    def forget(site: Site) -> None:
        (acts_of(site) / f"{party}.accept.act").unlink()

    async with exchange_world(tmp_path, prepare=forget) as world:
        await refused(world, world.jiuquan.submission(), F.AGREEMENT_NOT_ACCEPTED)


async def test_a_revoked_agreement_takes_no_new_case(tmp_path: Path) -> None:
    revoked_ms = SystemClock().now_ms() + 60 * MINUTE_MS

    def revoke(site: Site) -> None:
        keys = tmp_path / JIUQUAN.folder / "keys" / "signing_es256.key.pem"
        address = digest(agreement_bytes())
        party, said = GatewayId("620900"), OpenCases.CONTINUE
        revoked = Act(party, Verdict.REVOKE, revoked_ms, open_cases=said)
        act = encode_agreement_act(address, revoked)
        signatures = Sealer([load_signer(keys)]).sign([pae(TYPE_AGREEMENT_ACT, act)])[0]
        signed = encode_signed_agreement_act(act, signatures)
        (acts_of(site) / "620900.revoke.act").write_bytes(signed)

    async with exchange_world(tmp_path, prepare=revoke) as world:
        with world.later(revoked_ms - world.clock.now_ms() - 1):
            await taken_in(world, world.jiuquan.submission())
        with world.later(revoked_ms - world.clock.now_ms()):
            await refused(world, world.jiuquan.submission(), F.AGREEMENT_REVOKED)


def with_text(*changes: tuple[str, str]) -> bytes:
    """Return the sample agreement with other words."""
    text = agreement_bytes().decode()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text.encode()


OTHER_AGREEMENTS: dict[str, tuple[bytes, F]] = {
    "no_modes": (with_text(('modes = ["online"]', "modes = []")), F.AGREEMENT_MODE_UNLISTED),
    "no_purposes": (
        with_text(('purposes = ["enterprise-information-query"]', "purposes = []")),
        F.AGREEMENT_PURPOSE_UNLISTED,
    ),
    "no_origins": (
        with_text(('origins = ["620900", "620200"]', "origins = []")),
        F.AGREEMENT_DIRECTION,
    ),
    "other_direction": (
        with_text(
            ('origins = ["620900", "620200"]', 'origins = ["620200"]'),
            ('deciding = ["620900", "620200"]', 'deciding = ["620900"]'),
        ),
        F.AGREEMENT_DIRECTION,
    ),
}


@pytest.mark.parametrize("name", OTHER_AGREEMENTS)
async def test_an_empty_list_refuses(tmp_path: Path, name: str) -> None:
    content, rule = OTHER_AGREEMENTS[name]
    async with exchange_world(tmp_path, content=content) as world:
        await refused(world, world.jiuquan.submission(), rule)


async def test_an_agreed_item_that_the_catalogue_lacks_may_come_again(tmp_path: Path) -> None:
    content = with_text((QUERY, "00099999900101"))
    async with exchange_world(tmp_path, content=content) as world:
        sealed = world.jiuquan.submission(item_code="00099999900101")
        await not_taken_in(world, sealed, F.CATALOGUE_ITEM_UNKNOWN, retry=True)


async def test_an_agreed_version_that_the_catalogue_lacks_may_come_again(tmp_path: Path) -> None:
    content = with_text((f'{QUERY}", versions = ["1"]', f'{QUERY}", versions = ["1", "2"]'))
    async with exchange_world(tmp_path, content=content) as world:
        sealed = world.jiuquan.submission(item_version="2")
        await not_taken_in(world, sealed, F.CATALOGUE_VERSION_UNKNOWN, retry=True)


def with_version(changes: str) -> Callable[[Site], None]:
    def prepare(site: Site) -> None:
        path = site.own_entry / "items" / QUERY / "item.toml"
        text = path.read_text()
        line = next(li for li in text.splitlines() if li.startswith("valid_from"))
        path.write_text(text.replace(line, changes.format(valid_from=line)))

    return prepare


async def test_a_superseded_version_stays_valid_for_its_overlap(tmp_path: Path) -> None:
    superseded_ms = SystemClock().now_ms() - 10 * DAY_MS
    end_ms = superseded_ms + 30 * DAY_MS
    changes = f"{{valid_from}}\nsuperseded_at = {to_iso(superseded_ms)}\noverlap_days = 30"
    async with exchange_world(tmp_path, prepare=with_version(changes)) as world:
        peer = world.jiuquan
        before = peer.submission()
        await taken_in(world, before)
        with world.later(end_ms - world.clock.now_ms()):
            await taken_in(world, peer.submission())
        with world.later(end_ms - world.clock.now_ms() + 1):
            late = peer.submission()
            await refused(world, late, F.CATALOGUE_VERSION_SUPERSEDED)
            assert world.journal.case(late.header) is None
            await taken_in(world, peer.next(before, Kind.WITHDRAWN))


async def test_a_version_of_tomorrow_is_refused_today(tmp_path: Path) -> None:
    starts_ms = SystemClock().now_ms() + DAY_MS
    async with exchange_world(
        tmp_path, prepare=with_version(f"valid_from = {to_iso(starts_ms)}")
    ) as world:
        await refused(world, world.jiuquan.submission(), F.CATALOGUE_VERSION_NOT_YET)
        with world.later(starts_ms - world.clock.now_ms()):
            await taken_in(world, world.jiuquan.submission())


async def test_a_refused_agreement_does_not_hide_a_ping(world: World) -> None:
    peer = world.jiuquan
    await refused(world, peer.submission(purpose="示例"), F.AGREEMENT_PURPOSE_UNLISTED)
    await taken_in(world, peer.seal(peer.header(Kind.PING), body_of({})))
