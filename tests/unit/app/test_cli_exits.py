"""Every failure of a command is a code and a line; words for people are complete."""

from __future__ import annotations

import sqlite3
from enum import Enum
from pathlib import Path

import pytest
import typer

from gateway.adapters.pki.certificates import CertificateProblem
from gateway.adapters.pki.suites import KeyProblem
from gateway.app.cli import main as entry
from gateway.app.cli.common import read_id
from gateway.app.cli.exits import ExitCode, Stop, judged
from gateway.app.cli.words import WORDS, both, rule
from gateway.app.problems import ConfigProblem
from gateway.kernel.case import CaseRole
from gateway.kernel.envelope import Kind, Mode, Outcome, Right
from gateway.ports.journal import JournalDown, OutboxStatus
from gateway.rules.trust import PartnerState

UNKNOWN = "0190a2b4-3c5d-7e6f-8a9b-0c1d2e3f4a5b"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KeyProblem("k"), ExitCode.CONFIG),
        (CertificateProblem("c"), ExitCode.CONFIG),
        (JournalDown("j"), ExitCode.UNAVAILABLE),
        (OSError(28, "No space left on device", "/journal"), ExitCode.UNAVAILABLE),
        (PermissionError("no number"), ExitCode.UNAVAILABLE),
        (Stop(ExitCode.NO, "n"), ExitCode.NO),
        (ValueError("510304197001010010"), ExitCode.BROKEN),
        (sqlite3.ProgrammingError("510304197001010010"), ExitCode.BROKEN),
        (AssertionError(), ExitCode.BROKEN),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_error_ends_with_its_code_and_one_line(error: Exception, code: ExitCode) -> None:
    end = judged(error)
    assert end.code is code
    [line] = end.lines
    assert line
    assert "510304197001010010" not in line, "what is not foreseen may hold anything"


def test_every_message_of_a_configuration_gets_a_line() -> None:
    end = judged(ConfigProblem(Path("kuayu.toml"), ["one", "two"]))
    assert end.code is ExitCode.CONFIG
    assert end.lines == ("kuayu.toml: one", "kuayu.toml: two")


def _broken() -> None:
    raise ZeroDivisionError


@pytest.fixture
def with_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = typer.Typer(add_completion=False)
    broken.command()(_broken)
    monkeypatch.setattr(entry, "app", broken)


@pytest.mark.usefixtures("with_a_bug")
def test_a_bug_is_one_line_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("KUAYU_DEBUG", raising=False)
    assert entry.main([]) == ExitCode.BROKEN
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("kuayu: ZeroDivisionError at ")
    assert "KUAYU_DEBUG=1" in line


@pytest.mark.usefixtures("with_a_bug")
def test_a_bug_is_shown_whole_to_who_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUAYU_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        entry.main([])


def test_ctrl_c_is_its_own_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    stopped = typer.Typer(add_completion=False)
    stopped.command()(interrupted)
    monkeypatch.setattr(entry, "app", stopped)
    assert entry.main([]) == ExitCode.INTERRUPTED


@pytest.mark.parametrize(
    "text", ["", " ", "zz" * 16, "0" * 32, UNKNOWN + "0", UNKNOWN.replace("-8a", "-ca")]
)
def test_what_is_no_uuid_of_version_seven_is_no_id(text: str) -> None:
    with pytest.raises(Stop) as stop:
        read_id(text)
    assert stop.value.code is ExitCode.USAGE


@pytest.mark.parametrize(
    "text", [UNKNOWN, UNKNOWN.upper(), UNKNOWN.replace("-", ""), f" {UNKNOWN}"]
)
def test_an_id_is_read_as_people_paste_it(text: str) -> None:
    assert read_id(text).hex() == UNKNOWN.replace("-", "")


@pytest.mark.parametrize(
    "words", [CaseRole, Kind, Mode, OutboxStatus, Outcome, PartnerState, Right]
)
def test_every_word_that_is_shown_has_its_chinese(words: type[Enum]) -> None:
    shown = {word.name.lower() for word in words} - {"none"}
    assert shown - WORDS.keys() == set()


def test_a_rule_is_told_with_its_meaning_and_anything_else_as_it_is() -> None:
    assert rule("agreement.ended").startswith("agreement.ended  ")
    assert rule("deadline") == "deadline"
    assert (both("submitted"), both(None), both("3.1")) == ("提交 submitted", "—", "3.1")
