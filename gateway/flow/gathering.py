"""Calls of one peer that wait at the same time are taken in together.

A call alone goes straight through. Calls that arrive while one of the same peer is being answered
wait for it and then go on as one: one look-up, one place in the commit group, one hop to the
writer and back. Every peer has a lane of its own, so none waits for another's calls.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.flow.answering import Answer
from gateway.flow.intake import Intake
from gateway.flow.tasks import TaskOwner
from gateway.kernel.envelope import ReceiptQuery
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.limits import GROUP_GATHER_S, GROUP_MAX


@dataclass(slots=True, eq=False)
class _Call:
    raws: Sequence[bytes]
    done: asyncio.Future[list[Answer]]


class Gathering:
    """Stands before an `Intake` and promises what it promises, for each call alone."""

    def __init__(self, intake: Intake, owner: TaskOwner) -> None:
        self._intake = intake
        self._owner = owner
        self._lanes: dict[GatewayId, list[_Call]] = {}
        """Peers with a call under way, and what waits behind it."""

    async def take_in(self, peer: GatewayId, raws: Sequence[bytes]) -> list[Answer]:
        """See `Intake.take_in`. A caller that goes away takes no other call with it."""
        waiting = self._lanes.get(peer)
        if waiting is None:
            self._lanes[peer] = []
            try:
                return await self._intake.take_in(peer, raws)
            finally:
                self._go_on(peer)
        call = _Call(raws, asyncio.get_running_loop().create_future())
        waiting.append(call)
        try:
            return await call.done
        finally:
            if call in waiting:  # its caller went away: nobody waits for it
                waiting.remove(call)

    def _go_on(self, peer: GatewayId) -> None:
        if self._lanes[peer]:
            self._owner.start(f"intake-{peer}", self._run(peer))
        else:
            del self._lanes[peer]

    async def query_receipts(
        self, peer: GatewayId, queries: Sequence[ReceiptQuery]
    ) -> list[Answer]:
        """See `Intake.query_receipts`."""
        return await self._intake.query_receipts(peer, queries)

    async def _run(self, peer: GatewayId) -> None:
        """Take in what waits, until nothing does."""
        waiting = self._lanes[peer]
        try:
            while waiting:
                await asyncio.sleep(0)  # answers leave first: who has one is likely to call again
                if sum(len(call.raws) for call in waiting) < GROUP_MAX:
                    await asyncio.sleep(GROUP_GATHER_S)
                await self._together(peer, _next(waiting))
        finally:
            del self._lanes[peer]
            for call in waiting:  # only if the gateway is being torn down
                call.done.cancel()

    async def _together(self, peer: GatewayId, calls: list[_Call]) -> None:
        try:
            answers = await self._intake.take_in(peer, [raw for c in calls for raw in c.raws])
        except Exception as broken:  # noqa: BLE001 - told to whoever asked, as if each came alone
            await self._alone(peer, calls, broken)
            return
        start = 0
        for call in calls:
            end = start + len(call.raws)
            _answer(call, answers[start:end])
            start = end

    async def _alone(self, peer: GatewayId, calls: list[_Call], broken: Exception) -> None:
        """One of them broke the rest: each by itself, so that only it fails."""
        for call in calls:
            if len(calls) > 1:
                await self._together(peer, [call])
            elif not call.done.done():
                call.done.set_exception(broken)


def _next(waiting: list[_Call]) -> list[_Call]:
    """Take as many calls as fit a commit group, at least one."""
    size = count = 0
    for call in waiting:
        size += len(call.raws)
        if count and size > GROUP_MAX:
            break
        count += 1
    taken = waiting[:count]
    del waiting[:count]
    return taken


def _answer(call: _Call, answers: list[Answer]) -> None:
    if not call.done.done():  # else its caller has gone away
        call.done.set_result(answers)
