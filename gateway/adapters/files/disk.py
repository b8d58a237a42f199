"""The system calls under the vault, one method each, and the rules they are made by."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

FOLDER_MODE: Final = 0o700  # what citizens hand in is for the gateway's own user
FILE_MODE: Final = 0o600
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: opening a planted pipe must fail, not wait for its other end.
_FILE: Final = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class Disk:
    """Blocking calls on names relative to an open folder; symbolic links are never followed.

    Everything raises OSError. A test replaces methods to fail any one of them.
    """

    def open_folder(self, name: str, parent: int) -> int:
        """Open the folder `name` in `parent`; a link is refused."""
        return os.open(name, _FOLDER, dir_fd=parent)

    def make_folder(self, name: str, parent: int) -> None:
        """Make the folder `name` in `parent`, for the owner only."""
        os.mkdir(name, FOLDER_MODE, dir_fd=parent)

    def remove_folder(self, name: str, parent: int) -> None:
        """Remove the empty folder `name` in `parent`."""
        os.rmdir(name, dir_fd=parent)

    def open_file(self, name: str, folder: int, flags: int) -> int:
        """Open the regular file `name` in `folder`; anything else is refused."""
        fd = os.open(name, flags | _FILE, FILE_MODE, dir_fd=folder)
        try:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise OSError("not a regular file")
        except OSError:
            os.close(fd)
            raise
        return fd

    def write(self, fd: int, data: bytes) -> None:
        """Write all of `data`."""
        left = memoryview(data)
        while left:
            left = left[os.write(fd, left) :]

    def read(self, fd: int, size: int) -> bytes:
        """Read up to `size` bytes; none at the end."""
        return os.read(fd, size)

    def seek(self, fd: int, offset: int) -> None:
        """Go to `offset` bytes from the start."""
        os.lseek(fd, offset, os.SEEK_SET)

    def sync(self, fd: int) -> None:
        """Return when the file or folder is on stable storage."""
        os.fsync(fd)

    def rename(self, old: str, new: str, folder: int) -> None:
        """Give a file its final name, in one step, in place of what has that name."""
        os.rename(old, new, src_dir_fd=folder, dst_dir_fd=folder)

    def unlink(self, name: str, folder: int) -> None:
        """Remove a name; one that is not there is no error."""
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder)

    def size(self, name: str, folder: int) -> int | None:
        """Return the size of the regular file `name` in bytes; None if there is no such name."""
        try:
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return None
        if not stat.S_ISREG(status.st_mode):
            raise OSError("not a regular file")
        return status.st_size

    def touch(self, fd: int, at_ms: int | None) -> None:
        """Note that a file or folder was used at `at_ms`; by the system's clock if None."""
        if at_ms is None:
            os.utime(fd)
        else:
            os.utime(fd, ns=(at_ms * 1_000_000, at_ms * 1_000_000))

    def used_ms(self, name: str, folder: int) -> int | None:
        """Return when the file or folder `name` was last used; None if there is no such name."""
        try:
            return os.stat(name, dir_fd=folder, follow_symlinks=False).st_mtime_ns // 1_000_000
        except FileNotFoundError:
            return None

    def names(self, folder: int) -> list[str]:
        """List the names in a folder."""
        return os.listdir(folder)

    def close(self, fd: int) -> None:
        """Let go of a descriptor."""
        os.close(fd)


@contextmanager
def opened(disk: Disk, fd: int) -> Iterator[int]:
    """Close `fd` at the end."""
    try:
        yield fd
    finally:
        disk.close(fd)


def enter(disk: Disk, name: str, parent: int, *, create: bool) -> int | None:
    """Open a folder, made durably if it is missing and `create`; None if it is missing.

    A folder whose entry could not be made durable is taken away again. So one that is found is
    durable, unless the process died in between: `FileVault.open` sees to those. Callers that
    create MUST NOT run at the same time, or one could find what the other has not made durable.
    """
    try:
        return disk.open_folder(name, parent)
    except FileNotFoundError:
        if not create:
            return None
    disk.make_folder(name, parent)
    try:
        disk.sync(parent)
    except OSError:
        disk.remove_folder(name, parent)
        raise
    return disk.open_folder(name, parent)


def open_root(root: Path) -> int:
    """Open the root folder; only here are links followed, as an operator may have placed one."""
    return os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def make_root(disk: Disk, root: Path) -> None:
    """Make the root folder and its ancestors where missing, durably; close it to all others."""
    missing = [path for path in (root, *root.parents) if not path.is_dir()]
    for path in reversed(missing):
        with opened(disk, open_root(path.parent)) as parent:
            made = enter(disk, path.name, parent, create=True)
            if made is not None:
                disk.close(made)
    os.chmod(root, FOLDER_MODE)
