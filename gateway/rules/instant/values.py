"""What a set of instant rules (秒批规则) says. Immutable; read from a file by the application."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Scalar = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Equals:
    """The field at `pointer` is this very value; `1`, `1.0` and `true` are three values."""

    pointer: str
    value: Scalar


@dataclass(frozen=True, slots=True)
class OneOf:
    """The field at `pointer` is one of these values."""

    pointer: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class AllIn:
    """The field is a list, not empty, of texts that each stand in one of the named classes."""

    pointer: str
    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Between:
    """The field is a number within the bounds, both included."""

    pointer: str
    minimum: float
    maximum: float


@dataclass(frozen=True, slots=True)
class NotEmpty:
    """The field is a text that is more than spaces."""

    pointer: str


Condition = Equals | OneOf | AllIn | Between | NotEmpty


@dataclass(frozen=True, slots=True)
class ScopeClass:
    """A class of business scopes (经营范围) in their standard wording (规范表述)."""

    id: str
    name_zh: str
    name_en: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class CodeSeries:
    """The series of credit codes (统一社会信用代码) a registrar may assign without a person.

    `prefix` is 10 characters, six digits of a serial follow, then the organisation's check
    character and the code's own. In a `sample` series the organisation's check character is
    deliberately wrong, so that none of its codes can be real.
    """

    prefix: str
    first: int
    last: int
    sample: bool


@dataclass(frozen=True, slots=True)
class Result:
    """The licence face (证照照面) that an approval issues, and its texts."""

    text_zh: str
    text_en: str
    decision_number: str
    """With `{year}` and `{serial}`."""
    licence_type: str
    serial_series: str
    """Begins the licence's serial, so that it never meets one that a person issued."""
    from_form: Mapping[str, str]
    """Licence field to the form field (JSON pointer) it is taken from."""
    fixed: Mapping[str, str]
    """Licence field to its text."""
    codes: CodeSeries


@dataclass(frozen=True, slots=True)
class RuleSet:
    """One version of a rule. Pointers start at the item's form."""

    id: str
    version: str
    name_zh: str
    name_en: str
    valid_from_ms: int
    superseded_at_ms: int | None
    item_code: str
    item_versions: frozenset[str]
    materials: frozenset[str]
    """Material codes that must have come, besides those the item requires."""
    classes: tuple[ScopeClass, ...]
    conditions: tuple[Condition, ...]
    result: Result
    document: bytes
    """Digest of the file this was read from."""
