"""Keys that tokens are checked with: a JSON Web Key Set (RFC 7517), given or in a file."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from jwt import PyJWK
from jwt.exceptions import PyJWTError

from gateway.kernel.limits import JWKS_BYTES_MAX
from gateway.ports.telemetry import EventLog

_FITS: Final[Mapping[str, tuple[str, str | None]]] = {
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "EdDSA": ("OKP", "Ed25519"),
    "RS256": ("RSA", None),
    "RS384": ("RSA", None),
    "RS512": ("RSA", None),
    "PS256": ("RSA", None),
    "PS384": ("RSA", None),
    "PS512": ("RSA", None),
}
"""Algorithm to key type and curve. Only asymmetric ones: a shared secret could make tokens."""


class JwksInvalid(ValueError):
    """A key set that cannot be used as a whole; the text says why and holds no key."""


class KeySet(NamedTuple):
    """Usable keys by `kid`; `generation` grows when the set is replaced."""

    generation: int
    keys: Mapping[str, PyJWK]


class KeySource(Protocol):
    """Where the keys in force come from."""

    def current(self) -> KeySet:
        """Return the keys in force now."""
        ...


def parse_jwks(raw: bytes, algorithms: frozenset[str]) -> dict[str, PyJWK]:
    """Read a key set; return its keys by `kid`.

    A key is left out unless it has a `kid`, is public, is meant for signatures, and its own `alg`
    (or what its type implies) is among `algorithms` and fits its type and curve.

    Raises:
        JwksInvalid: not a key set, a `kid` named twice, no usable key, or `algorithms` names one
            that is not asymmetric.
    """
    if not algorithms or not algorithms <= _FITS.keys():
        raise JwksInvalid("algorithms must be asymmetric ones: " + ", ".join(sorted(_FITS)))
    if len(raw) > JWKS_BYTES_MAX:
        raise JwksInvalid(f"more than {JWKS_BYTES_MAX} bytes")
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise JwksInvalid("not JSON") from error
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise JwksInvalid("no list of keys")
    keys: dict[str, PyJWK] = {}
    for entry in entries:
        key = _usable(entry, algorithms)
        if key is None:
            continue
        kid = str(key.key_id)
        if kid in keys:
            raise JwksInvalid("a kid is named twice")
        keys[kid] = key
    if not keys:
        raise JwksInvalid("no usable key")
    return keys


def _usable(entry: object, algorithms: frozenset[str]) -> PyJWK | None:
    if not isinstance(entry, dict) or "d" in entry or entry.get("use", "sig") != "sig":
        return None
    kid = entry.get("kid")
    if not isinstance(kid, str) or not kid:
        return None
    try:
        key = PyJWK(entry)
    except (PyJWTError, ValueError, TypeError):
        return None
    if key.algorithm_name not in algorithms:
        return None
    kty, curve = _FITS[key.algorithm_name]
    if entry.get("kty") != kty or (curve is not None and entry.get("crv") != curve):
        return None
    return None if key.Algorithm.check_key_length(key.key) else key


class FixedKeys:
    """A key set that never changes."""

    def __init__(self, raw: bytes, algorithms: frozenset[str]) -> None:
        """Read `raw`.

        Raises:
            JwksInvalid: see `parse_jwks`.
        """
        self._set = KeySet(1, parse_jwks(raw, algorithms))

    def current(self) -> KeySet:
        """Return the keys."""
        return self._set


class KeyFile:
    """A key set in a file, read again when the file changes.

    A file that vanished or cannot be used leaves the last good set in force and is told to the
    log once per change.
    """

    def __init__(self, path: Path, algorithms: frozenset[str], log: EventLog) -> None:
        """Read the file.

        Raises:
            JwksInvalid: see `parse_jwks`.
            OSError: it cannot be read.
        """
        self._path = path
        self._algorithms = algorithms
        self._log = log
        self._seen: tuple[int, int, int] | None = self._stamp()
        self._set = KeySet(1, self._read())

    def current(self) -> KeySet:
        """Return the keys in force; costs one `stat` while the file stays as it is."""
        try:
            stamp = self._stamp()
        except OSError:
            stamp = None
        if stamp != self._seen:
            self._seen = stamp
            self._renew()
        return self._set

    def _stamp(self) -> tuple[int, int, int]:
        status = os.stat(self._path)
        return status.st_mtime_ns, status.st_size, status.st_ino

    def _read(self) -> dict[str, PyJWK]:
        with self._path.open("rb") as file:
            return parse_jwks(file.read(JWKS_BYTES_MAX + 1), self._algorithms)

    def _renew(self) -> None:
        try:
            keys = self._read()
        except (OSError, JwksInvalid) as error:
            self._log.event("jwks_kept", reason=type(error).__name__)
            return
        self._set = KeySet(self._set.generation + 1, keys)
        self._log.event("jwks_renewed", keys=len(keys))
