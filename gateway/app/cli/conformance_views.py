"""What people see of cases and reports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gateway.app.cli.common import read_book, read_config, show
from gateway.app.cli.exits import ExitCode, Stop
from gateway.conformance.case_files import Case
from gateway.conformance.page import STATES, VERDICTS
from gateway.conformance.report import Document, verify_report
from gateway.kernel.instants import to_iso


def list_cases(cases: Sequence[Case]) -> None:
    """Show cases as a table."""
    from rich.table import Table

    table = Table()
    for heading in ("用例 case", "级别 level", "内容 what it asks", "需要 needs"):
        table.add_column(heading, overflow="fold")
    for case in cases:
        title = f"{case.file.title_zh}\n{case.file.title_en}"
        table.add_row(case.id, case.file.level, title, ", ".join(case.file.needs))
    show(table)


def verified(file: Path, config: Path, certificate: Path | None) -> Document:
    """Return the document of a report that is proven.

    Raises:
        Stop: it is not.
    """
    from gateway.adapters.pki.certificates import read_signing_certificate
    from gateway.adapters.pki.suites import SuiteVerifier
    from gateway.app.conformance import key_of, only
    from gateway.conformance.report import ReportProblem

    raw = file.read_bytes()
    if certificate is None:
        find = key_of(read_book(read_config(config)))
    else:
        find = only(read_signing_certificate(certificate.read_bytes()))
    try:
        return verify_report(raw, find, SuiteVerifier().verify)
    except ReportProblem as problem:
        raise Stop(ExitCode.NO, f"{file}: {problem}") from None


def view_lines(document: Document) -> list[Any]:
    """Return the report as tables for people: what did not pass, then the sum."""
    from rich.table import Table

    target, counts = document["target"], document["counts"]
    table = Table(title=f"{target['name']} {target['gateway_id']} {target['address']}")
    for heading in ("用例 case", "级别 level", "结果 result", "说明 reason"):
        table.add_column(heading, overflow="fold")
    for r in document["results"]:
        told = f"step {r['step']}: {r['reason']}" if r["step"] else r["reason"]
        told = told or f"{r['title_zh']} {r['title_en']}"
        table.add_row(r["id"], r["level"], STATES[r["status"]], told)
    simulated = ["模拟端点（示例） a simulated endpoint"] if target["simulated"] else []
    return [
        table,
        *simulated,
        f"{VERDICTS[document['verdict']]}: {counts['passed']} passed, {counts['failed']} failed, "
        f"{counts['not_run']} not run",
        f"{_validity(document)}kit {document['kit']}, "
        f"case set {document['case_set']['digest'][:16]}",
    ]


def _validity(document: Document) -> str:
    """Say how long a pass is one; a failure never runs out."""
    if document["verdict"] == "failed":
        return ""
    return f"有效至 valid until {to_iso(document['expires_at_ms'])}; "
