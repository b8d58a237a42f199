"""How `kuayu instant` says what of a rule could not be checked against its item's form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import RenderableType


def fields_mark(row: Mapping[str, Any]) -> str:
    """Return how many fields and item versions could not be checked, or that all were."""
    open_ = len(row["fields_unknown"]) + len(row["item_versions_unchecked"])
    return f"? {open_}" if open_ else "✓"


def unknown_parts(row: Mapping[str, Any]) -> list[RenderableType]:
    """Return for people what of a rule could not be checked against the item's form."""
    parts: list[RenderableType] = []
    if row["fields_unknown"]:
        named = ", ".join(row["fields_unknown"])
        parts.append(f"? 表单未说明是否有此字段 the form leaves open if there is: {named}")
    if row["item_versions_unchecked"]:
        named = ", ".join(row["item_versions_unchecked"])
        parts.append(f"? 事项版本不在本地，未核对 item versions not here, not checked: {named}")
    return parts
