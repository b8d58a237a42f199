"""Rows laid down for a partner and read from it; the flag column is the answer on both sides."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Final, TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from gateway.adapters.outlets.dialect import DialectAnswer
from gateway.adapters.outlets.polling import OneByOne, Polling
from gateway.adapters.outlets.staging_table.settings import StagingTableSettings
from gateway.adapters.outlets.staging_table.tables import Staged, Tables
from gateway.kernel.arrivals import ArrivalStatus
from gateway.kernel.digests import digest
from gateway.kernel.envelope import Strength
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId, parse_uuid7, uuid_text
from gateway.kernel.limits import ARRIVAL_BYTES_MAX
from gateway.kernel.trees import Tree
from gateway.ports.clock import Clock
from gateway.ports.outlet import Listed, OutletDown
from gateway.ports.reception import Arrival, Disposition, LateAnswer, Reception, Unreadable
from gateway.ports.telemetry import EventLog

PROVEN: Final = Strength.AUTHENTICATED
"""The database is the partner's, known by its certificate; who may write its rows it decides."""
_CHINA: Final = timezone(timedelta(hours=8))

T = TypeVar("T")


class TableLine:
    """Runs what blocks in one thread of this partner's, within its time limit."""

    def __init__(self, engine: Engine, settings: StagingTableSettings) -> None:
        self.tables = Tables(engine, settings)
        self._engine = engine
        self._timeout_s = settings.timeout_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="staging-table")

    async def run(self, work: Callable[[], T]) -> T:
        """Do `work` there.

        Raises:
            OutletDown: the database cannot be had, or time ran out.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timeout_s):
                return await loop.run_in_executor(self._thread, work)
        except (SQLAlchemyError, OSError) as broken:
            raise OutletDown(type(broken).__name__) from broken

    async def close(self) -> None:
        """Let go of the connection; what blocks beyond its time is left to end by itself."""
        self._thread.submit(self._engine.dispose)
        try:
            async with asyncio.timeout(self._timeout_s):
                await asyncio.to_thread(self._thread.shutdown)
        except TimeoutError:
            self._thread.shutdown(wait=False, cancel_futures=True)


class StagingTable:
    """Implements `adapters.outlets.dialect.Dialect`."""

    def __init__(self, line: TableLine, clock: Clock) -> None:
        self._line = line
        self._clock = clock

    async def send(
        self, operation: str, document: Tree, number: str, timeout_s: float
    ) -> DialectAnswer | Listed:
        """See `Dialect`: lay a row down; the partner sets its flag when it has read it."""
        at = datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC).astimezone(_CHINA)
        lay = partial(self._line.tables.lay, operation, document, number, at)
        await self._line.run(lay)
        return Listed()

    async def close(self) -> None:
        """See `Dialect`."""
        await self._line.close()


@dataclass
class TableReader:
    """Reads what the partner wrote, and what it says of our rows."""

    partner: GatewayId
    settings: StagingTableSettings
    line: TableLine
    reception: Reception
    clock: Clock
    log: EventLog
    _aside: frozenset[bytes] = frozenset()
    """Answers that were quarantined at the last look, by digest: they stand there still."""

    async def run(self) -> None:
        """Look every `poll_s` seconds until cancelled."""
        every_s = self.settings.poll_s
        await Polling("table", self.partner, every_s, self.clock, self.log).run(self.turn)

    async def turn(self) -> None:
        """Read every table once.

        Raises:
            OutletDown: the database cannot be had; what was read is settled.
            Fault: nothing more can be taken over now, or an answer of the partner's to a row of
                ours says neither yes nor no; rows keep their flags.
        """
        apart = OneByOne()
        waiting = await self.reception.parked(self.partner)
        if waiting:
            numbers = [uuid_text(ident) for ident in waiting]
            seen: set[bytes] = set()
            for table in self.settings.out:
                for row in await self._rows(partial(self.line.tables.answers, table, numbers)):
                    try:
                        await self._answered(row)
                    except Fault as fault:
                        apart.keep(fault)
                        seen.add(await self._put_aside(row, fault))
            self._aside = frozenset(seen)
        for table in self.settings.incoming:
            for row in await self._rows(partial(self.line.tables.news, table)):
                try:
                    await self._received(row)
                except UnicodeEncodeError:  # its key: the row cannot even be named to be marked
                    apart.keep(Fault(FaultCode.PARTNER_ENCODING_INVALID, row.table))
        apart.tell()

    async def answer_to(self, message_id: bytes) -> DialectAnswer | None:
        """Look whether the partner has set the flag of a row of ours.

        Raises:
            OutletDown: the database cannot be had.
        """
        numbers = [uuid_text(message_id)]
        for table in self.settings.out:
            for row in await self._rows(partial(self.line.tables.answers, table, numbers)):
                return DialectAnswer(_raw(row), row.cells, PROVEN)
        return None

    async def _rows(self, read: Callable[[], Sequence[Staged]]) -> Sequence[Staged]:
        return await self.line.run(read)

    async def _answered(self, row: Staged) -> None:
        ident = parse_uuid7(str(row.key))
        assert ident is not None, "asked for by our own ids"
        answer = LateAnswer(self.partner, ident, _raw(row), row.cells, PROVEN)
        await self.reception.answered(answer)

    async def _put_aside(self, row: Staged, fault: Fault) -> bytes:
        """Quarantine an answer that cannot be read, for an operator; return its digest."""
        raw = _raw(row)
        known = digest(raw)
        if known not in self._aside:
            source = f"{row.table}/{row.key}"[:64]
            told = Unreadable(self.partner, row.table, raw, PROVEN, fault, source)
            await self.reception.keep_unreadable(told)
        return known

    async def _received(self, row: Staged) -> None:
        raw, source, flags = _raw(row), f"{row.table}/{row.key}"[:64], self.settings.flags
        try:
            if len(raw) > ARRIVAL_BYTES_MAX:
                raise Fault(FaultCode.LIMIT_CALL_BYTES, f"over {ARRIVAL_BYTES_MAX} bytes")
            met = await self._handed_over(row, raw, source)
        except Fault as fault:
            if fault.code not in (FaultCode.PARTNER_NUMBER_REUSED, FaultCode.LIMIT_CALL_BYTES):
                raise
            await self._mark(row, flags.refused, f"{fault.code.value} {fault.detail}")
            return
        if met.status in (ArrivalStatus.TAKEN_IN, ArrivalStatus.RECEIVED):
            await self._mark(row, flags.taken, met.number)
        else:
            await self._mark(row, flags.refused, f"{met.rule} {met.text_zh}")

    async def _handed_over(self, row: Staged, raw: bytes, source: str) -> Disposition:
        try:
            raw.decode("utf-8")
        except UnicodeDecodeError as broken:
            fault = Fault(FaultCode.PARTNER_ENCODING_INVALID, f"byte {broken.start} is not utf-8")
            unread = Unreadable(self.partner, row.table, raw, PROVEN, fault, source)
            return await self.reception.keep_unreadable(unread)
        arrival = Arrival(self.partner, row.table, raw, row.cells, PROVEN, source=source)
        return await self.reception.receive(arrival)

    async def _mark(self, row: Staged, flag: str, told: str) -> None:
        await self.line.run(partial(self.line.tables.mark, row, flag, told))


def _raw(row: Staged) -> bytes:
    """Return a row as it was read: what its proof is over."""
    told = json.dumps({"table": row.table, "row": row.cells}, ensure_ascii=False, sort_keys=True)
    return told.encode("utf-8", "surrogateescape")  # a text that is no UTF-8 as its bytes
