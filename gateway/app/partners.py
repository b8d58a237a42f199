"""The directory from files: one folder a partner, and one for the gateway itself.

    <partners_dir>/<name>/partner.toml      who it is: id, address, pins, signing certificates
                          keys/*.pem        what partner.toml names
                          agreement.toml    content of the agreement; its bytes are its address
                          acts/*.act        signed verdicts of the parties
                          items/<code>/     what it decides
                          instant/*.toml    rules under which it decides at once
                          mapping.toml      its words and ours, where it runs a platform of its own

The folder whose gateway id is this gateway's own holds its own items and rules; a partner's rules
are not read.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import ValidationError

from gateway.adapters.pki.certificates import (
    CertificateProblem,
    read_signing_certificate,
    refuse_examples,
)
from gateway.adapters.pki.chains import Purpose, verify_chain
from gateway.app.agreements import parse_agreement
from gateway.app.dialects.registry import read_platform
from gateway.app.instant import load_instant
from gateway.app.items import load_items
from gateway.app.partner_file import PartnerFile
from gateway.app.problems import ConfigProblem, told
from gateway.kernel.digests import TYPE_AGREEMENT_ACT, digest, pae
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId, KeyId
from gateway.ports.directory import Book, BrokenPartner
from gateway.ports.keyring import Verifier
from gateway.rules.agreement import Act, Agreement
from gateway.rules.arrivals import ATTESTED, DIALECTS
from gateway.rules.catalogue import Item
from gateway.rules.instant import RuleSet
from gateway.rules.schema import FormSchemas
from gateway.rules.trust import (
    Partner,
    PartnerState,
    RegisteredKey,
    adapter_of,
    checks_for,
    run_checks,
)
from gateway.wire.receipts import SignedAct, decode_signed_agreement_act


@dataclass
class _Gathered:
    partners: dict[GatewayId, Partner] = field(default_factory=dict)
    folders: dict[GatewayId, Path] = field(default_factory=dict)
    agreements: dict[bytes, Agreement] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    schemas: dict[bytes, bytes] = field(default_factory=dict)
    documents: dict[bytes, tuple[str, bytes]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def add(self, one: _Gathered) -> None:
        """Take in what one folder holds."""
        self.partners.update(one.partners)
        self.folders.update(one.folders)
        self.items += one.items
        self.schemas.update(one.schemas)
        self.documents.update(one.documents)

    def put_aside(self, gateway_id: GatewayId) -> None:
        """Leave out a partner and what it decides."""
        del self.partners[gateway_id], self.folders[gateway_id]
        self.items = [item for item in self.items if item.region != gateway_id]


def load_book(
    partners_dir: Path,
    home: GatewayId,
    verifier: Verifier,
    *,
    demo: bool = False,
    drafts: bool = False,
) -> Book:
    """Read every folder of `partners_dir` into one consistent book.

    A partner whose folder cannot be used is put aside whole, see `Book.broken`: nothing of it is
    served, and nobody else waits for it. `drafts` reads those too, as a check of them does.

    Raises:
        ConfigProblem: this gateway's own folder is missing, or anything in it is wrong.
    """
    if not partners_dir.is_dir():
        raise ConfigProblem(partners_dir, ["partners_dir: no such folder; run `kuayu init`"])
    found, broken = _load_partners(partners_dir, demo=demo, drafts=drafts)
    own = found.partners.get(home)
    for gateway_id, folder in list(found.folders.items()):
        problems = _load_agreement(folder, found, verifier, own, broken)
        if problems:
            broken.append(BrokenPartner(folder.name, gateway_id, tuple(problems)))
            if gateway_id != home:
                found.put_aside(gateway_id)
    rules = _load_rules(home, found)
    found.problems += [m for b in broken if b.gateway_id == home for m in b.problems]
    if home not in found.partners and not found.problems:
        found.problems.append(f"no folder has gateway_id {home}: the gateway's own is missing")
        found.problems += [m for b in broken for m in b.problems]
    if found.problems:
        raise ConfigProblem(partners_dir, found.problems)
    return Book(
        home=found.partners[home],
        partners={g: p for g, p in found.partners.items() if g != home},
        agreements=found.agreements,
        catalogue={(i.region, i.code): i for i in found.items},
        forms=FormSchemas(found.schemas),
        documents=found.documents,
        instant=rules,
        broken=tuple(broken),
        folders={g: folder.name for g, folder in found.folders.items()},
    )


def _load_partners(
    partners_dir: Path, *, demo: bool, drafts: bool
) -> tuple[_Gathered, list[BrokenPartner]]:
    """Read each folder by itself; two that claim one gateway id or pin are broken both."""
    read: list[tuple[Path, _Gathered]] = []
    for folder in sorted(p.parent for p in partners_dir.glob("*/partner.toml")):
        if not folder.name.startswith("_"):
            one = _Gathered()
            try:
                _load_partner(folder, one, demo=demo, drafts=drafts)
            except OSError as problem:
                one.problems.append(f"{folder}: cannot be read: {problem.strerror}")
            read.append((folder, one))
    claimed = Counter(gateway_id for _, one in read for gateway_id in one.partners)
    times = Counter(pin for _, one in read for pin in _pins(one))
    found, broken = _Gathered(), []
    for folder, one in read:
        twice = [pin.hex() for pin in _pins(one) if times[pin] > 1]
        one.problems += [f"{folder}: transport pin {p} stands in another folder too" for p in twice]
        gateway_id = next(iter(one.partners), "")
        if claimed[GatewayId(gateway_id)] > 1:
            one.problems.append(f"{folder}: gateway_id {gateway_id} stands in another folder too")
        if one.problems:
            broken.append(BrokenPartner(folder.name, gateway_id, tuple(one.problems)))
        else:
            found.add(one)
    return found, broken


def _pins(one: _Gathered) -> list[bytes]:
    return [pin for partner in one.partners.values() for pin in partner.transport_pins]


def _load_rules(home: GatewayId, found: _Gathered) -> tuple[RuleSet, ...]:
    """Read our own instant rules."""
    if home not in found.folders:
        return ()
    own = {i.code: i for i in found.items if i.region == home}
    try:
        rules, documents = load_instant(found.folders[home] / "instant", own, found.schemas)
    except ConfigProblem as problem:
        found.problems += [f"{problem.path}: {m}" for m in problem.messages]
        return ()
    found.documents.update(documents)
    return rules


def _load_partner(folder: Path, found: _Gathered, *, demo: bool, drafts: bool) -> None:
    path = folder / "partner.toml"
    raw = path.read_bytes()
    try:
        entry = PartnerFile.model_validate(tomllib.loads(raw.decode()))
    except ValidationError as problem:
        found.problems += [f"{path}: {line}" for line in told(problem)]
        return
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        found.problems.append(f"{path}: not TOML: {problem}")
        return
    if entry.state is PartnerState.DRAFT and not drafts:
        return  # still being filled in: nothing of it is believed, nothing of it is in the way
    gateway_id = GatewayId(entry.gateway_id)
    authorities = _read_authorities(folder, entry, found, demo=demo)
    who = entry.identity
    keys, adapter_keys = (
        _load_keys(folder, names, gateway_id, authorities, found, demo=demo)
        for names in (who.signing_certificates, who.adapter_certificates)
    )
    if not keys.keys().isdisjoint(adapter_keys):
        found.problems.append(f"{path}: identity.adapter_certificates: a key signs messages too")
    try:
        kind = entry.outlet.kind
        platform = read_platform(folder, kind, entry.outlet.settings) if kind in DIALECTS else None
    except ConfigProblem as problem:
        found.problems += [f"{path}: {m}" for m in problem.messages]
        return
    document = digest(raw)
    found.documents[document] = ("partner", raw)
    found.folders[gateway_id] = folder
    found.partners[gateway_id] = Partner(
        gateway_id=gateway_id,
        name_zh=entry.name_zh,
        name_en=entry.name_en,
        unit=entry.unit,
        state=entry.state,
        address=entry.address,
        transport_pins=frozenset(bytes.fromhex(p) for p in entry.identity.transport_pins),
        keys=keys,
        relays=frozenset(GatewayId(r) for r in entry.identity.relays),
        authorities=authorities,
        server_name=entry.server_name,
        digest=document,
        simulated=entry.simulated,
        **entry.limits.model_dump(),
        outlet=entry.outlet.kind,
        platform=platform,
        collects=entry.outlet.collects,
        adapter_keys=adapter_keys,
    )
    try:
        items, schemas, documents = load_items(folder / "items", gateway_id)
    except ConfigProblem as problem:
        found.problems += [f"{problem.path}: {m}" for m in problem.messages]
        return
    found.items += items
    found.schemas.update(schemas)
    found.documents.update(documents)


def _read_authorities(folder: Path, entry: PartnerFile, found: _Gathered, *, demo: bool) -> bytes:
    """Return who its certificates chain to; a partner without keys has no certificates."""
    if entry.outlet.kind in ATTESTED:
        return b""
    path = folder / entry.identity.authorities
    authorities = _read(path, found)
    if authorities:
        try:
            refuse_examples(authorities, demo=demo)
        except CertificateProblem as problem:
            found.problems.append(f"{path}: {problem}")
    return authorities


def _read(path: Path, found: _Gathered) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        found.problems.append(f"{path}: cannot be read: {problem.strerror}")
        return b""


def _load_keys(
    folder: Path,
    names: Iterable[str],
    gateway_id: GatewayId,
    authorities: bytes,
    found: _Gathered,
    *,
    demo: bool,
) -> dict[KeyId, RegisteredKey]:
    keys: dict[KeyId, RegisteredKey] = {}
    for name in names:
        key = _load_key(folder / name, gateway_id, authorities, found, demo=demo)
        if key is not None:
            keys[key.key_id] = key
    return keys


def _load_key(
    path: Path, gateway_id: GatewayId, authorities: bytes, found: _Gathered, *, demo: bool
) -> RegisteredKey | None:
    """Read a signing certificate; its chain is judged as of its own beginning.

    A key that has expired stays registered: old receipts are judged by it.
    """
    pem = _read(path, found)
    if not pem or not authorities:
        return None
    try:
        certificate = read_signing_certificate(pem)
        key = certificate.registered()
        chain = verify_chain(pem, authorities, key.not_before_ms, Purpose.SIGNING, demo=demo)
    except CertificateProblem as problem:
        found.problems.append(f"{path}: {problem}")
        return None
    if certificate.gateway_id != gateway_id:
        found.problems.append(f"{path}: names gateway {certificate.gateway_id}")
        return None
    return replace(key, certificate=chain)


def _load_agreement(
    folder: Path,
    found: _Gathered,
    verifier: Verifier,
    own: Partner | None,
    broken: Sequence[BrokenPartner],
) -> list[str]:
    """Take in a folder's agreement with its acts; return what is wrong, and then none of it.

    A verdict of a partner that is put aside cannot be verified and does not count.
    """
    path = folder / "agreement.toml"
    acts, problems = [], []
    try:
        if not path.exists():
            return []
        raw = path.read_bytes()
        agreement = parse_agreement(raw)
        for act_path in sorted((folder / "acts").glob("*.act")):
            try:
                signed = decode_signed_agreement_act(act_path.read_bytes())
                if signed.act.party not in found.partners and any(
                    b.gateway_id in ("", signed.act.party) for b in broken
                ):
                    continue
                acts.append(_verified_act(signed, agreement, found, verifier, own))
            except Fault as fault:
                problems.append(f"{act_path}: {fault}")
    except ConfigProblem as problem:
        return [f"{path}: {m}" for m in problem.messages]
    except OSError as problem:
        return [f"{folder}: cannot be read: {problem.strerror}"]
    if problems:
        return problems
    found.documents[agreement.digest] = ("agreement", raw)
    known = found.agreements.get(agreement.digest, agreement).acts
    merged = dict.fromkeys((*known, *acts))  # one agreement may stand in several folders
    found.agreements[agreement.digest] = replace(agreement, acts=tuple(merged))
    return []


def _verified_act(
    signed: SignedAct,
    agreement: Agreement,
    found: _Gathered,
    verifier: Verifier,
    own: Partner | None,
) -> Act:
    """Return a verdict that its party's key, valid when it acted, signed.

    A party without keys accepts on paper: our own adapter key attests that.

    Raises:
        Fault: what is wrong with it.
    """
    if signed.agreement_digest != agreement.digest:
        raise Fault(FaultCode.AGREEMENT_UNKNOWN, "an act on another agreement")
    party = found.partners.get(signed.act.party)
    if party is None or signed.act.party not in agreement.parties:
        raise Fault(FaultCode.AGREEMENT_NOT_PARTY, signed.act.party)
    if party.outlet in ATTESTED and own is not None:
        party = adapter_of(own)
    checks = checks_for(
        party, signed.signatures, pae(TYPE_AGREEMENT_ACT, signed.act_bytes), signed.act.acted_at_ms
    )
    run_checks(checks, verifier.verify)
    return signed.act
