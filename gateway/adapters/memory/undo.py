"""Dictionaries whose changes can be taken back: what makes the memory journal's writes atomic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class UndoLog:
    """How to take back what a transaction did, latest first."""

    def __init__(self) -> None:
        self._steps: list[Callable[[], object]] = []

    def add(self, step: Callable[[], object]) -> None:
        """Note how to take back what is about to be done."""
        self._steps.append(step)

    def undo(self) -> None:
        """Take everything back."""
        while self._steps:
            self._steps.pop()()

    def forget(self) -> None:
        """Let it stand."""
        self._steps.clear()


class Table(Generic[K, V]):
    """A dictionary whose changes can be taken back."""

    def __init__(self, log: UndoLog) -> None:
        self.rows: dict[K, V] = {}
        self._log = log

    def put(self, key: K, value: V) -> None:
        """Insert or replace."""
        if key in self.rows:
            before = self.rows[key]
            self._log.add(lambda: self.rows.__setitem__(key, before))
        else:
            self._log.add(lambda: self.rows.pop(key))
        self.rows[key] = value

    def add(self, key: K, value: V) -> None:
        """Insert.

        Raises:
            ValueError: the key is taken.
        """
        if key in self.rows:
            raise ValueError("a key is known already")
        self.put(key, value)

    def drop(self, key: K) -> None:
        """Remove; an unknown key is no error."""
        if key in self.rows:
            before = self.rows.pop(key)
            self._log.add(lambda: self.rows.__setitem__(key, before))
