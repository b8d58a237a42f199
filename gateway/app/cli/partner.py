"""`kuayu partner`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.app.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    examples,
    group,
    now_ms,
    read_book,
    read_config,
    show,
    show_json,
)
from gateway.app.cli.exits import ExitCode, Stop
from gateway.app.cli.partner_reload import RELOAD, reload

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.tree import Tree

_LIST = ("kuayu partner list", "kuayu partner list --config FILE --json")
_SHOW = ("kuayu partner show 620200", "kuayu partner show 620200 --json")
app = group("伙伴 Partners: who they are, their keys, what is agreed.", *_LIST, *_SHOW)
app.command(epilog=examples(*RELOAD))(reload)


@app.command(name="list", epilog=examples(*_LIST))
def list_(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """列表 List partners with key expiry and agreement, read from files as `serve` reads them."""
    from gateway.app.cli.partner_aside import broken_lines, broken_view, drafts_in
    from gateway.app.cli.partner_table import partner_table
    from gateway.app.cli.partner_views import partner_view

    settings, at_ms = read_config(config), now_ms()
    book, drafts = read_book(settings), drafts_in(settings.partners_dir)
    views = [partner_view(p, book, at_ms) for _, p in sorted(book.partners.items())]
    broken = [*map(broken_view, book.broken), *drafts]
    if json:
        show_json({"gateway": book.home.gateway_id, "partners": [*views, *broken]})
        return
    for view in broken:
        show(*broken_lines(view))
    if views:
        show(partner_table(views))
    elif not broken:
        show("没有伙伴 there are no partners; put their entries into partners_dir")


@app.command(name="show", epilog=examples(*_SHOW))
def show_(
    id: Annotated[str, typer.Argument(metavar="PARTNER", help="its id or folder")],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """详情 Show one partner, or this gateway itself as partners see it."""
    from gateway.app.cli.partner_aside import broken_lines, broken_view, drafts_in
    from gateway.app.cli.partner_views import partner_view

    settings = read_config(config)
    book = read_book(settings)
    known = {str(g): p for g, p in book.partners.items()} | {book.home.gateway_id: book.home}
    aside = [*map(broken_view, book.broken), *drafts_in(settings.partners_dir)]
    broken = [view for view in aside if id in (view["gateway_id"], view["folder"])]
    if broken:
        if json:
            show_json(broken[0])
        else:
            show(*(line for view in broken for line in broken_lines(view)))
        return
    by_folder = {folder: str(gateway_id) for gateway_id, folder in book.folders.items()}
    id = id if id in known else by_folder.get(id, id)
    if id not in known:
        raise Stop(ExitCode.NO, f"there is no partner {id!r}; `kuayu partner list` names them")
    view = partner_view(known[id], book, now_ms())
    if json:
        show_json(view)
    else:
        show(_tree(view))


def _tree(view: Mapping[str, Any]) -> Tree:
    from rich.tree import Tree

    from gateway.app.cli.partner_table import days_told, force_told
    from gateway.app.cli.words import both

    tree = Tree(f"{view['gateway_id']} {view['name_zh']} {view['name_en']}")
    simulated = "，模拟 simulated" if view["simulated"] else ""
    tree.add(f"状态 state: {both(view['state'])}{simulated}")
    tree.add(f"单位 unit: {view['unit']}")
    tree.add(f"地址 address: {view['address']} (证书名 server name {view['server_name'] or '—'})")
    tree.add(f"登记摘要 entry digest: {view['entry_digest']}")
    tree.add(f"事项 items decided there: {', '.join(view['items']) or '没有 none'}")
    for pin in view["transport_pins"]:
        tree.add(f"传输证书 transport pin: {pin}")
    for key in view["keys"]:
        tree.add(f"签名密钥 signing key {key['key_id']}").add(days_told(key))
    for agreement in view["agreements"]:
        node = tree.add(f"协议 agreement {agreement['name']} {agreement['digest']}")
        node.add(force_told(agreement))
        for act in agreement["acts"]:
            node.add(f"{act['party']} {act['verdict']} {act['at']}")
        for grant in agreement["grants"]:
            one = node.add(f"{' '.join(grant['origins'])} → {' '.join(grant['deciding'])}")
            items = [f"{code} v{' v'.join(versions)}" for code, versions in grant["items"].items()]
            one.add(f"事项 items: {', '.join(items)}")
            one.add(f"模式 modes: {', '.join(map(both, grant['modes'])) or '没有 none'}")
            one.add(f"委托权限 rights: {', '.join(map(both, grant['rights'])) or '没有 none'}")
    return tree
