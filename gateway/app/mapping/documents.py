"""Trees of ours to try a mapping with: forms by their schemas, materials by the item's list."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any, Final

from gateway.app.mapping.agreed import AgreedItem
from gateway.kernel.envelope import Kind
from gateway.kernel.trees import Tree, Value
from gateway.rules.form_samples import Draws, Fill, make
from gateway.rules.schema import body_schema
from gateway.rules.schema.forms import compile_schema

_SENT_AT_MS: Final = 1_780_000_000_123  # with a fraction, so that what loses it is seen
_ORIGIN: Final = "629900"
_CASE: Final = "0190a2b4-3c5d-7e6f-8a9b-0c1d2e3f4a5b"
_BESIDE: Final = ("identity", "authorisation")


def fill_of(index: int) -> Fill:
    """Return how full a document is: the least, the fullest, then all between, over and over."""
    return (Fill.LEAST, Fill.FULLEST, Fill.MIXED, Fill.MIXED)[index % 4]


class Documents:
    """Makes trees of ours of one kind, and of one item if the kind is `submitted`."""

    def __init__(
        self, kind: Kind, item: AgreedItem | None, seed: int, *, theirs_alone: bool = False
    ) -> None:
        """Make for a kind; `theirs_alone` if they say it and we never do: then it has a number."""
        self.kind = kind
        self._numbered = theirs_alone
        self._item = item
        self._seed = f"{seed}|{kind.name}|{item.code if item else ''}"
        body: Any = body_schema(kind)
        self._schema: Any = item.schema if item else body
        self._beside: dict[str, Any] = (
            {name: body["properties"][name] for name in _BESIDE} if item else {}
        )
        self._valid = compile_schema(dict(self._schema)).is_valid

    @property
    def is_valid(self) -> Callable[[object], bool]:
        """Tell whether a form is one of this kind and item."""
        return self._valid

    def make(self, index: int) -> Tree:
        """Return the tree number `index`.

        Raises:
            CannotMake: the schema has a construct that documents are not made for.
        """
        draws = Draws(self._seed, index, fill_of(index))
        message: Tree = {
            "id": _CASE,
            "kind": self.kind.name.lower(),
            "sent_at": _SENT_AT_MS + index * 1_001,
            "sender": _ORIGIN,
            "recipient": _ORIGIN,
            "unit": "91629900MA0000000M",
            "right": "none",
        }
        if self._numbered:
            message["number"] = message["id"]  # their number and ours are one place of theirs
        tree: Tree = {
            "message": message,
            "case": {
                "id": f"{_ORIGIN}/{_CASE}",
                "applicant_number": f"SL-2026-{index:06}",
                "handling_number": f"BJ-2026-{index:06}",
            },
            "form": make(self._schema, draws, self._valid),
            "materials": [],
        }
        if self._item is not None:
            self._add_item(tree, message, self._item, draws)
        return tree

    def _add_item(self, tree: Tree, message: Tree, item: AgreedItem, draws: Draws) -> None:
        message |= {
            "item_code": item.code,
            "item_version": item.version,
            "mode": draws.next_of(item.modes) if item.modes else "online",
            "purpose": draws.next_of(item.purposes),
        }
        if draws.yes():
            for name, schema in self._beside.items():
                tree[name] = make(schema, draws, compile_schema(schema).is_valid)
        tree["materials"] = [
            _material(requirement.code, requirement.name_zh, sorted(requirement.media_types)[0], n)
            for n, requirement in enumerate(item.materials)
            if requirement.media_types and (requirement.required or draws.yes())
        ]


def _material(code: str, name: str, media_type: str, number: int) -> dict[str, Value]:
    """Return a file of invented content; the second is empty, some hold bytes that are no text."""
    content = b"" if number == 1 else f"示例材料 {code}".encode() + bytes(range(256)) * (number % 3)
    return {
        "code": code,
        "name": name,
        "media_type": media_type,
        "size": len(content),
        "sha256": sha256(content).hexdigest(),
        "content": content,
    }
