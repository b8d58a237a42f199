"""Partners the directory does not hold: put aside for a mistake, or drafts not believed yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.rules.trust import PartnerState

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.ports.directory import BrokenPartner


def broken_view(broken: BrokenPartner) -> dict[str, Any]:
    """Show a partner that was put aside, and why."""
    return {
        "gateway_id": broken.gateway_id or None,
        "own": False,
        "state": "broken",
        "folder": broken.folder,
        "problems": list(broken.problems),
    }


def drafts_in(partners_dir: Path) -> list[dict[str, Any]]:
    """Show the drafts: nothing of them is believed yet."""
    from gateway.app.onboarding.folders import entries

    return [
        {
            "gateway_id": entry.file.gateway_id,
            "own": False,
            "state": entry.file.state.value,
            "folder": entry.folder.name,
            "problems": [],
        }
        for entry in entries(partners_dir)
        if entry.file.state is PartnerState.DRAFT
    ]


def broken_lines(view: dict[str, Any]) -> list[str]:
    """Say which partner was put aside, and why; or that it is a draft."""
    who = view["gateway_id"] or "?"
    if view["state"] == "draft":
        return [f"草稿 draft: {who} ({view['folder']})  → kuayu partner check {who}"]
    head = f"异常 broken: {who} ({view['folder']}) 已搁置，其余伙伴不受影响 put aside; others go on"
    return [head, *(f"  {problem}" for problem in view["problems"])]
