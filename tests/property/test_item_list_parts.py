"""What a partner tells of its list makes its list, however it is cut and in whatever order."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.rules.item_list.arrivals import ToldEdition, arrive
from gateway.rules.item_list.changes import compare, list_digest
from gateway.rules.item_list.parts import ListPart, apply, read_part, require_result, write_part
from gateway.rules.item_list.rows import ItemRow, fingerprint
from tests.property.effort import effort
from tests.support.item_list import list_row

REGION = GatewayId("620900")
LISTS = st.dictionaries(st.integers(1, 12), st.integers(1, 3), max_size=10)


def rows_of(versions: Mapping[int, int]) -> list[ItemRow]:
    return [list_row(n, task_version=str(version)) for n, version in sorted(versions.items())]


def marks(rows: Sequence[ItemRow]) -> dict[str, bytes]:
    return {row.code: fingerprint(row) for row in rows}


def parts_of(before: Sequence[ItemRow], after: Sequence[ItemRow], size: int) -> list[ListPart]:
    """Return the change from one list to another in parts of `size` codes."""
    changes = compare(marks(before), after)
    whole = ListPart(
        REGION, 7, list_digest(marks(after)), len(after), list_digest(marks(before)), 0, False
    )
    codes = sorted([r.code for r in (*changes.added, *changes.changed)] + list(changes.ended))
    cut = [set(codes[at : at + size]) for at in range(0, len(codes), size)] or [set()]
    return [
        whole._replace(
            part=number,
            last=number == len(cut),
            added=tuple(r for r in changes.added if r.code in some),
            changed=tuple(r for r in changes.changed if r.code in some),
            removed=tuple(c for c in changes.ended if c in some),
        )
        for number, some in enumerate(cut, 1)
    ]


@effort(200)
@given(a=LISTS, b=LISTS, size=st.integers(1, 5), data=st.data())
def test_the_difference_of_two_lists_makes_one_of_the_other_in_any_order(
    a: dict[int, int], b: dict[int, int], size: int, data: st.DataObject
) -> None:
    before, after = rows_of(a), rows_of(b)
    told = parts_of(before, after, size)
    held = marks(before)
    for part in data.draw(st.permutations(told)):
        read = read_part(json.loads(json.dumps(write_part(part))))
        assert read == part
        apply(held, read)
    assert held == marks(after)
    require_result(held, told[0])


@effort(200)
@given(a=LISTS, b=LISTS, size=st.integers(1, 4), data=st.data())
def test_parts_in_any_order_and_repeated_make_an_edition_whole_once(
    a: dict[int, int], b: dict[int, int], size: int, data: st.DataObject
) -> None:
    told = parts_of(rows_of(a), rows_of(b), size)
    again = data.draw(st.lists(st.sampled_from(told), max_size=5))
    base = told[0].previous
    edition: ToldEdition | None = None
    here: set[int] = set()
    completed = 0
    for part in data.draw(st.permutations([*told, *again])):
        after = arrive([edition] if edition else [], here, part, base, 0)
        if after is None:
            assert part.part in here
            continue
        edition = after
        here.add(part.part)
        completed += after.complete
    assert completed == 1
    assert here == set(range(1, len(told) + 1))


@effort(200)
@given(a=LISTS, b=LISTS, c=LISTS)
def test_a_change_of_another_list_never_passes_for_a_change_of_this(
    a: dict[int, int], b: dict[int, int], c: dict[int, int]
) -> None:
    [part] = parts_of(rows_of(a), rows_of(b), 99)
    held = marks(rows_of(c))
    try:
        apply(held, part)
        require_result(held, part)
    except Fault as fault:
        assert fault.code is FaultCode.CATALOGUE_LIST_DIFFERS
        assert a != c
    else:
        assert held == marks(rows_of(b))
