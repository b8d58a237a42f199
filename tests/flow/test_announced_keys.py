"""Keys announced before they are used: who is believed, and who is not however well it signs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.adapters.pki.issuing import Authority, create_authority, issue_signing, issue_transport
from gateway.adapters.pki.key_files import parse_key
from gateway.adapters.pki.suites import FileSigner
from gateway.app.announced import key_reader
from gateway.flow.announced import heard, with_announced
from gateway.flow.key_watch import KeyWatch
from gateway.flow.sealing import Period, Sealer
from gateway.kernel.announced import AnnouncedKey, KeyProof, KeyUse
from gateway.kernel.digests import TYPE_HEADER, pae
from gateway.kernel.envelope import Outcome
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId, KeyId
from gateway.kernel.limits import ANNOUNCED_KEYS_MAX
from gateway.ports.keyring import SignerDown
from tests.flow.world import World

WANG = "wang"
DAY_MS = 86_400_000
JIUQUAN, JIAYUGUAN = GatewayId("620900"), GatewayId("620200")


def own_authority(world: World) -> Authority:
    """Return the authority that is registered for Jiuquan."""
    keys = world.jq.setup.root / "keys"
    return Authority(
        (keys / "authorities.pem").read_bytes(), (keys / "authority.key.pem").read_bytes()
    )


class Next:
    """A key that Jiuquan will use in a month."""

    def __init__(
        self,
        world: World,
        authority: Authority | None = None,
        names: GatewayId = JIUQUAN,
        begins_days: int = 30,
    ) -> None:
        begin_ms = world.clock.now_ms() + begins_days * DAY_MS
        issued = issue_signing(
            authority or own_authority(world),
            names,
            "ES256",
            common_name="示例 next",
            not_before_ms=begin_ms,
            not_after_ms=begin_ms + 90 * DAY_MS,
        )
        self.signer = FileSigner(parse_key(issued.key))
        self.pem = issued.certificate
        self.begin_ms = begin_ms

    @property
    def id(self) -> KeyId:
        return self.signer.key_id


def thief(world: World) -> Authority:
    """Return an authority that nobody registered, called as Jiuquan's is."""
    at_ms = world.clock.now_ms()
    return create_authority("示例 620900 CA", at_ms, at_ms + 900 * DAY_MS, demo=True)


def hear(world: World, use: str, pem: bytes) -> AnnouncedKey:
    """Have Jiayuguan judge what Jiuquan's body says."""
    book = world.jyg.directory.current()
    said = {"use": use, "certificate": pem.decode()}
    return heard(key_reader(demo=True), book, book.partners[JIUQUAN], said, world.clock.now_ms())


async def refused(world: World, use: str, pem: bytes) -> FaultCode:
    """Have Jiuquan announce what it will not, and return the rule."""
    with pytest.raises(Fault) as raised:
        await world.jq.announcements.announce(WANG, use, pem, "", world.clock.now_ms())
    return raised.value.code


async def announced(world: World, key: Next) -> None:
    await world.jq.announcements.announce(WANG, "signing", key.pem, "", world.clock.now_ms())
    await world.exchange()


async def kept(world: World) -> dict[KeyId, KeyProof]:
    found = await world.jyg.journal.read(lambda s: s.announced_by(JIUQUAN))
    return {key.key_id: key.proof for key in found}


def known(world: World) -> set[KeyId]:
    return set(world.jyg.directory.current().partners[JIUQUAN].keys)


async def test_a_stolen_key_does_not_name_its_successor(world: World) -> None:
    for stolen in (Next(world, thief(world)), Next(world, thief(world), begins_days=0)):
        await announced(world, stolen)
        assert (await kept(world))[stolen.id] is KeyProof.NONE
        assert stolen.id not in known(world)
    await world.jyg.crash()
    await world.jyg.accords.refresh()
    assert not known(world) & (await kept(world)).keys()


async def test_a_certificate_of_another_gateway_is_refused(world: World) -> None:
    for names in (JIAYUGUAN, GatewayId("620600")):
        with pytest.raises(Fault) as refused:
            await announced(world, Next(world, names=names))
        assert refused.value.code is FaultCode.KEY_ANNOUNCEMENT_INVALID
    assert await kept(world) == {}


async def test_what_is_no_certificate_is_refused(world: World) -> None:
    for pem in (b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
        with pytest.raises(Fault) as refused:
            await world.jq.announcements.announce(WANG, "signing", pem, "", 0)
        assert refused.value.code is FaultCode.KEY_ANNOUNCEMENT_INVALID


async def test_a_key_of_the_registered_authority_counts_in_its_own_time(world: World) -> None:
    key = Next(world)
    await announced(world, key)
    assert (await kept(world))[key.id] is KeyProof.CHAIN
    entry = world.jyg.directory.current().partners[JIUQUAN].keys[key.id]
    assert entry.not_before_ms == key.begin_ms
    await world.jyg.crash()
    world.jyg.directory.replace(world.jyg.setup.book)
    await world.jyg.accords.refresh()
    assert key.id in known(world), "a restart keeps it"


async def test_an_operator_s_word_lets_an_unproven_key_count_and_takes_any_back(
    world: World,
) -> None:
    key = Next(world, thief(world))
    await announced(world, key)
    start = key.id.hex()[:8]
    await world.jyg.announcements.settle("wang+li", JIUQUAN, start, confirm=True)
    assert key.id in known(world)
    assert (await kept(world))[key.id] is KeyProof.OPERATOR
    await world.jyg.announcements.settle(WANG, JIUQUAN, start, confirm=False)
    assert key.id not in known(world)
    await announced(world, key)
    assert key.id not in known(world), "a dropped key does not come again by itself"
    with pytest.raises(Fault) as unknown:
        await world.jyg.announcements.settle(WANG, JIUQUAN, "ffff0000", confirm=True)
    assert unknown.value.code is FaultCode.TRUST_KEY_UNKNOWN


async def test_announcements_that_prove_nothing_do_not_pile_up_nor_push_out_proven_ones(
    world: World,
) -> None:
    authority = thief(world)
    for _ in range(ANNOUNCED_KEYS_MAX + 2):
        await world.jq.announcements.announce(
            WANG, "signing", Next(world, authority).pem, "", world.clock.now_ms()
        )
    await world.exchange()
    assert len(await kept(world)) == ANNOUNCED_KEYS_MAX
    right = Next(world)
    await world.jq.announcements.announce(WANG, "signing", right.pem, "", world.clock.now_ms())
    await world.exchange()
    assert right.id in known(world)


async def test_a_transport_key_that_is_proven_is_a_pin(world: World) -> None:
    keys = world.jq.setup.root / "keys"
    pem = (keys / "transport.pem").read_bytes()
    pins = world.jyg.directory.current().partners[JIUQUAN].transport_pins
    assert await refused(world, "no-use", pem) is FaultCode.OPERATOR_REQUEST_INVALID
    used = world.clock.now_ms()
    assert await refused(world, "transport", pem) is FaultCode.KEY_ANNOUNCEMENT_INVALID
    with pytest.raises(Fault) as registered:
        hear(world, "transport", pem)
    assert registered.value.code is FaultCode.KEY_ANNOUNCEMENT_INVALID, "it is registered already"
    key = issue_transport(
        own_authority(world),
        JIUQUAN,
        common_name="示例 next",
        not_before_ms=used,
        not_after_ms=used + 90 * DAY_MS,
        dns_names=("jiuquan.example",),
    )
    await world.jq.announcements.announce(WANG, "transport", key.certificate, "", used)
    await world.exchange()
    ((pin, proof),) = (await kept(world)).items()
    assert proof is KeyProof.CHAIN
    assert world.jyg.directory.current().partners[JIUQUAN].transport_pins == pins | {bytes(pin)}


async def test_a_certificate_for_another_use_is_refused_on_both_sides(world: World) -> None:
    transport = (world.jq.setup.root / "keys" / "transport.pem").read_bytes()
    for use, pem in (("transport", Next(world).pem), ("signing", transport)):
        assert await refused(world, use, pem) is FaultCode.KEY_ANNOUNCEMENT_INVALID
        with pytest.raises(Fault) as other:
            hear(world, use, pem)
        assert other.value.code is FaultCode.KEY_ANNOUNCEMENT_INVALID
    assert await kept(world) == {}


async def test_a_key_announced_for_one_use_is_refused_for_another_and_not_dropped_unsaid(
    world: World,
) -> None:
    key = Next(world)
    pem = key.pem
    other = hear(world, "signing", pem)._replace(use=KeyUse.TRANSPORT)
    await world.jyg.journal.write(lambda tx: tx.save_announced(other))
    await announced(world, key)
    notices = await world.jq.journal.read(lambda s: list(s.notices()))
    assert [n.outcome for n in notices if n.digest == key.id] == [Outcome.REFUSED]
    (held,) = await world.jyg.journal.read(lambda s: s.announced_by(JIUQUAN))
    assert held.use is KeyUse.TRANSPORT


async def test_the_only_key_in_use_is_not_announced(world: World) -> None:
    """Whoever can read the announcement has it already; one of several may be new to them."""
    book = world.jq.directory.current()
    (used,) = book.home.keys.values()
    pem = used.certificate
    assert await refused(world, "signing", pem) is FaultCode.KEY_ANNOUNCEMENT_INVALID
    key = Next(world, begins_days=0)
    more = replace(used, key_id=key.id)
    home = replace(book.home, keys={used.key_id: used, key.id: more})
    world.jq.directory.replace(replace(book, home=home))
    await announced(world, key)
    assert key.id in await kept(world)


async def test_the_key_that_began_last_signs_from_its_own_instant_on(world: World) -> None:
    old, new = world.jq.setup.signers[0], Next(world)
    periods = {
        old.key_id: Period(0, new.begin_ms + 7 * DAY_MS),
        new.id: Period(new.begin_ms, new.begin_ms + 90 * DAY_MS),
    }
    now = [new.begin_ms - 1]
    sealer = Sealer([old, new.signer], lambda: periods, lambda: now[0])
    message = pae(TYPE_HEADER, b"1")

    def signs() -> KeyId:
        ((signature,),) = sealer.sign([message])
        return signature.key_id

    assert signs() == old.key_id
    now[0] += 1
    assert signs() == new.id
    assert sealer.suites == ("ES256",)
    now[0] = new.begin_ms + 90 * DAY_MS
    with pytest.raises(SignerDown):
        signs()


async def test_each_threshold_is_told_once(world: World) -> None:
    log, directory = world.jyg.log, world.jyg.directory
    watch = KeyWatch(directory, [], world.clock, log)
    end_ms = min(k.not_after_ms for k in directory.current().home.keys.values())
    seen = []
    for days in (61, 60, 59, 30, 14, 8, 7, 1, -1):
        world.clock.step(end_ms - days * DAY_MS - world.clock.now_ms())
        before = log.names().count("key_expires")
        watch.look()
        watch.look()
        if log.names().count("key_expires") > before:
            seen.append(days)
    assert seen == [60, 30, 14, 7, -1]


async def test_a_certificate_over_anothers_public_key_makes_nobody_of_its_owner(
    world: World,
) -> None:
    """Any authority can certify a public key that it saw: who has the key is not said by that."""
    book = world.jyg.directory.current()
    own = book.home.keys
    stolen = next(iter(own.values()))
    certified = AnnouncedKey(
        JIUQUAN,
        stolen.key_id,
        KeyUse.SIGNING,
        stolen.suite,
        stolen.public_key,
        stolen.not_before_ms,
        stolen.not_after_ms,
        b"",
        world.clock.now_ms(),
        KeyProof.CHAIN,
    )

    def read(*_: object) -> tuple[AnnouncedKey, GatewayId]:
        return certified, JIUQUAN

    said = {"use": "signing", "certificate": "示例"}
    with pytest.raises(Fault) as refused:
        heard(read, book, book.partners[JIUQUAN], said, world.clock.now_ms())
    assert refused.value.code is FaultCode.KEY_ANNOUNCEMENT_INVALID

    class Kept:
        def announced_keys(self) -> list[AnnouncedKey]:
            return [certified, pin, pin._replace(partner=JIAYUGUAN, announced_at_ms=1)]

        def announced_by(self, partner: GatewayId) -> list[AnnouncedKey]:
            return []

    third = replace(book.partners[JIUQUAN], gateway_id=JIAYUGUAN, transport_pins=frozenset())
    book = replace(book, home=book.home, partners={**book.partners, JIAYUGUAN: third})
    pin = certified._replace(key_id=KeyId(bytes(32)), use=KeyUse.TRANSPORT)
    merged = with_announced(book, Kept())
    assert stolen.key_id not in merged.partners[JIUQUAN].keys
    assert bytes(32) in merged.partners[JIAYUGUAN].transport_pins, "who announced it first"
    assert bytes(32) not in merged.partners[JIUQUAN].transport_pins
