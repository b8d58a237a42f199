"""The gateway's own TLS material, read once at the start."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field

from gateway.adapters.pki.certificates import CertificateProblem, refuse_examples
from gateway.adapters.pki.key_files import read_key_file
from gateway.app.config import Config
from gateway.app.problems import ConfigProblem


@dataclass(frozen=True)
class Transport:
    """Certificate chain, key and authorities, all PEM."""

    certificate: bytes
    key: bytes = field(repr=False)
    authorities: bytes = b""


def read_transport(config: Config) -> Transport:
    """Read the transport certificate, its key and the authorities.

    Raises:
        ConfigProblem: a file cannot be read, or it is an example outside demo mode.
    """
    paths = config.transport
    try:
        certificate = paths.certificate.read_bytes()
        authorities = paths.authorities.read_bytes()
        key = read_key_file(paths.key, allow_public=config.demo)
        refuse_examples(certificate, demo=config.demo)
        refuse_examples(authorities, demo=config.demo)
    except (OSError, CertificateProblem, ValueError) as problem:
        raise ConfigProblem(paths.certificate, [f"transport: {problem}"]) from problem
    return Transport(certificate, key, authorities)


def portal_tls(config: Config) -> ssl.SSLContext | None:
    """Return the portal's TLS context; None where plain HTTP is allowed (loopback only).

    Raises:
        ConfigProblem: certificate or key cannot be used.
    """
    portal = config.portal
    if portal.certificate is None or portal.key is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(portal.certificate, portal.key)
    except (OSError, ssl.SSLError) as problem:
        raise ConfigProblem(portal.certificate, [f"portal: {problem}"]) from problem
    return context
