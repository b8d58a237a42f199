"""Reading one TOML table strictly: what is missing, of another type or unknown is kept as told."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from gateway.kernel.trees import Steps, steps_of
from gateway.rules.mapping.problems import Problem

Plain = str | int | bool
"""What a table may hold as a value of ours or theirs."""


class Taken:
    """A table of the file at `path`. What was never asked for is unknown, see `finish`."""

    def __init__(self, raw: object, path: str, problems: list[Problem]) -> None:
        self.path = path
        self.problems = problems
        self._raw: dict[str, object] = {}
        self._asked: set[str] = set()
        if isinstance(raw, dict):
            self._raw = raw
        else:
            self.problems.append(Problem(path or "document", "is a table: { name = value, ... }"))

    def __contains__(self, name: str) -> bool:
        return name in self._raw

    def names(self) -> Iterator[str]:
        """Return every name; they count as asked for."""
        self._asked.update(self._raw)
        return iter(self._raw)

    def at(self, name: str) -> str:
        """Return the path of an entry."""
        return f"{self.path}.{name}" if self.path else name

    def wrong(self, name: str, what: str) -> None:
        """Keep a problem of the entry `name`; of the table itself if empty."""
        self.problems.append(Problem(self.at(name) if name else self.path or "document", what))

    def raw(self, name: str) -> object:
        """Return an entry as it is, None if absent."""
        self._asked.add(name)
        return self._raw.get(name)

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text that is not empty; without `default` it must be there."""
        found = self.raw(name)
        if found is None and default is not None:
            return default
        if not isinstance(found, str) or not found:
            self.wrong(name, "is missing" if found is None else "is a text that is not empty")
            return ""
        return found

    def flag(self, name: str) -> bool:
        """Return true or false; absent is false."""
        found = self.raw(name)
        if found is not None and not isinstance(found, bool):
            self.wrong(name, "is true or false")
        return found is True

    def whole(self, name: str, least: int, most: int) -> int | None:
        """Return a whole number within the bounds, None if absent."""
        found = self.raw(name)
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, int) or not least <= found <= most:
            self.wrong(name, f"is a whole number from {least} to {most}")
            return None
        return found

    def choice(self, name: str, allowed: Collection[str], default: str | None = None) -> str:
        """Return one of the allowed texts."""
        found = self.raw(name)
        if found is None and default is not None:
            return default
        if not isinstance(found, str) or found not in allowed:
            self.wrong(name, f"is one of {', '.join(sorted(allowed))}")
            return default or min(allowed)
        return found

    def plain(self, name: str) -> Plain:
        """Return a text, a whole number, true or false."""
        found = self.raw(name)
        if isinstance(found, str | int):
            return found
        self.wrong(name, "is a text, a whole number, true or false")
        return ""

    def plains(self, name: str) -> list[Plain]:
        """Return a list of them, not empty; one alone is a list of one."""
        found = self.raw(name)
        listed = found if isinstance(found, list) else [found]
        plain = [each for each in listed if isinstance(each, str | int)]
        if not plain or len(plain) != len(listed):
            self.wrong(name, "is a list of texts, whole numbers, true or false")
        return plain

    def texts(self, name: str) -> list[str]:
        """Return a list of texts, empty if absent; one alone is a list of one."""
        found = self.raw(name)
        if found is None:
            return []
        listed = found if isinstance(found, list) else [found]
        texts = [each for each in listed if isinstance(each, str) and each]
        if not texts or len(texts) != len(listed):
            self.wrong(name, "is a list of texts")
        return texts

    def pointer(self, name: str) -> Steps:
        """Return a JSON pointer taken apart."""
        found = self.raw(name)
        if not isinstance(found, str):
            self.wrong(name, 'is missing: a JSON pointer such as "/data/name"')
            return ()
        return self._steps(name, found)

    def pointers(self, name: str) -> tuple[Steps, ...]:
        """Return the pointers of a side: none if absent, one, or several."""
        found = self.raw(name)
        if found is None:
            return ()
        listed = found if isinstance(found, list) else [found]
        pointers = [each for each in listed if isinstance(each, str)]
        if not pointers or len(pointers) != len(listed):
            self.wrong(name, 'is a JSON pointer such as "/data/name", or a list of them')
            return ()
        return tuple(self._steps(name, each) for each in pointers)

    def _steps(self, name: str, pointer: str) -> Steps:
        try:
            return steps_of(pointer)
        except ValueError as problem:
            self.wrong(name, f"{problem}, as in /data/name")
            return (f"?{len(self.problems)}",)  # a place of its own: it clashes with nothing

    def table(self, name: str) -> Taken | None:
        """Return the table `name`, None if absent."""
        found = self.raw(name)
        return None if found is None else Taken(found, self.at(name), self.problems)

    def tables(self, name: str) -> list[Taken]:
        """Return a list of tables, empty if absent."""
        found = self.raw(name)
        if found is None:
            return []
        if not isinstance(found, list):
            self.wrong(name, "is a list of tables")
            return []
        return [
            Taken(each, f"{self.at(name)}[{place}]", self.problems)
            for place, each in enumerate(found)
        ]

    def finish(self) -> None:
        """Keep a problem for every entry that nobody asked for."""
        known = ", ".join(sorted(self._asked))
        for name in self._raw:
            if name not in self._asked:
                self.wrong(name, f"is not known here; known are {known}")
