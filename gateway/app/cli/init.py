"""`kuayu init`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.app.cli.common import JsonOption, examples, now_ms, show, show_json
from gateway.app.cli.exits import ExitCode, Stop

if TYPE_CHECKING:
    from gateway.app.provision import Site

EXAMPLES = examples(
    "kuayu init --state /var/lib/kuayu --id 620900 --name-zh 酒泉市跨域通办网关 \\",
    "  --name-en 'Jiuquan gateway' --unit 11620900MB00000000 \\",
    "  --exchange 0.0.0.0:7443 --portal 127.0.0.1:7080 --suite ES256 --suite EdDSA",
)
_OPTIONS = {
    "gateway_id": "--id",
    "name_zh": "--name-zh",
    "name_en": "--name-en",
    "unit": "--unit",
    "exchange.listen": "--exchange",
    "portal.listen": "--portal",
}


def init(
    id: Annotated[str, typer.Option("--id", help="region code, six digits (行政区划代码)")],
    name_zh: Annotated[str, typer.Option(help="the gateway's name in Chinese")],
    name_en: Annotated[str, typer.Option(help="the gateway's name in English")],
    unit: Annotated[
        str, typer.Option(help="credit code of the office that answers for it (统一社会信用代码)")
    ],
    state: Annotated[Path, typer.Option(metavar="FOLDER", help="folder to make it in")] = Path(),
    exchange: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="where partners' gateways connect")
    ] = "127.0.0.1:7443",
    portal: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="where portals and business systems connect")
    ] = "127.0.0.1:7080",
    suite: Annotated[
        list[str] | None, typer.Option(help="ES256 or EdDSA; again for each; ES256 if none")
    ] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="example certificates are taken; loopback only")
    ] = False,
    json: JsonOption = False,
) -> None:
    """新建网关 Make a gateway's folder: keys, certificates, journal, configuration, own entry.

    Nothing that exists is overwritten.
    """
    from gateway.app.provision import Identity, Site, make_site
    from gateway.kernel.identifiers import GatewayId

    suites = tuple(dict.fromkeys(suite or ("ES256",)))
    who = Identity(GatewayId(id), id, name_zh, name_en, unit)
    site = Site(state, who, exchange, portal, suites)
    _check(site, demo=demo)
    make_site(site, now_ms(), demo=demo)
    if json:
        show_json(
            {
                "gateway_id": id,
                "config": str(site.config.absolute()),
                "journal": str(site.journal.absolute()),
                "own_entry": str(site.own_entry.absolute()),
                "suites": suites,
            }
        )
    else:
        show(*_next_steps(site))


def _check(site: Site, *, demo: bool) -> None:
    """Refuse, before anything is made, what `serve` would refuse.

    Raises:
        Stop: every option that is wrong, on a line of its own.
    """
    from gateway.adapters.pki.suites import SUITES
    from gateway.app.config import load_config, render_config
    from gateway.app.problems import ConfigProblem

    who = site.identity
    text = render_config(
        gateway_id=who.gateway_id,
        name_zh=who.name_zh,
        name_en=who.name_en,
        unit=who.unit,
        demo=demo,
        keys__signing=["key.pem"],
        transport__certificate="transport.pem",
        transport__key="transport.key.pem",
        transport__authorities="authorities.pem",
        exchange__listen=site.exchange,
        portal__listen=site.portal,
        portal__jwks="jwks.json",
        portal__issuer="urn:kuayu:portal",
    )
    unknown = sorted(set(site.suites) - SUITES)
    wrong = []
    if site.exchange == site.portal and not site.exchange.endswith(":0"):
        wrong.append(f"--portal {site.portal}: is --exchange's already; another port")
    wrong += [f"--suite {s}: unknown; there are {', '.join(sorted(SUITES))}" for s in unknown]
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / "kuayu.toml"
        draft.write_text(text, encoding="utf-8")
        try:
            load_config(draft, {}, files_must_exist=False)
        except ConfigProblem as problem:
            wrong += [_by_option(message) for message in problem.messages]
    if wrong:
        raise Stop(ExitCode.USAGE, *wrong)


def _by_option(message: str) -> str:
    key, colon, rest = message.partition(":")
    return f"{_OPTIONS.get(key, key)}{colon}{rest}"


def _next_steps(site: Site) -> list[str]:
    entry = site.own_entry
    return [
        f"网关已建 gateway {site.identity.gateway_id} is made: {site.config}",
        "下一步 What to do next:",
        f"  1. 目录 set `address` and `server_name` in {entry}/partner.toml to what partners dial",
        f"  2. 事项 put the items that are decided here into {entry}/items/",
        f"  3. 伙伴 hand {entry}/ to each partner; put theirs into {entry.parent}/",
        "  4. 协议 put agreement.toml into the partner's folder, `kuayu agreement accept FOLDER`,",
        "     swap the .act files with the partner, and keep both in FOLDER/acts/",
        f"  5. 备份 keep a copy of {site.root}/keys/ in a safe place, and authority.key.pem only",
        "     there: who has it makes keys that partners believe (docs/keys.md)",
        f"  6. 运行 kuayu partner list --config {site.config}; kuayu serve --config {site.config}",
    ]
