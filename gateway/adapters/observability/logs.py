"""Structured logs without personal data: only known field names, only harmless shapes.

A line holds what the gateway itself names: ids, codes, counts, durations. Everything else is
withheld: unknown fields, values that look like a person's, texts of exceptions and of libraries.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import traceback
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, TextIO

import structlog

import gateway

LogFormat = Literal["auto", "json", "pretty"]
"""`auto` is `pretty` on a terminal and `json` elsewhere."""

WITHHELD: Final = "[withheld]"

FIELDS: Final = frozenset(
    {
        "address",
        "agreement",
        "at",
        "attempts",
        "bytes",
        "case_id",
        "cases",
        "clock",
        "command",
        "connections",
        "count",
        "demo",
        "depth",
        "strength",
        "operation",
        "field",
        "digest",
        "draft_id",
        "edition",
        "envelopes",
        "error",
        "files",
        "gateway",
        "host",
        "item",
        "key_id",
        "keys",
        "kind",
        "lane",
        "library",
        "limit",
        "lost",
        "message_id",
        "messages",
        "method",
        "mode",
        "ms",
        "operator",
        "outcome",
        "partner",
        "path",
        "peer",
        "pid",
        "point",
        "port",
        "reason",
        "receipts",
        "region",
        "retry_ms",
        "route",
        "rows",
        "rule",
        "signal",
        "stage",
        "state",
        "status",
        "suite",
        "task",
        "unit",
        "version",
        "waiting",
        "where",
        "year",
    }
)
"""Names of fields that may be shown. `path` is a file of the gateway, never a request's."""

_HOME: Final = str(Path(gateway.__file__).parent)
_OURS: Final = frozenset({"event", "level", "logger", "timestamp", "source", "self"})
_LEVELS: Final = logging.getLevelNamesMapping()
_EVENT = re.compile(r"[a-z][a-z0-9_.]{0,63}\Z")
# No blanks and ASCII only: names, addresses and sentences cannot pass.
_VALUE = re.compile(r"[A-Za-z0-9_.:/@<>{}\[\]+-]{0,160}\Z")
_PERSONAL = re.compile(
    r"(?<![0-9A-Za-z])(?:[1-9][0-9]{16}[0-9Xx]|[1-9][0-9]{14})(?![0-9A-Za-z])"  # 公民身份号码
    r"|(?<![0-9A-Za-z])(?:\+?86-?)?1[3-9][0-9]{9}(?![0-9A-Za-z])"  # 手机号码
    r"|eyJ[A-Za-z0-9_-]{8}"  # a JSON Web Token
    r"|[^\s@/]+@[^\s@]+\.[A-Za-z]{2}"  # an e-mail address
)
_INTEGER_MAX: Final = 10**13 - 1  # instants in ms have 13 digits, citizen ids 15 or 18


def _shown(value: object) -> object:
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) <= _INTEGER_MAX else WITHHELD
    if isinstance(value, float):
        return round(value, 6) if abs(value) <= _INTEGER_MAX else WITHHELD
    if isinstance(value, str) and _VALUE.match(value) and not _PERSONAL.search(value):
        return value
    return WITHHELD


def harmless(name: object) -> str:
    """Return the name of an event if it is a fixed word, else that it was withheld."""
    return name if isinstance(name, str) and _EVENT.match(name) else WITHHELD


def clean(fields: Mapping[str, object]) -> dict[str, object]:
    """Let through known fields with harmless values; unknown ones keep their names at most."""
    out: dict[str, object] = {}
    for name, value in fields.items():
        if name in FIELDS:
            out[name] = _shown(value)
        else:
            out[WITHHELD if name in _OURS else harmless(name)] = WITHHELD
    return out


def withhold(
    _logger: object, _method: str, fields: MutableMapping[str, object]
) -> MutableMapping[str, object]:
    """Do the same for whoever asks structlog itself for a logger; a structlog processor."""
    event, name = fields.pop("event", None), fields.pop("source", None)
    return {"event": harmless(event), "logger": harmless(name), **clean(fields)}


def where(trace: TracebackType | None) -> str:
    """Return `module.py:line` of the innermost frame that is the gateway's, or of the innermost."""
    frames = traceback.extract_tb(trace)
    if not frames:
        return "unknown"
    ours = [frame for frame in frames if frame.filename.startswith(_HOME)]
    frame = (ours or frames)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno}"


class Log:
    """Implements `ports.telemetry.EventLog`, with levels for those who see this class."""

    def __init__(self, name: str) -> None:
        self._log = structlog.get_logger(source=name)

    def event(self, name: str, /, **fields: str | int | float) -> None:
        """Record an event: a warning if it has a field `error`, else for information."""
        shown = clean(fields)
        if "error" in shown:
            self._log.warning(harmless(name), **shown)
        else:
            self._log.info(harmless(name), **shown)

    def debug(self, name: str, /, **fields: str | int | float) -> None:
        """Record what only a developer wants to know."""
        self._log.debug(harmless(name), **clean(fields))

    def failure(self, name: str, error: BaseException, /, **fields: str | int | float) -> None:
        """Record an exception by type and place; its text may hold anything and is withheld."""
        shown = clean(fields)
        shown |= {"error": type(error).__name__, "where": where(error.__traceback__)}
        self._log.error(harmless(name), **shown)


def get_logger(name: str) -> Log:
    """Return the log of a part of the gateway, such as `dispatch`."""
    return Log(name)


class _Lines:
    """Writes whole lines to a stream; a stream that is gone costs lines, never an exchange."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def msg(self, line: str) -> None:
        with self._lock:
            try:
                self._stream.write(line + "\n")
                self._stream.flush()
            except (OSError, ValueError):  # broken pipe, closed file: there is no one left to tell
                return

    debug = info = warning = error = critical = msg


class _Libraries(logging.Handler):
    """Brings the logs of libraries into ours: who and how bad, not what they said."""

    def __init__(self) -> None:
        super().__init__()
        self._log = structlog.get_logger(source="library")

    def emit(self, record: logging.LogRecord) -> None:
        fields: dict[str, object] = {"library": record.name}
        if record.exc_info and record.exc_info[0] is not None:
            fields["error"] = record.exc_info[0].__name__
            fields["where"] = where(record.exc_info[2])
        else:
            fields["where"] = f"{record.module}.py:{record.lineno}"
        say = self._log.error if record.levelno >= logging.ERROR else self._log.warning
        say("library_spoke", **clean(fields))


def _pretty(stream: TextIO, wanted: LogFormat) -> bool:
    return wanted == "pretty" or (wanted == "auto" and stream.isatty())


def configure(level: str, format: LogFormat, stream: TextIO | None = None) -> None:
    """Set up logging for the whole process; a second call replaces the first.

    `level` is `DEBUG`, `INFO`, `WARNING` or `ERROR`, for our own events; libraries are heard from
    `WARNING` up. `stream` is standard error unless given.

    Raises:
        ValueError: an unknown level.
    """
    if level not in _LEVELS:
        raise ValueError("unknown log level")
    out = stream or sys.stderr
    lines = _Lines(out)
    renderer: structlog.typing.Processor = structlog.processors.JSONRenderer()
    if _pretty(out, format):
        renderer = structlog.dev.ConsoleRenderer(colors=out.isatty())
    structlog.configure(
        processors=[
            withhold,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    for handler in [h for h in root.handlers if isinstance(h, _Libraries)]:
        root.removeHandler(handler)
    root.addHandler(_Libraries())
    root.setLevel(logging.WARNING)
    logging.captureWarnings(True)


def install_hooks() -> None:
    """Log exceptions that nobody caught by type and place, in the main and in other threads.

    Python's own hooks would print their texts. For processes that serve; not for tests or tools.
    """
    log = get_logger("process")

    def uncaught(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if not issubclass(kind, KeyboardInterrupt):
            log.failure("uncaught", error.with_traceback(trace))

    def in_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            log.failure("uncaught_in_thread", args.exc_value)

    def unraisable(args: sys.UnraisableHookArgs) -> None:
        if args.exc_value is not None:
            log.failure("unraisable", args.exc_value)

    sys.excepthook = uncaught
    threading.excepthook = in_thread
    sys.unraisablehook = unraisable
