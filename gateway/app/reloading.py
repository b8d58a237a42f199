"""Partners added, changed or suspended while the gateway runs: their files read again.

Nothing is stopped for it: lanes, pollers and the listener's authorities follow the new book, what
is under way ends with the one it began with. A partner whose folder cannot be used keeps the entry
it had; if our own folder is wrong, everything stays as it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from gateway.adapters.pki.suites import SuiteVerifier
from gateway.app.core import Core
from gateway.app.onboarding.folders import FILE, stated
from gateway.app.openable import openable
from gateway.app.own_keys import read_all_signers
from gateway.app.partners import load_book
from gateway.app.platforms import Platforms
from gateway.app.problems import ConfigProblem
from gateway.flow.desk import View
from gateway.flow.dispatch import Dispatcher
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.ports.directory import Book
from gateway.ports.journal import JournalDown
from gateway.rules.agreement import Agreement
from gateway.rules.trust import EXCHANGING, Partner, PartnerState

_BY_SIGNAL = "signal"


class PartnerReload:
    """Reads the partners' files again and has everything that runs follow them."""

    def __init__(
        self, core: Core, dispatcher: Dispatcher, platforms: Platforms | None, *, calls_back: bool
    ) -> None:
        self._core = core
        self._dispatcher = dispatcher
        self._platforms = platforms
        self._calls_back = calls_back
        self._turn = asyncio.Lock()

    async def reload(self, operator: str) -> View:
        """Read the files; tell what is added, changed, activated, suspended, gone and broken.

        `taken` is false if our own folder cannot be used: then nothing changed. Two at a time wait
        for each other.

        Raises:
            Fault: `delivery.journal_down`; nothing changed.
        """
        async with self._turn:
            before = self._core.accords.of_files
            try:
                found = await asyncio.to_thread(self._read)
            except (ConfigProblem, OSError) as problem:
                self._core.log.event("partners_kept", error=type(problem).__name__)
                return {**nothing_changed(before), "taken": False, "problems": _lines(problem)}
            opened = self._platforms.opened if self._platforms is not None else None
            book = openable(found, opened, calls_back=self._calls_back)
            book = self._kept(book, before)
            try:
                await self._core.accords.found(book)
            except JournalDown as down:
                raise Fault(FaultCode.DELIVERY_JOURNAL_DOWN) from down
            self._dispatcher.follow()
            if self._platforms is not None:
                self._platforms.follow()
            return self._tell(operator, before, book)

    def soon(self) -> None:
        """Do so in the background, asked by a signal."""
        self._core.owner.start("partners-reload", self._in_background())

    async def _in_background(self) -> None:
        try:
            await self.reload(_BY_SIGNAL)
        except Fault as fault:
            self._core.log.event("partners_kept", error="Fault", rule=fault.code.value)

    def _read(self) -> Book:
        c = self._core
        home = c.directory.current().home
        book = load_book(
            c.config.partners_dir, home.gateway_id, SuiteVerifier(), demo=c.config.demo
        )
        read_all_signers(c.config, book.home, c.seams.clock.now_ms())
        own = book.home
        for held, found in ((home.keys, own.keys), (home.adapter_keys, own.adapter_keys)):
            if not held.keys() <= found.keys():
                told = "a certificate of a key that this gateway works with is not there any more"
                raise ConfigProblem(c.config.partners_dir, [f"{told}; restart to change keys"])
        return book

    # --- what cannot be served ------------------------------------------------------------------
    def _kept(self, book: Book, before: Book) -> Book:
        """Give partners that are put aside the entry they had."""
        known = {folder: gateway_id for gateway_id, folder in before.folders.items()}
        broken = tuple(
            b._replace(gateway_id=b.gateway_id or known.get(b.folder, "")) for b in book.broken
        )
        named = {b.gateway_id for b in broken} | {known.get(b.folder, "") for b in broken}
        kept = {GatewayId(g) for g in named} & before.partners.keys()
        if not kept:
            return replace(book, broken=broken)
        items = {key: item for key, item in before.catalogue.items() if key[0] in kept}
        return replace(
            book,
            broken=broken,
            partners={**book.partners, **{g: self._no_more_trusted(before, g) for g in kept}},
            catalogue={**book.catalogue, **items},
            forms=book.forms.with_those_of(before.forms),
            documents={**before.documents, **book.documents},
            agreements=_agreements(book.agreements, before.agreements, kept),
            folders={**book.folders, **{g: before.folders[g] for g in kept if g in before.folders}},
        )

    def _no_more_trusted(self, before: Book, gateway_id: GatewayId) -> Partner:
        """Return a kept entry; where its broken file says that nobody is let in, that holds."""
        partner, folder = before.partners[gateway_id], before.folders.get(gateway_id, "")
        try:
            path = self._core.config.partners_dir / folder / FILE
            state = stated(path.read_text("utf-8", "surrogateescape"))
        except OSError:
            return partner
        return partner if state is None or state in EXCHANGING else replace(partner, state=state)

    # --- what is told ---------------------------------------------------------------------------
    def _tell(self, operator: str, before: Book, book: Book) -> View:
        view = _differences(before, book)
        for broken in book.broken:
            self._core.log.event(
                "partner_broken",
                error="ConfigProblem",
                partner=broken.gateway_id or "unknown",
                path=broken.folder,
                count=len(broken.problems),
            )
        self._core.log.event("partners_taken", operator=operator, count=len(book.partners))
        return view


def _lines(problem: ConfigProblem | OSError) -> list[str]:
    if isinstance(problem, OSError):
        return [f"{problem.filename}: {problem.strerror}"]
    return [f"{problem.path}: {line}" for line in problem.messages]


def _agreements(
    found: Mapping[bytes, Agreement], held: Mapping[bytes, Agreement], kept: Iterable[GatewayId]
) -> dict[bytes, Agreement]:
    """Add what stood for partners that are kept: an agreement of theirs, a verdict of theirs."""
    theirs = set(kept)
    agreements = dict(found)
    for address, agreement in held.items():
        if theirs & agreement.parties:
            known = agreements.get(address, agreement).acts
            merged = tuple(dict.fromkeys((*known, *agreement.acts)))
            agreements[address] = replace(agreement, acts=merged)
    return agreements


def nothing_changed(book: Book) -> View:
    """Return what is told where nothing is to be changed: only what cannot be read."""
    return _differences(book, book)


def _differences(before: Book, book: Book) -> View:
    old, new = before.partners, book.partners
    stayed = old.keys() & new.keys()

    def those(wanted: Callable[[GatewayId], bool], among: Iterable[GatewayId]) -> list[str]:
        return sorted(g for g in among if wanted(g))

    def active(partners: Mapping[GatewayId, Partner], gateway_id: GatewayId) -> bool:
        return partners[gateway_id].state is PartnerState.ACTIVE

    activated = those(lambda g: active(new, g) and not active(old, g), stayed)
    suspended = those(lambda g: active(old, g) and not active(new, g), stayed)
    moved = {*activated, *suspended}
    return {
        "taken": True,
        "problems": [],
        "added": sorted(new.keys() - old.keys()),
        "changed": those(lambda g: g not in moved and _changed(before, book, g), stayed),
        "activated": activated,
        "suspended": suspended,
        "own_changed": _changed(before, book, book.home.gateway_id)
        or before.instant != book.instant,
        "gone": sorted(old.keys() - new.keys()),
        "unchanged": len(those(lambda g: g not in moved and not _changed(before, book, g), stayed)),
        "broken": [
            {
                "folder": b.folder,
                "gateway_id": b.gateway_id,
                "problems": list(b.problems),
                "kept": GatewayId(b.gateway_id) in new,
            }
            for b in book.broken
        ],
    }


def _changed(before: Book, book: Book, gateway_id: GatewayId) -> bool:
    """Tell whether a partner's entry, items or agreements with it are others."""
    return _standing(before, gateway_id) != _standing(book, gateway_id)


def _standing(book: Book, gateway_id: GatewayId) -> tuple[object, ...]:
    items = {code: item for (region, code), item in book.catalogue.items() if region == gateway_id}
    agreements = {a.digest for a in book.agreements_with(gateway_id)}
    return book.partners.get(gateway_id, book.home), items, agreements
