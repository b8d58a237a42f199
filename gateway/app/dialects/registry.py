"""Every dialect by its name in `outlet.kind`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from gateway.app.dialects.opening import DialectKind
from gateway.app.mapping.hooks import FILE as HOOKS_FILE
from gateway.app.mapping.loading import MAPPING_FILE, load_translation
from gateway.app.problems import ConfigProblem, told
from gateway.kernel.digests import digest
from gateway.kernel.limits import MAPPING_FILE_BYTES_MAX
from gateway.kernel.platforms import Platform

_NAME_CHARS_MAX: Final = 256  # what a file system takes for one name


def _file_drop() -> DialectKind:
    from gateway.app.dialects.file_drop import FileDropKind

    return FileDropKind()


def _staging_table() -> DialectKind:
    from gateway.app.dialects.staging_table import StagingTableKind

    return StagingTableKind()


def _soap() -> DialectKind:
    from gateway.app.dialects.soap import SoapKind

    return SoapKind()


def _rest() -> DialectKind:
    from gateway.app.dialects.rest import RestKind

    return RestKind()


class _Dialects(Mapping[str, DialectKind]):
    """Loads a dialect with its libraries when a partner speaks it: most gateways need few."""

    def __init__(self, kinds: Mapping[str, Callable[[], DialectKind]]) -> None:
        self._kinds = kinds
        self._loaded: dict[str, DialectKind] = {}

    def __getitem__(self, name: str) -> DialectKind:
        if name not in self._loaded:
            self._loaded[name] = self._kinds[name]()
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)

    def __len__(self) -> int:
        return len(self._kinds)


DIALECTS: Final[Mapping[str, DialectKind]] = _Dialects(
    {
        "file_drop": _file_drop,
        "staging_table": _staging_table,
        "soap": _soap,
        "rest": _rest,
    }
)


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
