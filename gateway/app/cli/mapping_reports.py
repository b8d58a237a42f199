"""What `kuayu mapping check` found, as tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gateway.app.cli.mapping_views import ARROWS, plain_table
from gateway.app.cli.words import both

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from gateway.app.mapping.checking import Checked, Finding
    from gateway.app.mapping.report import Report


@contextmanager
def working(what: str) -> Iterator[Callable[[str], None]]:
    """Show on standard error, if that is a terminal, what is being done."""
    from rich.console import Console

    screen = Console(stderr=True)
    if not screen.is_terminal:
        yield lambda step: None
        return
    with screen.status(what) as status:
        yield lambda step: status.update(f"{what} {step}")


def report_parts(report: Report) -> list[RenderableType]:
    """Return what a check found, worst last."""
    parts: list[RenderableType] = [_checked_table(report.checked)]
    findings = _findings(report.checked, report.unread)
    if findings.row_count:
        parts.append(findings)
    parts += [f"缺报文 no message for the agreed item {item}" for item in report.items_without]
    if report.kinds_without:
        kinds = ", ".join(map(both, report.kinds_without))
        parts.append(f"未映射的种类 kinds that the table never says: {kinds}")
    parts += [f"样例 sample {name}: {result}" for name, result in report.samples]
    good = "通过 good" if report.is_good else "未通过 not good"
    accept = "" if report.is_good else (
        "; what is meant to be so is accepted in mapping.toml under losses and unread"
    )  # fmt: skip
    parts.append(f"{good}: seed {report.seed}, {report.documents} documents each{accept}")
    return parts


def _checked_table(checked: Sequence[Checked]) -> Table:
    table = plain_table(
        "种类 kind", "操作 operation", "方向 way", "事项 item", "无损 whole", "结果 result"
    )
    for one in checked:
        result = "通过 good" if one.is_good else one.not_made or "见下 see below"
        skipped = f" (+{one.not_theirs} 不可表达 not sayable)" if one.not_theirs else ""
        table.add_row(
            both(one.message.kind.name.lower()),
            one.message.operation,
            ARROWS[one.message.direction],
            f"{one.item.code} v{one.item.version}" if one.item else "—",
            f"{one.whole}/{one.documents - one.not_theirs}{skipped}",
            result,
        )
    return table


def _findings(checked: Sequence[Checked], unread: Sequence[Finding]) -> Table:
    table = plain_table(
        "何处 where", "字段 field", "怎样 what happens", "份数 documents", "说明 accepted"
    )
    for one in checked:
        where = f"{one.message.kind.name.lower()} {one.item.code if one.item else ''}".strip()
        for finding in (*one.refused, *one.lost):
            _add(table, where, finding)
    for finding in unread:
        _add(table, "对方样例 their samples", finding)
    return table


def _add(table: Table, where: str, finding: Finding) -> None:
    accepted = finding.accepted or "—"
    table.add_row(where, finding.pointer, finding.why, str(finding.documents), accepted)
