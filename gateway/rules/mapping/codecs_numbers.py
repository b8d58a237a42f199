"""Codecs of numbers: exact, by Decimal, refused where a digit would be lost."""

from __future__ import annotations

import re
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Final

from gateway.kernel.limits import JSON_INTEGER_MAX, MAPPING_DIGITS_MAX
from gateway.kernel.trees import Value
from gateway.rules.mapping.codec import Codec, Setting, written_as
from gateway.rules.mapping.problems import Wrong
from gateway.rules.mapping.taking import Taken

_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?", re.ASCII)
_EXACT: Final = Context(prec=2 * MAPPING_DIGITS_MAX, traps=[Inexact, InvalidOperation])
_UNITS: Final = {"yuan": 0, "wan_yuan": 4, "fen": -2}
"""Powers of ten of one yuan: 元, 万元, 分."""


def number_of(value: Value) -> Decimal:
    """Return a number, or the number that a text writes, exactly.

    Raises:
        Wrong: it is none, not finite, written otherwise than `-12.50`, or has too many digits.
    """
    match value:
        case bool() | None | bytes() | list() | dict():
            raise Wrong("is not a number")
        case str():
            if len(value) > MAPPING_DIGITS_MAX or _NUMBER.fullmatch(value) is None:
                raise Wrong(f"is not a number of at most {MAPPING_DIGITS_MAX} digits, as in 12.50")
            return Decimal(value)
        case int():
            if abs(value) >= 10**MAPPING_DIGITS_MAX:
                raise Wrong(f"has more than {MAPPING_DIGITS_MAX} digits")
            return Decimal(value)
        case float():
            found = Decimal(repr(value))
        case Decimal():
            found = value
    if not _is_short(found):
        raise Wrong(f"is not a number of at most {MAPPING_DIGITS_MAX} digits")
    return found


def _is_short(found: Decimal) -> bool:
    """Tell whether it is finite and short, before it is written out: an exponent costs nothing."""
    exponent = found.as_tuple().exponent
    if not isinstance(exponent, int):  # NaN, infinite
        return False
    return exponent >= -MAPPING_DIGITS_MAX and found.adjusted() < MAPPING_DIGITS_MAX


def plain_number(found: Decimal) -> int | float:
    """Return a number as JSON holds it without loss.

    Raises:
        Wrong: no JSON number of every parser holds it.
    """
    if found == found.to_integral_value():
        if abs(found) > JSON_INTEGER_MAX:
            raise Wrong("is larger than a JSON number holds exactly; it would have to be a text")
        return int(found)
    as_float = float(found)
    if Decimal(repr(as_float)) != found:
        raise Wrong("has more digits than a JSON number holds; it would have to be a text")
    return as_float


def number(row: Taken, setting: Setting) -> Codec:
    """A number, written as number or text."""
    return _scaled(row, setting, 0, "")


def amount(row: Taken, setting: Setting) -> Codec:
    """An amount of money: `ours_unit` and `theirs_unit` are yuan 元, wan_yuan 万元 or fen 分."""
    ours, theirs = row.choice("ours_unit", _UNITS), row.choice("theirs_unit", _UNITS)
    return _scaled(row, setting, _UNITS[ours] - _UNITS[theirs], f"{ours} ↔ {theirs}, ")


def _scaled(row: Taken, setting: Setting, shift: int, about: str) -> Codec:
    """Move the point by `shift` places outbound; `decimals` is how many theirs has at most."""
    as_text = written_as(row, setting)
    decimals = row.whole("decimals", 0, 12)
    padded = row.flag("padded")
    if padded and (decimals is None or not as_text):
        row.wrong("padded", 'goes with decimals and written = "text"')

    def out(value: Value) -> Value:
        if isinstance(value, str):
            raise Wrong("is not a number")
        exact = number_of(value)
        found = exact.scaleb(shift, _EXACT)
        if decimals is not None:
            found = _held(found, decimals)
        written: int | float | str
        if as_text:
            written = format(found, "f") if padded else _short(found)
        else:
            written = plain_number(found)
        if back(written) != plain_number(exact):  # a digit that only a longer number holds
            raise Wrong("has digits that could not come back")
        return written

    def back(value: Value) -> Value:
        return plain_number(number_of(value).scaleb(-shift, _EXACT))

    return Codec(out, back, about + ("text" if as_text else "number"))


def _held(found: Decimal, decimals: int) -> Decimal:
    """Write with `decimals` places.

    Raises:
        Wrong: that would lose a digit.
    """
    try:
        return found.quantize(Decimal(1).scaleb(-decimals), context=_EXACT)
    except (Inexact, InvalidOperation):
        raise Wrong(f"has more than the {decimals} decimals that theirs holds") from None


def _short(found: Decimal) -> str:
    """Write without an exponent and without needless zeros."""
    text = format(found, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
