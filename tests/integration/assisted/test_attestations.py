"""What stands behind an answer that people typed: forged, replayed, too weak, or cut off midway."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gateway.adapters.pki.key_files import load_signer
from gateway.adapters.sql.sqlite import open_sqlite_reader
from gateway.app.core import Core, Seams, open_core
from gateway.app.provision import Site
from gateway.flow.answering import Answer
from gateway.flow.assisted import Assistance
from gateway.flow.assisted_desk import Confirmation
from gateway.flow.attesting import Attester, Proof
from gateway.flow.desk import Actor
from gateway.flow.intake import Intake
from gateway.kernel.assisted import ADAPTER, TypingStatus
from gateway.kernel.envelope import NotTakenIn, Outcome, Strength
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId, KeyId, parse_uuid7
from gateway.ports.assisted import Typing
from gateway.ports.keyring import Signer, SignerDown
from gateway.wire.envelopes import Envelope, decode_envelope, encode_envelope
from gateway.wire.headers import encode_header
from gateway.wire.receipts import decode_signed_receipt
from tests.support.world import JIUQUAN, QuietLog, config_of

from .desks import JINCHANG, NUMBER, Desk, desk_at, item_path, make_assisted_site, typed

HOME = JIUQUAN.gateway_id


class PowerCut(Exception):
    """The process ended here."""


class CutIntake(Intake):
    """An intake that the power is cut before."""

    async def take_in(
        self, peer: GatewayId, raws: Sequence[bytes], *, local: bool = False
    ) -> list[Answer]:
        raise PowerCut


def intake_of(core: Core, made: type[Intake] = Intake) -> Intake:
    clock = core.seams.clock
    return made(
        core.committer,
        core.journal,
        core.vault,
        core.directory,
        core.authenticity,
        core.accords,
        clock,
    )


@asynccontextmanager
async def core_of(site: Site) -> AsyncIterator[Core]:
    """Stand up what is behind the doors of a gateway, without the doors."""
    async with AsyncExitStack() as stack:
        yield await open_core(stack, config_of(site), QuietLog(), Seams())


@dataclass
class Waiting:
    """A gateway's folder in which one answer was typed and no more."""

    site: Site
    case_id: str
    work_id: str

    async def confirm_until_the_power_is_cut(self) -> None:
        """Confirm, but never get as far as taking the answer in."""
        with pytest.raises(PowerCut):
            await self.confirm(load_signer(self.site.adapter_key), CutIntake)

    async def confirm(self, signer: Signer, intake: type[Intake] = Intake) -> None:
        async with core_of(self.site) as core:
            desk = Assistance(
                core.committer,
                core.journal,
                core.vault,
                core.directory,
                intake_of(core, intake),
                Attester(signer),
                core.seams.clock,
                core.entropy,
                core.log,
            )
            actor = Actor(JIUQUAN.unit, "reader-b", "window", frozenset())
            fields = {"kind": "acknowledged", "number": NUMBER}
            work_id = parse_uuid7(self.work_id)
            assert work_id is not None
            await desk.confirm(actor, work_id, Confirmation(fields, (), b"{}"))

    def typing(self) -> Typing:
        with open_sqlite_reader(self.site.journal) as snapshot:
            (found,) = snapshot.typings_in(TypingStatus.CONFIRMED, limit=9)
        return found


@pytest.fixture
async def waiting(tmp_path: Path) -> Waiting:
    site = make_assisted_site(tmp_path)
    async with desk_at(site) as desk:
        case_id, item = await desk.told()
        path = item_path(item["work_id"])
        await desk.good("POST", f"{path}/outcome", typed(item, "acknowledged", {}))
    return Waiting(site, case_id, str(item["work_id"]))


async def test_a_restart_keeps_what_was_typed_and_not_confirmed(waiting: Waiting) -> None:
    async with desk_at(waiting.site) as desk:
        path = item_path(waiting.work_id)
        assert (await desk.good("GET", path))["typed"][0]["status"] == "typed"
        given = {"fields": {"kind": "acknowledged", "number": NUMBER}}
        await desk.good("POST", f"{path}/confirm", given, by="reader-b")
        assert (await desk.case(waiting.case_id))["stage"] == "acknowledged"


async def test_a_crash_after_the_confirmation_is_made_good_at_the_next_start(
    waiting: Waiting,
) -> None:
    await waiting.confirm_until_the_power_is_cut()
    envelope = waiting.typing().envelope
    async with desk_at(waiting.site) as desk:
        await desk.reaches(waiting.case_id, "acknowledged")
        history = (await desk.case(waiting.case_id))["history"]
        assert len(history) == 2
        assert (await desk.good("GET", item_path(waiting.work_id)))["typed"][0][
            "status"
        ] == "taken_in"
    with open_sqlite_reader(waiting.site.journal) as snapshot:
        message_id = decode_envelope(envelope).header.message_id
        assert [m.envelope for m in snapshot.messages_by_id(message_id)] == [envelope]


async def test_the_same_attested_bytes_meet_the_same_receipt(waiting: Waiting) -> None:
    await waiting.confirm_until_the_power_is_cut()
    raw = waiting.typing().envelope
    async with core_of(waiting.site) as core:
        intake = intake_of(core)
        first = await intake.take_in(HOME, [raw], local=True)
        again = await intake.take_in(HOME, [raw], local=True)
    assert isinstance(first[0], bytes)
    assert decode_signed_receipt(first[0]).receipt.outcome is Outcome.TAKEN_IN
    assert first == again


async def test_attested_bytes_from_a_peer_are_never_taken_in(waiting: Waiting) -> None:
    await waiting.confirm_until_the_power_is_cut()
    raw = waiting.typing().envelope
    async with core_of(waiting.site) as core:
        for peer in (GatewayId(JINCHANG), HOME):
            (answer,) = await intake_of(core).take_in(peer, [raw])
            assert isinstance(answer, NotTakenIn)
            assert answer.rule == FaultCode.WIRE_ATTESTATION_NOT_LOCAL


async def test_an_agreement_that_demands_more_refuses_what_people_typed(
    waiting: Waiting,
) -> None:
    await waiting.confirm_until_the_power_is_cut()
    raw = waiting.typing().envelope
    for stronger in (Strength.INTEGRITY_ONLY, Strength.SIGNED):
        async with core_of(waiting.site) as core:
            book = core.directory.current()
            demanding = {d: replace(a, strength_min=stronger) for d, a in book.agreements.items()}
            core.directory.replace(replace(book, agreements=demanding))
            (answer,) = await intake_of(core).take_in(HOME, [raw], local=True)
        assert isinstance(answer, bytes)
        receipt = decode_signed_receipt(answer).receipt
        assert receipt.outcome is Outcome.REFUSED
        assert receipt.rule == FaultCode.AGREEMENT_STRENGTH_TOO_WEAK


async def _attested(envelope: Envelope, signer: Signer, **changes: object) -> bytes:
    """Return the envelope with `changes` to its header, attested anew by `signer`."""
    header = envelope.header._replace(**changes)  # type: ignore[arg-type]
    header_bytes = encode_header(header)
    proof = Proof(ADAPTER, header.strength or Strength.ASSISTED, b"raw", "natural")
    attestation = await Attester(signer).message(header, header_bytes, proof)
    return encode_envelope(header_bytes, envelope.salt, envelope.body_bytes, (), attestation)


async def test_a_forged_attestation_is_not_taken_in(waiting: Waiting) -> None:
    await waiting.confirm_until_the_power_is_cut()
    good = decode_envelope(waiting.typing().envelope)
    adapter = load_signer(waiting.site.adapter_key)
    own = load_signer(waiting.site.signing_keys[0])
    signed = (*decode_signed_receipt(await some_receipt(waiting)).signatures,)
    forged = {
        FaultCode.TRUST_KEY_UNKNOWN: [
            await _attested(good, own),  # our message key is no adapter's
        ],
        FaultCode.TRUST_UNSIGNED: [
            encode_envelope(encode_header(good.header), good.salt, good.body_bytes),
        ],
        FaultCode.TRUST_ATTESTATION_INVALID: [
            # the attestation of another message
            encode_envelope(
                encode_header(good.header._replace(sequence=2)),
                good.salt,
                good.body_bytes,
                (),
                good.attestation,
            ),
            # one that claims more than the adapter vouches for
            await _attested(good, adapter, strength=Strength.SIGNED),
            await _attested(good, adapter, strength=None),
            # one that brings signatures besides
            encode_envelope(
                good.header_bytes, good.salt, good.body_bytes, signed, good.attestation
            ),
        ],
        FaultCode.TRUST_PEER_NOT_SENDER: [
            await _attested(good, adapter, sender=GatewayId("620700")),
            await _attested(good, adapter, sender=HOME),
        ],
        FaultCode.TRUST_BODY_MISMATCH: [
            encode_envelope(good.header_bytes, b"\1" * 32, good.body_bytes, (), good.attestation),
        ],
        FaultCode.TRUST_SIGNATURE_INVALID: [
            encode_envelope(
                good.header_bytes,
                good.salt,
                good.body_bytes,
                (),
                good.attestation[:-1] + bytes([good.attestation[-1] ^ 1]),
            ),
        ],
    }
    async with core_of(waiting.site) as core:
        for rule, raws in forged.items():
            for answer in await intake_of(core).take_in(HOME, raws, local=True):
                assert isinstance(answer, NotTakenIn), rule
                assert answer.rule == rule
    with open_sqlite_reader(waiting.site.journal) as snapshot:
        assert snapshot.messages_by_id(good.header.message_id) == []


async def some_receipt(waiting: Waiting) -> bytes:
    with open_sqlite_reader(waiting.site.journal) as snapshot:
        work_id = parse_uuid7(waiting.work_id)
        assert work_id is not None
        (ours,) = snapshot.messages_by_id(work_id)
    return ours.receipt


async def test_nobody_attests_for_a_partner_that_has_a_system(waiting: Waiting) -> None:
    await waiting.confirm_until_the_power_is_cut()
    raw = waiting.typing().envelope
    async with core_of(waiting.site) as core:
        book = core.directory.current()
        jinchang = replace(book.partners[GatewayId(JINCHANG)], outlet="grpc")
        core.directory.replace(replace(book, partners={jinchang.gateway_id: jinchang}))
        (answer,) = await intake_of(core).take_in(HOME, [raw], local=True)
    assert isinstance(answer, NotTakenIn)
    assert answer.rule == FaultCode.TRUST_ATTESTATION_INVALID


async def test_the_receipt_of_what_was_told_is_our_adapters_and_says_so(
    waiting: Waiting,
) -> None:
    signed = decode_signed_receipt(await some_receipt(waiting))
    adapter = load_signer(waiting.site.adapter_key)
    assert [s.key_id for s in signed.signatures] == [adapter.key_id]
    assert signed.attestation
    async with desk_at(waiting.site) as desk:
        shown = await desk.explained(waiting.work_id)
    assert shown["receipt_attestation"]["strength"] == "assisted"
    with open_sqlite_reader(waiting.site.journal) as snapshot:
        kept = snapshot.evidence(bytes.fromhex(shown["receipt_attestation"]["record"]))
    assert kept is not None
    told = json.loads(kept.content)
    assert told["by"] == "typist-a"
    assert json.loads(told["text"])["method"] == "phone"


async def test_a_case_is_not_opened_under_an_agreement_no_answer_could_satisfy(
    tmp_path: Path,
) -> None:
    site = make_assisted_site(tmp_path)
    async with desk_at(site) as desk:
        held = desk.node.running.directory
        book = held.current()
        signed = {d: replace(a, strength_min=Strength.SIGNED) for d, a in book.agreements.items()}
        held.replace(replace(book, agreements=signed))
        with pytest.raises(AssertionError, match=FaultCode.AGREEMENT_STRENGTH_TOO_WEAK.value):
            await desk.open_case()


async def test_typing_under_an_agreement_that_demands_more_is_refused_at_once(
    desk: Desk,
) -> None:
    _, item = await desk.told()
    held = desk.node.running.directory
    book = held.current()
    signed = {d: replace(a, strength_min=Strength.SIGNED) for d, a in book.agreements.items()}
    held.replace(replace(book, agreements=signed))
    path = f"{item_path(item['work_id'])}/outcome"
    body = typed(item, "acknowledged", {})
    await desk.refused(FaultCode.AGREEMENT_STRENGTH_TOO_WEAK, "POST", path, body)


class Absent:
    """A key in a token that was pulled out."""

    suite = "ES256"
    key_id = KeyId(b"k" * 32)

    def sign(self, message: bytes) -> bytes:
        raise SignerDown("示例")


async def test_a_signer_that_is_down_leaves_the_typing_as_it_was(waiting: Waiting) -> None:
    with pytest.raises(Fault) as raised:
        await waiting.confirm(Absent())
    assert raised.value.code is FaultCode.DELIVERY_SIGNER_DOWN
    with open_sqlite_reader(waiting.site.journal) as snapshot:
        assert snapshot.typings_in(TypingStatus.CONFIRMED, limit=9) == []
        assert len(snapshot.typings_in(TypingStatus.TYPED, limit=9)) == 1
    await waiting.confirm(load_signer(waiting.site.adapter_key))
    with open_sqlite_reader(waiting.site.journal) as snapshot:
        assert len(snapshot.typings_in(TypingStatus.TAKEN_IN, limit=9)) == 1
