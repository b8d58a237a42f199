"""`kuayu keys announce|announced|confirm|drop`: the next key, before it is used."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from gateway.app.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    examples,
    read_config,
    show,
    show_json,
)
from gateway.app.cli.exits import ExitCode, Stop

if TYPE_CHECKING:
    from gateway.app.config import Config
    from gateway.kernel.announced import AnnouncedKey

ANNOUNCE_EXAMPLES = examples(
    "kuayu keys announce keys/signing-2027.pem",
    "kuayu keys announce keys/transport-2027.pem --use transport --partner 620200",
)
ANNOUNCED_EXAMPLES = examples("kuayu keys announced", "kuayu keys announced 620200 --json")
CONFIRM_EXAMPLES = examples(
    "kuayu keys confirm 620200 3fa9 --phrase '毛衣 车站 红枣 舞蹈 花瓶 枕头'"
)
DROP_EXAMPLES = examples("kuayu keys drop 620200 3fa9 --reason 对方称未预告")
_Partner = Annotated[str, typer.Argument(metavar="PARTNER", help="gateway id, as in 620200")]
_Key = Annotated[str, typer.Argument(metavar="KEY", help="first digits of its id")]


def announce(
    certificate: Annotated[Path, typer.Argument(metavar="CERT", help="its certificate (PEM)")],
    use: Annotated[
        Literal["signing", "transport"], typer.Option(help="what it is for")
    ] = "signing",
    partner: Annotated[str, typer.Option(help="this one only; all gateways if none")] = "",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """预告 Tell partners' gateways of a key of ours before it is used.

    They believe it by its certificate's chain, or once their operator has heard its words.
    """
    from gateway.adapters.pki.phrase import phrase_of
    from gateway.app.cli.acting import act

    try:
        pem = certificate.read_text("ascii")
    except UnicodeDecodeError:
        raise Stop(ExitCode.DATA, f"{certificate}: is no certificate (PEM)") from None
    said = {"use": use, "certificate": pem, "partner": partner}
    view: dict[str, Any] = act(read_config(config), "key-announce", said, json=json)
    view["phrase"] = phrase_of(bytes.fromhex(view["key"]))
    if json:
        show_json(view)
        return
    show(
        f"已预告 announced {view['key'][:16]}… to {', '.join(view['told'])}",
        f"自 valid from {view['not_before']} 至 to {view['not_after']}",
        f"核对口令 words, where a partner asks: {view['phrase']}",
        "之后 then: kuayu keys rehearse",
    )


def announced(
    partner: Annotated[str, typer.Argument(metavar="[PARTNER]", help="this one only")] = "",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """已预告 List the keys that partners announced, and why each counts or does not."""
    from gateway.flow.announced import announced_view

    found = [k for k in _kept(read_config(config)) if partner in ("", k.partner)]
    views = [announced_view(key) for key in found]
    if json:
        show_json({"keys": views})
    elif not views:
        show("没有预告的密钥 nothing was announced")
    else:
        show(*map(_line, views))


def _line(view: Mapping[str, Any]) -> str:
    proofs = {"chain": "证书链 by its chain", "operator": "人工核实 by an operator"}
    why = "已弃用 dropped" if view["dropped"] else proofs.get(view["proof"], "未证实 unproven")
    mark = "✓" if view["counts"] else "–"
    return (
        f"{mark} {view['partner']} {view['use']} {view['suite']} {view['key'][:16]}…  "
        f"{view['not_before']} → {view['not_after']}  {why}"
    )


def _kept(config: Config) -> list[AnnouncedKey]:
    from gateway.adapters.sql.sqlite import open_sqlite_reader

    with open_sqlite_reader(config.journal.path) as snapshot:
        return list(snapshot.announced_keys())


def confirm(
    partner: _Partner,
    key: _Key,
    phrase: Annotated[str, typer.Option(help="the six words, heard from the partner by telephone")],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """核实 Let a key count whose chain proves nothing. A second operator must agree."""
    from gateway.adapters.pki.phrase import is_phrase

    settings = read_config(config)
    found = [k for k in _kept(settings) if k.partner == partner and k.key_id.hex().startswith(key)]
    if len(found) != 1:
        told = f"{len(found)} announced keys of {partner} begin with {key}"
        raise Stop(ExitCode.NO, f"{told}; `kuayu keys announced` lists them")
    if not is_phrase(phrase, found[0].key_id):
        raise Stop(ExitCode.NO, "these are not the words of this key: it is not the partner's")
    _settle(settings, "key-confirm", partner, found[0].key_id.hex(), "", json=json)


def drop(
    partner: _Partner,
    key: _Key,
    reason: Annotated[str, typer.Option(help="kept on record")],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """弃用 Believe an announced key no longer, also where its chain proves it."""
    _settle(read_config(config), "key-drop", partner, key, reason, json=json)


def _settle(
    config: Config, command: str, partner: str, key: str, reason: str, *, json: bool
) -> None:
    from gateway.app.cli.acting import act

    said = {"partner": partner, "key": key, "reason": reason}
    view = act(config, command, said, json=json)
    show_json(view) if json else show(_line(view))
