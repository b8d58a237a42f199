"""Operators with keys of their own, made for a test, and what they sign."""

from __future__ import annotations

from pathlib import Path

from gateway.adapters.pki.key_files import parse_key
from gateway.adapters.pki.suites import EDDSA, FileSigner, generate_key
from gateway.adapters.system.clock import SystemEntropy
from gateway.app.provision import addition
from gateway.kernel.digests import TYPE_OPERATOR_ACT, pae
from gateway.kernel.identifiers import GatewayId, KeyId, uuid7
from gateway.kernel.operators import OperatorAct
from gateway.wire.operator_acts import encode_operator_act

HOME = GatewayId("620900")
Signed = tuple[bytes, KeyId, bytes]


class Person:
    """Somebody with a key."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.signer = FileSigner(parse_key(generate_key(EDDSA)))

    def sign(self, act: OperatorAct) -> Signed:
        """Return what goes over the socket."""
        raw = encode_operator_act(act)
        return raw, self.signer.key_id, self.signer.sign(pae(TYPE_OPERATOR_ACT, raw))

    def sign_raw(self, raw: bytes) -> bytes:
        """Sign bytes without saying what they are."""
        return self.signer.sign(raw)

    def asks(self, command: str, at_ms: int, home: GatewayId = HOME, **said: object) -> Signed:
        """Sign a command."""
        act_id = uuid7(at_ms, SystemEntropy().token(10))
        return self.sign(OperatorAct(act_id, home, command, said, at_ms))

    def adds(self, other: Person, at_ms: int) -> Signed:
        """Sign that somebody is added."""
        key = other.signer
        return self.sign(addition(HOME, other.name, key.suite, key.public_key, at_ms))


def write_operator_key(path: Path) -> Path:
    """Write a person's private key and, beside it, the public one; return the public one's path."""
    from gateway.adapters.pki.key_files import write_key
    from gateway.adapters.pki.suites import public_pem

    pem = generate_key(EDDSA)
    write_key(path, pem)
    public = path.with_suffix(".pub")
    public.write_bytes(public_pem(FileSigner(parse_key(pem)).public_key))
    return public
