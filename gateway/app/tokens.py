"""Tokens for portals and business systems, signed with a key of the gateway's own folder.

For an office without an identity provider, for tests and the demo; others point `portal.jwks` at
their provider's keys.
"""

from __future__ import annotations

import json
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import (
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.adapters.pki.examples import is_example_key
from gateway.adapters.pki.key_files import load_signer, parse_key, read_key_file, write_key
from gateway.adapters.pki.suites import ES256, generate_key, spki
from gateway.app.config import Config
from gateway.app.problems import ConfigProblem
from gateway.kernel.limits import TOKEN_LIFE_S_MAX

PORTAL_KEY = "portal.key.pem"
JWKS = "jwks.json"
EXPORTABLE = (EllipticCurvePublicKey, Ed25519PublicKey)
SCOPES = (
    "cases:read",
    "cases:write",
    "tasks:read",
    "tasks:act",
    "assisted:type",
    "assisted:confirm",
)


def write_portal_keys(folder: Path) -> None:
    """Make a token signing key and the key set that checks its tokens."""
    pem = generate_key(ES256)
    write_key(folder / PORTAL_KEY, pem)
    private = parse_key(pem)
    assert isinstance(private, EllipticCurvePrivateKey)
    public = jwt.algorithms.ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
    kid = load_signer(folder / PORTAL_KEY).key_id.hex()[:16]
    entry = {**public, "kid": kid, "use": "sig", "alg": ES256}
    with (folder / JWKS).open("x", encoding="utf-8") as file:
        json.dump({"keys": [entry]}, file, indent=2)


def refuse_example_portal_keys(path: Path, *, demo: bool) -> None:
    """Refuse a key set with a key that is published in `certs_example/`, outside demo mode.

    Raises:
        ConfigProblem: it holds one.
    """
    if demo:
        return
    keys = jwt.PyJWKSet.from_json(path.read_text(encoding="utf-8")).keys
    if any(is_example_key(spki(k.key)) for k in keys if isinstance(k.key, EXPORTABLE)):
        raise ConfigProblem(
            path, ["portal.jwks: holds a published example key; use keys of your own"]
        )


def issue_token(
    config: Config,
    *,
    unit: str,
    subject: str,
    scopes: tuple[str, ...],
    now_s: int,
    life_s: int = 3600,
    capacity: str = "system",
) -> str:
    """Return a token for a unit's system or window.

    Raises:
        ValueError: it would live longer than a day, or a scope is unknown.
        OSError, KeyProblem: the signing key cannot be read.
    """
    if not 0 < life_s <= TOKEN_LIFE_S_MAX:
        raise ValueError(f"a token lives at most {TOKEN_LIFE_S_MAX} s")
    unknown = set(scopes) - set(SCOPES)
    if unknown:
        raise ValueError(f"unknown scopes {sorted(unknown)}; there are {', '.join(SCOPES)}")
    folder = config.portal.jwks.parent
    pem = read_key_file(folder / PORTAL_KEY, allow_public=config.demo)
    kid = load_signer(folder / PORTAL_KEY, allow_public=config.demo).key_id.hex()[:16]
    claims = {
        "iss": config.portal.issuer,
        "aud": config.portal.audience,
        "sub": subject,
        "unit": unit,
        "capacity": capacity,
        "scope": " ".join(scopes),
        "iat": now_s,
        "exp": now_s + life_s,
    }
    return jwt.encode(claims, pem, algorithm=ES256, headers={"kid": kid})
