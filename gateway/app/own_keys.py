"""The gateway's own keys and certificates, read once at the start."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path

from gateway.adapters.pki.certificates import (
    CertificateProblem,
    first_of,
    gateway_of,
    refuse_examples,
)
from gateway.adapters.pki.key_files import load_signer, read_key_file
from gateway.adapters.pki.suites import FileSigner, KeyProblem
from gateway.adapters.system.clock import SystemClock
from gateway.app.config import Config
from gateway.app.problems import ConfigProblem
from gateway.kernel.faults import Fault
from gateway.kernel.instants import from_datetime
from gateway.rules.trust import Partner, adapter_of, key_of


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
        named = gateway_of(certificate)
    except (OSError, CertificateProblem, ValueError) as problem:
        raise ConfigProblem(paths.certificate, [f"transport: {problem}"]) from problem
    now_ms = SystemClock().now_ms()
    if from_datetime(first_of(certificate).not_valid_after_utc) < now_ms:
        raise ConfigProblem(paths.certificate, ["transport.certificate: has expired; renew it"])
    if named != config.gateway_id:
        raise ConfigProblem(paths.certificate, [f"transport.certificate: names gateway {named}"])
    return Transport(certificate, key, authorities)


def door_tls(name: str, certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    """Return the TLS context of an HTTP door; None where plain HTTP is allowed (loopback only).

    Raises:
        ConfigProblem: certificate or key cannot be used.
    """
    if certificate is None or key is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as problem:
        raise ConfigProblem(certificate, [f"{name}: {problem}"]) from problem
    return context


def read_adapter(config: Config, home: Partner, now_ms: int) -> FileSigner | None:
    """Read the adapter key, which attests what partners said that do not sign; None without one.

    Raises:
        ConfigProblem: it cannot be read, is an example outside demo mode, or is not an adapter key
            of the gateway's own entry that is valid now.
    """
    path = config.keys.adapter
    if path is None:
        return None
    try:
        signer = load_signer(path, allow_public=config.demo)
        key_of(adapter_of(home), signer.key_id, now_ms)
    except (OSError, KeyProblem) as problem:
        raise ConfigProblem(path, [f"keys.adapter: {problem}"]) from problem
    except Fault as fault:
        told = (
            f"keys.adapter: {fault.code.value}; name its certificate, valid now, in "
            f"identity.adapter_certificates of the own entry (partner.toml of {home.gateway_id})"
        )
        raise ConfigProblem(path, [told]) from fault
    return signer


def read_signers(config: Config, home: Partner, now_ms: int) -> list[FileSigner]:
    """Read the signing keys; partners must be able to verify now what they sign.

    Raises:
        ConfigProblem: naming each key that cannot be read, is an example outside demo mode, is
            not in the gateway's own entry, or is not valid now.
    """
    signers, wrong = [], []
    for path in config.keys.signing:
        try:
            signer = load_signer(path, allow_public=config.demo)
            key_of(home, signer.key_id, now_ms)
            signers.append(signer)
        except (OSError, KeyProblem) as problem:
            wrong.append(f"keys.signing: {problem}")
        except Fault as fault:
            wrong.append(
                f"keys.signing: {path.name}: {fault.code.value}; put its certificate, valid now, "
                f"into the own entry (partner.toml of {home.gateway_id})"
            )
    if wrong:
        raise ConfigProblem(config.partners_dir, wrong)
    return signers
