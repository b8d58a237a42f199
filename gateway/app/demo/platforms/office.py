"""What every simulated platform of the demo is: a story, a folder to write, a program to run."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from gateway.app.demo.story import DemoFailed, View
from gateway.app.provision import Site, adopt
from gateway.app.shipped import partners_root
from gateway.kernel.instants import to_iso

POLL_S: Final = 0.03
"""How often a platform looks whether something lies ready for it; conditions, no measured times."""


@dataclass(frozen=True)
class PlatformStory:
    """One case at a partner that runs a platform of its own."""

    folder: str
    """Of the partner, among the shipped ones."""
    region: str
    dialect: str
    zh: str
    en: str
    item: str
    purpose: str
    vector: str
    """Folder of the sample application."""
    mode: str = "collect_on_behalf"
    """Under this one the window hands the result over, else the partner, or nobody needs to."""
    ends: str = "delivered"

    @property
    def samples(self) -> Path:
        """The sample application's folder."""
        return partners_root() / self.folder / "vectors" / self.vector

    @property
    def items(self) -> frozenset[str]:
        """Codes of the items that the partner decides."""
        folders = (partners_root() / self.folder / "items").iterdir()
        return frozenset(path.name for path in folders)

    def form(self) -> View:
        """Return the sample application's form."""
        found: View = json.loads((self.samples / "submitted.json").read_bytes())["form"]
        return found

    def files(self) -> list[str]:
        """Return the codes of materials that are handed in as files."""
        golden = json.loads((self.samples / "golden.json").read_bytes())
        codes: list[str] = golden[-1]["files"]
        return codes


class Register:
    """The cases a simulated platform has: one for each number under which it was asked."""

    def __init__(self, items: Collection[str] | None) -> None:
        self._items = items
        """What it decides; None: everything."""
        self._cases: dict[str, str] = {}
        self._withdrawn: set[str] = set()

    def lists(self, item: str) -> bool:
        """Tell whether the platform decides such an item."""
        return self._items is None or item in self._items

    def opened(self, number: str, case: str) -> bool:
        """Keep a case; tell whether it is new, and not asked for again under its number."""
        fresh = number not in self._cases
        self._cases[number] = case
        return fresh

    def has(self, case: str) -> bool:
        """Tell whether a case was opened here."""
        return case in self._cases.values()

    def withdraw(self, case: str) -> None:
        """Note that nobody waits for a case any more."""
        self._withdrawn.add(case)

    def goes_on(self, case: str) -> bool:
        """Tell whether somebody still waits for a case."""
        return case not in self._withdrawn


class Platform(Protocol):
    """A simulated platform."""

    @property
    def story(self) -> PlatformStory:
        """Its case."""
        ...

    def running(self, site: Site) -> AbstractAsyncContextManager[str]:
        """Run it; yield the lines of `[outlet.<kind>]` by which the gateway of `site` reaches it.

        What the lines name, keys and secrets of this run, is written into the partner's folder.
        """
        ...


def adopted(site: Site, story: PlatformStory, now_ms: int) -> Path:
    """Give the gateway the partner, unless it has it; return the partner's folder.

    Raises:
        DemoFailed: another scenario made it a partner of another kind.
        OSError, ValueError: the sample partner is not there.
    """
    folder = site.root / "partners" / story.folder
    if not folder.exists():
        adopt(site, partners_root() / story.folder, now_ms)
    elif f'kind = "{story.dialect}"' not in (folder / "partner.toml").read_text("utf-8"):
        raise DemoFailed(
            f"{folder} 在此演示文件夹中是另一种对接方式 is a partner of another kind here;"
            " use another --state folder"
        )
    return folder


def connect(site: Site, story: PlatformStory, lines: str) -> None:
    """Write the partner's entry anew: active, and reached at this run's addresses."""
    path = site.root / "partners" / story.folder / "partner.toml"
    head = path.read_text("utf-8").partition("\n[outlet]")[0]
    head = re.sub(r'(?m)^state = "\w+"', 'state = "active"', head)
    entry = f'{head}\n[outlet]\nkind = "{story.dialect}"\n\n[outlet.{story.dialect}]\n{lines}\n'
    path.write_text(entry, "utf-8")


def write_secret(folder: Path, name: str, content: bytes) -> None:
    """Write a secret of this run into a partner's folder, for its owner only."""
    path = folder / name
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(content)


def today(now_ms: int) -> str:
    """Return the day as `20260601`, as platforms write it."""
    return to_iso(now_ms)[:10].replace("-", "")
