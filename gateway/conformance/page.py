"""A run as one HTML page that needs nothing beside itself: no script, no font, no picture."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any, Final

from gateway.conformance.report import Document

VERDICTS: Final[Mapping[str, str]] = {
    "passed": "通过 passed",
    "passed_with_gaps": "通过，有未测项 passed; some cases were not run",
    "failed": "未通过 failed",
}
STATES: Final[Mapping[str, str]] = {
    "passed": "通过 passed",
    "failed": "未通过 failed",
    "not_run": "未测 not run",
}
_STYLE: Final = """
:root { color-scheme: light dark; }
body { font: 15px/1.6 system-ui, "PingFang SC", "Microsoft YaHei", sans-serif; margin: 2rem auto;
  max-width: 72rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; } table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .4rem .6rem;
  border-bottom: 1px solid color-mix(in srgb, currentColor 18%, transparent); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; }
dt { opacity: .7; } dd { margin: 0; overflow-wrap: anywhere; }
.passed b { color: #1a7f37; } .failed b { color: #cf222e; } .not_run b { color: #9a6700; }
code { font-size: .9em; } small { opacity: .7; }
.note { border-left: 4px solid #9a6700; padding-left: .8rem; }
"""


def page_of(document: Document) -> bytes:
    """Return the report as HTML. It is *not* signed: the JSON file is."""
    target = document["target"]
    title = f"符合性测试 Conformance of {target['gateway_id']}"
    parts = [
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{escape(title)}: {escape(VERDICTS[document['verdict']])}</h1>",
        _simulated(target),
        _facts(document),
        "<table><thead><tr><th>用例 case</th><th>要求 what it asks</th><th>级别 level</th>"
        "<th>结果 result</th></tr></thead><tbody>",
        *(_row(result) for result in document["results"]),
        "</tbody></table><p><small>本页未签名；以签名的 JSON 报告为准。 This page is not signed; "
        "the JSON report is: <code>kuayu conformance verify FILE</code>.</small></p></body></html>",
    ]
    return "\n".join(parts).encode()


def _simulated(target: Mapping[str, Any]) -> str:
    if not target["simulated"]:
        return ""
    return (
        '<p class="note">模拟端点（示例） A simulated endpoint: nothing here reaches an office.</p>'
    )


def _facts(document: Document) -> str:
    target, counts = document["target"], document["counts"]
    facts = {
        "目标 target": f"{target['name']} ({target['address']})",
        "结果 counts": f"{counts['passed']} passed, {counts['failed']} failed, "
        f"{counts['not_run']} not run",
        "时间 run at": document["run_at"],
        "有效至 valid until": document["expires_at"],
        "测试方 judged by": document["judged_by"],
        "版本 versions": f"kit {document['kit']}, gateway {document['gateway']}",
        "用例集 case set": document["case_set"]["digest"],
        "选择 selection": ", ".join(document["selection"]) or "全部 everything",
        "目标密钥 target's keys": ", ".join(target["key_ids"]) or "—",
        "所示证书 certificate seen": target["certificate_pin_seen"] or "—",
        "协议 agreements": ", ".join(target["agreements"]) or "—",
        "事项目录 catalogue": target["catalogue_digest"],
    }
    items = "".join(f"<dt>{escape(k)}</dt><dd>{escape(str(v))}</dd>" for k, v in facts.items())
    return f"<dl>{items}</dl>"


def _row(result: Mapping[str, Any]) -> str:
    status = result["status"]
    told = result["reason"]
    if result["step"]:
        told = f"step {result['step']}: {told}"
    return (
        f'<tr class="{escape(status)}"><td><code>{escape(result["id"])}</code></td>'
        f"<td>{escape(result['title_zh'])}<br><small>{escape(result['title_en'])}</small></td>"
        f"<td>{escape(result['level'])}</td>"
        f"<td><b>{escape(STATES[status])}</b><br><small>{escape(told)}</small></td></tr>"
    )
