"""Taking away what nobody can name any more, and what crashes left. Everything here blocks."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from gateway.adapters.files.disk import Disk, enter, opened
from gateway.adapters.files.upload import content_size
from gateway.ports.vault import Usage

PART: Final = ".part"
TEMPORARY: Final = ".tmp"
_ASIDE: Final = ".swept"
CASE_FOLDER: Final = re.compile(r"[1-9][0-9]{5}-[0-9a-f-]{36}\Z")

Opener = Callable[[tuple[str, ...]], int | None]
"""Opens the folder under the root that names lead to; None if it is missing."""


class Sweeper:
    """Removes folders and files of a vault's root; `open_folder` never makes one."""

    def __init__(self, disk: Disk, open_folder: Opener) -> None:
        self._disk = disk
        self._open = open_folder

    def cases(self, partner: str) -> list[tuple[str, list[str]]]:
        """List the case folders of a partner with the names in them."""
        found: list[tuple[str, list[str]]] = []
        with self._inside(partner) as folder:
            if folder is None:
                return found
            for case in filter(CASE_FOLDER.match, self._disk.names(folder)):
                inside = enter(self._disk, case, folder, create=False)
                if inside is not None:
                    with opened(self._disk, inside):
                        found.append((case, self._disk.names(inside)))
        return found

    def crashed(self, partner: str) -> None:
        """Remove what a crash left of a partner's uploads and sweeps; make its names durable."""
        for case, names in self.cases(partner):
            with self._inside(partner, case) as folder:
                assert folder is not None, "no one else works in the folder"
                for name in names:
                    if name.endswith(TEMPORARY):
                        self._disk.unlink(name, folder)
                self._disk.sync(folder)
        with self._inside(partner) as folder:
            assert folder is not None, "no one else works in the folder"
            for name in self._disk.names(folder):
                if name.endswith(_ASIDE):
                    self._remove(partner, name)
            self._disk.sync(folder)

    def idle(self, partner: str, before_ms: int) -> dict[str, bool]:
        """Return the case folders last used before `before_ms`, and whether parts lie there."""
        found: dict[str, bool] = {}
        for case, names in self.cases(partner):
            with self._inside(partner) as folder:
                if folder is not None and self._used_ms(folder, case) < before_ms:
                    found[case] = any(name.endswith(PART) for name in names)
        return found

    def put_aside(self, partner: str, case: str, before_ms: int) -> str:
        """Take a case's folder out of everyone's sight in one step; empty if it was used since.

        The caller MUST keep uses of the folder from beginning meanwhile.
        """
        with self._inside(partner) as folder:
            if folder is None or self._used_ms(folder, case) >= before_ms:
                return ""
            aside = f".{secrets.token_hex(8)}{_ASIDE}"
            self._disk.rename(case, aside, folder)
            self._disk.sync(folder)
            return aside

    def remove(self, partner: str, aside: str) -> Usage:
        """Remove a folder that was put aside; tell what was in it."""
        return self._remove(partner, aside)

    def _remove(self, partner: str, name: str) -> Usage:
        with self._inside(partner, name) as folder:
            assert folder is not None, "only one removes it"
            files = self._disk.names(folder)
            sizes = [content_size(self._disk.size(file, folder)) or 0 for file in files]
            for file in files:
                self._disk.unlink(file, folder)
        with self._inside(partner) as folder:
            assert folder is not None, "only one removes it"
            self._disk.remove_folder(name, folder)
        return Usage(len(files), sum(sizes))

    def old_parts(self, partner: str, case: str, before_ms: int) -> list[str]:
        """Return the names of uploads that were never completed and not touched since."""
        with self._inside(partner, case) as folder:
            if folder is None:
                return []
            parts = [name for name in self._disk.names(folder) if name.endswith(PART)]
            return [p for p in parts if (self._disk.used_ms(p, folder) or before_ms) < before_ms]

    def remove_part(self, partner: str, case: str, part: str, before_ms: int) -> int | None:
        """Remove a part if it was not touched since; return its size, None if it stays."""
        with self._inside(partner, case) as folder:
            if folder is None or (self._disk.used_ms(part, folder) or before_ms) >= before_ms:
                return None
            size = content_size(self._disk.size(part, folder))
            self._disk.unlink(part, folder)
            return size

    def _used_ms(self, parent: int, case: str) -> int:
        """Return when a folder or anything in it was last used; far ahead if it is missing."""
        inside = enter(self._disk, case, parent, create=False)
        if inside is None:
            return 2**63
        with opened(self._disk, inside):
            times = [self._disk.used_ms(name, inside) for name in self._disk.names(inside)]
        times.append(self._disk.used_ms(case, parent))
        return max(at for at in times if at is not None)

    @contextmanager
    def _inside(self, *names: str) -> Iterator[int | None]:
        folder = self._open(names)
        if folder is None:
            yield None
            return
        with opened(self._disk, folder):
            yield folder
