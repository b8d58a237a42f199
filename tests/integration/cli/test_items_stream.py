"""A large import through the operators' socket: others go on, and it is whole or nothing."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.adapters.sql.sqlite import open_sqlite_reader
from gateway.app.provision import Site
from gateway.flow.item_import import ImportHead, stream_of
from gateway.flow.item_list import digest_of, rows_at
from gateway.kernel.identifiers import GatewayId
from gateway.rules.item_list.changes import compare
from gateway.rules.item_list.rows import ItemRow
from tests.support.item_list import OTHER_AUTHORITY, csv_bytes, list_rows
from tests.support.world import Node, run_nodes

from .console import answer
from .test_agreement_wire import AMENDED, DIGEST

REGION = GatewayId("620200")
ROWS = list_rows(2_000, OTHER_AUTHORITY)
COMMAND = "http://operator/v1/streams/items-import"


@pytest.fixture
async def nodes(pair: tuple[Site, Site]) -> AsyncIterator[list[Node]]:
    async with run_nodes(pair) as running:
        yield running


def framed(document: object) -> bytes:
    raw = json.dumps(document).encode()
    return len(raw).to_bytes(4, "big") + raw


def documents(base: int = 0) -> list[dict[str, Any]]:
    changes = compare({}, ROWS)
    head = ImportHead(REGION, base, bytes(32), digest_of(ROWS), len(ROWS), len(ROWS), 0, 0)
    return [document for _, document in stream_of(head, changes)]


async def sent(told: list[dict[str, Any]]) -> AsyncIterator[bytes]:
    for document in told:
        yield framed(document)


def held(node: Node) -> list[ItemRow]:
    with open_sqlite_reader(node.config.journal.path) as snapshot:
        return rows_at(snapshot.item_list, REGION, None)


def staged(node: Node) -> int:
    with open_sqlite_reader(node.config.journal.path) as snapshot:
        return len(snapshot.item_list.staged())


async def until(wanted: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while True:
            if await asyncio.to_thread(wanted):
                return
            await asyncio.sleep(0.02)


def operators(node: Node) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.UnixConnector(os.fspath(node.config.operator.socket))
    )


async def test_others_write_while_an_import_is_under_way(
    pair: tuple[Site, Site], nodes: list[Node], tmp_path: Path
) -> None:
    """What begins after the first rows are written is done before the import is."""
    jiuquan, node = pair[0], nodes[1]
    first, *rest = documents()
    go_on = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield framed(first) + framed(rest[0])
        await go_on.wait()
        for document in rest[1:]:
            yield framed(document)

    file = tmp_path / "new.toml"
    file.write_bytes(AMENDED)
    async with operators(node) as session:
        importing = asyncio.ensure_future(session.post(COMMAND, data=body()))
        await until(lambda: staged(node) == 1)
        # A delivery, an operator's act and a read, each with a write or its answer in the journal.
        proposed: list[str | Path] = ["agreement", "propose", file, "--config", jiuquan.config]
        await asyncio.to_thread(answer, *proposed)

        def arrived() -> bool:
            with open_sqlite_reader(node.config.journal.path) as snapshot:
                return any(a.digest.hex() == DIGEST for a in snapshot.agreements())

        await until(arrived)
        accepted: list[str | Path] = ["agreement", "accept", DIGEST, "--config", pair[1].config]
        assert (await asyncio.to_thread(answer, *accepted))["running"] is True
        assert not importing.done()
        assert held(node) == []
        go_on.set()
        done = await importing
        assert (await done.json())["number"] == 1
    assert held(node) == ROWS


@pytest.mark.parametrize("cut", [1, 3])
async def test_an_import_that_is_cut_off_leaves_nothing(nodes: list[Node], cut: int) -> None:
    node = nodes[1]

    async def body() -> AsyncIterator[bytes]:
        for document in documents()[:cut]:
            yield framed(document)
        await until(lambda: cut == 1 or staged(node) == 1)
        raise OSError("the operator's process died")

    async with operators(node) as session:
        with pytest.raises((aiohttp.ClientError, OSError)):
            await session.post(COMMAND, data=body())
    await until(lambda: staged(node) == 0)
    assert held(node) == []
    async with operators(node) as session:
        done = await session.post(COMMAND, data=sent(documents()))
        assert done.status == 200
    assert held(node) == ROWS


WRONG: dict[str, tuple[Callable[[list[dict[str, Any]]], list[dict[str, Any]]], str]] = {
    "no_publish": (lambda all_: all_[:-1], "portal.request_invalid"),
    "fewer_rows": (lambda all_: [*all_[:2], all_[-1]], "portal.request_invalid"),
    "rows_twice": (lambda all_: [*all_[:2], *all_[1:]], "portal.request_invalid"),
    "ending_what_is_not": (
        lambda all_: [*all_[:-1], {"ended": ["NOWHERE"]}, all_[-1]],
        "portal.request_invalid",
    ),
    "another_base": (lambda _: documents(7), "item_list.changed_meanwhile"),
    "a_bad_row": (
        lambda all_: [all_[0], {"rows": [["=1"] * 24]}, all_[-1]],
        "catalogue.row_invalid",
    ),
    "no_region": (lambda all_: [{**all_[0], "region": "x"}], "portal.request_invalid"),
    "no_counts": (lambda all_: [{**all_[0], "rows": -1}], "portal.request_invalid"),
    "no_digest": (lambda all_: [{**all_[0], "digest": "x"}], "portal.request_invalid"),
    "nothing": (lambda _: [], "portal.request_invalid"),
}


async def test_a_stream_that_is_wrong_is_refused_and_leaves_nothing(nodes: list[Node]) -> None:
    node = nodes[1]
    for name, (spoil, rule) in WRONG.items():
        async with operators(node) as session:
            done = await session.post(COMMAND, data=sent(spoil(documents())))
            assert (await done.json())["rule"] == rule, name
        assert (held(node), staged(node)) == ([], 0), name
    async with operators(node) as session:
        done = await session.post(COMMAND.replace("items-import", "nothing"), data=b"")
        assert done.status == 404
        done = await session.post(COMMAND, data=b"\xff\xff\xff\xff")
        assert done.status == 400


async def test_a_list_imported_at_one_gateway_is_soon_its_partners(
    pair: tuple[Site, Site], nodes: list[Node], tmp_path: Path
) -> None:
    jiuquan, jiayuguan = pair
    path = tmp_path / "list.csv"
    for version, rows in ((1, ROWS), (2, ROWS[:-1])):
        path.write_bytes(csv_bytes(*rows))
        line: list[str | Path] = ["items", "import", path, "--config", jiayuguan.config]
        done = await asyncio.to_thread(answer, *line)
        assert done["edition"]["number"] == version
        await until(lambda rows=rows: held(nodes[0]) == rows)  # type: ignore[misc]
    options = ("--region", REGION, "--config", jiuquan.config)
    history = await asyncio.to_thread(answer, "items", "history", *options)
    assert [(e["told_as"], e["ended"]) for e in history["editions"]] == [(2, 1), (1, 0)]
    assert staged(nodes[0]) == 0
