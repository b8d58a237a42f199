"""TOML files read into models: every error of a file at once, none of its values repeated."""

from __future__ import annotations

import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from gateway.app.problems import ConfigProblem, told
from gateway.rules.schema.formats import is_region, is_uscc


class Strict(BaseModel):
    """A table that may hold what is named and nothing else."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


Table = TypeVar("Table", bound=Strict)


def _require_region(text: str) -> str:
    if not is_region(text):
        raise ValueError("is not a six-digit region code")
    return text


def _require_uscc(text: str) -> str:
    if not is_uscc(text):
        raise ValueError("is not a unified social credit code (统一社会信用代码)")
    return text


Region = Annotated[str, AfterValidator(_require_region)]
CreditCode = Annotated[str, AfterValidator(_require_uscc)]
Instant = AwareDatetime
# What partners name is shown on operators' terminals: no control or direction-changing characters.
Name = Annotated[
    str,
    Field(
        min_length=1,
        max_length=128,
        pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+$",
    ),
]
ItemCode = Annotated[str, Field(pattern=r"^[0-9]{11}[0-9Y]([0-9]{2})?$")]
LicenceType = Annotated[str, Field(pattern=r"^[0-9A-Z]{21}$")]


def read_table(raw: bytes, model: type[Table], path: Path) -> Table:
    """Read a TOML document into `model`.

    Raises:
        ConfigProblem: it is not TOML, or breaks the model; all errors at once.
    """
    try:
        return model.model_validate(tomllib.loads(raw.decode("utf-8")))
    except ValidationError as problem:
        raise ConfigProblem(path, told(problem)) from None
    except ValueError as problem:  # not TOML, not UTF-8, or a number of too many digits
        raise ConfigProblem(path, [f"not TOML: {problem}"]) from None


def days_ms(days: int) -> int:
    """Return days in ms."""
    return timedelta(days=days) // timedelta(milliseconds=1)


def twice(values: list[str]) -> list[str]:
    """Return what a list names more than once, in order."""
    return sorted({value for value in values if values.count(value) > 1})
