"""Sample documents of theirs from files: `vectors/dialect/*.json` and `*.xml`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from lxml import etree

from gateway.app.problems import ConfigProblem
from gateway.kernel.faults import Fault
from gateway.kernel.limits import MAPPING_DEPTH_MAX, MAPPING_SAMPLE_BYTES_MAX
from gateway.kernel.trees import Tree, Value
from gateway.rules.schema.strict_json import parse

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
    if path.suffix == ".xml":
        return _xml(raw, path)
    try:
        found = parse(raw, bytes_max=MAPPING_SAMPLE_BYTES_MAX)
    except Fault as fault:
        raise ConfigProblem(path, [str(fault)]) from None
    if not isinstance(found, dict):
        raise ConfigProblem(path, ["is no JSON object"])
    return found


def _xml(raw: bytes, path: Path) -> Tree:
    parser = etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(raw, parser)
    except (etree.XMLSyntaxError, ValueError) as problem:
        raise ConfigProblem(path, [f"is no XML: {type(problem).__name__}"]) from None
    info: Any = root.getroottree().docinfo
    if info.doctype:
        raise ConfigProblem(path, ["has a document type (DTD), which is refused"])
    return {_name(root.tag): _element(root, path, 0)}


def _element(element: etree._Element, path: Path, depth: int) -> Value:
    if depth > MAPPING_DEPTH_MAX:
        raise ConfigProblem(path, [f"is deeper than {MAPPING_DEPTH_MAX}"])
    found: Tree = {f"@{_name(name)}": str(value) for name, value in element.attrib.items()}
    text = element.text or ""
    for child in element:
        name, value = _name(child.tag), _element(child, path, depth + 1)
        earlier = found.get(name)
        if name not in found:
            found[name] = value
        elif isinstance(earlier, list):
            earlier.append(value)
        else:
            found[name] = [earlier, value]
    if not found:
        return text
    if text.strip():
        found["#text"] = text
    return found


def _name(tag: object) -> str:
    """Return a name without its namespace."""
    return str(tag).rpartition("}")[2]
