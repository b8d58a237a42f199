"""What notices say is judged before the commit group: agreements, item lists, announced keys.

Each proves itself by more than the signature of its message; a commit group may not wait for that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from gateway.flow.accords import VERDICTS, Accords, Notice
from gateway.flow.announced import heard
from gateway.flow.list_hearing import Heard, hear_part
from gateway.kernel.announced import AnnouncedKey
from gateway.kernel.envelope import Header, Kind
from gateway.kernel.identifiers import GatewayId
from gateway.ports.directory import Book
from gateway.ports.journal import Journal
from gateway.rules.trust import Partner

Said = Notice | Heard | AnnouncedKey


class Hearing:
    """Judges notices, and has the book follow those that were taken in."""

    def __init__(self, journal: Journal, accords: Accords) -> None:
        self._journal = journal
        self._accords = accords
        self._lists: dict[GatewayId, asyncio.Lock] = {}

    async def hear(
        self, book: Book, sender: Partner, header: Header, document: object, at_ms: int
    ) -> Said | None:
        """Return what a conformant message says; None for a kind that says it by its case.

        Raises:
            Fault: the rule that is broken.
        """
        match header.kind:
            case Kind.CATALOGUE_CHANGED:
                # One list at a time of a partner: a whole one may take a reader seconds.
                async with self._lists.setdefault(sender.gateway_id, asyncio.Lock()):
                    return await hear_part(self._journal, book, header, document, at_ms)
            case Kind.KEY_ANNOUNCED:
                return await asyncio.to_thread(
                    heard, self._accords.read_key, book, sender, document, at_ms
                )
            case kind if kind in VERDICTS:
                return await self._accords.notice(book, sender, header, document, at_ms)
        return None

    async def follow(self, said: Iterable[Said | None]) -> None:
        """Bring the book up to what was taken in."""
        notices = list(said)
        if any(isinstance(one, AnnouncedKey) for one in notices):
            await self._accords.refresh()
            return
        told = {one.agreement.digest for one in notices if isinstance(one, Notice)}
        if told:
            await self._accords.refresh(told)
