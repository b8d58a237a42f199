"""Having the gateway do something: through its socket while it runs, else in its place."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final

from gateway.app.cli.exits import ExitCode, Stop

if TYPE_CHECKING:
    from gateway.app.config import Config

_TIMEOUT_S: Final = 120.0


def operate(config: Config, command: str, arguments: Mapping[str, object]) -> dict[str, object]:
    """Return what the command answers, with `running`: whether a gateway did it.

    Without a running gateway this process takes its place for the moment: what is to be sent
    waits in the journal for the next start.

    Raises:
        Stop: the gateway refused, naming the rule; it did not answer.
    """
    return asyncio.run(_operate(config, command, arguments))


async def _operate(
    config: Config, command: str, arguments: Mapping[str, object]
) -> dict[str, object]:
    import aiohttp

    url = f"http://operator/v1/{command}"
    connector = aiohttp.UnixConnector(os.fspath(config.operator.socket))
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        try:
            async with session.post(url, json=dict(arguments)) as answer:
                document = json.loads(await answer.read())
        except aiohttp.ClientConnectorError as absent:
            if not isinstance(absent.os_error, FileNotFoundError | ConnectionRefusedError):
                raise Stop(
                    ExitCode.UNAVAILABLE, f"{config.operator.socket}: {absent.os_error.strerror}"
                ) from absent
            return await _in_its_place(config, command, arguments)
        except (aiohttp.ClientError, TimeoutError) as broken:
            raise Stop(
                ExitCode.UNAVAILABLE,
                f"the gateway did not answer ({type(broken).__name__}); ask again: "
                "the same command twice is done once",
            ) from broken
    if answer.status >= 400:
        raise Stop(ExitCode.NO, *problem_lines(document))
    return {"running": True, **document}


async def _in_its_place(
    config: Config, command: str, arguments: Mapping[str, object]
) -> dict[str, object]:
    from gateway.adapters.observability import logs
    from gateway.app.core import Seams, open_core
    from gateway.app.operations import Operations
    from gateway.app.platforms import receiving_beside
    from gateway.kernel.faults import Fault
    from gateway.wire.fault_table import entry

    logs.configure("ERROR", config.log.format)
    async with AsyncExitStack() as stack:
        core = await open_core(stack, config, logs.get_logger("operate"), Seams())
        try:
            acts = Operations(core, receiving_beside(core))
            view = await acts.perform(f"uid-{os.geteuid()}", command, arguments)
        except Fault as fault:
            row = entry(fault.code)
            told = {
                "rule": fault.code.value,
                "title_zh": row.title_zh,
                "title_en": row.title_en,
                "advice": row.advice_en,
                "detail": fault.detail,
            }
            raise Stop(ExitCode.NO, *problem_lines(told)) from fault
    return {"running": False, **view}


def problem_lines(document: Mapping[str, object]) -> list[str]:
    """Say what a gateway refused, and what to do about it."""
    from gateway.kernel.faults import FaultCode
    from gateway.wire.fault_table import entry

    detail = f" ({document['detail']})" if document.get("detail") else ""
    named = document.get("rule")
    head = f"{named}: {document.get('title_zh')} {document.get('title_en')}{detail}"
    try:
        row = entry(FaultCode(str(named)))
    except ValueError:  # a rule of a gateway of another version
        return [head, str(document.get("advice", ""))]
    return [head, row.advice_zh, row.advice_en]
