"""Rebuild `certs_example/` byte for byte; `--check` fails if anything would change.

Keys come from fixed texts, serials and dates are fixed, ECDSA is deterministic (RFC 6979). That is
what makes them worthless as secrets: the gateway refuses them outside demo mode.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePublicKey,
    derive_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.adapters.pki.examples import EXAMPLE_AUTHORITY_SPKI, EXAMPLE_KEY_IDS
from gateway.adapters.pki.issuing import (
    Authority,
    Issued,
    Reproducible,
    create_authority,
    issue_signing,
    issue_transport,
)
from gateway.adapters.pki.key_files import parse_key
from gateway.adapters.pki.suites import EDDSA, ES256, key_id, spki, to_pem
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.instants import CHINA_STANDARD_TIME, from_datetime

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "certs_example"
BY_HAND = {"README.md"}

NOT_BEFORE_MS = from_datetime(datetime(2021, 5, 27, tzinfo=CHINA_STANDARD_TIME))
NOT_AFTER_MS = from_datetime(datetime(2036, 5, 26, 23, 59, 59, tzinfo=CHINA_STANDARD_TIME))
GATEWAYS = ((GatewayId("620900"), "酒泉"), (GatewayId("620200"), "嘉峪关"))
DNS_NAMES = ("localhost",)
IP_ADDRESSES = ("127.0.0.1", "::1")

_SEED = "kuayu example key, public, never for use 示例: "
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def p256_key(name: str) -> bytes:
    """Derive a P-256 key: the first SHA-256(seed, name, counter) inside [1, order)."""
    for counter in range(256):
        scalar = int.from_bytes(sha256(f"{_SEED}{name} {counter}".encode()).digest(), "big")
        if 1 <= scalar < _P256_ORDER:
            return to_pem(derive_private_key(scalar, SECP256R1()))
    raise AssertionError("256 digests above the order of P-256")


def ed25519_key(name: str) -> bytes:
    """Derive an Ed25519 key: any 32 bytes are a seed."""
    return to_pem(Ed25519PrivateKey.from_private_bytes(sha256(f"{_SEED}{name}".encode()).digest()))


def fixed(make_key: Callable[[str], bytes], name: str) -> Reproducible:
    """Return the key and serial of an example; the serial is 127 bits of a digest of its name."""
    serial = int.from_bytes(sha256(f"serial {name}".encode()).digest()[:16], "big") >> 1
    return Reproducible(serial, make_key(name))


def jwks(key_pem: bytes) -> bytes:
    """Write the public half of a portal's token key as a JWK set (RFC 7517)."""
    public = parse_key(key_pem).public_key()
    assert isinstance(public, EllipticCurvePublicKey)
    point = public.public_numbers()
    key = {
        "kty": "EC",
        "crv": "P-256",
        "x": _base64url(point.x.to_bytes(32, "big")),
        "y": _base64url(point.y.to_bytes(32, "big")),
        "use": "sig",
        "alg": "ES256",
        "kid": _base64url(key_id(spki(public))),
    }
    return (json.dumps({"keys": [key]}, indent=2) + "\n").encode()


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def build() -> dict[str, bytes]:
    """Return every derived file of the folder, by its path inside."""
    authority = create_authority(
        "跨域网关示例证书颁发机构 Kuayu Example CA",
        NOT_BEFORE_MS,
        NOT_AFTER_MS,
        demo=True,
        reproducible=fixed(p256_key, "authority"),
    )
    files = _pair("authority", authority)
    for gateway_id, city in GATEWAYS:
        files |= _gateway(authority, gateway_id, city)
    return files


def _gateway(authority: Authority, gateway_id: GatewayId, city: str) -> dict[str, bytes]:
    transport = issue_transport(
        authority,
        gateway_id,
        common_name=f"{city}跨域网关传输证书(示例)",
        not_before_ms=NOT_BEFORE_MS,
        not_after_ms=NOT_AFTER_MS,
        dns_names=DNS_NAMES,
        ip_addresses=IP_ADDRESSES,
        reproducible=fixed(p256_key, f"{gateway_id} transport"),
    )
    files = _pair(f"{gateway_id}/transport", transport)
    for suite, make_key in ((ES256, p256_key), (EDDSA, ed25519_key)):
        signing = issue_signing(
            authority,
            gateway_id,
            suite,
            common_name=f"{city}跨域网关签名证书 {suite}(示例)",
            not_before_ms=NOT_BEFORE_MS,
            not_after_ms=NOT_AFTER_MS,
            reproducible=fixed(make_key, f"{gateway_id} signing {suite}"),
        )
        files |= _pair(f"{gateway_id}/signing_{suite.lower()}", signing)
    portal = p256_key(f"{gateway_id} portal")
    return files | {f"{gateway_id}/portal.key.pem": portal, f"{gateway_id}/jwks.json": jwks(portal)}


def _pair(stem: str, issued: Issued) -> dict[str, bytes]:
    return {f"{stem}.pem": issued.certificate, f"{stem}.key.pem": issued.key}


def stale(files: dict[str, bytes], folder: Path) -> list[str]:
    """Return what is wrong with `folder`: files that differ, are missing or do not belong."""
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    wrong = [f"{name}: missing" for name in sorted((files.keys() | BY_HAND) - there)]
    wrong += [f"{name}: not made by the recipe" for name in sorted(there - files.keys() - BY_HAND)]
    for name in sorted(there & files.keys()):
        if (folder / name).read_bytes() != files[name]:
            wrong.append(f"{name}: differs")
    return wrong


def unlisted(files: dict[str, bytes]) -> list[str]:
    """Return what `gateway/adapters/pki/examples.py` does not know of the example keys."""
    keys = {n: pem for n, pem in files.items() if n.endswith(".key.pem")}
    public = {name: spki(parse_key(pem).public_key()) for name, pem in keys.items()}
    wrong = []
    if public["authority.key.pem"] != EXAMPLE_AUTHORITY_SPKI:
        wrong.append(f"EXAMPLE_AUTHORITY_SPKI must be {public['authority.key.pem'].hex()}")
    ids = {name: key_id(raw) for name, raw in public.items()}
    wrong += [f"EXAMPLE_KEY_IDS lacks {i.hex()}" for i in ids.values() if i not in EXAMPLE_KEY_IDS]
    wrong += [f"EXAMPLE_KEY_IDS has {i.hex()}" for i in EXAMPLE_KEY_IDS - set(ids.values())]
    return wrong


def main() -> int:
    """Write the folder, or with `--check` compare it."""
    files = build()
    if "--check" not in sys.argv:
        for name, raw in files.items():
            path = TARGET / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(raw)
    wrong = stale(files, TARGET) + unlisted(files)
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
