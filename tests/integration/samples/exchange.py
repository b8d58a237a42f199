"""Rules a partner meets at the exchange, over the socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import grpc
import pytest

from gateway.adapters.pki.key_files import load_signer
from gateway.adapters.pki.suites import SuiteVerifier
from gateway.edge import partner_grpc
from gateway.flow import uploads
from gateway.flow.accords import notice_form
from gateway.flow.attesting import Attester, Proof, attested_checks
from gateway.kernel.assisted import ADAPTER
from gateway.kernel.digests import TYPE_AGREEMENT_ACT, digest, pae
from gateway.kernel.envelope import Attachment, AttachmentRef, DigestAlgorithm, Kind, Mode, Strength
from gateway.kernel.faults import Fault
from gateway.kernel.faults import FaultCode as F
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.limits import (
    ATTACHMENT_BYTES_MAX,
    DELIVER_BYTES_MAX,
    ENVELOPE_BYTES_MAX,
    ENVELOPES_PER_CALL_MAX,
)
from gateway.rules.agreement import Act, Verdict
from gateway.rules.trust import run_checks
from gateway.wire import calls
from gateway.wire.envelopes import decode_envelope, encode_envelope
from gateway.wire.headers import encode_header
from gateway.wire.receipts import encode_agreement_act, encode_signed_agreement_act
from tests.integration.exchange.worlds import World
from tests.integration.samples.sample import Ask, LiveSample, said_of, said_of_call
from tests.support.peer import CallRefused, Peer, Sealed, attachment_of, body_of
from tests.support.protobuf import field
from tests.support.world import PDF, agreement_bytes, sample_files, sample_form

REQUIRED = ("01", "02", "03", "04", "05")
Change = Callable[[Sealed], Sealed]


def delivers(change: Callable[[bytes], bytes]) -> Ask:
    """Deliver one good ping in a request whose bytes `change` changes."""

    async def ask(world: World) -> str:
        raw = change(calls.encode_deliver([world.jiuquan.ping().raw]))
        return await said_of_call(world.jiuquan.line.call("Deliver", raw))

    return ask


def sends(change: Change = lambda sealed: sealed) -> Ask:
    """Deliver a good submission that `change` changes."""

    async def ask(world: World) -> str:
        return await said_of(world, change(world.jiuquan.submission()))

    return ask


def pings(algorithm: DigestAlgorithm) -> Ask:
    async def ask(world: World) -> str:
        peer = world.jiuquan
        return await said_of(
            world, peer.seal(peer.header(Kind.PING, digest_algorithm=algorithm), body_of({}))
        )

    return ask


def submits_under(agreement: bytes) -> Ask:
    async def ask(world: World) -> str:
        peer = world.jiuquan
        return await said_of(world, peer.submission(agreement_digest=agreement or peer.agreement))

    return ask


def follows(**changes: object) -> Ask:
    """Open a case and withdraw it by a message that `changes` make another."""

    async def ask(world: World) -> str:
        first = world.jiuquan.submission()
        assert await said_of(world, first) == ""
        return await said_of(world, world.jiuquan.next(first, Kind.WITHDRAWN, None, **changes))

    return ask


def comes_again(fresh_id: bool) -> Ask:
    async def ask(world: World) -> str:
        first = world.jiuquan.submission()
        assert await said_of(world, first) == ""
        same = {} if fresh_id else {"message_id": first.header.message_id}
        return await said_of(world, world.jiuquan.submission(**same))

    return ask


def withdraws(opened: bool) -> Ask:
    async def ask(world: World) -> str:
        first = world.jiuquan.submission()
        if opened:
            assert await said_of(world, first) == ""
            return await said_of(world, world.jiuquan.next(first, Kind.WITHDRAWN))
        header = first.header._replace(kind=Kind.WITHDRAWN, body_commitment=b"")
        return await said_of(world, world.jiuquan.seal(header, body_of({})))

    return ask


def submits_as_origin(origin: str) -> Ask:
    async def ask(world: World) -> str:
        sealed = world.zhangye.submission(case_origin=origin)
        return await said_of(world, sealed, world.zhangye)

    return ask


def asks_after(sent: bool) -> Ask:
    async def ask(world: World) -> str:
        sealed = world.jiuquan.submission()
        if sent:
            assert await said_of(world, sealed) == ""
        (answer,) = await world.jiuquan.line.query([sealed.query()])
        return "" if isinstance(answer, bytes) else answer.rule

    return ask


def founds(change: Callable[[Attachment], Attachment], *, upload: bool = True) -> Ask:
    """Submit the founding case with its files; `change` changes how the list names the third."""

    async def ask(world: World) -> str:
        peer, files = world.jiuquan, sample_files(REQUIRED)
        header = peer.branch_header()
        listed = []
        for code, content in files.items():
            ref = peer.ref(header.case_id, content)
            if upload or code != "03":
                await peer.line.upload(ref, content)
            listed.append(attachment_of(ref, code))
        listed[2] = change(listed[2])
        return await said_of(world, peer.seal(header, peer.submitted_body(sample_form(), listed)))

    return ask


def uploads_as(
    announce: Callable[[AttachmentRef], AttachmentRef] = lambda ref: ref,
    *,
    content: bytes = PDF,
    offset: int = 0,
) -> Ask:
    async def ask(world: World) -> str:
        peer = world.jiuquan
        ref = announce(peer.ref(peer.new_id(), PDF))
        parts = [calls.encode_chunk(ref, offset), calls.encode_chunk(content[offset:], offset)]
        return await said_of_call(peer.line.upload_parts(parts))

    return ask


def fills_a_case(files: int) -> Ask:
    async def ask(world: World) -> str:
        peer = world.jiuquan
        case_id = peer.new_id()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(uploads, "CASE_ATTACHMENTS_MAX", 1)
            said = ""
            for number in range(files):
                content = PDF + bytes([number])
                said = await said_of_call(peer.line.upload(peer.ref(case_id, content), content))
        return said

    return ask


def says_nothing(speaks: bool) -> Ask:
    async def ask(world: World) -> str:
        ended = asyncio.Event()

        async def requests() -> AsyncIterator[bytes]:
            if not speaks:
                await ended.wait()
            yield calls.encode_deliver([world.jiuquan.ping().raw])

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(partner_grpc, "HTTP_UPLOAD_IDLE_S", 0.5)
            said = await said_of_call(_answered(world.jiuquan, requests()))
        ended.set()
        return said

    return ask


async def _answered(peer: Peer, requests: AsyncIterator[bytes]) -> bytes:
    try:
        return await peer.line.stream(requests, "Deliver")
    except grpc.aio.AioRpcError as error:
        raise CallRefused(error) from error


def large(size: int) -> Ask:
    async def ask(world: World) -> str:
        peer = world.jiuquan
        sealed = peer.seal(peer.header(Kind.PING), body_of(b"{}" + b" " * size))
        return await said_of(world, sealed)

    return ask


def in_one_call(envelopes: int) -> Ask:
    return delivers(lambda raw: raw * envelopes)


def proposes(name: str, *, party: str = "620900") -> Ask:
    """Propose an agreement no one has seen, with an act in the name of `party`."""

    async def ask(world: World) -> str:
        peer = world.jiuquan
        content = agreement_bytes() + f"# {name}\n".encode()
        address = digest(content)
        act = Act(GatewayId(party), Verdict.ACCEPT, world.clock.now_ms())
        raw = encode_agreement_act(address, act)
        signatures = peer.sealer.sign([pae(TYPE_AGREEMENT_ACT, raw)], ("ES256",))[0]
        signed = encode_signed_agreement_act(raw, signatures)
        form = notice_form(Kind.AGREEMENT_PROPOSED, address, content, signed)
        header = peer.header(Kind.AGREEMENT_PROPOSED, agreement_digest=address)
        return await said_of(world, peer.seal(header, body_of(form)))

    return ask


def attests(sequence: int) -> Ask:
    """Check an attestation of message 1 of a case against message `sequence` of it."""

    async def ask(world: World) -> str:
        peer, home = world.zhangye, world.node.running.directory.current().home
        signer = load_signer(world.node.site.signing_keys[0])
        home = replace(home, adapter_keys={signer.key_id: home.keys[signer.key_id]})
        sender = replace(home, gateway_id=GatewayId("620700"), outlet=ADAPTER, keys={})
        own = peer.header(strength=Strength.ASSISTED, body_commitment=TAMPERED)
        proof = Proof(ADAPTER, Strength.ASSISTED, b"raw", "natural")
        attestation = await Attester(signer).message(own, encode_header(own), proof)
        header_bytes = encode_header(own._replace(sequence=sequence))
        raw = encode_envelope(header_bytes, TAMPERED, b"", (), attestation)
        now_ms = world.clock.now_ms()
        try:
            _, checks = attested_checks(home, sender, decode_envelope(raw), now_ms)
            run_checks(checks, SuiteVerifier().verify)
        except Fault as fault:
            return fault.code.value
        return ""

    return ask


TAMPERED = bytes(32)


def collects(by_zhangye: bool) -> Ask:
    """Collect as a partner that only calls out, or as one that is dialled."""

    async def ask(world: World) -> str:
        peer = world.zhangye if by_zhangye else world.jiuquan
        return await said_of_call(peer.line.collect())

    return ask


SAMPLES: dict[F, LiveSample] = {
    F.DELIVERY_NOT_COLLECTED: LiveSample(collects(True), collects(False)),
    F.WIRE_UNPARSEABLE: LiveSample(delivers(lambda raw: raw), delivers(lambda raw: raw[:-1])),
    F.WIRE_UNKNOWN_FIELD: LiveSample(
        delivers(lambda raw: raw), delivers(lambda raw: raw + field(9, b"x"))
    ),
    F.WIRE_NOT_MINIMAL: LiveSample(
        delivers(lambda raw: raw), delivers(lambda raw: raw + field(1, b"x", length=3))
    ),
    F.WIRE_DIGEST_UNSUPPORTED: LiveSample(
        pings(DigestAlgorithm.SHA256), pings(DigestAlgorithm.SM3)
    ),
    F.WIRE_ATTESTATION_NOT_LOCAL: LiveSample(
        sends(), sends(lambda sealed: sealed._replace(attestation=b"\xff"))
    ),
    F.LIMIT_CALL_BYTES: LiveSample(
        delivers(lambda raw: raw), delivers(lambda raw: field(1, bytes(DELIVER_BYTES_MAX)))
    ),
    F.LIMIT_ENVELOPE_BYTES: LiveSample(large(1_000), large(ENVELOPE_BYTES_MAX)),
    F.LIMIT_ENVELOPES_PER_CALL: LiveSample(
        in_one_call(ENVELOPES_PER_CALL_MAX), in_one_call(ENVELOPES_PER_CALL_MAX + 1)
    ),
    F.LIMIT_ATTACHMENT_BYTES: LiveSample(
        uploads_as(lambda ref: ref._replace(size=ATTACHMENT_BYTES_MAX)),
        uploads_as(lambda ref: ref._replace(size=ATTACHMENT_BYTES_MAX + 1)),
    ),
    F.LIMIT_QUOTA: LiveSample(fills_a_case(1), fills_a_case(2)),
    F.TRUST_BODY_MISMATCH: LiveSample(
        sends(), sends(lambda sealed: sealed._replace(salt=TAMPERED))
    ),
    F.TRUST_ATTESTATION_INVALID: LiveSample(attests(1), attests(2)),
    F.DELIVERY_ID_REUSED: LiveSample(comes_again(True), comes_again(False)),
    F.DELIVERY_LAST_SEEN_UNKNOWN: LiveSample(follows(), follows(last_seen_digest=b"\1" * 32)),
    F.RECEIPT_NOT_KNOWN: LiveSample(asks_after(True), asks_after(False)),
    F.AGREEMENT_UNKNOWN: LiveSample(submits_under(b""), submits_under(b"\1" * 32)),
    F.AGREEMENT_ACT_INVALID: LiveSample(proposes("passing"), proposes("failing", party="620200")),
    F.CASE_UNKNOWN: LiveSample(withdraws(True), withdraws(False)),
    F.CASE_NOT_PARTY: LiveSample(submits_as_origin("620700"), submits_as_origin("620900")),
    F.CASE_FROZEN_DIFFERS: LiveSample(follows(), follows(mode=Mode.JOINT)),
    F.ATTACHMENT_ABSENT: LiveSample(
        founds(lambda listed: listed), founds(lambda listed: listed, upload=False)
    ),
    F.ATTACHMENT_SIZE: LiveSample(
        founds(lambda listed: listed),
        founds(lambda listed: listed._replace(size=listed.size + 1)),
    ),
    F.ATTACHMENT_SALT: LiveSample(
        founds(lambda listed: listed), founds(lambda listed: listed._replace(salt=TAMPERED))
    ),
    F.ATTACHMENT_DIGEST: LiveSample(
        uploads_as(), uploads_as(content=PDF[:-1] + bytes([PDF[-1] ^ 1]))
    ),
    F.ATTACHMENT_OFFSET: LiveSample(uploads_as(), uploads_as(offset=1)),
    F.PORTAL_TOO_SLOW: LiveSample(says_nothing(True), says_nothing(False)),
}
