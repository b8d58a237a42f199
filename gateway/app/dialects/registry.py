"""Every dialect by its name in `outlet.kind`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from gateway.app.dialects.file_drop import FileDropKind
from gateway.app.dialects.opening import DialectKind
from gateway.app.dialects.soap import SoapKind
from gateway.app.dialects.staging_table import StagingTableKind
from gateway.app.problems import ConfigProblem, told
from gateway.app.translating import load_translation
from gateway.kernel.platforms import Platform

DIALECTS: Final[Mapping[str, DialectKind]] = {
    "file_drop": FileDropKind(),
    "staging_table": StagingTableKind(),
    "soap": SoapKind(),
}


def read_platform(folder: Path, kind: str, settings: Mapping[str, object]) -> Platform:
    """Read what a partner's adapter is opened with, and check it as far as one can beforehand.

    Raises:
        ConfigProblem: settings, mapping.toml or translate.py cannot be used.
    """
    wrong: list[str] = []
    try:
        DIALECTS[kind].settings.model_validate(settings)
    except ValidationError as problem:
        wrong += [f"outlet.{kind}.{line}" for line in told(problem)]
    mapping, translate = folder / "mapping.toml", folder / "translate.py"
    try:
        raw = mapping.read_bytes()
        pure = translate.read_bytes() if translate.exists() else b""
    except OSError as problem:
        wrong.append(f"{mapping}: cannot be read: {problem.strerror}; write its mapping.toml")
        raise ConfigProblem(folder, wrong) from problem
    platform = Platform(str(folder), settings, raw, pure)
    try:
        load_translation(platform)
    except ConfigProblem as problem:
        wrong += [f"{problem.path}: {m}" for m in problem.messages]
    if wrong:
        raise ConfigProblem(folder, wrong)
    return platform
