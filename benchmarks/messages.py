"""Messages as a partner sends them, made before the clock runs."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.forms import varied
from gateway.adapters.pki.key_files import load_signer
from gateway.adapters.pki.suites import SuiteVerifier
from gateway.adapters.system.clock import SystemClock, SystemEntropy
from gateway.app.config import load_config
from gateway.app.partners import load_book
from gateway.app.provision import Site
from gateway.flow.sealing import Sealer
from gateway.kernel.digests import TYPE_HEADER, TYPE_RECEIPT, commitment, digest, pae
from gateway.kernel.envelope import Body, Header, Kind, Mode, Outcome, Strength
from gateway.kernel.identifiers import GatewayId, MessageId, uuid7
from gateway.kernel.limits import MESSAGE_LIFE_MS
from gateway.rules.trust import Check, checks_for
from gateway.wire import calls
from gateway.wire.envelopes import encode_envelope, peek_header_bytes
from gateway.wire.headers import encode_body, encode_header
from gateway.wire.receipts import decode_signed_receipt


class MessageMaker:
    """Makes submissions of the founding item, each opening a case of its own."""

    def __init__(
        self, sender: Site, recipient: Site, agreement: bytes, form: dict[str, object]
    ) -> None:
        self._sealer = Sealer([load_signer(path) for path in sender.signing_keys])
        self._sender = sender.identity
        self._recipient = recipient.identity
        self._agreement = digest(agreement)
        self._form = form
        self._made = 0
        self._clock = SystemClock()
        self._entropy = SystemEntropy()

    def now_ms(self) -> int:
        """Return the time, in ms."""
        return self._clock.now_ms()

    def now_s(self) -> int:
        """Return the time, in seconds."""
        return self._clock.now_ms() // 1000

    def envelopes(self, count: int, batch: int) -> list[bytes]:
        """Return `count` envelopes, signed `batch` at a time."""
        made: list[bytes] = []
        for start in range(0, count, batch):
            parts = [self._part() for _ in range(min(batch, count - start))]
            signed = self._sealer.sign([pae(TYPE_HEADER, p[0]) for p in parts])
            made += [encode_envelope(*p, s) for p, s in zip(parts, signed, strict=True)]
        return made

    def next_form(self) -> dict[str, object]:
        """Return a form that was not returned before."""
        self._made += 1
        return varied(self._form, self._made)

    def _part(self) -> tuple[bytes, bytes, bytes]:
        now_ms, salt = self._clock.now_ms(), self._entropy.token(32)
        form = self.next_form()
        document = {
            "applicant_number": f"BENCH-{self._made}",
            "form": form,
            "identity": {
                "method": "in_person_id_card",
                "verified_by": "11620900MB00000000",
                "staff": "staff-7",
                "verified_at": "2026-06-01T09:30:00+08:00",
            },
        }
        body = encode_body(Body(json.dumps(document, ensure_ascii=False).encode()))
        header = Header(
            MessageId(uuid7(now_ms, self._entropy.token(10))),
            GatewayId(self._sender.gateway_id),
            GatewayId(self._recipient.gateway_id),
            now_ms,
            now_ms + MESSAGE_LIFE_MS,
            Kind.SUBMITTED,
            commitment(salt, body),
            GatewayId(self._sender.gateway_id),
            uuid7(now_ms, self._entropy.token(10)),
            1,
            agreement_digest=self._agreement,
            item_code="00013112700402",
            item_version="2",
            mode=Mode.COLLECT_ON_BEHALF,
            purpose="branch-registration",
            acting_unit=self._sender.unit,
            staff_pseudonym="bench-1",
            staff_capacity="window",
            strength=Strength.SIGNED,
            required_suites=("ES256",),
        )
        return encode_header(header), salt, body


class ReceiptReader:
    """Believes a recipient's receipts as a partner would: binding, outcome and signature."""

    def __init__(self, sender: Site, recipient: Site) -> None:
        self._verifier = SuiteVerifier()
        config = load_config(sender.config, {})
        home = GatewayId(sender.identity.gateway_id)
        book = load_book(config.partners_dir, home, self._verifier, demo=config.demo)
        self._recipient = book.partners[GatewayId(recipient.identity.gateway_id)]

    def require(self, envelopes: list[bytes], answer: bytes, now_ms: int) -> set[Check]:
        """Check that `answer` has a receipt "taken in" for each envelope, in order.

        Returns the signatures still to be verified; a batch of receipts has one.
        """
        answers = calls.decode_deliver_answer(answer)
        checks: set[Check] = set()
        for envelope, given in zip(envelopes, answers, strict=True):
            assert isinstance(given, bytes), given
            signed = decode_signed_receipt(given)
            assert signed.receipt.outcome is Outcome.TAKEN_IN, signed.receipt
            assert signed.receipt.header_digest == digest(peek_header_bytes(envelope))
            signed_input = pae(TYPE_RECEIPT, signed.receipt_bytes)
            checks.update(checks_for(self._recipient, signed.signatures, signed_input, now_ms))
        return checks

    def verify(self, checks: set[Check]) -> None:
        """Check the signatures."""
        assert all(self._verifier.verify(*check) for check in checks)


def without_required_materials(site: Site) -> None:
    """Let the founding item be submitted without files; form and schema stay as they are."""
    for path in Path(site.own_entry / "items").glob("*/item.toml"):
        path.write_text(path.read_text().replace("required = true", "required = false"))
