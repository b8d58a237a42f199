"""An import that comes as a stream: the head, rows and endings, and the word to publish.

Whoever sends it has read the file and compared it with the list; what is told here is only what
changes. The list changes with the last word, or not at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from gateway.flow.desk import View
from gateway.flow.item_press import Press, Sheet, last_edition
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId, is_gateway_id
from gateway.kernel.limits import ITEM_PART_BYTES, ITEM_ROWS_MAX, ITEM_STAGE_ROWS
from gateway.ports.item_list import Edition
from gateway.ports.journal import Journal
from gateway.rules.item_list.changes import Changes
from gateway.rules.item_list.parts import read_row
from gateway.rules.item_list.rows import ItemRow

_COUNTS: Final = ("base", "rows", "added", "changed", "ended")


class ImportHead(NamedTuple):
    """What an import will be."""

    region: GatewayId
    base: int
    """Number of the edition it was compared with; 0: there is none."""
    source: bytes
    digest: bytes
    """Of the list as it will be."""
    rows: int
    added: int
    changed: int
    ended: int


def stream_of(head: ImportHead, changes: Changes) -> Iterator[tuple[int, dict[str, object]]]:
    """Yield an import's objects, each with the number of rows sent by then."""
    told = head._asdict()
    yield 0, {**told, "source": head.source.hex(), "digest": head.digest.hex()}
    sent = 0
    for part in _parts((*changes.added, *changes.changed)):
        sent += len(part)
        yield sent, {"rows": part}
    for start in range(0, len(changes.ended), ITEM_STAGE_ROWS):
        yield sent, {"ended": changes.ended[start : start + ITEM_STAGE_ROWS]}
    yield sent, {"publish": True}


def _parts(rows: Sequence[ItemRow]) -> Iterator[list[ItemRow]]:
    part: list[ItemRow] = []
    room = ITEM_PART_BYTES
    for row in rows:
        size = sum(len(cell) for cell in row)
        if part and (len(part) == ITEM_STAGE_ROWS or room < size):
            yield part
            part, room = [], ITEM_PART_BYTES
        part.append(row)
        room -= size
    if part:
        yield part


async def import_stream(
    journal: Journal, press: Press, objects: AsyncIterator[Mapping[str, object]], *, now_ms: int
) -> View:
    """Take an import in as it comes and publish it with its last object.

    Raises:
        Fault: `item_list.changed_meanwhile`, `catalogue.row_invalid`, `portal.request_invalid`;
            nothing of it stays then. What reading `objects` raises.
    """
    head = _head(await anext(objects, {}))
    base = await journal.read(lambda s: last_edition(s.item_list, head.region))
    if (base.number if base else 0) != head.base:
        raise Fault(FaultCode.ITEM_LIST_CHANGED_MEANWHILE)
    async with press.edition(head.region, base, now_ms) as sheet:
        await _staged(sheet, objects, head)
        edition = Edition(
            head.region,
            head.base + 1,
            sheet.at_ms,
            head.source,
            head.rows,
            head.added,
            head.changed,
            head.ended,
            digest=head.digest,
        )
        await sheet.publish(edition)
    return {"number": edition.number, "imported_at_ms": edition.imported_at_ms}


def _head(told: Mapping[str, object]) -> ImportHead:
    region, counts = told.get("region"), [told.get(name) for name in _COUNTS]
    if not isinstance(region, str) or not is_gateway_id(region):
        raise Fault(FaultCode.PORTAL_REQUEST_INVALID, "region")
    whole = [n for n in counts if type(n) is int and 0 <= n <= ITEM_ROWS_MAX]
    if len(whole) < len(counts):
        raise Fault(FaultCode.PORTAL_REQUEST_INVALID, ", ".join(_COUNTS))
    base, rows, added, changed, ended = whole
    source, digest = _digest(told, "source"), _digest(told, "digest")
    return ImportHead(GatewayId(region), base, source, digest, rows, added, changed, ended)


def _digest(told: Mapping[str, object], name: str) -> bytes:
    text = told.get(name)
    try:
        digest = bytes.fromhex(text) if isinstance(text, str) else b""
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise Fault(FaultCode.PORTAL_REQUEST_INVALID, name)
    return digest


async def _staged(
    sheet: Sheet, objects: AsyncIterator[Mapping[str, object]], head: ImportHead
) -> None:
    """Stage what comes until the word to publish.

    Raises:
        Fault: it ends before, or holds more or less than its head says.
    """
    codes: set[str] = set()
    ended = 0
    async for told in objects:
        if told.get("publish") is True:
            if (sheet.staged, ended) != (head.added + head.changed, head.ended):
                raise Fault(FaultCode.PORTAL_REQUEST_INVALID, "other rows than told")
            return
        rows = await asyncio.to_thread(_rows, told.get("rows", ()))
        gone = told.get("ended", ())
        if not isinstance(gone, list | tuple) or not all(isinstance(c, str) for c in gone):
            raise Fault(FaultCode.PORTAL_REQUEST_INVALID, "ended")
        fresh = [*(row.code for row in rows), *gone]
        if not codes.isdisjoint(fresh) or len(set(fresh)) < len(fresh):
            raise Fault(FaultCode.PORTAL_REQUEST_INVALID, "a code stands twice")
        codes.update(fresh)
        ended += len(gone)
        await _stage(sheet, rows, gone)
    raise Fault(FaultCode.PORTAL_REQUEST_INVALID, "ended before it was to be published")


async def _stage(sheet: Sheet, rows: Sequence[ItemRow], gone: Sequence[str]) -> None:
    try:
        await sheet.stage(rows, gone)
    except ValueError as wrong:
        raise Fault(FaultCode.PORTAL_REQUEST_INVALID, str(wrong)) from wrong


def _rows(told: object) -> list[ItemRow]:
    if not isinstance(told, list | tuple):
        raise Fault(FaultCode.PORTAL_REQUEST_INVALID, "rows")
    rows = []
    for number, cells in enumerate(told, 1):
        if not isinstance(cells, list) or not all(isinstance(cell, str) for cell in cells):
            raise Fault(FaultCode.PORTAL_REQUEST_INVALID, "rows")
        rows.append(read_row(cells, f"row {number}"))
    return rows
