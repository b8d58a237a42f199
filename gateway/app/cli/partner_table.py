"""The table of partners."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.table import Table


def partner_table(views: list[dict[str, Any]]) -> Table:
    """Show partners, one line each and one for every further agreement."""
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
            "\n".join(days_told(key) for key in view["keys"]) or "没有 none",
            agreements[0]["digest"][:16] if agreements else "没有 none",
            force_told(agreements[0]) if agreements else "—",
        )
        for another in agreements[1:]:  # each beside its own digest, however the text is folded
            table.add_row(*[""] * 5, another["digest"][:16], force_told(another))
    return table


def days_told(key: Mapping[str, Any]) -> str:
    """Say how long a key lasts."""
    if key["state"] == "not_yet":
        return f"{key['suite']}: 未生效 from {key['not_before']}"
    if key["state"] == "expired":
        return f"{key['suite']}: 已过期 expired {key['not_after']}"
    soon = "⚠ " if key["warned"] else ""
    return f"{key['suite']}: {soon}{key['days_left']} 天 days left"


def force_told(agreement: Mapping[str, Any]) -> str:
    """Say whether an agreement is in force."""
    because = agreement["because"]
    if because is None:
        return f"有效 in force until {agreement['not_after']}"
    return f"无效 not in force: {because['rule']} {because['text_zh']} {because['text_en']}"
