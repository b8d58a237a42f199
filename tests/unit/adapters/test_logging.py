"""No line of a log may tell anything about a person, whatever is passed to it."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from gateway.adapters.observability.logs import FIELDS, WITHHELD, Log, configure, get_logger
from gateway.ports.telemetry import EventLog

NAME = "张示例"
CITIZEN_ID = "620902199001011234"
PHONE = "13800000000"
TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ6aGFuZyJ9.c2lnbmF0dXJl"
SECRETS = [
    NAME,
    "Zhang San",
    CITIZEN_ID,
    CITIZEN_ID[:-1] + "X",
    "620902900101123",
    f"case-{CITIZEN_ID}/form",
    PHONE,
    f"+86-{PHONE}",
    f"tel:{PHONE}",
    TOKEN,
    f"Bearer {TOKEN}",
    "zhang.san@mail.example.cn",
    "-----BEGIN PRIVATE KEY-----",
    "甘肃省酒泉市肃州区示例路1号",
    "x" * 161,
    "line\nbreak",
    "\x1b[31m",
    '{"name":"x"}',
]


class Lines(io.StringIO):
    def objects(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]

    def last(self) -> dict[str, object]:
        return self.objects()[-1]


@pytest.fixture
def lines() -> Iterator[Lines]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = Lines()
    configure("INFO", "json", stream)
    yield stream
    logging.captureWarnings(False)
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


@pytest.fixture
def log(lines: Lines) -> Log:
    return get_logger("test")


@pytest.mark.parametrize("secret", SECRETS)
def test_no_field_shows_what_looks_like_a_person_or_a_token(
    lines: Lines, log: Log, secret: str
) -> None:
    log.event("probe", **dict.fromkeys(FIELDS, secret))
    assert {lines.last()[field] for field in FIELDS} == {WITHHELD}
    assert secret not in lines.getvalue()


@pytest.mark.parametrize("field", ["name", "form", "token", "applicant", "detail", "msg", "body"])
def test_an_unknown_field_is_withheld_whatever_it_holds(lines: Lines, log: Log, field: str) -> None:
    log.event("probe", **{field: "harmless"})
    assert lines.last()[field] == WITHHELD
    assert "harmless" not in lines.getvalue()


@pytest.mark.parametrize("field", [NAME, CITIZEN_ID, "a b", "x" * 80])
def test_the_name_of_a_field_cannot_carry_anything_either(
    lines: Lines, log: Log, field: str
) -> None:
    log.event("probe", **{field: 1})
    assert field not in lines.getvalue()
    assert lines.last()["[withheld]"] == WITHHELD


@pytest.mark.parametrize("event", [NAME, f"case_of_{NAME}", "Two words", CITIZEN_ID, "a\nb", ""])
def test_an_event_that_is_no_fixed_word_is_withheld(lines: Lines, log: Log, event: str) -> None:
    log.event(event)
    assert lines.last()["event"] == WITHHELD


@pytest.mark.parametrize("field", ["event", "level", "logger", "timestamp", "source", "self"])
def test_a_field_cannot_take_the_place_of_what_the_log_says_itself(
    lines: Lines, log: Log, field: str
) -> None:
    log.event("probe", **{field: NAME})
    line = lines.last()
    assert line["event"] == "probe"
    assert (line["level"], line["logger"]) == ("info", "test")
    assert "张" not in lines.getvalue() + str(line)


@pytest.mark.parametrize("number", [int(CITIZEN_ID[:-1]), 10**13, -(10**13), 1e300, float("nan")])
def test_a_number_as_long_as_a_citizen_id_is_withheld(
    lines: Lines, log: Log, number: float
) -> None:
    log.event("probe", count=number)
    assert lines.last()["count"] == WITHHELD


@pytest.mark.parametrize("value", [{"name": NAME}, [NAME], NAME.encode(), ValueError(NAME), None])
def test_values_of_other_types_are_withheld(lines: Lines, log: Log, value: object) -> None:
    log.event("probe", reason=value)  # type: ignore[arg-type]
    assert lines.last()["reason"] == WITHHELD


def test_an_exception_is_told_by_type_and_place_without_its_text(lines: Lines, log: Log) -> None:
    try:
        raise ValueError(f"form value {NAME} {CITIZEN_ID} {TOKEN}")
    except ValueError as error:
        log.failure("step_broke", error, partner="620200")
    line = lines.last()
    assert line["error"] == "ValueError"
    assert str(line["where"]).startswith("test_logging.py:")
    assert (line["level"], line["partner"]) == ("error", "620200")
    for secret in ("form value", CITIZEN_ID, TOKEN):
        assert secret not in lines.getvalue()


def test_libraries_are_heard_without_their_texts(lines: Lines) -> None:
    try:
        raise RuntimeError(NAME)
    except RuntimeError:
        logging.getLogger("sqlalchemy.engine").exception("INSERT %s", {"name": NAME})
    logging.getLogger("aiohttp.access").info("GET /%s", CITIZEN_ID)
    logging.getLogger("grpc._cython").warning("peer said %s", CITIZEN_ID)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(f"about {CITIZEN_ID}", UserWarning, stacklevel=1)
    told = lines.objects()
    assert [line["library"] for line in told] == [
        "sqlalchemy.engine",
        "grpc._cython",
        "py.warnings",
    ]
    assert [line["level"] for line in told] == ["error", "warning", "warning"]
    assert told[0]["error"] == "RuntimeError"
    for secret in ("INSERT", "GET", "peer", CITIZEN_ID, "name"):
        assert secret not in lines.getvalue()


def test_whoever_asks_structlog_itself_is_withheld_too(lines: Lines) -> None:
    structlog.get_logger().error(f"oh {NAME}", form={"name": NAME}, exc_info=ValueError(NAME))
    line = lines.last()
    assert (line["event"], line["form"], line["exc_info"]) == (WITHHELD, WITHHELD, WITHHELD)
    assert "\\u5f20" not in lines.getvalue()


def test_even_before_it_is_configured_nothing_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    structlog.reset_defaults()
    get_logger("early").event(NAME, name=NAME, reason=CITIZEN_ID)
    out = capsys.readouterr()
    assert NAME not in out.out + out.err
    assert CITIZEN_ID not in out.out + out.err


def test_a_stream_that_is_gone_costs_the_line_only(log: Log) -> None:
    stream = io.StringIO()
    configure("INFO", "json", stream)
    stream.close()
    log.event("probe")


def test_harmless_values_are_shown_as_they_are(lines: Lines, log: Log) -> None:
    told: dict[str, str | int | float] = {
        "partner": "620200",
        "unit": "91620900MA0000000M",
        "case_id": "0179acb1-bd00-7001-8203-040506070809",
        "message_id": "0179acb1bd00700182030405060708ff",
        "rule": "delivery.chain_gap",
        "route": "/v1/cases/{id}/materials",
        "where": "<lambda>:12",
        "task": "lane-620200-1",
        "key_id": "ab" * 32,
        "ms": 1.25,
        "count": 1_622_100_000_000,
        "demo": True,
    }
    log.event("probe", **told)
    line = lines.last()
    assert {name: line[name] for name in told} == told
    assert (line["event"], line["level"], line["logger"]) == ("probe", "info", "test")
    assert str(line["timestamp"]).endswith("Z")


def test_an_event_with_an_error_is_a_warning_and_the_level_decides(lines: Lines) -> None:
    log: EventLog = get_logger("dispatch")
    configure("WARNING", "json", lines)
    log.event("lane_up", partner="620200")
    log.event("lane_down", partner="620200", error="UNAVAILABLE")
    assert [(line["event"], line["level"]) for line in lines.objects()] == [
        ("lane_down", "warning")
    ]


def test_a_terminal_gets_pretty_lines_and_a_file_gets_json(lines: Lines, log: Log) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    configure("INFO", "auto", terminal)
    log.event("probe", partner="620200", name=NAME)
    assert "probe" in terminal.getvalue()
    assert not terminal.getvalue().startswith("{")
    assert NAME not in terminal.getvalue()
    configure("INFO", "auto", lines)
    log.event("probe")
    assert lines.last()["event"] == "probe"


def test_configuring_again_does_not_double_the_lines(lines: Lines) -> None:
    configure("INFO", "json", lines)
    logging.getLogger("aiohttp.server").error("once")
    assert len(lines.objects()) == 1


def test_an_unknown_level_is_an_error() -> None:
    with pytest.raises(ValueError, match="unknown log level"):
        configure("LOUD", "json")


def test_lines_of_many_threads_stay_whole(lines: Lines, log: Log) -> None:
    def tell() -> None:
        for n in range(50):
            log.event("probe", count=n)

    threads = [threading.Thread(target=tell) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(lines.objects()) == 200


_SCRIPT = """
import threading
from gateway.adapters.observability.logs import configure, install_hooks
configure("INFO", "json")
install_hooks()
def bad(): raise ValueError("secret text")
thread = threading.Thread(target=bad); thread.start(); thread.join()
class Bad:
    def __del__(self): raise KeyError("secret text")
Bad()
bad()
"""


def test_an_exception_nobody_caught_is_told_without_its_text() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    assert done.returncode == 1
    assert "secret" not in done.stderr + done.stdout
    told = [json.loads(line) for line in done.stderr.splitlines()]
    assert [(line["event"], line["error"]) for line in told] == [
        ("uncaught_in_thread", "ValueError"),
        ("unraisable", "KeyError"),
        ("uncaught", "ValueError"),
    ]
