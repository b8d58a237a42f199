"""What two operators swap to become partners (互换登记): one signed file each way.

It holds what partners need to know of a gateway, and nothing secret. Its signature proves that
whoever made it has the signing key in it; whose key that is, people settle by telephone, over the
words that `adapters.pki.phrase` derives from the file.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.adapters.pki.certificates import (
    CertificateProblem,
    SigningCertificate,
    read_signing_certificate,
    refuse_examples,
)
from gateway.adapters.pki.chains import Purpose, verify_chain
from gateway.adapters.pki.suites import KeyProblem, SuiteVerifier
from gateway.app.problems import ConfigProblem, told
from gateway.kernel.digests import TYPE_INVITATION, pae
from gateway.kernel.envelope import Signature
from gateway.kernel.limits import INVITATION_BYTES_MAX, INVITATION_LIFE_MS
from gateway.rules.trust import Partner

_Pem = Annotated[str, Field(max_length=65_536)]


class Invitation(BaseModel):
    """What is signed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1]
    made_for: str = Field(pattern=r"^[1-9][0-9]{5}$")
    in_reply_to: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")
    """SHA-256 of the invitation this answers; empty: it invites."""
    made_at_ms: int = Field(ge=0)
    expires_at_ms: int = Field(ge=0)
    gateway_id: str = Field(pattern=r"^[1-9][0-9]{5}$")
    name_zh: str = Field(min_length=1, max_length=200)
    name_en: str = Field(min_length=1, max_length=200)
    unit: str = Field(min_length=18, max_length=18)
    address: str = Field(min_length=3, max_length=300)
    server_name: str = Field(max_length=253)
    simulated: bool
    transport_pins: list[Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]] = Field(
        min_length=1, max_length=8
    )
    authorities: _Pem
    signing_certificates: list[_Pem] = Field(min_length=1, max_length=8)


class Read(BaseModel):
    """An invitation that was verified, with the bytes that were signed."""

    model_config = ConfigDict(frozen=True)

    content: Invitation
    payload: bytes

    @property
    def digest(self) -> str:
        """SHA-256 of the payload (hex)."""
        return sha256(self.payload).hexdigest()


def write_payload(home: Partner, made_for: str, in_reply_to: str, now_ms: int) -> bytes:
    """Return what is to be signed of this gateway."""
    certificates = [k.certificate for k in home.keys.values() if k.not_after_ms > now_ms]
    content = Invitation(
        version=1,
        made_for=made_for,
        in_reply_to=in_reply_to,
        made_at_ms=now_ms,
        expires_at_ms=now_ms + INVITATION_LIFE_MS,
        gateway_id=home.gateway_id,
        name_zh=home.name_zh,
        name_en=home.name_en,
        unit=home.unit,
        address=home.address,
        server_name=home.server_name,
        simulated=home.simulated,
        transport_pins=sorted(pin.hex() for pin in home.transport_pins),
        authorities=home.authorities.decode("ascii"),
        signing_certificates=[pem.decode("ascii") for pem in certificates],
    )
    return json.dumps(content.model_dump(), ensure_ascii=False, separators=(",", ":")).encode()


def write_file(payload: bytes, signature: Signature) -> str:
    """Return the file: a DSSE envelope in JSON, with a readable copy beside it."""
    whole = {
        "invitation": json.loads(payload),
        "payloadType": TYPE_INVITATION.decode(),
        "payload": base64.b64encode(payload).decode(),
        "signatures": [
            {
                "keyid": signature.key_id.hex(),
                "sig": base64.b64encode(signature.signature).decode(),
            }
        ],
    }
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def read_invitation(path: Path, home: str, now_ms: int, *, demo: bool) -> Read:
    """Read and verify an invitation or an answer; see `read_invitation_bytes`.

    Raises:
        ConfigProblem: what is wrong with it, and what to do.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        raw = file.read(INVITATION_BYTES_MAX + 1)
    return read_invitation_bytes(raw, path, home, now_ms, demo=demo)


def read_invitation_bytes(raw: bytes, path: Path, home: str, now_ms: int, *, demo: bool) -> Read:
    """Verify the bytes of an invitation or an answer; `path` is named where one is wrong.

    Whose keys these are is *not* settled by it: compare the words.

    Raises:
        ConfigProblem: what is wrong with it, and what to do.
    """
    try:
        found = _opened(raw, demo=demo)
    except (ValueError, KeyError, TypeError) as problem:
        said = told(problem) if isinstance(problem, ValidationError) else [_said(problem)]
        wrong = [f"is no invitation, or was changed: {line}; ask for it again" for line in said]
        raise ConfigProblem(path, wrong) from problem
    content = found.content
    if content.made_for != home:
        raise ConfigProblem(path, [f"is for gateway {content.made_for}; this is {home}"])
    if content.gateway_id == home:
        raise ConfigProblem(path, ["is this gateway's own; hand it to the partner"])
    if not content.made_at_ms - 3_600_000 <= now_ms <= content.expires_at_ms:
        raise ConfigProblem(path, ["has expired, or a clock is wrong; ask for a new one"])
    return found


def addressee_of(raw: bytes) -> str:
    """Return whom a file that this gateway wrote was made for."""
    return str(json.loads(raw)["invitation"]["made_for"])


def _said(problem: Exception) -> str:
    known = isinstance(problem, CertificateProblem | KeyProblem | _Unproven)
    return str(problem) if known else type(problem).__name__


class _Unproven(ValueError):
    """A file that nobody in it signed."""


def _opened(raw: bytes, *, demo: bool) -> Read:
    if len(raw) > INVITATION_BYTES_MAX:
        raise _Unproven(f"more than {INVITATION_BYTES_MAX} bytes")
    whole: Any = json.loads(raw)
    if whole["payloadType"] != TYPE_INVITATION.decode():
        raise _Unproven("another type of document")
    payload = base64.b64decode(whole["payload"], validate=True)
    document = json.loads(payload)
    if whole["invitation"] != document:
        raise _Unproven("its readable copy says something else")
    content = Invitation.model_validate(document)
    certificates = _proven(content, demo=demo)
    (signature,) = whole["signatures"]
    key = next((c for c in certificates if c.key_id.hex() == signature["keyid"]), None)
    message = pae(TYPE_INVITATION, payload)
    signed = base64.b64decode(signature["sig"], validate=True)
    if key is None or not SuiteVerifier().verify(key.suite, key.public_key, signed, message):
        raise _Unproven("its signature does not verify")
    return Read(content=content, payload=payload)


def _proven(content: Invitation, *, demo: bool) -> Sequence[SigningCertificate]:
    """Return the signing certificates; each chains to the authorities and names the gateway."""
    authorities = content.authorities.encode("ascii")
    refuse_examples(authorities, demo=demo)
    found = []
    for pem in content.signing_certificates:
        certificate = read_signing_certificate(pem.encode("ascii"))
        if certificate.gateway_id != content.gateway_id:
            raise _Unproven(f"a certificate names gateway {certificate.gateway_id}")
        at_ms = certificate.not_before_ms
        verify_chain(pem.encode("ascii"), authorities, at_ms, Purpose.SIGNING, demo=demo)
        found.append(certificate)
    return found


_NAMES: Final = "signing-{}.pem"


def folder_of(content: Invitation) -> dict[str, str]:
    """Return the files of the partner's folder: entry in state testing, and certificates."""
    names = [f"keys/{_NAMES.format(n)}" for n in range(1, len(content.signing_certificates) + 1)]
    files: Mapping[str, str] = dict(zip(names, content.signing_certificates, strict=True))
    lines = [
        f"# {content.name_zh}" + ("：模拟端点 a simulated endpoint" if content.simulated else ""),
        f"gateway_id = {_quoted(content.gateway_id)}",
        f"name_zh = {_quoted(content.name_zh)}",
        f"name_en = {_quoted(content.name_en)}",
        f"unit = {_quoted(content.unit)}",
        'state = "testing"',
        f"address = {_quoted(content.address)}",
        f"server_name = {_quoted(content.server_name)}",
        f"simulated = {'true' if content.simulated else 'false'}",
        "",
        "[outlet]",
        'kind = "grpc"',
        "",
        "[identity]",
        'authorities = "keys/authorities.pem"',
        f"transport_pins = [{', '.join(_quoted(pin) for pin in content.transport_pins)}]",
        f"signing_certificates = [{', '.join(_quoted(name) for name in names)}]",
    ]
    return {
        "partner.toml": "\n".join(lines) + "\n",
        "keys/authorities.pem": content.authorities,
        **files,
    }


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
