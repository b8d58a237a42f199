"""Write the table of samples in `docs/items.md`; `--check` fails if it would change."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

from gateway.app.items import load_items
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.instants import to_iso
from gateway.rules.catalogue import Item, ItemVersion, MaterialForm

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "items.md"
BEGIN = "<!-- samples: made by `python -m tools.build_item_docs` -->\n"
END = "<!-- samples: end -->\n"
MODES = {"ONLINE": "全程网办", "COLLECT_ON_BEHALF": "异地代收代办", "JOINT": "多地联办"}
SCOPES = {"city": "市内", "province": "省内", "cross_province": "跨省"}
LEVELS = {1: "国家", 2: "省", 3: "市", 4: "县", 5: "乡"}


def table() -> str:
    """Return the samples as a Markdown table, one row an item, by code."""
    held: dict[str, list[tuple[str, Item]]] = {}
    for path in sorted(ROOT.glob("partners/[!_]*/partner.toml")):
        entry = tomllib.loads(path.read_text(encoding="utf-8"))
        state = "" if entry["state"] == "active" else f" ({entry['state']})"
        items, _, _ = load_items(path.parent / "items", GatewayId(entry["gateway_id"]))
        for item in items:
            held.setdefault(item.code, []).append((path.parent.name + state, item))
    lines = [
        "| code | item | decided by | level | scope | modes | promised | statutory | joint"
        " | versions | materials (of the latest) |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [row(where) for _, where in sorted(held.items())]
    return "\n".join(lines) + "\n"


def row(where: list[tuple[str, Item]]) -> str:
    item = where[0][1]
    latest = max(item.versions.values(), key=lambda v: v.valid_from_ms)
    joint = item.joint
    cells = (
        f"`{item.code}`",
        f"{item.name_zh}<br>{item.name_en}",
        "<br>".join(name for name, _ in where),
        "<br>".join(dict.fromkeys(f"{int(i.level)} {LEVELS[i.level]}" for _, i in where)),
        "<br>".join(SCOPES[s] for s in SCOPES if s in item.scope),
        "<br>".join(MODES[m.name] for m in sorted(item.modes)),
        str(item.promised_days) if item.promised_days else "at once",
        days(item.statutory_days, item.extension_days),
        f"{days(joint.statutory_days, joint.extension_days)}, answer {joint.answer_days}"
        if joint
        else "",
        "<br>".join(version(v) for v in item.versions.values()),
        "<br>".join(material(latest)) or "none",
    )
    return "| " + " | ".join(cells) + " |"


def days(limit: int, extension: int) -> str:
    return f"{limit}+{extension}" if extension else str(limit)


def version(one: ItemVersion) -> str:
    ended = one.superseded_at_ms
    if ended is None:
        return f"{one.version} from {to_iso(one.valid_from_ms)[:10]}"
    overlap = one.overlap_ms // 86_400_000
    return f"{one.version} until {to_iso(ended)[:10]} (+{overlap} days)"


def material(one: ItemVersion) -> list[str]:
    """Write each material; ⟡ is one that an e-licence satisfies, parentheses an optional one."""
    told = []
    for m in one.materials:
        mark = " ⟡" if MaterialForm.E_LICENCE in m.forms else ""
        told.append(f"{m.name_zh}{mark}" if m.required else f"({m.name_zh}{mark})")
    return told


def main() -> int:
    now = TARGET.read_text(encoding="utf-8")
    head, _, rest = now.partition(BEGIN)
    tail = rest.partition(END)[2]
    legend = "⟡: an e-licence stands for it. In parentheses: may be left out. Days: working days."
    fresh = f"{head}{BEGIN}\n{table()}\n{legend}\n\n{END}{tail}"
    if "--check" in sys.argv:
        if now == fresh:
            return 0
        print("stale, run `python -m tools.build_item_docs`: docs/items.md", file=sys.stderr)
        return 1
    TARGET.write_text(fresh, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
