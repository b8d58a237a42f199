"""What partners tell of their item lists (事项清单变更): judged, kept part by part, published.

A part is judged and kept inside the commit group as every message. The part that makes an edition
whole is judged with all the others before it gets its receipt: the list they make must be the one
whose digest the sender signed. The rows are then published from the messages as they are kept, so
a process that dies between goes on from the journal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from gateway.flow.committer import Group
from gateway.flow.item_press import last_edition
from gateway.kernel.envelope import Header
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId, MessageId, MessageRef
from gateway.kernel.limits import ITEM_ROWS_MAX
from gateway.ports.directory import Book
from gateway.ports.item_list import ItemListReader
from gateway.ports.journal import Journal, Snapshot
from gateway.rules import agreement as agreements
from gateway.rules.item_list.arrivals import arrive, arriving, require_own_list
from gateway.rules.item_list.changes import list_digest
from gateway.rules.item_list.parts import ListPart, apply, read_part, require_result
from gateway.rules.schema.strict_json import parse
from gateway.wire.envelopes import decode_envelope
from gateway.wire.headers import decode_body


class Heard(NamedTuple):
    """A part that follows the rules, seen against one state of the list."""

    part: ListPart
    base: int
    """Number of the edition it was seen against; 0 if there is none."""
    digest: bytes
    """Of that edition."""
    judged: frozenset[int] | None
    """The parts that were here and make the edition whole with this one; None: it is not yet."""
    fault: Fault | None
    """What is wrong with the whole."""


async def hear_part(
    journal: Journal, book: Book, header: Header, document: object, received_at_ms: int
) -> Heard:
    """Judge what an authenticated message says of its sender's list, and the whole if it is last.

    Whether it may follow what was told before is *not* checked: see `keep_part`.

    Raises:
        Fault: `catalogue.row_invalid`, `catalogue.list_of_another`, `agreement.*`.
    """
    agreement = book.agreements.get(header.agreement_digest)
    if agreement is None:
        raise Fault(FaultCode.AGREEMENT_UNKNOWN, header.agreement_digest.hex()[:16])
    agreements.require_party(agreement, header.sender, header.recipient)
    agreements.require_in_force(agreement, received_at_ms)
    agreements.require_proof(agreement, header.strength, header.required_suites)
    part = await asyncio.to_thread(read_part, document)
    require_own_list(part.region, header.sender)
    return await journal.read(lambda s: _seen(s, part))


def _seen(snapshot: Snapshot, part: ListPart) -> Heard:
    lists = snapshot.item_list
    last = last_edition(lists, part.region)
    digest = b""
    if last is not None:
        digest = last.digest or list_digest(lists.fingerprints(part.region))
    heard = Heard(part, last.number if last else 0, digest, None, None)
    told = lists.told(part.region)
    before = arriving(told)
    here = lists.told_parts(part.region, before.number) if before else {}
    try:
        after = arrive(told, here.keys(), part, digest, 0)
    except Fault:  # said in the commit group, where it counts
        return heard
    if after is None or not after.complete:
        return heard
    others = here if after.arrived > 1 else {}
    try:
        _require_whole(snapshot, heard, others)
    except Fault as fault:
        return heard._replace(judged=frozenset(others), fault=fault)
    return heard._replace(judged=frozenset(others))


def _require_whole(snapshot: Snapshot, heard: Heard, others: Mapping[int, bytes]) -> None:
    """Check that all parts make the list that the sender signed.

    Raises:
        Fault: `catalogue.edition_gap`, `catalogue.list_differs`.
    """
    part = heard.part
    if part.previous and part.previous != heard.digest:
        raise Fault(FaultCode.CATALOGUE_EDITION_GAP, f"edition {part.edition}")
    lists = snapshot.item_list
    held = dict(lists.fingerprints(part.region)) if part.previous else {}
    touched: set[str] = set()
    for one in (*kept_parts(snapshot, part.region, others), part):
        codes = {*(row.code for row in (*one.added, *one.changed)), *one.removed}
        if not touched.isdisjoint(codes):
            raise Fault(FaultCode.CATALOGUE_LIST_DIFFERS, "a code stands in two parts")
        touched |= codes
        if len(touched) > 2 * ITEM_ROWS_MAX:  # all of one list ends and all of another comes
            raise Fault(FaultCode.CATALOGUE_LIST_DIFFERS, "more rows than lists have")
        apply(held, one)
    require_result(held, part)


def kept_parts(
    snapshot: Snapshot, region: GatewayId, parts: Mapping[int, bytes]
) -> Iterator[ListPart]:
    """Yield the parts of an edition from the messages that hold them, one in memory at a time."""
    for _, message_id in sorted(parts.items()):
        ref = MessageRef(region, MessageId(message_id))
        envelope = decode_envelope(snapshot.messages([ref])[ref].envelope)
        yield read_part(parse(decode_body(envelope.body_bytes).form))


def keep_part(group: Group, heard: Heard, message_id: MessageId) -> None:
    """Keep a part inside the commit group.

    Raises:
        Fault: those of `rules.item_list.arrivals.arrive`; `catalogue.list_differs`.
    """
    lists, part = group.tx.item_list, heard.part
    told = lists.told(part.region)
    before = arriving(told)
    here = _here(group, part.region, before.number) if before else {}
    _require_seen(lists, heard)
    after = arrive(told, here.keys(), part, heard.digest, group.now_ms)
    if after is None:
        return
    anew = after.arrived == 1
    if after.complete:
        if heard.judged != (frozenset() if anew else frozenset(here)):
            raise Fault(FaultCode.CATALOGUE_EDITION_PENDING, "seen before the other parts")
        if heard.fault is not None:
            raise heard.fault
    if before is not None and anew:
        lists.drop_told(part.region, before.number)
        group.told_parts.pop((part.region, before.number), None)
    lists.put_told(after)
    lists.put_told_part(part.region, after.number, part.part, message_id)
    _here(group, part.region, after.number)[part.part] = message_id


def _here(group: Group, region: GatewayId, number: int) -> dict[int, bytes]:
    """Return the parts that are kept; they are looked up once a group, not with every message."""
    if (region, number) not in group.told_parts:
        group.told_parts[region, number] = dict(group.tx.item_list.told_parts(region, number))
    return group.told_parts[region, number]


def _require_seen(lists: ItemListReader, heard: Heard) -> None:
    """Check that the list is what it was when the part was judged."""
    last = last_edition(lists, heard.part.region)
    if (last.number if last else 0) != heard.base:
        raise Fault(FaultCode.CATALOGUE_EDITION_PENDING, "the list changed meanwhile")
