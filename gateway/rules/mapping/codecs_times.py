"""Codecs of dates and times. Ours are `2021-05-27`, RFC 3339 with an offset, or Unix ms."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final, NamedTuple

from gateway.kernel.trees import Value
from gateway.rules.mapping.codec import Codec, Setting, written_as
from gateway.rules.mapping.codecs_text import require_text
from gateway.rules.mapping.problems import Wrong
from gateway.rules.mapping.taking import Taken

_TOKENS: Final = {"yyyy": 4, "MM": 2, "dd": 2, "HH": 2, "mm": 2, "ss": 2, "SSS": 3}
_PIECE: Final = re.compile(r"yyyy|MM|dd|HH|mm|ss|SSS|'[^']*'|.", re.DOTALL)
_ZONE: Final = re.compile(r"([+-])([01][0-9]):([0-5][0-9])", re.ASCII)
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_RFC_3339: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)
_WHOLE: Final = re.compile(r"0|[1-9][0-9]{0,14}", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS: Final = {"s": 1_000_000, "ms": 1_000}


class _Pattern(NamedTuple):
    """A format of theirs: letters as in `yyyy-MM-dd HH:mm:ss.SSS`, quoted text as it is."""

    regex: re.Pattern[str]
    template: str
    names: tuple[str, ...]

    def write(self, at: datetime) -> str:
        """Return `at` in this format."""
        return self.template.format(
            yyyy=f"{at.year:04}", MM=f"{at.month:02}", dd=f"{at.day:02}", HH=f"{at.hour:02}",
            mm=f"{at.minute:02}", ss=f"{at.second:02}", SSS=f"{at.microsecond // 1000:03}",
        )  # fmt: skip

    def read(self, text: str, zone: timezone) -> datetime:
        """Return what `text` says, midnight if it has no time.

        Raises:
            Wrong: it is not of this format, or no such day or time.
        """
        found = self.regex.fullmatch(text)
        if found is None:
            raise Wrong("is not of the format that the table states")
        part = found.groupdict(default="0")
        try:
            return datetime(
                int(part["yyyy"]),
                int(part["MM"]),
                int(part["dd"]),
                int(part.get("HH", "0")),
                int(part.get("mm", "0")),
                int(part.get("ss", "0")),
                int(part.get("SSS", "0")) * 1000,
                zone,
            )
        except ValueError:
            raise Wrong("is no such day or time") from None


_NO_PATTERN: Final = _Pattern(re.compile("(?!)"), "", ())
"""Stands in for one that was refused."""


def _pattern(row: Taken, *, needs_time: bool) -> _Pattern:
    text = row.text("format")
    regex, template, names = "", "", []
    for piece in _PIECE.findall(text):
        if piece in _TOKENS and piece not in names:
            names.append(piece)
            regex += f"(?P<{piece}>[0-9]{{{_TOKENS[piece]}}})"
            template += f"{{{piece}}}"
        elif (piece.isascii() and piece.isalpha()) or piece in _TOKENS or piece == "'":
            row.wrong("format", "is made of yyyy MM dd HH mm ss SSS, each once, and 'quoted' text")
            return _NO_PATTERN
        else:
            plain = piece[1:-1] if piece.startswith("'") else piece
            regex += re.escape(plain)
            template += plain.replace("{", "{{").replace("}", "}}")
    wanted = ("yyyy", "MM", "dd", "HH", "mm") if needs_time else ("yyyy", "MM", "dd")
    if text and not set(wanted) <= set(names):
        row.wrong("format", f"has {' '.join(wanted)}, each once")
        return _NO_PATTERN
    return _Pattern(re.compile(regex, re.ASCII), template, tuple(names))


def _zone(row: Taken) -> timezone:
    found = _ZONE.fullmatch(row.text("zone", ""))
    if found is None:
        row.wrong("zone", 'is an offset from UTC such as "+08:00"; it is never guessed')
        return UTC
    offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(offset if found[1] == "+" else -offset)


class _Side(NamedTuple):
    """How one side writes an instant."""

    write: Callable[[datetime], Value]
    read: Callable[[Value], datetime]
    fraction_us: int
    """The smallest step it can tell; what is smaller is lost."""


def _theirs(row: Taken, setting: Setting, zone: timezone, *, needs_time: bool) -> tuple[_Side, str]:
    if "unit" in row:
        unit = row.choice("unit", _UNITS)
        return _epoch(_UNITS[unit], as_text=written_as(row, setting)), f"epoch {unit}"
    pattern = _pattern(row, needs_time=needs_time)
    smallest = 1_000 if "SSS" in pattern.names else 1_000_000
    smallest = smallest if "ss" in pattern.names else 60_000_000
    side = _Side(
        lambda at: pattern.write(at.astimezone(zone)),
        lambda value: pattern.read(require_text(value), zone),
        smallest if needs_time else 86_400_000_000,
    )
    return side, str(row.raw("format"))


def _epoch(step_us: int, *, as_text: bool) -> _Side:
    def write(at: datetime) -> Value:
        since = (at - _EPOCH) // timedelta(microseconds=step_us)
        if since < 0:
            raise Wrong("lies before 1970, which an epoch cannot say here")
        return str(since) if as_text else since

    def read(value: Value) -> datetime:
        if isinstance(value, str) and _WHOLE.fullmatch(value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise Wrong("is not a whole number of seconds or ms since 1970")
        try:
            return _EPOCH + timedelta(microseconds=value * step_us)
        except OverflowError:
            raise Wrong("lies beyond the year 9999") from None

    return _Side(write, read, step_us)


def _rfc_3339(zone: timezone) -> _Side:
    def read(value: Value) -> datetime:
        text = require_text(value)
        try:
            if _RFC_3339.fullmatch(text):
                return datetime.fromisoformat(text)
        except ValueError:
            pass
        raise Wrong("is not a time as in 2021-05-27T10:00:00+08:00")

    def write(at: datetime) -> Value:
        local = at.astimezone(zone)
        return local.isoformat(timespec="milliseconds" if at.microsecond else "seconds")

    return _Side(write, read, 1_000)


def time(row: Taken, setting: Setting) -> Codec:
    """An instant: `format` and `zone`, or `unit = "s" | "ms"` since 1970.

    `ours_as` is rfc3339 (of forms) or epoch_ms (of the message). A fraction that theirs cannot
    hold is refused, unless `truncate = true`.
    """
    truncate = row.flag("truncate")
    by = row.choice("ours_as", ("rfc3339", "epoch_ms"), "rfc3339")
    zone = _zone(row) if by == "rfc3339" or "unit" not in row else UTC
    theirs, about = _theirs(row, setting, zone, needs_time=True)
    ours = _rfc_3339(zone) if by == "rfc3339" else _epoch(1_000, as_text=False)
    return Codec(_through(ours, theirs, truncate), _through(theirs, ours, truncate), about)


def _through(source: _Side, target: _Side, truncate: bool) -> Callable[[Value], Value]:
    def change(value: Value) -> Value:
        at = source.read(value)
        if not truncate and (at - _EPOCH) % timedelta(microseconds=target.fraction_us):
            raise Wrong("has a fraction that the other side cannot hold (see truncate)")
        try:
            return target.write(at)
        except OverflowError:
            raise Wrong("lies beyond the years 1 to 9999") from None

    return change


def day(row: Taken, setting: Setting) -> Codec:
    """A civil date: `format`, or midnight in `zone` as `unit = "s" | "ms"` since 1970."""
    by_epoch = "unit" in row
    zone = _zone(row) if by_epoch else UTC
    theirs, about = _theirs(row, setting, zone, needs_time=False)
    truncate = row.flag("truncate")

    def out(value: Value) -> Value:
        text = require_text(value)
        try:
            if not _DAY.fullmatch(text):
                raise ValueError(text)
            on = date.fromisoformat(text)
            return theirs.write(datetime(on.year, on.month, on.day, tzinfo=zone))
        except (ValueError, OverflowError):
            raise Wrong("is not a date as in 2021-05-27") from None

    def back(value: Value) -> Value:
        try:
            at = theirs.read(value).astimezone(zone)
        except OverflowError:
            raise Wrong("lies beyond the years 1 to 9999") from None
        if not truncate and (at.hour or at.minute or at.second or at.microsecond):
            raise Wrong("is not midnight, and a date holds no time (see truncate)")
        return at.date().isoformat()

    return Codec(out, back, about)
