"""Messages as a partner sends them, made before the clock runs."""

from __future__ import annotations

import json
from pathlib import Path

from gateway.adapters.pki.key_files import load_signer
from gateway.adapters.system.clock import SystemClock, SystemEntropy
from gateway.app.provision import Site
from gateway.flow.sealing import Sealer
from gateway.kernel.digests import TYPE_HEADER, commitment, digest, pae
from gateway.kernel.envelope import Body, Header, Kind, Mode, Strength
from gateway.kernel.identifiers import GatewayId, MessageId, uuid7
from gateway.kernel.limits import MESSAGE_LIFE_MS
from gateway.wire.envelopes import encode_envelope
from gateway.wire.headers import encode_body, encode_header


class MessageMaker:
    """Makes submissions of the founding item, each opening a case of its own."""

    def __init__(self, sender: Site, recipient: Site, agreement: bytes, form: object) -> None:
        self._sealer = Sealer([load_signer(path) for path in sender.signing_keys])
        self._sender = sender.identity
        self._recipient = recipient.identity
        self._agreement = digest(agreement)
        self._form = form
        self._clock = SystemClock()
        self._entropy = SystemEntropy()

    def now_s(self) -> int:
        """Return the time, in seconds."""
        return self._clock.now_ms() // 1000

    def envelopes(self, count: int, batch: int) -> list[bytes]:
        """Return `count` envelopes, signed `batch` at a time."""
        made: list[bytes] = []
        for start in range(0, count, batch):
            parts = [self._part(start + i) for i in range(min(batch, count - start))]
            signed = self._sealer.sign([pae(TYPE_HEADER, p[0]) for p in parts])
            made += [encode_envelope(*p, s) for p, s in zip(parts, signed, strict=True)]
        return made

    def _part(self, number: int) -> tuple[bytes, bytes, bytes]:
        now_ms, salt = self._clock.now_ms(), self._entropy.token(32)
        document = {"applicant_number": f"BENCH-{number}", "form": self._form}
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


def without_required_materials(site: Site) -> None:
    """Let the founding item be submitted without files; form and schema stay as they are."""
    for path in Path(site.own_entry / "items").glob("*/item.toml"):
        path.write_text(path.read_text().replace("required = true", "required = false"))
