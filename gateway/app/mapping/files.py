"""Sample documents of theirs from files: `vectors/dialect/*.json` and `*.xml`, in UTF-8."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from gateway.adapters.outlets.documents import read_json, read_xml
from gateway.app.problems import ConfigProblem
from gateway.kernel.faults import Fault
from gateway.kernel.limits import MAPPING_SAMPLE_BYTES_MAX
from gateway.kernel.trees import Tree

FOLDER: Final = ("vectors", "dialect")
SUFFIXES: Final = (".json", ".xml")


def sample_files(folder: Path) -> list[Path]:
    """List the partner's sample documents."""
    found = folder.joinpath(*FOLDER)
    return sorted(path for path in found.glob("**/*") if path.suffix in SUFFIXES)


def read_document(path: Path) -> Tree:
    """Read one document as its adapter would: strict JSON, or XML without DTD and entities.

    Raises:
        ConfigProblem: it is too large, neither, or no object.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAPPING_SAMPLE_BYTES_MAX + 1)
    except OSError as problem:
        raise ConfigProblem(path, [f"cannot be read: {problem.strerror}"]) from None
    if len(raw) > MAPPING_SAMPLE_BYTES_MAX:
        raise ConfigProblem(path, [f"has more than {MAPPING_SAMPLE_BYTES_MAX} bytes"])
    try:
        return read_xml(raw) if path.suffix == ".xml" else read_json(raw)
    except Fault as fault:
        raise ConfigProblem(path, [str(fault)]) from None
