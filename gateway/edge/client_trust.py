"""Who may connect at all: the authorities of partners as they are now, not as at the start."""

from __future__ import annotations

from collections.abc import Callable

import grpc

from gateway.ports.directory import Book, Directory


def partner_credentials(
    key: bytes, certificate_chain: bytes, authorities: Callable[[], bytes]
) -> grpc.ServerCredentials:
    """Return credentials of a server that asks every client for a certificate.

    `authorities` (PEM, concatenated) is asked at every handshake, from a thread of gRPC's: it MUST
    be cheap and MUST NOT raise. Connections that stand keep standing: whether their peer is a
    partner is asked at every call besides.
    """
    trusted = authorities()

    def configuration() -> grpc.ServerCertificateConfiguration:
        return grpc.ssl_server_certificate_configuration([(key, certificate_chain)], trusted)

    def changed() -> grpc.ServerCertificateConfiguration | None:
        nonlocal trusted
        found = authorities()
        if found == trusted:
            return None
        trusted = found
        return configuration()

    return grpc.dynamic_ssl_server_credentials(
        configuration(),
        changed,  # type: ignore[arg-type]  # None is "unchanged", which the stubs do not know
        require_client_authentication=True,
    )


def authorities_of(directory: Directory, own: bytes) -> Callable[[], bytes]:
    """Return what tells the authorities of all partners in the book; `own` while there are none."""
    seen: tuple[Book, bytes] | None = None

    def told() -> bytes:
        nonlocal seen
        book = directory.current()
        if seen is None or seen[0] is not book:
            trusted = {p.authorities for p in book.partners.values()}
            seen = book, b"".join(sorted(trusted)) or own
        return seen[1]

    return told
