"""What operators do with partners: write an entry, invite, change a state. Each is a signed act."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from gateway.adapters.pki.phrase import is_phrase, phrase_of
from gateway.adapters.pki.suites import SuiteVerifier
from gateway.app.core import Core
from gateway.app.onboarding.folders import (
    FILE,
    Entry,
    find_entry,
    held_back,
    no_partner,
    put_entry,
    stated,
    with_state,
    write_whole,
)
from gateway.app.onboarding.invitation import (
    Invitation,
    Read,
    addressee_of,
    folder_of,
    read_invitation_bytes,
    write_file,
    write_payload,
)
from gateway.app.openable import open_beside, openable
from gateway.app.partners import load_book
from gateway.app.problems import ConfigProblem
from gateway.app.reloading import PartnerReload
from gateway.flow.desk import View
from gateway.kernel.digests import TYPE_INVITATION, pae
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId, is_gateway_id
from gateway.ports.directory import Book
from gateway.rules.onboarding import PartnerEvent, require_conformant, require_usable, step
from gateway.rules.trust import PartnerState

ISSUED: Final = "invitations"
"""Folder of the state folder where the digests of our invitations are kept."""


_AWAY: Final = frozenset({PartnerEvent.SUSPEND, PartnerEvent.RETIRE})


class _Known(NamedTuple):
    """What is known of a partner whose folder may be broken."""

    gateway_id: str
    name_zh: str
    outlet: str
    state: PartnerState | None


class _Held(NamedTuple):
    """A partner's folder as it stands, with what its file says letter by letter."""

    folder: Path
    text: str
    known: _Known
    before: PartnerState


class Onboarding:
    """Acts on partners' folders, one after another."""

    def __init__(self, core: Core, reloading: PartnerReload | None) -> None:
        self._core = core
        self._reloading = reloading
        self._turn = asyncio.Lock()

    async def new(self, operator: str, folder: str, files: Mapping[str, str]) -> View:
        """Write a partner's folder where there is none, in state draft.

        Raises:
            Fault: those of `put_entry`.
        """
        return await self._put(operator, folder, files, over_draft=False)

    async def join(self, operator: str, folder: str, file: str, phrase: str) -> View:
        """Take in what a partner's signed file says, in state testing, also in a draft's place.

        `phrase` are the words that the operator heard: they must be those of this very file.

        Raises:
            Fault: `partner.entry_invalid` if the file proves nothing, answers no invitation of
                ours, or has other words; those of `put_entry`.
        """
        found = await asyncio.to_thread(self._proven, file, phrase)
        who = found.content
        if who.in_reply_to and not await asyncio.to_thread(self._was_asked, who):
            told = f"answers no invitation that this gateway made for {who.gateway_id}"
            raise Fault(
                FaultCode.PARTNER_ENTRY_INVALID, f"{told}; begin anew with `kuayu partner invite`"
            )
        name = folder or f"p{who.gateway_id}"
        return await self._put(operator, name, folder_of(who), over_draft=True)

    def _proven(self, file: str, phrase: str) -> Read:
        config, now_ms = self._core.config, self._core.seams.clock.now_ms()
        try:
            found = read_invitation_bytes(
                file.encode(), Path("FILE"), config.gateway_id, now_ms, demo=config.demo
            )
        except ConfigProblem as problem:
            raise Fault(FaultCode.PARTNER_ENTRY_INVALID, problem.messages[0]) from None
        if not is_phrase(phrase, found.payload):
            told = "these are not the words of this file: it may have been swapped on its way"
            raise Fault(FaultCode.PARTNER_ENTRY_INVALID, told)
        return found

    def _was_asked(self, who: Invitation) -> bool:
        """Tell whether it answers an invitation of ours, and comes from whom that was made for."""
        kept = self._core.config.state_dir / ISSUED / f"{who.in_reply_to}.json"
        return kept.is_file() and addressee_of(kept.read_bytes()) == who.gateway_id

    async def _put(
        self, operator: str, folder: str, files: Mapping[str, str], *, over_draft: bool
    ) -> View:
        async with self._turn:
            partners = self._core.config.partners_dir
            put = partial(put_entry, partners, folder, files, over_draft=over_draft)
            path = await asyncio.to_thread(put)
            entry = find_entry(partners, path.name)
            assert entry is not None, "it was written just now"
            await self._follow(operator, entry)
            return _view(entry)

    async def invite(self, made_for: str, in_reply_to: str) -> View:
        """Return this gateway's own entry as a signed file, with its words.

        Raises:
            Fault: `operator.request_invalid`; `delivery.signer_down`.
        """
        core = self._core
        if not is_gateway_id(made_for) or made_for == core.config.gateway_id:
            raise Fault(
                FaultCode.OPERATOR_REQUEST_INVALID,
                "partner: the six digits of another gateway's id",
            )
        home, now_ms = core.directory.current().home, core.seams.clock.now_ms()
        payload = write_payload(home, made_for, in_reply_to, now_ms)
        message = pae(TYPE_INVITATION, payload)
        ((signature, *_),) = await asyncio.to_thread(core.sealer.sign, [message])
        digest = sha256(payload).hexdigest()
        kept = core.config.state_dir / ISSUED / f"{digest}.json"
        text = write_file(payload, signature)
        await asyncio.to_thread(write_whole, kept, text.encode())
        words = await asyncio.to_thread(phrase_of, payload)
        return {"partner": made_for, "digest": digest, "phrase": words, "file": text}

    async def change(
        self, operator: str, partner: str, event: PartnerEvent, *, override: bool = False
    ) -> View:
        """Change a partner's state; one that then cannot be read stays as it was.

        Raises:
            Fault: `operator.not_found`, `partner.state`, `partner.entry_invalid`;
                `partner.not_conformant` for activating without a fresh pass and no override.
        """
        async with self._turn:
            if event in _AWAY:
                return await self._hold_back(operator, partner, event)
            entry = self._found(partner)
            state = step(entry.file.state, event)
            if state is PartnerState.ACTIVE and not override:
                await self._follow(operator, entry)  # what is judged is what the files say now
                require_conformant(await asyncio.to_thread(self._unproven, entry))
            path = entry.folder / FILE
            before = await asyncio.to_thread(path.read_text, "utf-8")
            after = with_state(before, state)
            await asyncio.to_thread(write_whole, path, after.encode())
            changed = Entry(entry.folder, entry.file.model_copy(update={"state": state}))
            try:
                await self._follow(operator, changed)
            except Fault:
                await asyncio.to_thread(write_whole, path, before.encode())
                if self._reloading is not None:
                    await self._reloading.reload(operator)
                raise
            self._core.log.event("partner_state", partner=entry.file.gateway_id, status=state.value)
            return {"before": entry.file.state.value, **_view(changed)}

    async def require_change(self, partner: str, event: PartnerEvent) -> None:
        """Check that a partner's state could be changed now; what the kit says is *not* looked at.

        Raises:
            Fault: `operator.not_found`, `partner.state`, `partner.entry_invalid`.
        """
        if event in _AWAY:
            step((await asyncio.to_thread(self._held, partner)).before, event)
        else:
            step((await asyncio.to_thread(self._found, partner)).file.state, event)

    async def _hold_back(self, operator: str, partner: str, event: PartnerEvent) -> View:
        """Suspend or retire a partner, also one whose folder cannot be used any more.

        That is when it matters: a stolen certificate was taken out, and its line left in. What
        stood before is never restored. `problems` is what is wrong with the folder.
        """
        folder, text, known, before = await asyncio.to_thread(self._held, partner)
        state = step(before, event)
        try:
            changed = with_state(text, state)
        except Fault:
            changed = held_back(text, state)
        raw = changed.encode("utf-8", "surrogateescape")
        await asyncio.to_thread(write_whole, folder / FILE, raw)
        problems = [_within(line, folder) for line in await self._reread(operator, folder.name)]
        self._core.log.event("partner_state", partner=known.gateway_id, status=state.value)
        view = {**known._asdict(), "folder": str(folder), "state": state.value}
        return {**view, "partner": known.gateway_id, "before": before.value, "problems": problems}

    def _held(self, partner: str) -> _Held:
        """Return a partner's folder, and what its file or else the book says of it.

        Raises:
            Fault: `operator.not_found`; `partner.entry_invalid` if its file cannot be read at all.
        """
        folder, known = self._named(partner)
        try:
            text = (folder / FILE).read_text("utf-8", "surrogateescape")
        except OSError as problem:
            told = f"{folder / FILE}: {problem.strerror}"
            raise Fault(FaultCode.PARTNER_ENTRY_INVALID, told) from None
        return _Held(folder, text, known, known.state or stated(text) or PartnerState.DRAFT)

    def _named(self, partner: str) -> tuple[Path, _Known]:
        config, book = self._core.config, self._core.directory.current()
        entry = find_entry(config.partners_dir, partner)
        if entry is not None:
            f = self._found(partner).file
            return entry.folder, _Known(f.gateway_id, f.name_zh, f.outlet.kind, f.state)
        named = {folder: g for g, folder in book.folders.items()}
        named |= {b.folder: GatewayId(b.gateway_id) for b in book.broken}
        for folder, gateway_id in named.items():
            path = config.partners_dir / folder
            if partner in (folder, gateway_id) and gateway_id != book.home.gateway_id:
                held = book.partners.get(gateway_id)
                known = _Known(gateway_id, "", "", None)
                if held is not None:
                    known = _Known(gateway_id, held.name_zh, held.outlet, held.state)
                return path, known
        raise no_partner(book, partner)

    def _found(self, partner: str) -> Entry:
        entry = find_entry(self._core.config.partners_dir, partner)
        if entry is None or entry.file.gateway_id == self._core.config.gateway_id:
            raise no_partner(self._core.directory.current(), partner)
        return entry

    def _unproven(self, entry: Entry) -> Sequence[str]:
        """Return what stands against a fresh pass of the conformance kit."""
        from gateway.app.conformance import freshness  # the kit, seldom needed

        config, now_ms = self._core.config, self._core.seams.clock.now_ms()
        try:
            fresh = freshness(config, self._core.directory.current(), entry.file.gateway_id, now_ms)
        except ConfigProblem as problem:
            return list(problem.messages)
        return fresh.reasons if not fresh.passed else ()

    async def _follow(self, operator: str, entry: Entry) -> None:
        """Have the partners' folders read again.

        Raises:
            Fault: `partner.entry_invalid` if this one cannot be used.
        """
        wrong = await self._reread(operator, entry.folder.name)
        require_usable([_within(line, entry.folder) for line in wrong])

    async def _reread(self, operator: str, folder: str) -> Sequence[str]:
        """Have the partners' folders read again; return what is wrong with one of them."""
        if self._reloading is not None:
            return _problems(await self._reloading.reload(operator), folder)
        book = await asyncio.to_thread(self._read)
        return [p for b in book.broken if b.folder == folder for p in b.problems]

    def _read(self) -> Book:
        config, home = self._core.config, self._core.directory.current().home.gateway_id
        book = load_book(config.partners_dir, home, SuiteVerifier(), demo=config.demo)
        opened = partial(open_beside, demo=config.demo) if config.keys.adapter else None
        return openable(book, opened, calls_back=config.callbacks.listen is not None)


def _problems(told: View, folder: str) -> list[str]:
    """Return what a reload said of one folder."""
    broken = told["broken"]
    assert isinstance(broken, list), "a reload tells of each broken folder"
    return [line for b in broken if b["folder"] == folder for line in b["problems"]]


def _within(line: str, folder: Path) -> str:
    """Name files as they are called within the folder."""
    return line.replace(f"{folder}/", "").removeprefix(f"{folder}: ")


def _view(entry: Entry) -> View:
    return {
        "partner": entry.file.gateway_id,
        "name_zh": entry.file.name_zh,
        "folder": str(entry.folder),
        "state": entry.file.state.value,
        "outlet": entry.file.outlet.kind,
    }
