"""Choices that a seed repeats: SHA-256 of seed and counter, on every machine the same."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from hashlib import sha256
from typing import TypeVar

Chosen = TypeVar("Chosen")


class Fill(Enum):
    """How full a document is."""

    LEAST = "least"
    """What is required alone, as short as it may be."""
    FULLEST = "fullest"
    """Everything, as long as it may be."""
    MIXED = "mixed"


class Draws:
    """A stream of choices. `index` counts documents, so that enumerations are gone through."""

    def __init__(self, seed: str, index: int, fill: Fill) -> None:
        self.index = index
        self.fill = fill
        self._seed = f"{seed}|{index}|".encode()
        self._count = 0

    def below(self, bound: int) -> int:
        """Return a whole number from 0 up to but not including `bound`."""
        self._count += 1
        drawn = sha256(self._seed + str(self._count).encode()).digest()
        return int.from_bytes(drawn[:8], "big") % bound

    def between(self, least: int, most: int) -> int:
        """Return a whole number within the bounds: the least or the most of them by `fill`."""
        match self.fill:
            case Fill.LEAST:
                return least
            case Fill.FULLEST:
                return most
            case Fill.MIXED:
                return least + self.below(most - least + 1)

    def one_of(self, values: Sequence[Chosen]) -> Chosen:
        """Return one of `values`."""
        return values[self.below(len(values))]

    def next_of(self, values: Sequence[Chosen]) -> Chosen:
        """Return one of `values`: each in its turn in every other document, else any."""
        return values[self.index // 2 % len(values)] if self.index % 2 == 0 else self.one_of(values)

    def yes(self) -> bool:
        """Tell whether what is optional is there."""
        return self.fill is Fill.FULLEST or (self.fill is Fill.MIXED and self.below(2) == 1)
