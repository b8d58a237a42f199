"""docs/mapping.md says what the tables do: each of its examples is run."""

import json
import re
from typing import NamedTuple

import pytest

from gateway.kernel.faults import Fault
from gateway.kernel.trees import Tree
from gateway.rules.mapping import Mapping, parse_mapping
from gateway.rules.mapping.rows import CODECS
from tests.support.world import ROOT

TEXT = (ROOT / "docs" / "mapping.md").read_text(encoding="utf-8")
HEAD = """
version = 1
documents = "json"
answers = { at = "/code", ok = [0] }
[says]
ok = [{ theirs = "/code", value = 0 }]
refused = [{ theirs = "/code", value = 1 }]
retry = [{ theirs = "/code", value = 2 }]
"""
NAMES = """
    { ours = "/message/id", theirs = "/id", direction = "out" },
    { ours = "/message/number", theirs = "/id", direction = "in" },
    { ours = "/case/id", theirs = "/case" },
"""
REFUSED = re.compile(r"refused `(.*)` `(.*)`")


class Example(NamedTuple):
    heading: str
    toml: str
    ours: str
    way: str
    theirs: str

    def table(self) -> Mapping:
        before, _, after = self.toml.partition("\n[")
        rows = before.replace("rows = [", "rows = [" + NAMES, 1)
        message = '[[messages]]\nkind = "withdrawn"\noperation = "push"\n' + rows
        return parse_mapping(f"{HEAD}\n{message}\n{'[' if after else ''}{after}".encode())


def _examples() -> list[Example]:
    found = []
    for section in re.split(r"^### ", TEXT, flags=re.MULTILINE)[1:]:
        code = re.search(r"```toml\n(.*?)```", section, re.DOTALL)
        assert code, section
        lines = re.findall(r"^\| (.*?) \| ([↔→←]) \| (.*?) \|$", section, re.MULTILINE)
        found += [Example(section.splitlines()[0], code[1], *line) for line in lines]
    return found


def _tree(cell: str, **more: object) -> Tree:
    tree = json.loads(cell.strip("`").replace("\\|", "|"))
    for material in tree.get("materials", ()):
        material["content"] = material["content"].encode()
    return {**tree, **more}


def _out(example: Example) -> object:
    ours = _tree(example.ours, message={"id": "1", "kind": "withdrawn"}, case={"id": "c"})
    document = example.table().outbound(ours).document
    del document["id"], document["case"]
    return document


def _back(example: Example) -> object:
    tree = example.table().inbound("push", _tree(example.theirs, id="1", case="c")).tree
    del tree["message"], tree["case"]
    return {name: part for name, part in tree.items() if part or f'"{name}"' in example.ours}


@pytest.mark.parametrize("example", _examples(), ids=lambda e: f"{e.heading}: {e.ours[:40]}")
def test_an_example_of_the_document_is_so(example: Example) -> None:
    for way, run, wanted in (("→", _out, example.theirs), ("←", _back, example.ours)):
        if example.way not in (way, "↔"):
            continue
        refused = REFUSED.fullmatch(wanted)
        if refused is None:
            assert run(example) == _tree(wanted)
            continue
        with pytest.raises(Fault) as fault:
            run(example)
        assert (fault.value.code, fault.value.errors[0][0]) == refused.groups()


def test_every_codec_has_an_example() -> None:
    shown = {name for example in _examples() for name in re.findall(r'as = "(\w+)"', example.toml)}
    assert shown | {"text"} == set(CODECS)
