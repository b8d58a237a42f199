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
    transport_pin,
)
from gateway.adapters.pki.key_files import load_signer, read_key_file
from gateway.adapters.pki.suites import FileSigner, KeyProblem
from gateway.adapters.system.clock import SystemClock
from gateway.app.config import Config
from gateway.app.problems import ConfigProblem
from gateway.flow.key_watch import Watched
from gateway.flow.sealing import Period
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId, KeyId
from gateway.kernel.instants import from_datetime
from gateway.rules.trust import Partner, RegisteredKey, adapter_of, key_of


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


def own_transport(config: Config) -> Watched:
    """Return our transport certificate, as somebody has to be told when it runs out."""
    pem = config.transport.certificate.read_bytes()
    until_ms = from_datetime(first_of(pem).not_valid_after_utc)
    return Watched(GatewayId(config.gateway_id), transport_pin(pem).hex(), "TLS", until_ms)


def authority_key_here(config: Config) -> bool:
    """Tell whether the authority's own key lies beside the keys it certifies.

    Who takes the folder then takes the right to name successors with it.
    """
    return (config.transport.authorities.parent / "authority.key.pem").exists()


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
    """Read the signing keys that are valid now; partners must be able to verify what they sign.

    Raises:
        ConfigProblem: those of `read_all_signers`.
    """
    signers = read_all_signers(config, home, now_ms)
    return [s for s in signers if _is_valid(home.keys[s.key_id], now_ms)]


def read_all_signers(config: Config, home: Partner, now_ms: int) -> list[FileSigner]:
    """Read the signing keys, with those whose time has not come or is over.

    Raises:
        ConfigProblem: naming each key that cannot be read, is an example outside demo mode, or is
            not in the gateway's own entry; each, if none is valid now.
    """
    signers: list[FileSigner] = []
    wrong: list[str] = []
    resting: list[str] = []
    for path in config.keys.signing:
        try:
            signer = load_signer(path, allow_public=config.demo)
            signers.append(signer)
            key_of(home, signer.key_id, now_ms)
        except (OSError, KeyProblem) as problem:
            wrong.append(f"keys.signing: {problem}")
        except Fault as fault:
            told = (
                f"keys.signing: {path.name}: {fault.code.value}; put its certificate, valid now, "
                f"into the own entry (partner.toml of {home.gateway_id})"
            )
            (wrong if fault.code is FaultCode.TRUST_KEY_UNKNOWN else resting).append(told)
    if wrong or len(resting) == len(signers):
        raise ConfigProblem(config.partners_dir, [*wrong, *resting])
    return signers


def _is_valid(key: RegisteredKey, now_ms: int) -> bool:
    return key.not_before_ms <= now_ms <= key.not_after_ms


def periods_of(home: Partner) -> dict[KeyId, Period]:
    """Return when each signing key of our own entry is valid."""
    return {k.key_id: Period(k.not_before_ms, k.not_after_ms) for k in home.keys.values()}
