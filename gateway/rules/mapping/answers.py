"""Answers: what their word on a push of ours means, and how ours on theirs is said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from gateway.kernel.faults import FaultCode
from gateway.kernel.limits import MAPPING_LENGTH_MAX, REASON_CHARS_MAX
from gateway.kernel.translations import Said, Verdict
from gateway.kernel.trees import Missing, Steps, Tree, Value, get, pointer_of, put
from gateway.rules.mapping.code_tables import key_of
from gateway.rules.mapping.problems import Wrong
from gateway.rules.mapping.rows import RowReader, clashes
from gateway.rules.mapping.running import missing
from gateway.rules.mapping.taking import Plain, Taken

RETRY: Final = "retry"
REFUSED: Final = "partner.refused"
"""What a no stands for where the table says nothing more exact."""
_RULES: Final = frozenset({*(str(code) for code in FaultCode), REFUSED})
_OUTCOMES: Final = ("ok", "refused", "retry")
_WORDS: Final = ("rule", "text_zh", "text_en", "number")


class Answers(NamedTuple):
    """`[answers]`: how their answers are read."""

    at: Steps
    ok: frozenset[str]
    means: Mapping[str, str]
    """Their code to a rule of ours or `retry`."""
    otherwise: str
    """What a code stands for that is not listed; empty: such an answer cannot be read."""
    text_at: Steps | None
    number_at: Steps | None

    @property
    def places(self) -> list[Steps]:
        """Where of theirs it looks."""
        return [at for at in (self.at, self.text_at, self.number_at) if at is not None]

    def read(self, document: Tree) -> Verdict:
        """Return what an answer means.

        Raises:
            Wrong: it says neither yes nor no.
        """
        found = get(document, self.at)
        wrong = missing()
        if not isinstance(found, Missing) and found is not None:
            key = key_of(found)
            text, number = self._word(document, self.text_at), self._word(document, self.number_at)
            if key in self.ok:
                return Verdict(True, text=text, number=number)
            means = self.means.get(key or "", self.otherwise)
            if means == RETRY:
                return Verdict(False, retry=True, text=text, number=number)
            if means:
                return Verdict(False, rule=means, text=text, number=number)
            wrong = Wrong("answers.codes has no such code", FaultCode.MAPPING_CODE_UNMAPPED)
        wrong.at = pointer_of(self.at)
        raise wrong

    def _word(self, document: Tree, at: Steps | None) -> str:
        found = None if at is None else get(document, at)
        if isinstance(found, Missing) or found is None:
            return ""
        return (key_of(found) or "")[:REASON_CHARS_MAX]


def read_answers(table: Taken) -> Answers:
    """Read `[answers]`; what is wrong is kept in the table's problems."""
    at = table.pointer("at")
    if not at:
        table.wrong("at", "is the place of the code in their answer, such as /code")
    ok = frozenset(str(key_of(value)) for value in table.plains("ok"))
    means: dict[str, str] = {}
    for row in table.tables("codes"):
        rule = _rule(row, "means")
        for value in row.plains("is"):
            key = str(key_of(value))
            if key in means or key in ok:
                row.wrong("is", "has a code that another row, or ok, has too")
            means[key] = rule
        row.finish()
    otherwise = _rule(table, "otherwise") if "otherwise" in table else ""
    text_at = table.pointer("text") if "text" in table else None
    number_at = table.pointer("number") if "number" in table else None
    table.finish()
    return Answers(at, ok, means, otherwise, text_at, number_at)


def _rule(table: Taken, name: str) -> str:
    found = table.text(name)
    if found and found != RETRY and found not in _RULES:
        table.wrong(name, f'is "{RETRY}" or a rule id; `kuayu faults` lists them all')
    return found


class _Line(NamedTuple):
    """One place of our answer: a value that is always the same, or a word of what we say."""

    at: Steps
    value: Value
    word: str
    codes: Mapping[str, Value]
    """Our rule to their code."""
    longest: int


class Says(NamedTuple):
    """`[says]`: how we answer what they push."""

    lines: Mapping[str, tuple[_Line, ...]]

    def write(self, said: Said) -> Tree:
        """Return our word in their form. A rule without a code of theirs is the row's default."""
        outcome = "ok" if said.ok else "retry" if said.retry else "refused"
        tree: Tree = {}
        for line in self.lines[outcome]:
            put(tree, line.at, line.value if not line.word else _said(line, said))
        return tree


def _said(line: _Line, said: Said) -> Value:
    match line.word:
        case "rule":
            return line.codes.get(said.rule, line.value if line.codes else said.rule)
        case "text_zh":
            return said.text_zh[: line.longest]
        case "text_en":
            return said.text_en[: line.longest]
    return said.number[: line.longest]


def read_says(table: Taken, rows: RowReader) -> Says:
    """Read `[says]`: a list of rows for each outcome."""
    lines = {}
    for outcome in _OUTCOMES:
        found: list[_Line] = []
        for row in table.tables(outcome):
            line = _line(row, rows)
            if clashes([line.at], [other.at for other in found]):
                row.wrong("theirs", "is written by a row above, or lies within what one writes")
            found.append(line)
        if not found:
            table.wrong(outcome, 'has rows that say it, such as { theirs = "/code", value = 0 }')
        lines[outcome] = tuple(found)
    table.finish()
    return Says(lines)


def _line(row: Taken, rows: RowReader) -> _Line:
    at, value, word = row.pointer("theirs"), "", ""
    codes: dict[str, Value] = {}
    if not at:
        row.wrong("theirs", "is a place of our answer, such as /code")
        at = ("?",)
    kept: Value = value
    if "said" in row:
        word = row.choice("said", _WORDS)
        if "codes" in row:
            codes = _codes(row, rows)
            kept = rows.theirs(row.plain("default"))
    else:
        kept = rows.theirs(row.plain("value"))
    longest = row.whole("length_max", 1, MAPPING_LENGTH_MAX) or MAPPING_LENGTH_MAX
    row.finish()
    return _Line(at, kept, word, codes, longest)


def _codes(row: Taken, rows: RowReader) -> dict[str, Value]:
    """Read `codes = { "rule.id" = theirs }`."""
    table = row.table("codes")
    assert table is not None
    found: dict[str, Value] = {}
    for rule in table.names():
        theirs: Plain = table.plain(rule)
        if rule not in _RULES:
            table.wrong(rule, "is no rule id; `kuayu faults` lists them all")
        found[rule] = rows.theirs(theirs)
    return found
