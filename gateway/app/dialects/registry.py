"""Every dialect by its name in `outlet.kind`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from gateway.app.dialects.file_drop import FileDropKind
from gateway.app.dialects.opening import DialectKind
from gateway.app.dialects.rest import RestKind
from gateway.app.dialects.soap import SoapKind
from gateway.app.dialects.staging_table import StagingTableKind
from gateway.app.mapping.hooks import FILE as HOOKS_FILE
from gateway.app.mapping.loading import MAPPING_FILE, load_translation
from gateway.app.problems import ConfigProblem, told
from gateway.kernel.digests import digest
from gateway.kernel.limits import MAPPING_FILE_BYTES_MAX
from gateway.kernel.platforms import Platform

_NAME_CHARS_MAX: Final = 256  # what a file system takes for one name

DIALECTS: Final[Mapping[str, DialectKind]] = {
    "file_drop": FileDropKind(),
    "staging_table": StagingTableKind(),
    "soap": SoapKind(),
    "rest": RestKind(),
}


def read_platform(folder: Path, kind: str, settings: Mapping[str, object]) -> Platform:
    """Read what a partner's adapter is opened with, and check it as far as one can beforehand.

    Raises:
        ConfigProblem: settings, mapping.toml or translate.py cannot be used.
    """
    wrong: list[str] = []
    named: Mapping[str, object] = {}
    try:
        named = DIALECTS[kind].settings.model_validate(settings).model_dump()
    except ValidationError as problem:
        wrong += [f"outlet.{kind}.{line}" for line in told(problem)]
    try:
        load_translation(folder)
    except ConfigProblem as problem:
        wrong += [f"{problem.path}: {m}" for m in problem.messages]
    if wrong:
        raise ConfigProblem(folder, wrong)
    return Platform(str(folder), settings, _words(folder, named))


def _words(folder: Path, settings: Mapping[str, object]) -> bytes:
    """Return a digest of the words, and of the keys and secrets that settings name."""
    named = [folder / name for name in _texts(settings) if _is_name(name)]
    files = [folder / MAPPING_FILE, folder / HOOKS_FILE, *sorted(named)]
    small = [f for f in files if f.is_file() and f.stat().st_size <= MAPPING_FILE_BYTES_MAX]
    return digest(b"\0".join(f.read_bytes() for f in small))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)


def _is_name(value: str) -> bool:
    return bool(value) and len(value) < _NAME_CHARS_MAX and "\0" not in value
