"""Importing a list through a running gateway's socket."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Final

from gateway.app.cli.exits import ExitCode, Stop

if TYPE_CHECKING:
    from gateway.app.config import Config
    from gateway.flow.item_import import ImportHead
    from gateway.flow.item_list import Imported, ImportWish
    from gateway.rules.item_list.changes import Changes

_LENGTH_BYTES: Final = 4


class NotRunning(Exception):
    """No gateway listens on the socket."""


def import_through(config: Config, wish: ImportWish, told: Callable[[int], None]) -> Imported:
    """Compare the file with the list beside the gateway, and have the gateway write what changes.

    `told` hears how many rows were sent.

    Raises:
        NotRunning: nothing was done.
        Fault: `item_list.ends_most`.
        Stop: the gateway refused, naming the rule; it did not answer.
    """
    from gateway.adapters.sql.sqlite import open_sqlite_reader
    from gateway.flow.item_import import ImportHead
    from gateway.flow.item_list import Imported, digest_of, plan_import
    from gateway.ports.item_list import Edition
    from gateway.rules.item_list.changes import require_most_stay

    if not config.operator.socket.exists():
        raise NotRunning
    with open_sqlite_reader(config.journal.path) as snapshot:
        plan = plan_import(snapshot.item_list, wish.region, wish.rows)
    changes = plan.changes
    if not wish.end_most:
        require_most_stay(changes)
    if not changes.any:
        return Imported(plan, None)
    counts = len(changes.added), len(changes.changed), len(changes.ended)
    digest = digest_of(wish.rows)
    head = ImportHead(wish.region, plan.edition, wish.source, digest, len(wish.rows), *counts)
    answer = asyncio.run(_post(config, head, changes, told))
    number, at_ms = int(str(answer["number"])), int(str(answer["imported_at_ms"]))
    region, source, rows = wish.region, wish.source, len(wish.rows)
    return Imported(plan, Edition(region, number, at_ms, source, rows, *counts, digest=digest))


async def _post(
    config: Config, head: ImportHead, changes: Changes, told: Callable[[int], None]
) -> dict[str, object]:
    import aiohttp

    from gateway.app.cli.operate import problem_lines

    connector = aiohttp.UnixConnector(os.fspath(config.operator.socket))
    timeout = aiohttp.ClientTimeout(total=None)  # the connection's life is the import's
    url = "http://operator/v1/streams/items-import"
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        try:
            async with session.post(url, data=_framed(head, changes, told)) as answer:
                document: dict[str, object] = json.loads(await answer.read())
        except aiohttp.ClientConnectorError as absent:
            if isinstance(absent.os_error, FileNotFoundError | ConnectionRefusedError):
                raise NotRunning from absent
            said = f"{config.operator.socket}: {absent.os_error.strerror}"
            raise Stop(ExitCode.UNAVAILABLE, said) from absent
        except (aiohttp.ClientError, ConnectionError) as broken:
            raise Stop(
                ExitCode.UNAVAILABLE,
                f"the gateway did not answer ({type(broken).__name__}); import again: "
                "a list that is this already is left as it is",
            ) from broken
    if answer.status >= 400:
        raise Stop(ExitCode.DATA, *problem_lines(document))
    return document


async def _framed(
    head: ImportHead, changes: Changes, told: Callable[[int], None]
) -> AsyncIterator[bytes]:
    """Yield the import's objects, each after its length; `told` hears of those that are away."""
    from gateway.flow.item_import import stream_of

    for sent, document in stream_of(head, changes):
        raw = json.dumps(document, ensure_ascii=False).encode()
        yield len(raw).to_bytes(_LENGTH_BYTES, "big") + raw
        told(sent)
