"""The gateway's own keys as its operator sees them. JSON-ready; nothing of a private half."""

from __future__ import annotations

from typing import Any

from gateway.adapters.pki.certificates import load_certificates, transport_pin
from gateway.adapters.pki.key_files import load_signer
from gateway.app.cli.partner_views import DAY_MS, key_view
from gateway.app.config import Config
from gateway.kernel.instants import from_datetime, to_iso
from gateway.ports.directory import Book


def own_keys(config: Config, book: Book, at_ms: int) -> list[dict[str, Any]]:
    """Show signing keys in order of choice, the adapter key, then the transport certificate.

    `published` says whether the gateway's own directory entry names it, as partners' copies must.

    Raises:
        KeyProblem, CertificateProblem, OSError: a file cannot be used.
    """
    return [*_signing(config, book, at_ms), _transport(config, book, at_ms)]


def _signing(config: Config, book: Book, at_ms: int) -> list[dict[str, Any]]:
    rows = []
    home, adapter = book.home, config.keys.adapter
    used = [("signing", path, home.keys) for path in config.keys.signing]
    for use, path, keys in [*used, *([("adapter", adapter, home.adapter_keys)] if adapter else [])]:
        signer = load_signer(path, allow_public=config.demo)
        known = keys.get(signer.key_id)
        seen = key_view(known, at_ms) if known else {}
        rows.append(
            {
                "use": use,
                "suite": signer.suite,
                "id": signer.key_id.hex(),
                "not_after": seen.get("not_after"),
                "days_left": seen.get("days_left"),
                "published": known is not None,
                "file": str(path),
            }
        )
    return rows


def _transport(config: Config, book: Book, at_ms: int) -> dict[str, Any]:
    path = config.transport.certificate
    pem = path.read_bytes()
    until_ms = from_datetime(load_certificates(pem)[0].not_valid_after_utc)
    pin = transport_pin(pem)
    return {
        "use": "transport",
        "suite": "TLS",
        "id": pin.hex(),
        "not_after": to_iso(until_ms),
        "days_left": (until_ms - at_ms) // DAY_MS,
        "published": pin in book.home.transport_pins,
        "file": str(path),
    }
