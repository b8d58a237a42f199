"""Having a running gateway read its partners' folders again, and changing them."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp

from gateway.adapters.pki.key_files import load_signer
from gateway.adapters.system.clock import SystemClock
from gateway.app.cli.acting import signed
from gateway.app.config import Config
from gateway.app.operations import ACTS
from tests.support.world import Node

ENDS_S = 30.0


async def asked(config: Config, command: str, **arguments: str) -> dict[str, Any]:
    """Have the operators' socket do a command, signed if it is an act; a refusal is an answer."""
    sent: dict[str, object] = dict(arguments)
    if command in ACTS:
        assert config.operator.key is not None
        signer, now_ms = load_signer(config.operator.key, allow_public=True), SystemClock().now_ms()
        command, sent = "act", signed(signer, config, command, arguments, now_ms)
    connector = aiohttp.UnixConnector(os.fspath(config.operator.socket))
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.post(f"http://operator/v1/{command}", json=sent) as answer,
    ):
        found: dict[str, Any] = json.loads(await answer.read())
        return found


async def reload(node: Node) -> dict[str, Any]:
    """Have a gateway read its partners' folders again."""
    return await asked(node.config, "partner-reload")


def rewrite(folder: Path, pattern: str, put: str) -> None:
    """Change one line of a partner's entry."""
    path = folder / "partner.toml"
    before = path.read_text(encoding="utf-8")
    after = re.sub(pattern, put, before, count=1, flags=re.MULTILINE)
    assert after != before
    path.write_text(after, encoding="utf-8")


def set_state(folder: Path, state: str) -> None:
    """Write another state into a partner's entry."""
    rewrite(folder, r'^state = "\w+"', f'state = "{state}"')


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(ENDS_S):
        while not await true():  # noqa: ASYNC110 - a state of the gateway's, which rings no bell
            await asyncio.sleep(0.01)


def tasks(*prefixes: str) -> list[str]:
    """Return the names of tasks of this process that begin so."""
    return sorted(t.get_name() for t in asyncio.all_tasks() if t.get_name().startswith(prefixes))


def ended(*prefixes: str) -> Callable[[], Awaitable[bool]]:
    """Return what tells whether no task of these names runs any more."""

    async def told() -> bool:
        return not tasks(*prefixes)

    return told
