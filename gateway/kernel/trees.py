"""Documents of any convention as trees of plain values, and pointers into them."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final, TypeAlias

Scalar: TypeAlias = bool | int | float | Decimal | str | bytes | None
Value: TypeAlias = Scalar | list["Value"] | dict[str, "Value"]
Tree: TypeAlias = dict[str, Value]
Steps: TypeAlias = tuple[str, ...]
"""A JSON pointer, taken apart."""

_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,5}", re.ASCII)


class Missing:
    """What stands nowhere. There is one, `MISSING`, to be told from null."""

    __slots__ = ()


MISSING: Final = Missing()


def steps_of(pointer: str) -> Steps:
    """Take a JSON pointer (RFC 6901) apart; `""` is the whole document.

    Raises:
        ValueError: it does not begin with `/`, has an empty step or a `~` that escapes nothing.
    """
    if not pointer:
        return ()
    if not pointer.startswith("/"):
        raise ValueError("a pointer begins with /")
    steps = pointer[1:].split("/")
    if not all(steps):
        raise ValueError("a pointer has no empty step")
    if any(re.search(r"~(?![01])", step) for step in steps):
        raise ValueError("~ is written ~0, and / inside a name ~1")
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in steps)


def pointer_of(steps: Steps) -> str:
    """Write steps as a JSON pointer."""
    return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)


def get(value: Value, steps: Steps) -> Value | Missing:
    """Return what stands at `steps`; a number is a place in a list. Never raises."""
    for step in steps:
        if isinstance(value, dict):
            if step not in value:
                return MISSING
            value = value[step]
        elif isinstance(value, list) and _INDEX.fullmatch(step) and int(step) < len(value):
            value = value[int(step)]
        else:
            return MISSING
    return value


def put(tree: Tree, steps: Steps, value: Value) -> None:
    """Set `value` at `steps`, making the objects on the way.

    Raises:
        ValueError: no steps, or one of them leads through what is no object.
    """
    if not steps:
        raise ValueError("a value has no place of its own without a name")
    at: Value = tree
    for step in steps[:-1]:
        if not isinstance(at, dict):
            break
        at = at.setdefault(step, {})
    if not isinstance(at, dict):
        raise ValueError(f"{pointer_of(steps)} leads through what is no object")  # noqa: TRY004
    at[steps[-1]] = value


def leaves(value: Value, prefix: Steps = ()) -> list[tuple[Steps, Scalar]]:
    """List every scalar with where it stands; empty lists and objects have none.

    The depth is *not* bounded here: see `is_within`.
    """
    if isinstance(value, dict):
        return [leaf for name, part in value.items() for leaf in leaves(part, (*prefix, name))]
    if isinstance(value, list):
        return [
            leaf for place, part in enumerate(value) for leaf in leaves(part, (*prefix, str(place)))
        ]
    return [(prefix, value)]


def is_within(value: Value, *, depth_max: int, nodes_max: int) -> bool:
    """Tell whether a tree is within its bounds, without recursion."""
    nodes, level = 0, [value]
    for _ in range(depth_max + 1):
        nodes += len(level)
        if nodes > nodes_max:
            return False
        below: list[Value] = []
        for each in level:
            if isinstance(each, dict):
                below.extend(each.values())
            elif isinstance(each, list):
                below.extend(each)
        if not below:
            return True
        level = below
    return False
