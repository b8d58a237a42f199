"""What the conformance kit is given: our keys, the target as we know it, and a line to it."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, assert_never

from gateway.adapters.pki.certificates import SigningCertificate, read_signing_certificate
from gateway.adapters.pki.key_files import load_signer, parse_key
from gateway.adapters.pki.suites import ES256, FileSigner, SuiteVerifier, generate_key
from gateway.adapters.system.clock import SystemClock, SystemEntropy
from gateway.app.config import Config
from gateway.app.conformance_samples import (
    agreements_in_force,
    catalogue_digest,
    read_vectors,
    samples_for,
)
from gateway.app.own_keys import read_signers, read_transport
from gateway.app.problems import ConfigProblem
from gateway.app.settings import parse_host_port
from gateway.app.shipped import partners_root
from gateway.conformance.bench import Bench, Line, Sender, Target
from gateway.conformance.line_grpc import Connection, GrpcLine
from gateway.conformance.report import Freshness, KeyOf, fresh_pass
from gateway.kernel.identifiers import GatewayId, KeyId
from gateway.ports.clock import Clock
from gateway.ports.directory import Book
from gateway.rules.trust import Partner, PartnerState, RegisteredKey


@dataclass(frozen=True)
class Named:
    """What is said of a target that is not in the directory, or differs from its entry there."""

    gateway_id: str = ""
    authorities: Path | None = None
    server_name: str = ""
    certificates: tuple[Path, ...] = ()


def find_target(config: Config, book: Book, name: str, named: Named, at_ms: int) -> Target:
    """Return the target called `name`: a partner's folder or gateway id, or `host:port`.

    Raises:
        ConfigProblem: nobody is called so, or what is said of it does not suffice.
        OSError: a file that is named cannot be read.
    """
    partner = _partner_at(config, book, name)
    if partner is None:
        partner = _unlisted(config, book, name, named)
    if named.authorities is not None:
        partner = replace(partner, authorities=named.authorities.read_bytes())
    if named.server_name:
        partner = replace(partner, server_name=named.server_name)
    if named.certificates:
        partner = replace(partner, keys=_keys(named.certificates))
    target = partner.gateway_id
    suites = frozenset(s.suite for s in read_signers(config, book.home, at_ms))
    samples, gaps = samples_for(book, target, read_vectors(_folders(config, target)), suites, at_ms)
    return Target(
        name=name,
        address=partner.address,
        partner=partner,
        agreements=tuple(a.digest for a in agreements_in_force(book, target, at_ms)),
        catalogue_digest=catalogue_digest(book, target),
        samples=samples,
        gaps=gaps,
        simulated=partner.simulated,
    )


def _partner_at(config: Config, book: Book, name: str) -> Partner | None:
    folder = config.partners_dir / name / "partner.toml"
    known = {str(g): p for g, p in book.partners.items()}
    if name in known:
        return known[name]
    if parse_host_port(name) is not None or "/" in name or not folder.is_file():
        return None
    found = _gateway_id(folder)
    if found in known:
        return known[found]
    told = f"{name} cannot be judged as it stands: `kuayu partner check {name}` says why"
    if found == book.home.gateway_id:
        told = f"{name} is this gateway itself: have a partner judge it"
    raise ConfigProblem(folder, [told])


def _gateway_id(path: Path) -> str:
    try:
        return str(tomllib.loads(path.read_text("utf-8")).get("gateway_id", ""))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return ""  # the directory has said what is wrong with it


def _unlisted(config: Config, book: Book, name: str, named: Named) -> Partner:
    """Return a target given by its address, known or not."""
    if parse_host_port(name) is None:
        told = f"{name}: no partner's folder or gateway id, and no host:port"
        raise ConfigProblem(config.partners_dir, [f"{told}; `kuayu partner list` names partners"])
    known = book.partners.get(GatewayId(named.gateway_id))
    if known is not None:
        return replace(known, address=name)
    if not (named.gateway_id and named.authorities and named.certificates):
        told = f"{name}: say who answers there with --gateway-id, --authorities and --certificate"
        raise ConfigProblem(config.partners_dir, [told])
    return Partner(
        gateway_id=GatewayId(named.gateway_id),
        name_zh=name,
        name_en=name,
        unit="",
        state=PartnerState.TESTING,
        address=name,
        transport_pins=frozenset(),
        keys={},
    )


def _keys(paths: Sequence[Path]) -> dict[KeyId, RegisteredKey]:
    keys = [read_signing_certificate(path.read_bytes()).registered() for path in paths]
    return {key.key_id: key for key in keys}


def _folders(config: Config, target: GatewayId) -> list[Path]:
    """Return the folders of a partner: ours first, then the shipped sample of that region."""
    places = [*sorted(config.partners_dir.iterdir()), *sorted(partners_root().iterdir())]
    entries = [p for p in places if (p / "partner.toml").is_file()]
    return [p for p in entries if _gateway_id(p / "partner.toml") == target]


class OpenLine(Line, Protocol):
    """A line that has to be let go of."""

    async def close(self) -> None:
        """Let go of connections."""
        ...


def line_for(config: Config, book: Book, target: Target, call_s: float) -> OpenLine:
    """Return the line by which a target is reached: a gateway, one that only calls out (not
    started yet), a platform, or people.

    Raises:
        ConfigProblem: our transport certificate, or files of the partner's folder, cannot be used.
    """
    from gateway.app.judged_collectors import CollectorLine
    from gateway.app.judged_platforms import PeopleLine, PlatformLine

    match target.judged_as:
        case "gateway":
            return line_to(config, target, call_s)
        case "collector":
            return CollectorLine(target.partner, call_s)
        case "people":
            return PeopleLine(book)
        case "platform":
            return PlatformLine(target.partner, call_s, demo=config.demo)
        case _ as never:
            assert_never(never)


def line_to(config: Config, target: Target, call_s: float) -> GrpcLine:
    """Return a line to a target that is a gateway, with our own transport certificate.

    Raises:
        ConfigProblem: our transport certificate or key cannot be used.
    """
    tls, partner = read_transport(config), target.partner
    to = Connection(
        target.address, partner.authorities, tls.certificate, tls.key, partner.server_name
    )
    return GrpcLine(to, call_s)


def sender_of(
    config: Config, book: Book, at_ms: int, expired: Path | None, not_yet_valid: Path | None
) -> Sender:
    """Return who we are to the target, with the keys that only some cases need.

    Raises:
        ConfigProblem, KeyProblem, OSError: a key cannot be used.
    """

    def other(path: Path | None) -> FileSigner | None:
        return None if path is None else load_signer(path, allow_public=config.demo)

    return Sender(
        gateway_id=book.home.gateway_id,
        unit=book.home.unit,
        signers=tuple(read_signers(config, book.home, at_ms)),
        stranger=FileSigner(parse_key(generate_key(ES256))),
        expired=other(expired),
        not_yet_valid=other(not_yet_valid),
    )


def bench_of(sender: Sender, target: Target, line: Line, clock: Clock | None = None) -> Bench:
    """Return a bench on the machine's clock and randomness."""
    own = clock or SystemClock()
    return Bench(
        sender=sender,
        target=target,
        line=line,
        verify=SuiteVerifier().verify,
        now_ms=own.now_ms,
        monotonic_ms=own.monotonic_ms,
        token=SystemEntropy().token,
    )


def reports_folder(config: Config) -> Path:
    """Return where reports are kept."""
    return config.state_dir / "conformance"


def key_of(book: Book) -> KeyOf:
    """Return how a report's key is found: ours, or a partner's."""

    def find(judge: GatewayId, key_id: KeyId) -> RegisteredKey | None:
        gateway = book.home if judge == book.home.gateway_id else book.partners.get(judge)
        return None if gateway is None else gateway.keys.get(key_id)

    return find


def only(certificate: SigningCertificate) -> KeyOf:
    """Return a finder that knows one certificate's key and no other."""
    key = certificate.registered()

    def find(judge: GatewayId, key_id: KeyId) -> RegisteredKey | None:
        return key if (judge, key_id) == (certificate.gateway_id, key.key_id) else None

    return find


def freshness(config: Config, book: Book, partner: str, at_ms: int) -> Freshness:
    """Tell whether a fresh pass is kept for a partner (its folder or id) as it is set up now.

    Raises:
        ConfigProblem: the partner is not in the directory, or our own keys cannot be used.
    """
    from gateway.conformance.case_files import load_cases

    target = find_target(config, book, partner, Named(), at_ms)
    folder, verify = reports_folder(config), SuiteVerifier().verify
    home, cases = book.home.gateway_id, load_cases()
    return fresh_pass(folder, home, target, cases, at_ms, key_of(book), verify)
