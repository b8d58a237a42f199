"""Texts: by length, by the field's own formats, and by the patterns that forms use."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Final

from stdnum.cn import uscc
from stdnum.iso7064 import mod_37_36

from gateway.rules.form_samples.draws import Draws, Fill

RARE: Final = "㛃\U0002cb4a"  # U+36C3 and U+2CB4A: in names, and not in GBK
_COMMON: Final = "示例申请人办理登记变更地址"
_AWKWARD: Final = RARE + "·（）“”—＆&<>\"'%\\/|,;: 0９aZ。"
_USCC: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_REGIONS: Final = ("629900", "620200", "310113", "659000", "110000")
_DAYS: Final = ("1949-10-01", "1970-01-01", "2000-02-29", "2026-12-31", "2099-12-31")
_LENGTH_FREE: Final = 40  # where the form states no longest


def text(draws: Draws, least: int, most: int | None) -> str:
    """Return a text of the length the draws choose, with rare and awkward characters.

    It neither begins nor ends with a space: what forms hold is trimmed.
    """
    length = draws.between(least, max(least, _LENGTH_FREE) if most is None else most)
    if draws.fill is Fill.MIXED:
        length = min(length, least + 60)  # boundary lengths are the other fills' matter
    made = [draws.one_of(_AWKWARD if draws.below(4) == 0 else _COMMON) for _ in range(length)]
    for place in {0, length - 1} if length else ():
        if made[place] == " ":
            made[place] = "示"
    if length and draws.yes():
        made[draws.below(length)] = draws.next_of(RARE)
    return "".join(made)


def credit_code(draws: Draws) -> str:
    """Return a USCC with the right outer check character, of the invented region 629900."""
    body = "91629900MA" + "".join(draws.one_of("0123456789") for _ in range(7))
    return body + uscc.calc_check_digit(body)


def citizen_id(draws: Draws) -> str:
    """Return a citizen's number with the right check character, of the invented region 629900."""
    day = date(1950, 1, 1) + timedelta(days=draws.below(20_000))
    body = f"629900{day:%Y%m%d}{draws.below(1000):03}"
    total = sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True))
    return body + "10X98765432"[total % 11]


def licence_id(draws: Draws) -> str:
    """Return an e-licence's id with the right check character."""
    parts = [
        "11100000MB0143028R001",
        "11629900" + "".join(draws.one_of(_USCC) for _ in range(10)),
        f"20210527{draws.below(1_000_000):06}",
        "001",
    ]
    return ".".join(["1.2.156.3005.2", *parts, mod_37_36.calc_check_digit("".join(parts))])


def day(draws: Draws) -> str:
    """Return a civil date, before 1970 too: people were born then."""
    if draws.below(3) == 0:
        return draws.one_of(_DAYS)
    return (date(1950, 1, 1) + timedelta(days=draws.below(40_000))).isoformat()


def instant(draws: Draws) -> str:
    """Return an RFC 3339 time to the second, as forms write it in China."""
    clock = (draws.below(24), draws.below(60), draws.below(60))
    return "{}T{:02}:{:02}:{:02}+08:00".format(day(draws), *clock)


FORMATS: Final[dict[str, Callable[[Draws], str]]] = {
    "uscc": credit_code,
    "citizen-id": citizen_id,
    "region": lambda draws: draws.one_of(_REGIONS),
    "licence-id": licence_id,
    "date": day,
    "date-time": instant,
}

_TOKEN: Final = re.compile(
    r"(?P<set>\[(?:\\.|[^\]\\])+\])|(?P<open>\((?:\?:)?)|(?P<close>\))|(?P<bar>\|)"
    r"|(?P<count>\{[0-9]+(?:,[0-9]*)?\}|[?*+])|(?P<edge>[\^$])|(?P<one>\\.|[^\\])",
    re.DOTALL,
)
_CLASSES: Final = {"d": "0123456789", "w": "abcXYZ019_", "s": " "}
_MORE: Final = 3  # times, where a pattern has no most


class PatternNotMade(ValueError):
    """A pattern whose texts are not made here."""


def matching(draws: Draws, pattern: str) -> str:
    """Return a text that matches a pattern of literals, sets, groups, `|` and counts.

    Raises:
        PatternNotMade: it has look-around, back-references, negated sets, or is no pattern.
    """
    tokens = [(str(m.lastgroup), m[0]) for m in _TOKEN.finditer(pattern)]
    if "".join(text for _, text in tokens) != pattern or "(?=" in pattern or "(?!" in pattern:
        raise PatternNotMade("this pattern")
    made, rest = _branches(draws, tokens)
    if rest:
        raise PatternNotMade("this pattern")
    return made


_Tokens = list[tuple[str, str]]


def _branches(draws: Draws, tokens: _Tokens) -> tuple[str, _Tokens]:
    """Make one of the alternatives up to the end of the group; return what follows it."""
    alternatives = [""]
    while tokens and tokens[0][0] != "close":
        kind, _ = tokens[0]
        if kind == "bar":
            alternatives.append("")
            tokens = tokens[1:]
            continue
        made, tokens = _counted(draws, tokens)
        alternatives[-1] += made
    return draws.one_of(alternatives), tokens


def _counted(draws: Draws, tokens: _Tokens) -> tuple[str, _Tokens]:
    """Make one piece as often as its count says."""
    after = _after(tokens)
    least, most = 1, 1
    if after and after[0][0] == "count":
        least, most = _bounds(after[0][1])
        rest = after[1:]
    else:
        rest = after
    times = draws.between(least, most)
    return "".join(_piece(draws, tokens) for _ in range(times)), rest


def _after(tokens: _Tokens) -> _Tokens:
    """Return what follows the first piece."""
    depth = 0
    for place, (kind, _) in enumerate(tokens):
        depth += {"open": 1, "close": -1}.get(kind, 0)
        if depth == 0:
            return tokens[place + 1 :]
    raise PatternNotMade("this pattern")


def _bounds(count: str) -> tuple[int, int]:
    if count in "?*+":
        return {"?": (0, 1), "*": (0, _MORE), "+": (1, _MORE)}[count]
    least, comma, most = count[1:-1].partition(",")
    if not comma:
        return int(least), int(least)
    return int(least), int(most) if most else int(least) + _MORE


def _piece(draws: Draws, tokens: _Tokens) -> str:
    kind, written = tokens[0]
    match kind:
        case "edge":
            return ""
        case "open":
            made, rest = _branches(draws, tokens[1:])
            if not rest:
                raise PatternNotMade("this pattern")
            return made
        case "set":
            return draws.one_of(_members(written[1:-1]))
        case "one" if written == ".":
            return "示"
        case "one" if written.startswith("\\"):
            return draws.one_of(_CLASSES.get(written[1], written[1]))
        case "one":
            return written
    raise PatternNotMade("this pattern")


def _members(inside: str) -> list[str]:
    if inside.startswith("^"):
        raise PatternNotMade("a negated set")
    units = re.findall(r"\\u[0-9a-fA-F]{4}|\\.|.", inside, re.DOTALL)
    found: list[str] = []
    place = 0
    while place < len(units):
        if place + 2 < len(units) and units[place + 1] == "-":
            first, last = (ord(_unit(units[p])[0]) for p in (place, place + 2))
            found += [chr(c) for c in (first, (first + last) // 2, last)]
            found += [chr(c) for c in range(first, min(last, first + 16) + 1)]
            place += 3
        else:
            found += list(_unit(units[place]))
            place += 1
    return found


def _unit(unit: str) -> str:
    if unit.startswith("\\u") and len(unit) == 6:
        return chr(int(unit[2:], 16))
    return _CLASSES.get(unit[1], unit[1]) if unit.startswith("\\") else unit
