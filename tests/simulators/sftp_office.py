"""A partner's SFTP server (simulated 模拟), with its folders on a real disk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncssh

FOLDERS = ("to_partner", "from_partner")


@dataclass
class SftpOffice:
    """What the office has: its folders, and how it is reached."""

    root: Path
    port: int
    host_key: asyncssh.SSHKey
    client_key: asyncssh.SSHKey
    server: asyncssh.SSHAcceptor

    @property
    def received(self) -> list[str]:
        """Names of whole files that were laid down for it."""
        found = (p.name for p in (self.root / "to_partner").iterdir() if p.is_file())
        return sorted(name for name in found if not name.endswith(".tmp"))

    def lay(self, name: str, raw: bytes) -> Path:
        """Write a file and give it its name at the end, as agreed."""
        unfinished = self.root / "from_partner" / f"{name}.tmp"
        unfinished.write_bytes(raw)
        return unfinished.rename(self.root / "from_partner" / name)

    def text(self, folder: str, name: str, encoding: str = "utf-8") -> str:
        """Return what a file says."""
        return (self.root / folder / name).read_bytes().decode(encoding)


class _Door(asyncssh.SSHServer):
    def __init__(self, key: asyncssh.SSHKey, inside: list[asyncssh.SSHServerConnection]) -> None:
        self._key = key
        self._inside = inside

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._inside.append(conn)

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == "kuayu" and key == self._key


@asynccontextmanager
async def sftp_office(root: Path) -> AsyncIterator[SftpOffice]:
    """Run an office on a free port of loopback."""
    for folder in FOLDERS:
        (root / folder).mkdir(parents=True, exist_ok=True)
    host_key = asyncssh.generate_private_key("ssh-ed25519")
    client_key = asyncssh.generate_private_key("ssh-ed25519")
    public = client_key.convert_to_public()
    inside: list[asyncssh.SSHServerConnection] = []
    server = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_factory=lambda: _Door(public, inside),
        server_host_keys=[host_key],
        sftp_factory=lambda line: asyncssh.SFTPServer(line, chroot=str(root).encode()),
        allow_scp=False,
    )
    try:
        yield SftpOffice(root, server.get_port(), host_key, client_key, server)
    finally:
        server.close()
        await server.wait_closed()
        for line in inside:
            line.abort()
            await line.wait_closed()
