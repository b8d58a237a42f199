"""One attachment on its way into a folder. Everything here blocks; it runs in threads."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256

from gateway.adapters.files.disk import Disk
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import Digest
from gateway.kernel.limits import ATTACHMENT_CHUNK_BYTES, ATTACHMENT_CHUNK_BYTES_MAX, SALT_BYTES


def content_size(file_size: int | None) -> int | None:
    """Return the bytes of content in a file of `file_size` bytes, which begins with the salt."""
    return None if file_size is None else max(0, file_size - SALT_BYTES)


FolderOpener = Callable[[bool], int | None]
"""Opens the folder of a scope; makes it if told to; None if it is missing."""


class Upload:
    """Writes salt and content under a passing name and, once whole, durably under its own.

    Methods may run in different threads, one at a time. `close` MUST be called at the end.
    """

    def __init__(
        self, disk: Disk, salt: bytes, size: int, now_ms: Callable[[], int | None] = lambda: None
    ) -> None:
        if len(salt) != SALT_BYTES:
            raise Fault(FaultCode.WIRE_FIELD_INVALID, "salt")
        self._disk = disk
        self._now_ms = now_ms
        self._salt = salt
        self._size = size
        self._salted = sha256(salt)
        self._plain = sha256()
        self._folder = self._file = -1
        self._name = ""
        self.held = 0
        """Bytes of content written so far."""

    @property
    def commitment(self) -> Digest:
        """SHA-256(salt ‖ what is written so far)."""
        return Digest(self._salted.digest())

    @property
    def sha256(self) -> Digest:
        """SHA-256 of what is written so far."""
        return Digest(self._plain.digest())

    def create(self, open_folder: FolderOpener, name: str) -> None:
        """Begin a new file."""
        self._open(open_folder, create=True)
        self._begin(name)

    def _begin(self, name: str) -> None:
        self._file = self._disk.open_file(name, self._folder, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        self._name = name
        self._disk.write(self._file, self._salt)

    def resume(self, open_folder: FolderOpener, name: str, offset: int) -> None:
        """Go on with a file of which `offset` bytes are held; its digests are made anew.

        Raises:
            Fault: `attachment.offset`; `attachment.size` if more than the size is held, or
                `attachment.digest` if the file began with another salt, and then the file is
                thrown away: it could never become whole.
        """
        found = self._open(open_folder, create=offset == 0)
        held = content_size(self._disk.size(name, self._folder) if found else None) or 0
        if held > self._size:
            self._disk.unlink(name, self._folder)
            raise Fault(FaultCode.ATTACHMENT_SIZE, f"{held} bytes held, {self._size} announced")
        if held != offset:
            raise Fault(FaultCode.ATTACHMENT_OFFSET, f"{held} bytes held")
        if not held:
            # What a break left of a salt is no beginning.
            self._disk.unlink(name, self._folder)
            self._begin(name)
            return
        self._file = self._disk.open_file(name, self._folder, os.O_RDWR)
        self._name = name
        if self._disk.read(self._file, SALT_BYTES) != self._salt:
            self.discard()
            raise Fault(FaultCode.ATTACHMENT_DIGEST, "salt")
        while chunk := self._disk.read(self._file, ATTACHMENT_CHUNK_BYTES):
            self._count(chunk)

    def _open(self, open_folder: FolderOpener, *, create: bool) -> bool:
        folder = open_folder(create)
        if folder is not None:
            self._folder = folder
        return folder is not None

    def _count(self, chunk: bytes) -> None:
        self._salted.update(chunk)
        self._plain.update(chunk)
        self.held += len(chunk)

    def add(self, chunk: bytes) -> None:
        """Write a chunk.

        Raises:
            Fault: `limit.attachment_bytes` for a chunk over the bound; `attachment.size` if it
                would exceed the announced size. The chunk is not written.
        """
        if len(chunk) > ATTACHMENT_CHUNK_BYTES_MAX:
            raise Fault(
                FaultCode.LIMIT_ATTACHMENT_BYTES, f"chunk over {ATTACHMENT_CHUNK_BYTES_MAX} bytes"
            )
        if self.held + len(chunk) > self._size:
            raise Fault(FaultCode.ATTACHMENT_SIZE, f"more than {self._size} bytes")
        self._disk.write(self._file, chunk)
        self._count(chunk)

    def land(self, target: str) -> None:
        """Make the file durable under its own name: file, then name, then folder.

        After a failed sync the kernel may count unwritten pages as clean, so that a second one
        would succeed and prove nothing: the file is thrown away.
        """
        try:
            self._disk.touch(self._file, self._now_ms())
            self._disk.sync(self._file)
            self._disk.rename(self._name, target, self._folder)
            self._disk.sync(self._folder)
        except OSError:
            for name in (self._name, target):
                with suppress(OSError):  # the first failure is the one to tell
                    self._disk.unlink(name, self._folder)
            raise
        self._name = ""

    def discard(self) -> None:
        """Throw the file away."""
        if self._name:
            self._disk.unlink(self._name, self._folder)
            self._name = ""

    def used(self) -> None:
        """Note when the file was last written, if it has not landed."""
        if self._name:
            self._disk.touch(self._file, self._now_ms())

    def drop(self, name: str) -> None:
        """Throw away another file of the folder."""
        self._disk.unlink(name, self._folder)

    def close(self) -> None:
        """Let go of the descriptors; the file stays as it is."""
        file, folder, self._file, self._folder = self._file, self._folder, -1, -1
        try:
            if file >= 0:
                self._disk.close(file)
        finally:
            if folder >= 0:
                self._disk.close(folder)
