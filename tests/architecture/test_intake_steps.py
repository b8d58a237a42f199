"""`Intake.take_in` and its document tell the same story, step by step."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from gateway.flow.intake import Intake

DOCUMENT = Path(__file__).resolve().parent.parent.parent / "docs" / "life_of_an_exchange.md"


def test_take_in_has_fewer_than_thirty_lines_after_its_docstring() -> None:
    source = inspect.getsource(Intake.take_in)
    body = source.split('"""')[-1].strip().splitlines()
    assert len(body) < 30


def test_the_document_has_the_same_numbered_steps() -> None:
    source = inspect.getsource(Intake.take_in)
    in_code = re.findall(r"# (\d+)\. ([A-Z][^.,:?]*)", source)
    text = DOCUMENT.read_text(encoding="utf-8")
    in_document = re.findall(r"^### (\d+)\. ([A-Z][^.,:?\n]*)", text, flags=re.M)
    assert in_code
    assert in_document == in_code
