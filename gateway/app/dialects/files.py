"""Files that a partner's settings name: keys and secrets, read so that nobody else reads along."""

from __future__ import annotations

from pathlib import Path

from gateway.app.problems import ConfigProblem
from gateway.kernel.limits import KEY_FILE_BYTES_MAX

_OTHERS = 0o077


def read_named(folder: Path, name: str) -> bytes:
    """Return a file of a partner's folder.

    Raises:
        ConfigProblem: it lies elsewhere, cannot be read or is no key's size.
    """
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise ConfigProblem(folder, [f"{name}: lies outside the partner's folder; move it there"])
    try:
        raw = path.read_bytes()
    except OSError as problem:
        raise ConfigProblem(folder, [f"{name}: cannot be read: {problem.strerror}"]) from problem
    if len(raw) > KEY_FILE_BYTES_MAX:
        raise ConfigProblem(folder, [f"{name}: is over {KEY_FILE_BYTES_MAX} bytes"])
    return raw


def read_secret(folder: Path, name: str, *, demo: bool = False) -> bytes:
    """Return a secret of a partner's folder, that only the gateway's user may read.

    In demo mode secrets are examples, as committed: who may read them does not matter.

    Raises:
        ConfigProblem: as `read_named`; others may read it, or it is empty.
    """
    raw = read_named(folder, name).strip()
    if not raw:
        raise ConfigProblem(folder, [f"{name}: is empty"])
    if not demo and (folder / name).stat().st_mode & _OTHERS:
        raise ConfigProblem(folder, [f"{name}: others may read it; chmod 600 {folder / name}"])
    return raw


def read_secret_text(folder: Path, name: str, *, demo: bool = False) -> str:
    """Return a secret that is text.

    Raises:
        ConfigProblem: as `read_secret`; it is not UTF-8.
    """
    try:
        return read_secret(folder, name, demo=demo).decode()
    except UnicodeDecodeError:
        raise ConfigProblem(folder, [f"{name}: is not UTF-8 text"]) from None
