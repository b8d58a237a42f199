"""The printed sheet (协办单): one A4 page of HTML that runs nothing and loads nothing."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from html import escape
from typing import Any, Final

_STYLE: Final = """
@page { size: A4; margin: 16mm 14mm; }
body { font: 10.5pt/1.5 "Noto Serif CJK SC", "Songti SC", SimSun, serif; color: #000;
  max-width: 182mm; margin: 0 auto; }
h1 { font-size: 17pt; text-align: center; margin: 4mm 0 1mm; }
h2 { font-size: 11.5pt; margin: 5mm 0 1.5mm; border-bottom: 0.4mm solid #000; }
p.route { text-align: center; margin: 0 0 3mm; }
p.warn { border: 0.6mm solid #000; padding: 1.5mm 3mm; font-weight: bold; text-align: center; }
table { border-collapse: collapse; width: 100%; }
th, td { border: 0.2mm solid #000; padding: 1mm 2mm; text-align: left; vertical-align: top;
  overflow-wrap: anywhere; }
th { width: 34%; font-weight: normal; background: #f2f2f2; }
td.blank { height: 9mm; }
ul { list-style: none; padding: 0; margin: 1mm 0; columns: 2; }
small { color: #333; overflow-wrap: anywhere; }
tr, ul { break-inside: avoid; }
"""
STYLE_SOURCE: Final = "'sha256-" + base64.b64encode(sha256(_STYLE.encode()).digest()).decode() + "'"
"""What a Content-Security-Policy has to allow: this style and nothing else."""

_KINDS: Final = {
    "submitted": "提交 application",
    "materials_supplied": "补交材料 material supplied",
    "withdrawn": "撤回 withdrawal",
    "delivered": "送达 result handed over",
    "acknowledged": "签收 received",
    "materials_requested": "补正 more material wanted",
    "accepted": "受理 accepted",
    "not_accepted": "不予受理 not accepted",
    "clock_suspended": "特别程序开始 special procedure begins",
    "clock_resumed": "特别程序结束 special procedure ends",
    "archived": "归档 archived",
    "reviewed": "评价答复 answer to a review",
    "decided": "办结 decided (□ 准予 approved  □ 不予 refused)",
}
_MODES: Final = {
    "online": "全程网办 online",
    "collect_on_behalf": "异地代收代办 collected on behalf",
    "joint": "多地联办 joint",
}
_PROOF: Final = (
    "回填说明：结果由一名工作人员录入、另一名工作人员复核，证明强度为“人工协办 assisted”。"
    "Two people type the answer back; the proof of it is assisted, the weakest there is."
)
_SIMULATED: Final = "模拟 SIMULATED · 示例数据，不是真实办件 sample data, no real case"


def render_sheet(view: Mapping[str, Any]) -> str:
    """Return the page. Every value is escaped and kept in its own direction of writing."""
    item, route = view["item"], f"{_party(view['from'])} → {_party(view['to'])}"
    days = item["promised_days"]
    facts = (
        ("事项 Item", f"{item['name_zh']} {item['name_en']}"),
        ("事项编码 Item code", f"{item['code']} v{item['version']}"),
        ("本次内容 What this is", _KINDS.get(view["kind"], view["kind"])),
        ("办件编号 Our case number", view["case_number"]),
        ("对方编号 Your number", view["their_number"]),
        ("办理方式 Mode", _MODES.get(view["mode"], view["mode"])),
        ("用途 Purpose", view["purpose"]),
        ("承诺工作日 Promised days", "" if days is None else str(days)),
        ("收件时间 Taken at", view["opened_at"]),
    )
    warning = f'<p class="warn">{_SIMULATED}</p>' if view["simulated"] else ""
    return "\n".join(
        (
            "<!DOCTYPE html>",
            '<html lang="zh-CN"><head><meta charset="utf-8">',
            f"<title>跨域通办人工协办单 {escape(_printable(view['case_number']))}</title>",
            f"<style>{_STYLE}</style></head><body>",
            warning,
            "<h1>跨域通办人工协办单 Assisted handling sheet</h1>",
            f'<p class="route">{route}</p>',
            _table(facts),
            "<h2>申请内容 What is asked</h2>",
            _table(view["lines"]),
            _materials(view["materials"]),
            _blanks(view["answers"]),
            f"<p><small>{_PROOF}</small></p>",
            f"<p><small>协办单号 sheet {_text(view['work_id'])} · 摘要 digest "
            f"{_text(view['header_digest'])}</small></p>",
            warning,
            "</body></html>",
        )
    )


def _text(value: object) -> str:
    """Escape a value and keep it in its own direction of writing."""
    return f"<bdi>{escape(_printable(value))}</bdi>"


def _printable(value: object) -> str:
    """Return a value as text; what cannot be printed becomes a visible mark, never a control."""
    return "".join(
        c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in str(value)
    )


def _party(party: Mapping[str, str]) -> str:
    return f"{_text(party['name_zh'])} {_text(party['name_en'])} {_text(party['region'])}"


def _table(rows: Iterable[tuple[str, object]]) -> str:
    cells = "".join(f"<tr><th>{_text(k)}</th><td>{_text(v)}</td></tr>" for k, v in rows)
    return f"<table>{cells}</table>"


def _materials(found: Iterable[Mapping[str, Any]]) -> str:
    rows = [
        (
            f"{m['material_code']} {m['name_zh']}",
            f"{m['name']} · {m['size']} B · {m['commitment'][:16]}…",
        )
        for m in found
    ]
    title = "<h2>随附材料 Enclosed material</h2>"
    return title + _table(rows) if rows else title + "<p>无 none</p>"


def _blanks(answers: Sequence[str]) -> str:
    """Draw what the partner fills in, or tells by telephone."""
    if not answers:
        return ""
    boxes = "".join(f"<li>□ {_text(_KINDS.get(a, a))}</li>" for a in answers)
    lines = (
        "文号或办件编号 Your number of this answer",
        "日期 Date",
        "证照标识及统一社会信用代码 Licence id and credit code",
        "理由或所缺材料 Reasons, or the material wanted",
        "经办人岗位及联系电话 Post and telephone (no name needed)",
    )
    rows = "".join(f'<tr><th>{line}</th><td class="blank"></td></tr>' for line in lines)
    return f"<h2>对方答复 Your answer</h2><ul>{boxes}</ul><table>{rows}</table>"
