"""A partner's item list over the real socket: from its own gateway only, and published whole."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from gateway.adapters.sql.sqlite import open_sqlite_reader
from gateway.flow.item_list import rows_at
from gateway.kernel.envelope import Kind
from gateway.kernel.faults import FaultCode as F
from gateway.kernel.identifiers import GatewayId
from gateway.rules.item_list.changes import list_digest
from gateway.rules.item_list.parts import ListPart, write_part
from gateway.rules.item_list.rows import ItemRow, fingerprint
from tests.support.item_list import list_row, list_rows
from tests.support.peer import Peer, Sealed, body_of

from .outcomes import refused, taken_in
from .worlds import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

JIUQUAN = GatewayId("620900")


def digest_of(rows: Sequence[ItemRow]) -> bytes:
    return list_digest({row.code: fingerprint(row) for row in rows})


def told(peer: Peer, part: ListPart) -> Sealed:
    header = peer.submission().header
    changed = peer.header(Kind.CATALOGUE_CHANGED)._replace(
        agreement_digest=header.agreement_digest,
        strength=header.strength,
        required_suites=header.required_suites,
    )
    return peer.seal(changed, body_of(write_part(part)))


def whole(rows: Sequence[ItemRow], edition: int) -> ListPart:
    return ListPart(JIUQUAN, edition, digest_of(rows), len(rows), b"", 1, True, added=tuple(rows))


async def published(world: World, rows: Sequence[ItemRow]) -> None:
    """Wait until the list is `rows`."""
    path = world.journal.path
    async with asyncio.timeout(20):
        while True:
            with open_sqlite_reader(path) as snapshot:
                if rows_at(snapshot.item_list, JIUQUAN, None) == list(rows):
                    return
            await asyncio.sleep(0.05)


async def test_a_list_of_another_region_is_refused(world: World) -> None:
    part = whole(list_rows(2), 1)
    await refused(world, told(world.zhangye, part), F.CATALOGUE_LIST_OF_ANOTHER, by=world.zhangye)
    await refused(
        world,
        told(world.jiuquan, part._replace(region=GatewayId("620200"))),
        F.CATALOGUE_LIST_OF_ANOTHER,
    )


async def test_a_list_and_its_change_are_taken_in_and_published(world: World) -> None:
    peer, rows = world.jiuquan, list_rows(3)
    await refused(
        world, told(peer, whole(rows, 1)._replace(digest=bytes(32))), F.CATALOGUE_LIST_DIFFERS
    )
    first = told(peer, whole(rows, 1))
    await taken_in(world, first)
    await taken_in(world, first)
    await published(world, rows)
    changed = [list_row(1, task_version="2"), *rows[1:]]
    change = ListPart(
        JIUQUAN, 2, digest_of(changed), 3, digest_of(rows), 1, True, changed=(changed[0],)
    )
    await refused(world, told(peer, change._replace(previous=bytes(32))), F.CATALOGUE_EDITION_GAP)
    await taken_in(world, told(peer, change))
    await published(world, changed)
    await refused(world, told(peer, whole(rows, 1)), F.CATALOGUE_EDITION_OLD)
