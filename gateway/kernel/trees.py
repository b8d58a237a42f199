"""Documents of any convention as trees of plain values."""

from __future__ import annotations

from decimal import Decimal
from typing import TypeAlias

Scalar: TypeAlias = bool | int | float | Decimal | str | bytes | None
Value: TypeAlias = Scalar | list["Value"] | dict[str, "Value"]
Tree: TypeAlias = dict[str, Value]
