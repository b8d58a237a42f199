"""Who speaks: signatures, keys, suites, certificates."""

from __future__ import annotations

import asyncio
from pathlib import Path

import grpc
import pytest

from gateway.adapters.pki.issuing import Authority, create_authority, issue_transport
from gateway.adapters.pki.key_files import parse_key
from gateway.adapters.pki.suites import FileSigner, generate_key
from gateway.app.provision import Site
from gateway.flow.sealing import Sealer
from gateway.kernel.digests import TYPE_BATCH_HEAD, TYPE_HEADER, TYPE_RECEIPT, pae
from gateway.kernel.envelope import BatchHead, BatchProof, Signature
from gateway.kernel.faults import FaultCode as F
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.merkle import leaf_hash
from gateway.wire import calls
from gateway.wire.signatures import encode_batch_head
from tests.support.peer import Line, Peer, Refusal, Sealed, open_channel
from tests.support.world import JIUQUAN, ZHANGYE

from .outcomes import call_refused, not_taken_in, refused, still_serves, taken_in
from .worlds import DAY_MS, World, exchange_world

pytestmark = pytest.mark.asyncio(loop_scope="module")


def signer(suite: str = "ES256") -> FileSigner:
    return FileSigner(parse_key(generate_key(suite)))


def signed_by(sealer: Sealer, sealed: Sealed) -> Sealed:
    return sealed._replace(signatures=sealer.sign([pae(TYPE_HEADER, sealed.header_bytes)])[0])


async def test_an_unsigned_message_is_not_taken_in(world: World) -> None:
    sealed = world.jiuquan.submission()
    await not_taken_in(world, sealed._replace(signatures=()), F.TRUST_UNSIGNED, retry=False)
    await taken_in(world, sealed)


@pytest.mark.parametrize("suite", ["ES256", "EdDSA"])
async def test_a_key_that_is_not_registered_is_not_believed(world: World, suite: str) -> None:
    forged = signed_by(Sealer([signer(suite)]), world.jiuquan.submission())
    await not_taken_in(world, forged, F.TRUST_KEY_UNKNOWN, retry=True)


async def test_another_partners_key_is_not_believed(world: World) -> None:
    forged = signed_by(world.zhangye.sealer, world.jiuquan.submission())
    await not_taken_in(world, forged, F.TRUST_KEY_UNKNOWN)


async def test_a_wrong_key_under_a_registered_name_is_not_believed(world: World) -> None:
    sealed = world.jiuquan.submission()
    forged = signed_by(Sealer([signer()]), sealed)
    renamed = forged.signatures[0]._replace(key_id=sealed.signatures[0].key_id)
    await not_taken_in(world, sealed._replace(signatures=(renamed,)), F.TRUST_SIGNATURE_INVALID)
    await taken_in(world, sealed)


async def test_the_signature_of_another_message_is_not_believed(world: World) -> None:
    one, other = world.jiuquan.submission(), world.jiuquan.submission()
    forged = one._replace(signatures=other.signatures)
    await not_taken_in(world, forged, F.TRUST_SIGNATURE_INVALID)


async def test_a_signature_made_for_another_purpose_is_not_believed(world: World) -> None:
    peer = world.jiuquan
    sealed = peer.submission()
    for kind in (TYPE_RECEIPT, TYPE_BATCH_HEAD):
        (signatures,) = peer.sealer.sign([pae(kind, sealed.header_bytes)])
        forged = sealed._replace(signatures=signatures)
        await not_taken_in(world, forged, F.TRUST_SIGNATURE_INVALID)
    (bare,) = peer.sealer.sign([sealed.header_bytes])
    await not_taken_in(world, sealed._replace(signatures=bare), F.TRUST_SIGNATURE_INVALID)


async def test_an_expired_key_is_not_believed_and_its_last_millisecond_is(world: World) -> None:
    (key,) = world.node.running.directory.current().partners[JIUQUAN.gateway_id].keys.values()
    left_ms = key.not_after_ms - world.clock.now_ms()
    with world.later(left_ms):
        await taken_in(world, world.jiuquan.submission())
    with world.later(left_ms + 1):
        late = world.jiuquan.submission()
        before = world.journal.everything()
        (answer,) = await world.jiuquan.deliver(late)
        assert not isinstance(answer, bytes)
        assert (answer.rule, answer.retry) == (F.TRUST_KEY_EXPIRED, False)
        assert world.journal.everything() == before
    await still_serves(world)


async def test_a_key_that_is_not_valid_yet_is_not_believed(world: World) -> None:
    (key,) = world.node.running.directory.current().partners[JIUQUAN.gateway_id].keys.values()
    with world.later(key.not_before_ms - world.clock.now_ms() - 1):
        before = world.journal.everything()
        (answer,) = await world.jiuquan.deliver(world.jiuquan.submission())
        assert not isinstance(answer, bytes)
        assert (answer.rule, answer.retry) == (F.TRUST_KEY_NOT_YET_VALID, True)
        assert world.journal.everything() == before
    await still_serves(world)


def batch_of_one(peer: Peer, sealed: Sealed, **changes: object) -> Sealed:
    """Sign with a batch head that is right, but for `changes`."""
    input_ = pae(TYPE_HEADER, sealed.header_bytes)
    key_id = sealed.signatures[0].key_id
    head = BatchHead(leaf_hash(input_), 1, "ES256", key_id)._replace(**changes)  # type: ignore[arg-type]
    raw = encode_batch_head(head)
    ((signed,),) = peer.sealer.sign([pae(TYPE_BATCH_HEAD, raw)])
    proof = BatchProof(raw, head, 0, ())
    return sealed._replace(signatures=(Signature(key_id, signed.signature, proof),))


@pytest.mark.parametrize("suite", ["EdDSA", "SM2-SM3", "none", ""])
async def test_the_suite_is_that_of_the_key_never_the_envelopes_say(
    world: World, suite: str
) -> None:
    sealed = world.jiuquan.submission()
    forged = batch_of_one(world.jiuquan, sealed, suite=suite)
    await not_taken_in(world, forged, F.TRUST_SUITE_MISMATCH, retry=False)
    await taken_in(world, batch_of_one(world.jiuquan, sealed))


async def test_a_signature_of_another_suite_under_the_keys_name_is_not_believed(
    world: World,
) -> None:
    sealed = world.jiuquan.submission()
    forged = signed_by(Sealer([signer("EdDSA")]), sealed)
    renamed = forged.signatures[0]._replace(key_id=sealed.signatures[0].key_id)
    await not_taken_in(world, sealed._replace(signatures=(renamed,)), F.TRUST_SIGNATURE_INVALID)


async def test_a_suite_that_is_not_known_here_is_not_taken_in(world: World) -> None:
    sealed = world.jiuquan.submission(required_suites=("ES256", "SM2-SM3"))
    await not_taken_in(world, sealed, F.TRUST_SUITE_UNKNOWN, retry=False)


async def test_a_batch_head_that_names_another_key_is_not_believed(world: World) -> None:
    sealed = world.jiuquan.submission()
    forged = batch_of_one(world.jiuquan, sealed, key_id=b"\x01" * 32)
    await not_taken_in(world, forged, F.TRUST_BATCH_INVALID)


@pytest.mark.parametrize("size", [0, 2, 513, 2**32 - 1])
async def test_a_batch_head_of_another_size_is_not_believed(world: World, size: int) -> None:
    forged = batch_of_one(world.jiuquan, world.jiuquan.submission(), size=size)
    await not_taken_in(world, forged, F.TRUST_BATCH_INVALID)


async def test_a_message_for_another_gateway_is_refused(world: World) -> None:
    for recipient in ("620700", "620900"):
        sealed = world.jiuquan.submission(recipient=recipient)
        await refused(world, sealed, F.DELIVERY_WRONG_RECIPIENT)


async def test_a_message_of_another_sender_is_not_taken_in_from_this_peer(world: World) -> None:
    sealed = world.jiuquan.submission()
    await not_taken_in(world, sealed, F.TRUST_PEER_NOT_SENDER, over=world.zhangye, retry=False)
    await taken_in(world, sealed)
    before = world.journal.everything()
    (answer,) = await world.zhangye.line.deliver([sealed.raw])
    assert not isinstance(answer, bytes), "a receipt is for its sender only"
    assert world.journal.everything() == before


@pytest.mark.parametrize("sender", ["620200", "110000", "", "62090", "６２０９００"])
async def test_a_sender_nobody_registered_is_not_taken_in(world: World, sender: str) -> None:
    sealed = world.jiuquan.submission(sender=GatewayId(sender))
    await not_taken_in(world, sealed, F.TRUST_PEER_NOT_SENDER)


def deliver_ping(peer: Peer) -> bytes:
    return calls.encode_deliver([peer.ping().raw])


async def test_a_certificate_of_a_trusted_authority_without_a_pin_is_no_partner(
    world: World,
) -> None:
    peer = world.jiuquan
    keys = peer.site.root / "keys"
    authority = Authority(
        (keys / "authorities.pem").read_bytes(), (keys / "authority.key.pem").read_bytes()
    )
    now_ms = world.clock.now_ms()
    other = issue_transport(
        authority,
        JIUQUAN.gateway_id,
        common_name="not registered 示例",
        not_before_ms=now_ms - DAY_MS // 48,
        not_after_ms=now_ms + DAY_MS,
        dns_names=("localhost",),
    )
    channel = open_channel(
        world.node.running.exchange_port,
        authorities=(peer.to.root / "keys" / "authorities.pem").read_bytes(),
        key=other.key,
        certificate=other.certificate,
    )
    stranger = peer.with_line(Line(channel))
    before = world.journal.everything()
    said = await call_refused(stranger, "Deliver", deliver_ping(peer))
    await channel.close()
    assert said == Refusal(grpc.StatusCode.UNAUTHENTICATED, F.TRUST_PEER_UNKNOWN)
    assert world.journal.everything() == before
    await still_serves(world)


async def test_a_certificate_of_an_unknown_authority_gets_no_connection(world: World) -> None:
    peer, now_ms = world.jiuquan, world.clock.now_ms()
    end_ms = now_ms + DAY_MS
    authority = create_authority("示例 stranger", now_ms - DAY_MS, end_ms, demo=True)
    own = issue_transport(
        authority,
        JIUQUAN.gateway_id,
        common_name="stranger 示例",
        not_before_ms=now_ms - DAY_MS,
        not_after_ms=end_ms,
        dns_names=("localhost",),
    )
    channel = open_channel(
        world.node.running.exchange_port,
        authorities=(peer.to.root / "keys" / "authorities.pem").read_bytes(),
        key=own.key,
        certificate=own.certificate,
    )
    await has_no_connection(world, channel)


async def test_a_call_without_a_client_certificate_gets_no_connection(world: World) -> None:
    authorities = (world.jiuquan.to.root / "keys" / "authorities.pem").read_bytes()
    port = world.node.running.exchange_port
    await has_no_connection(world, open_channel(port, authorities=authorities))


async def test_a_plaintext_connection_gets_no_answer(world: World) -> None:
    address = f"127.0.0.1:{world.node.running.exchange_port}"
    await has_no_connection(world, grpc.aio.insecure_channel(address))


async def has_no_connection(world: World, channel: grpc.aio.Channel) -> None:
    stranger = world.jiuquan.with_line(Line(channel))
    before = world.journal.everything()
    said = await call_refused(stranger, "Deliver", deliver_ping(world.jiuquan))
    await channel.close()
    assert said == Refusal(grpc.StatusCode.UNAVAILABLE, None)
    assert world.journal.everything() == before
    await still_serves(world)


async def test_connections_that_say_nothing_hold_no_one_up(world: World) -> None:
    port = world.node.running.exchange_port
    silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(64)]
    for _, writer in silent[::2]:
        writer.write(b"\x16\x03\x01")  # the beginning of a TLS record, and no more
        await writer.drain()
    await still_serves(world)
    for _, writer in silent:
        writer.close()
    await still_serves(world)


async def test_a_suspended_partner_is_not_heard(tmp_path: Path) -> None:
    def suspend(jiayuguan: Site) -> None:
        entry = jiayuguan.root / "partners" / ZHANGYE.folder / "partner.toml"
        entry.write_text(entry.read_text().replace('"active"', '"suspended"'))

    async with exchange_world(tmp_path, prepare=suspend) as world:
        before = world.journal.everything()
        said = await call_refused(world.zhangye, "Deliver", deliver_ping(world.zhangye))
        assert said == Refusal(grpc.StatusCode.PERMISSION_DENIED, F.TRUST_PARTNER_NOT_ACTIVE)
        assert world.journal.everything() == before
        await taken_in(world, world.jiuquan.submission())
