"""Attachments in a local folder: `<root>/<partner>/<origin>-<case id>/<commitment>`.

A file is salt ‖ content, so that its SHA-256 is its name: `sha256sum` proves it.
`.part` files are partners' uploads that may go on; `.tmp` files are local ones that may not.
"""

from __future__ import annotations

import asyncio
import errno
import os
import secrets
import threading
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar
from weakref import WeakValueDictionary

from gateway.adapters.files.disk import Disk, enter, make_root, open_root, opened
from gateway.adapters.files.sweeping import PART, TEMPORARY, Sweeper
from gateway.adapters.files.upload import FolderOpener, Upload, content_size
from gateway.kernel.envelope import AttachmentState
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import CaseId, CaseKey, GatewayId, is_gateway_id, uuid_text
from gateway.kernel.limits import ATTACHMENT_CHUNK_BYTES, SALT_BYTES, VAULT_THREADS_MAX
from gateway.ports.clock import Clock
from gateway.ports.telemetry import EventLog
from gateway.ports.vault import Held, Stored, Usage, VaultScope

_P = ParamSpec("_P")
_T = TypeVar("_T")
_Key = tuple[VaultScope, str]


def _name(commitment: bytes) -> str:
    if len(commitment) != 32:
        raise Fault(FaultCode.WIRE_FIELD_INVALID, "commitment")
    return commitment.hex()


def _folder_names(scope: VaultScope) -> tuple[str, str]:
    origin, case_id = scope.case_key
    if not is_gateway_id(scope.partner) or not is_gateway_id(origin) or len(case_id) != 16:
        raise Fault(FaultCode.WIRE_FIELD_INVALID, "case")
    return scope.partner, f"{origin}-{uuid_text(case_id)}"


def _case_key(folder: str) -> CaseKey:
    origin, _, text = folder.partition("-")
    return CaseKey(GatewayId(origin), CaseId(bytes.fromhex(text.replace("-", ""))))


class FileVault:
    """Implements `ports.vault.Vault` on one folder that one process owns.

    Trouble with the disk is `delivery.journal_down`: not taken in, worth another try.
    """

    def __init__(
        self,
        root: Path,
        *,
        disk: Disk | None = None,
        log: EventLog | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._root = root
        self._disk = disk or Disk()
        self._log = log
        self._clock = clock
        self._sweeper = Sweeper(self._disk, self._descend)
        self._sweeping = threading.Lock()
        """Held while a folder is put aside, and while a use of one begins."""
        self._threads = ThreadPoolExecutor(VAULT_THREADS_MAX, "vault")
        self._making = threading.Lock()
        self._locks: WeakValueDictionary[_Key, asyncio.Lock] = WeakValueDictionary()
        self._landing: set[_Key] = set()
        """Files whose name may be there without being durable: they count as absent."""

    @classmethod
    async def open(
        cls,
        root: Path,
        *,
        disk: Disk | None = None,
        log: EventLog | None = None,
        clock: Clock | None = None,
    ) -> FileVault:
        """Make the folder, remove what crashed uploads left, make every name durable.

        MUST NOT be called while another process uses the folder.
        """
        vault = cls(root, disk=disk, log=log, clock=clock)
        await vault._run(vault._sweep)
        return vault

    async def close(self) -> None:
        """Wait for disk work under way and end the threads."""
        await asyncio.to_thread(self._threads.shutdown)

    async def state(self, scope: VaultScope, commitment: bytes) -> AttachmentState:
        """Return how much is held."""
        name = _name(commitment)
        whole, part = await self._run(self._sizes, scope, name)
        if whole is not None and (scope, name) not in self._landing:
            return AttachmentState(whole, True)
        return AttachmentState(part or 0, False)

    async def held(self, scope: VaultScope, commitments: Collection[bytes]) -> Mapping[bytes, Held]:
        """Return those of `commitments` that are held whole."""
        names = {_name(commitment): commitment for commitment in commitments}
        if not names:
            return {}
        there = await self._run(self._whole, scope, names)
        return {
            names[name]: held for name, held in there.items() if (scope, name) not in self._landing
        }

    async def usage(self, scope: VaultScope) -> Usage:
        """Return what the scope holds, uploads under way included."""
        return await self._run(self._usage, scope)

    async def cases_of(self, partner: GatewayId) -> set[CaseKey]:
        """Return the cases in which this partner holds attachments; see `ports.vault`."""
        return await self._run(self._cases_of, partner)

    async def partners(self) -> set[GatewayId]:
        """Return the partners with which attachments are, or were, held."""
        return await self._run(self._partners)

    async def idle(self, partner: GatewayId, before_ms: int) -> Mapping[CaseKey, bool]:
        """Return the cases last used before `before_ms`; see `ports.vault`."""
        found = await self._run(self._sweeper.idle, partner, before_ms)
        return {_case_key(case): parts for case, parts in found.items()}

    async def sweep(self, scope: VaultScope, before_ms: int) -> Usage:
        """Remove a case's attachments that were last used before `before_ms`."""
        return await self._run(self._sweep_scope, scope, before_ms)

    async def sweep_parts(self, scope: VaultScope, before_ms: int) -> Usage:
        """Remove uploads that were never completed and not written since `before_ms`."""
        names, sizes = _folder_names(scope), []
        for part in await self._run(self._sweeper.old_parts, *names, before_ms):
            async with self._lock((scope, part.removesuffix(PART))):
                gone = await self._run(self._sweeper.remove_part, *names, part, before_ms)
            sizes += [] if gone is None else [gone]
        return Usage(len(sizes), sum(sizes))

    async def put(
        self,
        scope: VaultScope,
        salt: bytes,
        chunks: AsyncIterator[bytes],
        *,
        size: int,
        sha256: bytes,
    ) -> Stored:
        """Store a local upload; see `ports.vault`. A chunk over the bound is a Fault too."""
        upload = Upload(self._disk, salt, size, self._now_ms)
        try:
            name = f".{secrets.token_hex(8)}{TEMPORARY}"
            await self._run(upload.create, self._opener(scope), name)
            async for chunk in chunks:
                await self._run(upload.add, chunk)
            if upload.held != size:
                raise Fault(FaultCode.ATTACHMENT_SIZE, f"{upload.held} bytes, {size} announced")
            if upload.sha256 != sha256:
                raise Fault(FaultCode.ATTACHMENT_DIGEST)
            key = (scope, upload.commitment.hex())
            async with self._lock(key):
                if not await self._held_whole(key):
                    await self._run(upload.drop, key[1] + PART)
                    await self._run(self._land, key, upload)
            return Stored(upload.commitment, upload.sha256, size)
        finally:
            await self._run(self._leave, upload, discard=True)

    async def append(
        self,
        scope: VaultScope,
        salt: bytes,
        commitment: bytes,
        chunks: AsyncIterator[bytes],
        *,
        offset: int,
        size: int,
    ) -> AttachmentState:
        """Store a partner's upload from `offset` on; see `ports.vault`.

        Of two uploads of one attachment the second waits and goes by what the first left. Where
        the attachment is held whole already, `chunks` are not asked for.
        """
        key = (scope, _name(commitment))
        async with self._lock(key):
            if await self._held_whole(key):
                return await self.state(scope, commitment)
            upload = Upload(self._disk, salt, size, self._now_ms)
            try:
                await self._run(upload.resume, self._opener(scope), key[1] + PART, offset)
                async for chunk in chunks:
                    await self._run(upload.add, chunk)
                if upload.held < size:
                    return AttachmentState(upload.held, False)
                if upload.commitment != commitment:
                    await self._run(upload.discard)
                    raise Fault(FaultCode.ATTACHMENT_DIGEST)
                await self._run(self._land, key, upload)
                return AttachmentState(size, True)
            finally:
                await self._run(self._leave, upload, discard=False)

    async def read(
        self, scope: VaultScope, commitment: bytes, *, offset: int = 0
    ) -> AsyncIterator[bytes]:
        """Yield the content from `offset` in chunks of at most `ATTACHMENT_CHUNK_BYTES`."""
        key = (scope, _name(commitment))
        if not await self._held_whole(key):
            raise Fault(FaultCode.ATTACHMENT_ABSENT)
        source: list[int] = []
        try:
            await self._run(self._open_source, key, offset, source)
            while chunk := await self._run(self._disk.read, source[0], ATTACHMENT_CHUNK_BYTES):
                yield chunk
        finally:
            for fd in source:
                await self._run(self._disk.close, fd)

    async def _run(self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Run blocking `work` in a thread and see it through, even if the caller is cancelled.

        Otherwise a descriptor could be closed, and its number reused, under a running write.
        """
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._threads, lambda: work(*args, **kwargs))
        cancelled: asyncio.CancelledError | None = None
        while not future.done():
            try:
                await asyncio.wait([future])
            except asyncio.CancelledError as error:
                cancelled = error
        failure = future.exception()
        if cancelled is not None:
            raise cancelled
        if isinstance(failure, OSError):
            if self._log is not None:
                code = errno.errorcode.get(failure.errno or 0, type(failure).__name__)
                self._log.event("vault_failed", error=code)
            raise Fault(FaultCode.DELIVERY_JOURNAL_DOWN, "vault") from failure
        return future.result()

    def _lock(self, key: _Key) -> asyncio.Lock:
        return self._locks.setdefault(key, asyncio.Lock())

    async def _held_whole(self, key: _Key) -> bool:
        whole, _ = await self._run(self._sizes, *key)
        return whole is not None and key not in self._landing

    def _land(self, key: _Key, upload: Upload) -> None:
        # A failure leaves the mark: whoever saw the name in between must not take it for durable,
        # and one that could not be taken away counts as absent until an upload lands over it.
        self._landing.add(key)
        upload.land(key[1])
        self._landing.discard(key)

    def _leave(self, upload: Upload, *, discard: bool) -> None:
        try:
            if discard:
                upload.discard()
            else:
                upload.used()
        finally:
            upload.close()

    def _opener(self, scope: VaultScope) -> FolderOpener:
        names = _folder_names(scope)

        def open_folder(create: bool) -> int | None:
            return self._use(names, create=create)

        return open_folder

    def _now_ms(self) -> int | None:
        return None if self._clock is None else self._clock.now_ms()

    def _use(self, names: tuple[str, ...], *, create: bool = False) -> int | None:
        """Open a case's folder and note its use, so that nobody sweeps it meanwhile."""
        with self._sweeping:
            folder = self._descend(names, create=create)
            if folder is None:
                return None
            try:
                self._disk.touch(folder, self._now_ms())
            except OSError:
                self._disk.close(folder)
                raise
            return folder

    def _descend(self, names: tuple[str, ...], *, create: bool = False) -> int | None:
        """Open the folder under the root that `names` lead to; None if it is missing."""
        if not create:
            return self._walk(names, create=False)
        with self._making:
            if not self._root.is_dir():
                make_root(self._disk, self._root)
            return self._walk(names, create=True)

    def _walk(self, names: tuple[str, ...], *, create: bool) -> int | None:
        if not self._root.is_dir():
            return None
        folder = open_root(self._root)
        for name in names:
            with opened(self._disk, folder):
                below = enter(self._disk, name, folder, create=create)
            if below is None:
                return None
            folder = below
        return folder

    def _sizes(self, scope: VaultScope, name: str) -> tuple[int | None, int | None]:
        folder = self._descend(_folder_names(scope))
        if folder is None:
            return None, None
        with opened(self._disk, folder):
            whole, part = self._disk.size(name, folder), self._disk.size(name + PART, folder)
            return content_size(whole), content_size(part)

    def _whole(self, scope: VaultScope, names: Collection[str]) -> dict[str, Held]:
        folder = self._use(_folder_names(scope))
        if folder is None:
            return {}
        found: dict[str, Held] = {}
        with opened(self._disk, folder):
            for name in names:
                size = content_size(self._disk.size(name, folder))
                if size is None:
                    continue
                with opened(self._disk, self._disk.open_file(name, folder, os.O_RDONLY)) as file:
                    found[name] = Held(self._disk.read(file, SALT_BYTES), size)
        return found

    def _usage(self, scope: VaultScope) -> Usage:
        folder = self._descend(_folder_names(scope))
        if folder is None:
            return Usage(0, 0)
        with opened(self._disk, folder):
            names = self._disk.names(folder)
            sizes = [content_size(self._disk.size(name, folder)) for name in names]
        there = [size for size in sizes if size is not None]
        return Usage(len(there), sum(there))

    def _cases_of(self, partner: GatewayId) -> set[CaseKey]:
        if not is_gateway_id(partner):
            raise Fault(FaultCode.WIRE_FIELD_INVALID, "partner")
        return {_case_key(case) for case, names in self._sweeper.cases(partner) if names}

    def _partners(self) -> set[GatewayId]:
        with opened(self._disk, open_root(self._root)) as root:
            return {GatewayId(name) for name in filter(is_gateway_id, self._disk.names(root))}

    def _open_source(self, key: _Key, offset: int, source: list[int]) -> None:
        folder = self._descend(_folder_names(key[0]))
        if folder is None:
            raise Fault(FaultCode.ATTACHMENT_ABSENT)
        with opened(self._disk, folder):
            source.append(self._disk.open_file(key[1], folder, os.O_RDONLY))
        self._disk.seek(source[0], SALT_BYTES + offset)

    def _sweep_scope(self, scope: VaultScope, before_ms: int) -> Usage:
        partner, case = _folder_names(scope)
        with self._sweeping:
            aside = self._sweeper.put_aside(partner, case, before_ms)
        return self._sweeper.remove(partner, aside) if aside else Usage(0, 0)

    def _sweep(self) -> None:
        make_root(self._disk, self._root)
        with opened(self._disk, open_root(self._root)) as root:
            for partner in filter(is_gateway_id, self._disk.names(root)):
                self._sweeper.crashed(partner)
            self._disk.sync(root)
