"""The line to a partner's SFTP server: made when needed, proven by its host key."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, NamedTuple, cast

import asyncssh
from asyncssh.constants import FILEXFER_TYPE_REGULAR

from gateway.adapters.outlets.file_drop.names import UNFINISHED
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.limits import ARRIVAL_BYTES_MAX, DROP_FILES_MAX
from gateway.ports.outlet import OutletDown

_READ_BYTES: Final = 262_144  # eight packets of SFTP at a time


class Found(NamedTuple):
    """A name in a folder."""

    name: str
    size: int
    modified_s: int
    regular: bool
    """Neither a folder nor a link nor a device."""


@dataclass(frozen=True)
class Access:
    """How the server is reached and known. Keys are already read."""

    host: str
    port: int
    username: str
    host_keys: tuple[asyncssh.SSHKey, ...]
    client_keys: tuple[asyncssh.SSHKey, ...] = field(default=(), repr=False)
    password: str | None = field(default=None, repr=False)
    timeout_s: float = 20.0


class SftpLine:
    """One connection, shared by who writes and who reads; a broken one is made anew."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._making = asyncio.Lock()
        self._connection: asyncssh.SSHClientConnection | None = None
        self._client: asyncssh.SFTPClient | None = None

    @asynccontextmanager
    async def client(self) -> AsyncIterator[asyncssh.SFTPClient]:
        """Use the connection within its time limit.

        Raises:
            OutletDown: no connection could be had, it broke, or time ran out.
        """
        try:
            async with asyncio.timeout(self._access.timeout_s):
                yield await self._ready()
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPPermissionDenied) as refused:
            raise OutletDown(type(refused).__name__) from refused
        except (OSError, asyncssh.Error) as broken:
            await self.close()
            raise OutletDown(type(broken).__name__) from broken

    async def _ready(self) -> asyncssh.SFTPClient:
        async with self._making:
            if self._client is None:
                self._client = await self._connect()
            return self._client

    async def _connect(self) -> asyncssh.SFTPClient:
        a = self._access
        self._connection = await asyncssh.connect(
            a.host,
            a.port,
            username=a.username,
            known_hosts=(list(a.host_keys), [], []),
            client_keys=list(a.client_keys) or None,
            password=a.password,
            agent_path=None,
            config=None,
            x509_trusted_certs=None,
            gss_host=None,
            connect_timeout=a.timeout_s,
            login_timeout=a.timeout_s,
            keepalive_interval=30,
        )
        return await self._connection.start_sftp_client()

    async def close(self) -> None:
        """Let go of the connection; the next use makes another."""
        connection, self._connection, self._client = self._connection, None, None
        if connection is not None:
            connection.abort()
            await connection.wait_closed()


async def listing(client: asyncssh.SFTPClient, folder: str) -> list[Found]:
    """Return names of a folder in order, at most `DROP_FILES_MAX`; links are not followed."""
    found: list[Found] = []
    async for entry in client.scandir(folder):
        name = entry.filename
        if not isinstance(name, str) or name in (".", ".."):
            continue
        a = entry.attrs
        regular = a.type == FILEXFER_TYPE_REGULAR
        found.append(Found(name, a.size or 0, a.mtime or 0, regular))
        if len(found) >= DROP_FILES_MAX:
            break
    return sorted(found)


async def read_file(client: asyncssh.SFTPClient, path: str) -> bytes:
    """Read a file whole, whatever size it claims.

    Raises:
        Fault: `limit.call_bytes`; it is larger than an arrival may be.
    """
    async with client.open(path, "rb") as file:
        raw = bytearray()
        while chunk := cast("bytes", await file.read(_READ_BYTES)):
            raw += chunk
            if len(raw) > ARRIVAL_BYTES_MAX:
                raise Fault(FaultCode.LIMIT_CALL_BYTES, f"over {ARRIVAL_BYTES_MAX} bytes")
        return bytes(raw)


async def write_file(
    client: asyncssh.SFTPClient, path: str, raw: bytes, *, replace: bool = False
) -> None:
    """Write a file under another name and rename it: nobody sees half of it.

    What lies there under the name already stays, unless it is to be replaced.
    """
    there = await client.lexists(path)
    if there and not replace:
        return
    unfinished = path + UNFINISHED
    async with client.open(unfinished, "wb") as file:
        await file.write(raw)
    if there:
        await client.remove(path)
    await client.rename(unfinished, path)


async def move_file(client: asyncssh.SFTPClient, path: str, target: str) -> None:
    """Move a file; one that lies at the target already gives way, it was read before."""
    if await client.lexists(target):
        await client.remove(target)
    await client.rename(path, target)
