"""Making a gateway's state folder: authority, keys, certificates, configuration, own entry.

Used by `kuayu init` and the demo. Nothing that exists is overwritten.
"""

from __future__ import annotations

import json
import shutil
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.adapters.pki.certificates import transport_pin
from gateway.adapters.pki.issuing import Authority, create_authority, issue_signing, issue_transport
from gateway.adapters.pki.key_files import load_signer, write_key
from gateway.adapters.pki.suites import EDDSA, ES256, generate_key
from gateway.adapters.sql.sqlite import migrate_sqlite, write_sqlite
from gateway.adapters.system.clock import SystemEntropy
from gateway.app.agreements import parse_agreement
from gateway.app.config import Config, Setting, load_config, render_config
from gateway.app.partner_file import PartnerFile
from gateway.app.problems import ConfigProblem
from gateway.app.tokens import JWKS, write_portal_keys
from gateway.flow.sealing import Sealer
from gateway.kernel.digests import TYPE_AGREEMENT_ACT, TYPE_OPERATOR_ACT, digest, pae
from gateway.kernel.identifiers import GatewayId, uuid7
from gateway.kernel.operators import ADD, ActStatus, OperatorAct
from gateway.ports.journal_operators import StoredOperatorAct
from gateway.rules.agreement import Act, Verdict
from gateway.rules.arrivals import ATTESTED
from gateway.wire.operator_acts import encode_operator_act
from gateway.wire.receipts import encode_agreement_act, encode_signed_agreement_act

YEAR_MS = 365 * 86_400_000
BACKDATE_MS = 3_600_000  # partners' clocks may be a little behind
FIRST_OPERATOR = "operator-1"


@dataclass(frozen=True)
class Identity:
    """Who a gateway is. `unit` is the credit code of the office that answers for it."""

    gateway_id: GatewayId
    folder: str
    name_zh: str
    name_en: str
    unit: str


@dataclass(frozen=True)
class Site:
    """A gateway's state folder and where it listens."""

    root: Path
    identity: Identity
    exchange: str
    portal: str
    suites: tuple[str, ...] = (ES256,)
    callbacks: str = ""
    """Where partners' own platforms call back; empty: nowhere."""

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.root / "kuayu.toml"

    @property
    def journal(self) -> Path:
        """The journal's file."""
        return self.root / "state" / "journal.sqlite3"

    @property
    def own_entry(self) -> Path:
        """The gateway's own folder among `partners/`: what partners need to know of it."""
        return self.root / "partners" / self.identity.folder

    @property
    def signing_keys(self) -> list[Path]:
        """Private keys for messages, first choice first."""
        return [self.root / "keys" / f"signing_{s.lower()}.key.pem" for s in self.suites]

    @property
    def operator_key(self) -> Path:
        """Private key of the first operator; each further person brings their own."""
        return self.root / "keys" / "operator.key.pem"

    @property
    def adapter_key(self) -> Path:
        """Private key that attests what partners without a system said."""
        return self.root / "keys" / "adapter_es256.key.pem"


def make_site(site: Site, now_ms: int, *, demo: bool, operator: str = FIRST_OPERATOR) -> None:
    """Make keys, certificates, configuration, own directory entry and a first operator.

    Raises:
        ConfigProblem: the folder holds a gateway already.
    """
    if site.config.exists():
        raise ConfigProblem(site.config, ["a gateway lives here already; choose another folder"])
    keys = site.root / "keys"
    keys.mkdir(parents=True, mode=0o700, exist_ok=True)
    who = site.identity
    begin, end = now_ms - BACKDATE_MS, now_ms + YEAR_MS
    authority = create_authority(
        f"{who.name_zh} {who.gateway_id} CA", begin, end + YEAR_MS, demo=demo
    )
    write_key(keys / "authority.key.pem", authority.key)
    _public(keys / "authorities.pem", authority.certificate)
    host = site.exchange.rpartition(":")[0].strip("[]")
    transport = issue_transport(
        authority,
        who.gateway_id,
        common_name=f"{who.name_zh} transport",
        not_before_ms=begin,
        not_after_ms=end,
        dns_names=("localhost",) if _is_address(host) else (host, "localhost"),
        ip_addresses=("127.0.0.1", host)
        if _is_address(host) and host != "127.0.0.1"
        else ("127.0.0.1",),
    )
    write_key(keys / "transport.key.pem", transport.key)
    _public(keys / "transport.pem", transport.certificate)
    _make_signing_keys(site, authority, begin, end)
    write_portal_keys(keys)
    _write_own_entry(site, transport_pin(transport.certificate), simulated=demo)
    (site.root / "state").mkdir(mode=0o700, exist_ok=True)
    migrate_sqlite(site.journal)
    _add_first_operator(site, operator, now_ms)
    _public(site.config, render_config(**_settings(site, demo=demo)).encode())


def _add_first_operator(site: Site, name: str, now_ms: int) -> None:
    """Make a first operator's key; it adds itself, as the first one does."""
    write_key(site.operator_key, generate_key(EDDSA))
    signer = load_signer(site.operator_key)
    act = addition(site.identity.gateway_id, name, signer.suite, signer.public_key, now_ms)
    raw = encode_operator_act(act)
    kept = StoredOperatorAct(
        act.act_id,
        act.command,
        name,
        name,
        signer.key_id,
        now_ms,
        ActStatus.DONE,
        raw,
        signer.sign(pae(TYPE_OPERATOR_ACT, raw)),
        settled_at_ms=now_ms,
    )
    write_sqlite(site.journal, lambda tx: tx.save_operator_act(kept))


def addition(
    gateway_id: GatewayId, name: str, suite: str, public_key: bytes, now_ms: int
) -> OperatorAct:
    """Return the act that adds an operator, to be signed by one."""
    said = {"name": name, "suite": suite, "public_key": public_key.hex()}
    return OperatorAct(uuid7(now_ms, SystemEntropy().token(10)), gateway_id, ADD, said, now_ms)


def _settings(site: Site, *, demo: bool) -> dict[str, Setting]:
    """Return the settings of a fresh gateway; paths are relative to its folder."""
    who = site.identity
    return {
        "gateway_id": who.gateway_id,
        "name_zh": who.name_zh,
        "name_en": who.name_en,
        "unit": who.unit,
        "demo": demo,
        "state_dir": "state",
        "partners_dir": "partners",
        "keys.signing": [f"keys/{path.name}" for path in site.signing_keys],
        "keys.adapter": f"keys/{site.adapter_key.name}",
        "operator.key": f"keys/{site.operator_key.name}",
        "transport.certificate": "keys/transport.pem",
        "transport.key": "keys/transport.key.pem",
        "transport.authorities": "keys/authorities.pem",
        "exchange.listen": site.exchange,
        "portal.listen": site.portal,
        **({"callbacks.listen": site.callbacks} if site.callbacks else {}),
        "portal.jwks": f"keys/{JWKS}",
        "portal.issuer": f"urn:kuayu:portal:{who.gateway_id}",
    }


def _make_signing_keys(site: Site, authority: Authority, begin: int, end: int) -> None:
    who = site.identity
    made = [
        (suite, path, "signing") for suite, path in zip(site.suites, site.signing_keys, strict=True)
    ]
    for suite, path, use in (*made, (ES256, site.adapter_key, "adapter")):
        issued = issue_signing(
            authority,
            who.gateway_id,
            suite,
            common_name=f"{who.name_zh} {use} {suite}",
            not_before_ms=begin,
            not_after_ms=end,
        )
        write_key(path, issued.key)
        _public(path.with_name(path.name.replace(".key.pem", ".pem")), issued.certificate)


def _is_address(host: str) -> bool:
    return host.replace(".", "").isdigit() or ":" in host


def _public(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        file.write(content)


def _write_own_entry(site: Site, pin: bytes, *, simulated: bool) -> None:
    """Write what partners need to know of this gateway, and nothing secret."""
    who, folder = site.identity, site.own_entry
    host = site.exchange.rpartition(":")[0].strip("[]")
    names = [p.name.replace(".key.pem", ".pem") for p in site.signing_keys]
    adapter = site.adapter_key.name.replace(".key.pem", ".pem")
    for name in ("authorities.pem", *names, adapter):
        _public(folder / "keys" / name, (site.root / "keys" / name).read_bytes())
    lines = [
        f"# {who.name_zh}" + ("：模拟端点 a simulated endpoint" if simulated else ""),
        f"gateway_id = {_quoted(who.gateway_id)}",
        f"name_zh = {_quoted(who.name_zh)}",
        f"name_en = {_quoted(who.name_en)}",
        f"unit = {_quoted(who.unit)}",
        'state = "active"',
        f"address = {_quoted(site.exchange)}",
        "# The name in the transport certificate that callers check.",
        f"server_name = {_quoted('localhost' if _is_address(host) else host)}",
        f"simulated = {'true' if simulated else 'false'}",
        "",
        "[outlet]",
        'kind = "grpc"',
        "",
        "[identity]",
        f"transport_pins = [{_quoted(pin.hex())}]",
        f"signing_certificates = [{', '.join(_quoted('keys/' + n) for n in names)}]",
        'authorities = "keys/authorities.pem"',
        "# Attests what partners without a system said; signs no message of the gateway's own.",
        f"adapter_certificates = [{_quoted('keys/' + adapter)}]",
    ]
    _public(folder / "partner.toml", ("\n".join(lines) + "\n").encode())


def _quoted(text: str) -> str:
    """Write a TOML basic string."""
    return json.dumps(text, ensure_ascii=False)


def add_items(site: Site, source: Path) -> None:
    """Give the gateway the items it decides: a copy of an `items/` folder."""
    shutil.copytree(source, site.own_entry / "items", dirs_exist_ok=True)


def add_rules(site: Site, source: Path) -> None:
    """Give the gateway its instant rules: a copy of an `instant/` folder, if there is one."""
    if source.is_dir():
        shutil.copytree(source, site.own_entry / "instant", dirs_exist_ok=True)


def introduce(known: Site, to: Site) -> None:
    """Hand a gateway's own entry to a partner: what two operators exchange by file."""
    target = to.root / "partners" / known.identity.folder
    shutil.copytree(known.own_entry, target, dirs_exist_ok=True)


def agree(one: Site, other: Site, content: bytes, now_ms: int) -> bytes:
    """Have both gateways accept an agreement; both keep content and acts. Return its digest."""
    address = digest(content)
    acts = [
        acceptance(site.identity.gateway_id, site.signing_keys, address, now_ms)
        for site in (one, other)
    ]
    for site, partner in ((one, other), (other, one)):
        folder = site.root / "partners" / partner.identity.folder
        _public(folder / "agreement.toml", content)
        for party, act in zip((one, other), acts, strict=True):
            _public(folder / "acts" / f"{party.identity.gateway_id}.accept.act", act)
    return address


def adopt(site: Site, source: Path, now_ms: int) -> bytes:
    """Give the gateway a partner without a system: its folder, and both acceptances of its paper.

    `source` is a folder with `partner.toml`, `agreement.toml` and `items/`. Returns the digest of
    the agreement.
    """
    folder = site.root / "partners" / source.name
    shutil.copytree(source, folder, dirs_exist_ok=True)
    config = load_config(site.config, {})
    _, address = attest_acceptance(config, folder, now_ms)
    home = site.identity.gateway_id
    own = acceptance(home, site.signing_keys, address, now_ms)
    _public(folder / "acts" / f"{home}.accept.act", own)
    return address


def attest_acceptance(config: Config, folder: Path, now_ms: int) -> tuple[Path, bytes]:
    """Attest with the adapter key that a partner without a system accepted its agreement on paper.

    Returns the file of the act and the agreement's digest.

    Raises:
        ValueError: the partner has a system, is no party, was attested before, or there is no
            adapter key; a file is not what it should be.
        OSError, KeyProblem: a file cannot be read or written.
    """
    entry = PartnerFile.model_validate(tomllib.loads((folder / "partner.toml").read_text("utf-8")))
    raw = (folder / "agreement.toml").read_bytes()
    party = GatewayId(entry.gateway_id)
    if entry.outlet.kind not in ATTESTED:
        raise ValueError(f"{party} has keys: it signs its own acceptance")
    if party not in parse_agreement(raw, folder / "agreement.toml").parties:
        raise ValueError(f"{party} is not a party of {folder / 'agreement.toml'}")
    if config.keys.adapter is None:
        raise ValueError("keys.adapter is not set: there is no key to attest with")
    path, address = folder / "acts" / f"{party}.accept.act", digest(raw)
    if path.exists():
        raise ValueError(f"{path} is there already; remove it to attest again")
    act = acceptance(party, [config.keys.adapter], address, now_ms, demo=config.demo)
    _public(path, act)
    return path, address


def acceptance(
    party: GatewayId,
    signing_keys: Sequence[Path],
    agreement_digest: bytes,
    now_ms: int,
    *,
    demo: bool = False,
) -> bytes:
    """Return a party's signed acceptance of an agreement: the content of an `acts/*.act` file.

    Raises:
        OSError, KeyProblem: a signing key cannot be read.
    """
    act = encode_agreement_act(agreement_digest, Act(party, Verdict.ACCEPT, now_ms))
    sealer = Sealer([load_signer(path, allow_public=demo) for path in signing_keys[:1]])
    signatures = sealer.sign([pae(TYPE_AGREEMENT_ACT, act)])[0]
    return encode_signed_agreement_act(act, signatures)
