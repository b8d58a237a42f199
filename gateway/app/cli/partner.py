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

    from rich.table import Table
    from rich.tree import Tree

_LIST = ("kuayu partner list", "kuayu partner list --config FILE --json")
_SHOW = ("kuayu partner show 620200", "kuayu partner show 620200 --json")
app = group("伙伴 Partners: who they are, their keys, what is agreed.", *_LIST, *_SHOW)
app.command(epilog=examples(*RELOAD))(reload)


@app.command(name="list", epilog=examples(*_LIST))
def list_(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """列表 List partners with key expiry and agreement, read from files as `serve` reads them."""
    from gateway.app.cli.partner_views import broken_lines, broken_view, partner_view

    book, at_ms = read_book(read_config(config)), now_ms()
    views = [partner_view(p, book, at_ms) for _, p in sorted(book.partners.items())]
    broken = [broken_view(b) for b in book.broken]
    if json:
        show_json({"gateway": book.home.gateway_id, "partners": [*views, *broken]})
        return
    for view in broken:
        show(*broken_lines(view))
    if views:
        show(_table(views))
    elif not broken:
        show("没有伙伴 there are no partners; put their entries into partners_dir")


@app.command(name="show", epilog=examples(*_SHOW))
def show_(
    id: Annotated[str, typer.Argument(metavar="ID", help="gateway id, as in 620200")],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """详情 Show one partner, or this gateway itself as partners see it."""
    from gateway.app.cli.partner_views import broken_lines, broken_view, partner_view

    book = read_book(read_config(config))
    known = {str(g): p for g, p in book.partners.items()} | {book.home.gateway_id: book.home}
    broken = [broken_view(b) for b in book.broken if id == b.gateway_id]
    if broken:
        if json:
            show_json(broken[0])
        else:
            show(*(line for view in broken for line in broken_lines(view)))
        return
    if id not in known:
        raise Stop(ExitCode.NO, f"there is no partner {id!r}; `kuayu partner list` names them")
    view = partner_view(known[id], book, now_ms())
    if json:
        show_json(view)
    else:
        show(_tree(view))


def _days(key: Mapping[str, Any]) -> str:
    if key["state"] == "not_yet":
        return f"{key['suite']}: 未生效 from {key['not_before']}"
    if key["state"] == "expired":
        return f"{key['suite']}: 已过期 expired {key['not_after']}"
    soon = "⚠ " if key["warned"] else ""
    return f"{key['suite']}: {soon}{key['days_left']} 天 days left"


def _force(agreement: Mapping[str, Any]) -> str:
    because = agreement["because"]
    if because is None:
        return f"有效 in force until {agreement['not_after']}"
    return f"无效 not in force: {because['rule']} {because['text_zh']} {because['text_en']}"


def _table(views: list[dict[str, Any]]) -> Table:
    from rich.table import Table

    from gateway.app.cli.words import both

    table = Table()
    for heading in ("网关 gateway", "名称 name", "状态 state", "地址 address", "密钥 keys",
                    "协议 agreement", "效力 force"):  # fmt: skip
        table.add_column(heading, overflow="fold")
    for view in views:
        agreements = view["agreements"]
        table.add_row(
            view["gateway_id"],
            f"{view['name_zh']} {view['name_en']}",
            both(view["state"]),
            view["address"],
            "\n".join(_days(key) for key in view["keys"]) or "没有 none",
            agreements[0]["digest"][:16] if agreements else "没有 none",
            _force(agreements[0]) if agreements else "—",
        )
        for another in agreements[1:]:  # each beside its own digest, however the text is folded
            table.add_row(*[""] * 5, another["digest"][:16], _force(another))
    return table


def _tree(view: Mapping[str, Any]) -> Tree:
    from rich.tree import Tree

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
        tree.add(f"签名密钥 signing key {key['key_id']}").add(_days(key))
    for agreement in view["agreements"]:
        node = tree.add(f"协议 agreement {agreement['name']} {agreement['digest']}")
        node.add(_force(agreement))
        for act in agreement["acts"]:
            node.add(f"{act['party']} {act['verdict']} {act['at']}")
        for grant in agreement["grants"]:
            one = node.add(f"{' '.join(grant['origins'])} → {' '.join(grant['deciding'])}")
            items = [f"{code} v{' v'.join(versions)}" for code, versions in grant["items"].items()]
            one.add(f"事项 items: {', '.join(items)}")
            one.add(f"模式 modes: {', '.join(map(both, grant['modes'])) or '没有 none'}")
            one.add(f"委托权限 rights: {', '.join(map(both, grant['rights'])) or '没有 none'}")
    return tree
