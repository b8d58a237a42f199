"""Files laid down for a partner, and read from it: written whole, read whole, answered by a file.

What we lay down has no answer until the partner's result file comes. What the partner lays down is
durable here before it is moved away, and gets a result file back; a crash in between reads it
again, which has no second effect.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from gateway.adapters.outlets.beside import read_beside
from gateway.adapters.outlets.dialect import DialectAnswer, said_of
from gateway.adapters.outlets.documents import Row, read_document, read_rows, write_document
from gateway.adapters.outlets.file_drop.line import (
    Found,
    SftpLine,
    listing,
    move_file,
    read_file,
    write_file,
)
from gateway.adapters.outlets.file_drop.names import (
    RESULT,
    UNFINISHED,
    FileName,
    is_safe,
    name_of,
    read_name,
)
from gateway.adapters.outlets.file_drop.settings import FileDropSettings
from gateway.adapters.outlets.polling import OneByOne, Polling
from gateway.kernel.envelope import Strength
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.limits import ARRIVAL_BYTES_MAX
from gateway.kernel.translations import Said
from gateway.kernel.trees import Tree
from gateway.ports.clock import Clock
from gateway.ports.outlet import Listed, OutletDown
from gateway.ports.reception import Arrival, LateAnswer, Reception, Unreadable
from gateway.ports.telemetry import EventLog

PROVEN = Strength.AUTHENTICATED
"""The server is known by its host key, and only the partner writes in its folder."""


class FileDrop:
    """Implements `adapters.outlets.dialect.Dialect`."""

    def __init__(self, settings: FileDropSettings, line: SftpLine) -> None:
        self._settings = settings
        self._line = line

    async def send(
        self, operation: str, document: Tree, number: str, timeout_s: float
    ) -> DialectAnswer | Listed:
        """See `Dialect`: lay a file down; its result comes by itself."""
        s = self._settings
        raw = write_document(s.format, document, s.encoding)
        name = name_of(operation, number, s.format)
        async with self._line.client() as client:
            await write_file(client, f"{s.out}/{name}", raw)
        return Listed()

    async def answer_to(self, message_id: bytes) -> DialectAnswer | None:
        """Look for the partner's result on a file of ours; it is left where it lies.

        Raises:
            OutletDown: the line broke.
            Fault: the result cannot be read.
        """
        s = self._settings
        async with self._line.client() as client:
            for found in await listing(client, s.incoming):
                name = read_name(found.name, s.format, s.pattern) if found.regular else None
                if name is not None and name.answers == message_id:
                    raw = await read_file(client, f"{s.incoming}/{found.name}")
                    return DialectAnswer(raw, read_document(s.format, raw, s.encoding), PROVEN)
        return None

    async def close(self) -> None:
        """See `Dialect`."""
        await self._line.close()


_OF_ONE_FILE: Final = ("SFTPNoSuchFile", "SFTPPermissionDenied")
"""What the server may say of a single file: those behind it are read all the same."""


@dataclass
class DropReader:
    """Reads what the partner lays down."""

    partner: GatewayId
    settings: FileDropSettings
    line: SftpLine
    reception: Reception
    say: Callable[[Said], Tree]
    """Our word on a document in the partner's form."""
    clock: Clock
    log: EventLog
    _seen: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Size and time of each name at the last look."""

    async def run(self) -> None:
        """Look every `poll_s` seconds until cancelled."""
        every_s = self.settings.poll_s
        await Polling("drop", self.partner, every_s, self.clock, self.log).run(self.turn)

    async def turn(self) -> None:
        """Read everything that is whole, in the order of names.

        Raises:
            OutletDown: the line broke; what was read is settled, the rest comes next time.
            Fault: the journal is down, or the partner is no longer active; nothing is moved. Or our
                word on a file cannot be said in the partner's form: that file stays.
        """
        apart = OneByOne()
        late: OutletDown | None = None
        async with self.line.client() as client:
            names = await listing(client, self.settings.incoming)
        for found in names:
            if found.regular and is_safe(found.name) and not self._whole(found):
                continue
            try:
                await self._file(found)
            except Fault as fault:
                apart.keep(fault)
            except OutletDown as down:
                if down.reason not in _OF_ONE_FILE:
                    raise
                late = late or down
        self._seen = {f.name: (f.size, f.modified_s) for f in names}
        apart.tell()
        if late is not None:
            raise late

    def _whole(self, found: Found) -> bool:
        if found.name.endswith(UNFINISHED):
            return False
        stands = self._seen.get(found.name) == (found.size, found.modified_s)
        return self.settings.ready == "renamed" or stands

    async def _file(self, found: Found) -> None:
        s = self.settings
        name = read_name(found.name, s.format, s.pattern) if is_safe(found.name) else None
        if not found.regular:
            if found.name not in self._seen and not _is_own_folder(found.name, s):
                self._refuse("not a plain file")
            return
        if name is None:
            self._refuse("name")
            await self._move(found.name, s.refused)
            return
        raw = None
        if found.size <= ARRIVAL_BYTES_MAX:
            raw = await self._read(f"{s.incoming}/{found.name}")
        if raw is None:
            await self._answer(name, _too_large())
            await self._move(found.name, s.refused)
        else:
            await self._judged(found, name, raw)

    async def _judged(self, found: Found, name: FileName, raw: bytes) -> None:
        """Hand a file over and move it away; what it had become by then is handed over as well.

        The partner may lay a next version over the name, or add a row, while this one is judged.
        """
        judge = self._result if name.answers else self._documents
        folder = await judge(found, name, raw)
        await self._move(found.name, folder)
        while (now := await self._read(f"{folder}/{found.name}")) not in (None, raw):
            assert now is not None, "compared just now"
            raw = now
            try:
                await judge(found, name, raw)
            except (Fault, OutletDown):
                await self._put_back(found.name, folder)
                raise

    async def _read(self, path: str) -> bytes | None:
        """Read a file; None if it is too large, whatever its folder says of it."""
        try:
            async with self.line.client() as client:
                return await read_file(client, path)
        except Fault as fault:
            if fault.code is not FaultCode.LIMIT_CALL_BYTES:
                raise
            return None

    async def _result(self, found: Found, name: FileName, raw: bytes) -> str:
        """Hand over the partner's result on a file of ours; return where the file belongs."""
        s = self.settings
        try:
            read = partial(read_document, s.format, raw, s.encoding)
            document = await read_beside(len(raw), read)
            answer = LateAnswer(self.partner, name.answers, raw, document, PROVEN)
            await self.reception.answered(answer)
        except Fault as fault:
            if not fault.code.value.startswith(("partner.", "schema.", "mapping.")):
                raise
            told = Unreadable(self.partner, "result", raw, PROVEN, fault, found.name)
            await self.reception.keep_unreadable(told)
            return s.refused
        return s.done

    async def _documents(self, found: Found, name: FileName, raw: bytes) -> str:
        """Hand over each document of a file, and answer; return where the file belongs."""
        s = self.settings
        met: list[Said] = []
        try:
            rows = await read_beside(len(raw), partial(self._rows, raw))
            for at, row in enumerate(rows, start=1):
                source = f"{found.name}#{at}" if s.format == "csv" else found.name
                arrival = Arrival(
                    self.partner, name.operation, row.raw, row.cells, PROVEN, source=source
                )
                met.append(await self._received(arrival))
        except _Unread as unread:
            told = Unreadable(self.partner, name.operation, raw, PROVEN, unread.fault, found.name)
            met.append(said_of(await self.reception.keep_unreadable(told)))
        for at, said in enumerate(met, start=1):
            await self._answer(name, said, f"-{at}" if len(met) > 1 else "")
        unread_only = len(met) == 1 and not met[0].ok and met[0].rule.startswith("partner.")
        return s.refused if unread_only else s.done

    def _rows(self, raw: bytes) -> list[Row]:
        s = self.settings
        try:
            if s.format == "csv":
                return list(read_rows(raw, s.encoding))
            return [Row(read_document(s.format, raw, s.encoding), raw)]
        except Fault as fault:
            raise _Unread(fault) from fault

    async def _received(self, arrival: Arrival) -> Said:
        """Hand over one document; one under a number that was used is refused by itself.

        Raises:
            Fault: nothing was stored, and the same may be handed over later.
        """
        try:
            return said_of(await self.reception.receive(arrival))
        except Fault as fault:
            if fault.code is not FaultCode.PARTNER_NUMBER_REUSED:
                raise
            return Said(ok=False, rule=fault.code.value, text_en=fault.detail)

    async def _answer(self, name: FileName, said: Said, part: str = "") -> None:
        s = self.settings
        raw = write_document(s.format, self.say(said), s.encoding)
        path = f"{s.results}/{name.stem}{part}{RESULT}.{s.format}"
        async with self.line.client() as client:
            await write_file(client, path, raw, replace=True)

    async def _move(self, name: str, folder: str) -> None:
        s = self.settings
        async with self.line.client() as client:
            await client.makedirs(folder, exist_ok=True)
            await move_file(client, f"{s.incoming}/{name}", f"{folder}/{name}")

    async def _put_back(self, name: str, folder: str) -> None:
        """Lay a file back for the next look, unless the partner has laid another down."""
        path = f"{self.settings.incoming}/{name}"
        async with self.line.client() as client:
            if not await client.lexists(path):
                await client.rename(f"{folder}/{name}", path)

    def _refuse(self, why: str) -> None:
        self.log.event("drop_refused", partner=self.partner, reason=why.replace(" ", "_"))


class _Unread(Exception):
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.code.value)
        self.fault = fault


def _is_own_folder(name: str, s: FileDropSettings) -> bool:
    return any(folder == f"{s.incoming}/{name}" for folder in (s.done, s.refused))


def _too_large() -> Said:
    return Said(ok=False, rule=FaultCode.LIMIT_CALL_BYTES.value, text_en="too large")
