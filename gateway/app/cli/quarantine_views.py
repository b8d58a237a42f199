"""Arrivals in quarantine as operators read them: never what they say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gateway.app.cli.words import both, rule

_LABELS: Final = {
    "arrival_id": "来件 arrival",
    "partner": "伙伴 partner",
    "adapter": "适配器 adapter",
    "operation": "操作 operation",
    "source": "来源 source",
    "strength": "证明强度 strength",
    "status": "状态 status",
    "rule": "规则 rule",
    "field": "位置 field",
    "received_at": "收到 received",
    "size": "字节 bytes",
    "digest": "摘要 digest",
    "case_id": "办件 case",
    "message_id": "消息 message",
    "operator": "操作员 operator",
    "reason": "理由 reason",
}
_WORDS: Final = ("strength", "status")


def arrival_line(arrival: Mapping[str, Any]) -> str:
    """Show an arrival in one line."""
    a = arrival
    where = f" {a['field']}" if a["field"] else ""
    source = f" {a['source']}" if a["source"] else ""
    return (
        f"{a['arrival_id']}  {a['partner']} {a['operation']}{source}  "
        f"{a['received_at']}  {a['size']} B  {a['rule'] or a['status']}{where}"
    )


def arrival_lines(arrival: Mapping[str, Any]) -> list[str]:
    """Show all that is known of an arrival; its rule with what it means and what to do."""
    lines = []
    for name, label in _LABELS.items():
        value = arrival[name]
        if value is None:
            continue
        told = rule(value) if name == "rule" else both(value) if name in _WORDS else str(value)
        lines.append(f"{label}: {told}")
    return lines
