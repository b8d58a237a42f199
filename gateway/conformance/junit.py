"""A run as JUnit XML, for the machines that collect test results."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from gateway.conformance.report import Document


def junit_of(document: Document) -> bytes:
    """Return the report as one JUnit test suite. It is *not* signed: the JSON file is."""
    counts, target = document["counts"], document["target"]
    suite = ElementTree.Element(
        "testsuite",
        name=f"kuayu conformance {target['gateway_id']}",
        tests=str(len(document["results"])),
        failures=str(counts["failed"]),
        skipped=str(counts["not_run"]),
        errors="0",
        time=f"{sum(r['duration_ms'] for r in document['results']) / 1000:.3f}",
        timestamp=document["run_at"],
    )
    properties = ElementTree.SubElement(suite, "properties")
    for name in ("kit", "gateway", "judged_by", "verdict", "expires_at"):
        ElementTree.SubElement(properties, "property", name=name, value=str(document[name]))
    for result in document["results"]:
        _case(suite, result)
    return bytes(ElementTree.tostring(suite, encoding="utf-8", xml_declaration=True))


def _case(suite: ElementTree.Element, result: dict[str, Any]) -> None:
    area, _, name = result["id"].partition(".")
    case = ElementTree.SubElement(
        suite, "testcase", classname=area, name=name, time=f"{result['duration_ms'] / 1000:.3f}"
    )
    if result["status"] == "failed":
        told = f"step {result['step']}: {result['reason']}"
        failure = ElementTree.SubElement(case, "failure", message=told, type=result["level"])
        failure.text = f"{result['title_zh']} {result['title_en']}"
    elif result["status"] == "not_run":
        ElementTree.SubElement(case, "skipped", message=f"not run: {result['reason']}")
