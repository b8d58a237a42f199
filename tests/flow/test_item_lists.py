"""Item lists between two gateways: told in parts, published whole, or refused by name."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from gateway.adapters.memory.item_list import MemoryItemList
from gateway.flow.item_list import ImportWish, import_items, rows_at
from gateway.flow.list_hearing import Heard, hear_part
from gateway.flow.list_telling import make_next, next_telling
from gateway.flow.outbound import notify
from gateway.kernel.envelope import Body, Header, Kind, Strength
from gateway.kernel.faults import FaultCode
from gateway.kernel.identifiers import CaseKey, GatewayId, MessageId, MessageRef
from gateway.kernel.limits import (
    ITEM_PART_ROWS_MAX,
    ITEM_PARTS_UNDER_WAY_MAX,
    ITEM_TOLD_DAYS_MAX,
    MESSAGE_LIFE_MS,
)
from gateway.ports.item_list import Edition, Telling
from gateway.ports.journal import JournalDown, Transaction
from gateway.rules.item_list.arrivals import ToldEdition
from gateway.rules.item_list.changes import list_digest
from gateway.rules.item_list.parts import ListPart, write_part
from gateway.rules.item_list.rows import ItemRow, fingerprint
from gateway.wire.envelopes import Draft
from gateway.wire.headers import encode_body
from tests.flow.link import Trouble
from tests.flow.world import WINDOW, Side, World, actor, settle
from tests.support.item_list import OTHER_AUTHORITY, list_row, list_rows
from tests.support.world import QUERY

JQ, JYG = GatewayId("620900"), GatewayId("620200")
MANY = ITEM_PART_ROWS_MAX * 3 + 7


async def imports(side: Side, rows: Sequence[ItemRow], region: GatewayId | None = None) -> None:
    wish = ImportWish(region or side.id, rows, b"f" * 32, end_most=True)
    await import_items(side.journal, wish, now_ms=side.clock.now_ms(), press=side.press)


async def held(side: Side, region: GatewayId = JQ) -> list[ItemRow]:
    return await side.journal.read(lambda s: rows_at(s.item_list, region, None))


async def editions(side: Side, region: GatewayId = JQ) -> Sequence[Edition]:
    return await side.journal.read(lambda s: s.item_list.editions(region, limit=99))


async def telling(side: Side) -> Telling:
    (found,) = (await side.journal.read(lambda s: s.item_list.tellings())).values()
    return found


async def told(world: World, turns: int = 12) -> None:
    """Let both sides tell and publish until nothing is left to do."""
    for _ in range(turns):
        for side in world.sides:
            await side.lists.tell()
        await world.exchange()
        for side in world.sides:
            await side.lists.publish_told()
        world.clock.advance(2_000)


# --- the course -----------------------------------------------------------------------------------
async def test_a_first_list_and_then_its_changes_reach_the_partner(world: World) -> None:
    await imports(world.jq, list_rows(20))
    await told(world)
    assert await held(world.jyg) == list_rows(20)
    changed = [list_row(1, task_version="2"), *list_rows(21)[2:]]
    await imports(world.jq, changed)
    await told(world)
    assert await held(world.jyg) == changed
    second, first = await editions(world.jyg)
    assert (first.told, first.added, second.told) == (1, 20, 2)
    assert (second.added, second.changed, second.ended) == (1, 1, 1)
    assert (await telling(world.jq)).known == 2
    assert await held(world.jyg, JYG) == [], "the partner's own list is its own"


async def test_a_list_of_many_parts_is_seen_whole_or_not_at_all(world: World) -> None:
    rows = list_rows(MANY)
    await imports(world.jq, rows)
    await world.jq.lists.tell()
    assert (await telling(world.jq)).queued > 3
    await world.exchange()
    assert await held(world.jyg) == []
    await told(world)
    assert await held(world.jyg) == rows


async def test_no_more_parts_than_allowed_are_under_way(world: World) -> None:
    await imports(world.jq, list_rows(ITEM_PART_ROWS_MAX * (ITEM_PARTS_UNDER_WAY_MAX + 1)))
    await world.jq.lists.tell()
    await world.jq.lists.tell()
    now = await telling(world.jq)
    assert (now.queued, now.whole) == (ITEM_PARTS_UNDER_WAY_MAX, False)


async def test_editions_that_came_meanwhile_are_told_as_one_change(world: World) -> None:
    await imports(world.jq, list_rows(5))
    await told(world)
    for version in ("2", "3", "4"):
        await imports(world.jq, [list_row(1, task_version=version), *list_rows(5)[1:]])
    await told(world)
    assert [e.told for e in await editions(world.jyg)] == [4, 1]
    assert await held(world.jyg) == await held(world.jq)


async def test_a_crash_of_either_side_at_any_moment_loses_and_doubles_nothing(
    world: World,
) -> None:
    rows = list_rows(MANY)
    await imports(world.jq, rows)
    await world.jq.lists.tell()
    await world.jq.crash()
    await world.exchange()
    await world.jyg.crash()
    world.clock.advance(400_000)
    await world.exchange()
    await world.jyg.crash()
    world.jyg.journal.lost_commits = 1
    with pytest.raises(JournalDown, match="commit failed"):
        await world.jyg.lists.publish_told()
    await told(world)
    assert await held(world.jyg) == rows
    assert len(await editions(world.jyg)) == 1


@pytest.mark.parametrize("trouble", [Trouble.LOSE_REQUEST, Trouble.LOSE_ANSWER, Trouble.TWICE])
async def test_whatever_the_line_does_the_list_arrives_once(world: World, trouble: Trouble) -> None:
    world.jq.link.next.extend([trouble] * 2)
    await imports(world.jq, list_rows(MANY))
    for _ in range(4):
        await told(world, 4)
        world.clock.advance(400_000)
    assert await held(world.jyg) == list_rows(MANY)
    assert len(await editions(world.jyg)) == 1


async def test_a_partner_that_lacks_the_edition_before_is_told_the_whole(world: World) -> None:
    await imports(world.jq, list_rows(5))
    await told(world)
    await imports(world.jyg, list_rows(3), JQ)  # a file, in place of what was told
    changed = [list_row(1, task_version="2"), *list_rows(6)[1:]]
    await imports(world.jq, changed)
    await world.jq.lists.tell()
    await world.exchange()
    assert (await telling(world.jq)).rule == FaultCode.CATALOGUE_EDITION_GAP
    await told(world)
    assert await held(world.jyg) == changed
    assert (await telling(world.jq)).known == 2


async def test_a_partner_without_an_agreement_in_force_is_told_nothing(world: World) -> None:
    side = world.jq
    side.directory.replace(replace(side.directory.current(), agreements={}))
    await imports(side, list_rows(2))
    await side.lists.tell()
    assert await side.journal.read(lambda s: s.item_list.tellings()) == {}


async def test_a_case_keeps_its_version_and_tells_that_the_list_changed(world: World) -> None:
    item = list_row(1, OTHER_AUTHORITY)
    code, handling = QUERY[:12], QUERY[12:]
    task = f"{OTHER_AUTHORITY}3{code}"
    item = item._replace(catalog_code=code, task_code=task, task_handle_item=task + handling)
    assert item.item_code == QUERY
    case_id = await world.open_query()

    async def note(case_id: bytes) -> Any:
        view = await world.jq.desk.case(actor(WINDOW), case_id)
        assert view["item_version"] == "1"
        return view["item_list"]

    assert await note(case_id) is None
    await imports(world.jyg, [item])
    await told(world)
    case_id = await world.open_query()
    found = await note(case_id)
    assert (found["listed"], found["changed_since_opened"]) == (True, False)
    world.clock.advance(1)
    await imports(world.jyg, [item._replace(task_version="2", promise_day="1")])
    await told(world)
    found = await note(case_id)
    assert (found["region"], found["listed"], found["changed_since_opened"]) == (JYG, True, True)
    await imports(world.jyg, [list_row(2, OTHER_AUTHORITY)])
    await told(world)
    assert (await note(case_id))["listed"] is False


# --- hostile --------------------------------------------------------------------------------------
def whole(listed: Sequence[ItemRow], edition: int = 1, **changes: Any) -> ListPart:
    digest = list_digest({row.code: fingerprint(row) for row in listed})
    part = ListPart(JQ, edition, digest, len(listed), b"", 1, True, tuple(listed))
    return part._replace(**changes)


class Say:
    """Sends a part as the sender's gateway would, if it were another program."""

    def __init__(self, side: Side, form: dict[str, object]) -> None:
        book = side.directory.current()
        (agreement,) = book.agreements.values()
        (partner,) = book.partners
        header = Header(
            MessageId(b""),
            side.id,
            partner,
            0,
            0,
            Kind.CATALOGUE_CHANGED,
            b"",
            agreement_digest=agreement.digest,
            strength=Strength.SIGNED,
            required_suites=agreement.required_suites,
        )
        self._draft = Draft(header, encode_body(Body(json.dumps(form).encode())))

    def refs(self) -> tuple[MessageRef, ...]:
        return ()

    def keys(self) -> tuple[CaseKey, ...]:
        return ()

    def step(self, group: Any) -> None:
        notify(group, self._draft)


def receipts(side: Side) -> list[dict[str, str | int | float]]:
    return [fields for name, fields in side.log.events if name == "receipt"]


async def says(world: World, *parts: ListPart | dict[str, object]) -> list[str]:
    """Have Jiuquan send these, one after another, and return the rule each was refused by."""
    rules: list[str] = []
    for part in parts:
        form = write_part(part) if isinstance(part, ListPart) else part
        await world.jq.committer.submit(Say(world.jq, form))
        before = len(receipts(world.jq))
        await world.exchange()
        rules += [str(event["rule"]) for event in receipts(world.jq)[before:]]
        await world.jyg.lists.publish_told()
    return rules


def with_cell(name: str, cell: str) -> dict[str, object]:
    form = write_part(whole(list_rows(2)))
    rows: list[list[str]] = form["added"]  # type: ignore[assignment]
    rows[1][ItemRow._fields.index(name)] = cell
    return form


HOSTILE: dict[str, tuple[ListPart | dict[str, object], FaultCode]] = {
    "another_partners_list": (
        whole(list_rows(2), region=GatewayId("620700")),
        FaultCode.CATALOGUE_LIST_OF_ANOTHER,
    ),
    "our_own_list": (whole(list_rows(2), region=JYG), FaultCode.CATALOGUE_LIST_OF_ANOTHER),
    "a_digest_that_differs": (
        whole(list_rows(2), digest=b"x" * 32),
        FaultCode.CATALOGUE_LIST_DIFFERS,
    ),
    "another_number_of_rows": (whole(list_rows(2), rows=3), FaultCode.CATALOGUE_LIST_DIFFERS),
    "too_many_rows": (whole(list_rows(2), rows=500_001), FaultCode.SCHEMA_FORM_INVALID),
    "too_many_rows_in_a_part": (
        whole([], added=tuple(list_row(n, accept_condition="") for n in range(501))),
        FaultCode.SCHEMA_FORM_INVALID,
    ),
    "a_change_of_nothing": (
        whole(list_rows(2), previous=b"p" * 32),
        FaultCode.CATALOGUE_EDITION_GAP,
    ),
    "a_whole_list_that_removes": (
        whole(list_rows(2), removed=("X",)),
        FaultCode.CATALOGUE_ROW_INVALID,
    ),
    "a_code_twice": (whole([list_row(1), list_row(1)]), FaultCode.CATALOGUE_ROW_INVALID),
    "a_formula": (with_cell("task_name", "=cmd|'/c calc'!A0"), FaultCode.CATALOGUE_ROW_INVALID),
    "a_date_not_as_kept": (
        with_cell("plan_effective_date", "20210527"),
        FaultCode.CATALOGUE_ROW_INVALID,
    ),
    "an_empty_name": (with_cell("task_name", ""), FaultCode.CATALOGUE_ROW_INVALID),
    "another_authority": (with_cell("dept_code", OTHER_AUTHORITY), FaultCode.CATALOGUE_ROW_INVALID),
    "a_column_missing": (
        {**write_part(whole(list_rows(1))), "columns": ["task_code"]},
        FaultCode.CATALOGUE_ROW_INVALID,
    ),
    "a_short_row": (
        {**write_part(whole(list_rows(1))), "added": [["1"]]},
        FaultCode.CATALOGUE_ROW_INVALID,
    ),
    "something_else": ({"surprise": 1}, FaultCode.SCHEMA_FORM_INVALID),
}


@pytest.mark.parametrize("what", HOSTILE)
async def test_what_breaks_a_rule_is_refused_by_name_and_changes_nothing(
    world: World, what: str
) -> None:
    said, rule = HOSTILE[what]
    await imports(world.jyg, list_rows(3), JQ)
    await imports(world.jyg, list_rows(2, OTHER_AUTHORITY), JYG)
    assert await says(world, said) == [rule.value]
    assert await held(world.jyg) == list_rows(3)
    assert await held(world.jyg, JYG) == list_rows(2, OTHER_AUTHORITY)
    assert await world.jyg.journal.read(lambda s: s.item_list.told(JQ)) == []


async def test_an_older_edition_is_refused_and_the_same_again_is_harmless(world: World) -> None:
    two = whole(list_rows(4), 2)
    assert await says(world, two, two) == ["", ""]
    assert await says(world, whole(list_rows(1), 1)) == [FaultCode.CATALOGUE_EDITION_OLD]
    assert await says(world, whole(list_rows(1), 2)) == [FaultCode.CATALOGUE_EDITION_OLD]
    assert await held(world.jyg) == list_rows(4)
    assert len(await editions(world.jyg)) == 1


def in_parts(rows: Sequence[ItemRow], count: int, edition: int = 1) -> list[ListPart]:
    size = -(-len(rows) // count)
    return [
        whole(rows, edition, added=tuple(rows[at * size : at * size + size]))._replace(
            part=at + 1, last=at + 1 == count
        )
        for at in range(count)
    ]


@pytest.mark.parametrize("order", [(2, 1, 0), (1, 2, 0), (0, 2, 0, 2, 1), (2, 2, 1, 0)])
async def test_parts_in_any_order_and_more_than_once_make_the_list(
    world: World, order: tuple[int, ...]
) -> None:
    parts = in_parts(list_rows(9), 3)
    assert set(await says(world, *(parts[at] for at in order))) == {""}
    assert await held(world.jyg) == list_rows(9)


CONTRADICTIONS: dict[str, Callable[[list[ListPart]], ListPart]] = {
    "another_digest": lambda parts: parts[1]._replace(digest=b"x" * 32),
    "another_total": lambda parts: parts[1]._replace(rows=8),
    "a_last_before_one_that_is_here": lambda parts: parts[0]._replace(part=2, last=True),
    "beyond_the_last": lambda parts: parts[0]._replace(part=4, last=False),
}


@pytest.mark.parametrize("what", CONTRADICTIONS)
async def test_parts_that_contradict_each_other_are_refused(world: World, what: str) -> None:
    parts = in_parts(list_rows(9), 3)
    wrong = CONTRADICTIONS[what](parts)
    rules = await says(world, parts[2], wrong, parts[0], parts[1])
    assert rules == ["", FaultCode.CATALOGUE_PARTS_DIFFER, "", ""]
    assert await held(world.jyg) == list_rows(9)


async def test_a_code_in_two_parts_is_refused_with_the_last(world: World) -> None:
    rows = list_rows(4)
    one, two = in_parts(rows, 2)
    twice = two._replace(added=(rows[0], *two.added))
    assert await says(world, one, twice) == ["", FaultCode.CATALOGUE_LIST_DIFFERS]
    assert await held(world.jyg) == []
    assert await says(world, two) == [""]
    assert await held(world.jyg) == rows


async def test_parts_in_one_call_are_judged_together_in_the_end(world: World) -> None:
    for part in in_parts(list_rows(9), 3):
        await world.jq.committer.submit(Say(world.jq, write_part(part)))
    await world.exchange()
    world.clock.advance(400_000)
    await world.exchange()
    await world.jyg.lists.publish_told()
    assert await held(world.jyg) == list_rows(9)


async def test_a_later_edition_takes_the_place_of_one_that_never_became_whole(
    world: World,
) -> None:
    first = in_parts(list_rows(9), 3)
    assert await says(world, first[0], first[2]) == ["", ""]
    assert await says(world, whole(list_rows(2), 2)) == [""]
    assert await held(world.jyg) == list_rows(2)
    assert await says(world, first[1]) == [FaultCode.CATALOGUE_EDITION_OLD]
    (kept,) = await world.jyg.journal.read(lambda s: s.item_list.told(JQ))
    assert (kept.number, kept.published) == (2, True)
    assert await world.jyg.journal.read(lambda s: s.item_list.told_parts(JQ, 1)) == {}


async def test_what_never_became_whole_is_swept(world: World) -> None:
    assert await says(world, in_parts(list_rows(9), 3)[0]) == [""]
    world.clock.advance((ITEM_TOLD_DAYS_MAX * 86_400 - 60) * 1_000)
    await world.jyg.lists.publish_told()
    assert len(await world.jyg.journal.read(lambda s: s.item_list.told(JQ))) == 1
    world.clock.advance(120_000)
    await world.jyg.lists.publish_told()
    assert await world.jyg.journal.read(lambda s: s.item_list.told(JQ)) == []


async def test_an_import_that_begins_as_a_gateway_starts_is_not_swept(world: World) -> None:
    side = world.jyg
    async with side.press.edition(JYG, None, side.clock.now_ms()) as sheet:
        await sheet.stage(list_rows(2, OTHER_AUTHORITY))
        sweeping = asyncio.ensure_future(side.press.sweep_all())
        await settle()
        assert await side.journal.read(lambda s: s.item_list.staged())
        edition = Edition(JYG, 1, sheet.at_ms, b"", 2, 2, 0, 0)
        await sheet.publish(edition)
    assert await sweeping == 0
    assert await held(side, JYG) == list_rows(2, OTHER_AUTHORITY)


async def test_what_a_process_that_died_has_staged_is_swept_at_the_start(world: World) -> None:
    side = world.jyg
    await imports(side, list_rows(3, OTHER_AUTHORITY))
    await side.journal.write(
        lambda tx: tx.item_list.stage(JYG, 2**50, list_rows(2, OTHER_AUTHORITY), ())
    )
    await side.crash()
    assert await side.press.sweep_all() > 0
    assert await side.journal.read(lambda s: s.item_list.staged()) == {}
    assert await held(side, JYG) == list_rows(3, OTHER_AUTHORITY)


async def test_a_partner_that_cannot_be_told_now_is_told_later(world: World) -> None:
    world.jq.pen.down = True
    await imports(world.jq, list_rows(2))
    await world.jq.lists.tell()
    assert "item_list_not_told" in world.jq.log.names()
    world.jq.pen.down = False
    await told(world)
    assert await held(world.jyg) == list_rows(2)


# --- which part is next ---------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("before", "latest", "after"),
    [
        (None, 3, (3, 0)),
        (Telling(JYG, 0, 3, 0, "c", 2, False, 1), 4, (3, 0)),
        (Telling(JYG, 0, 3, 0, "c", 2, True, 1), 4, None),
        (Telling(JYG, 0, 3, 0, "c", 2, False, 1, "catalogue.row_invalid"), 4, None),
        (Telling(JYG, 3, 3, 0, "c", 2, True, 2), 3, None),
        (Telling(JYG, 3, 3, 0, "c", 2, True, 2), 5, (5, 3)),
        (Telling(JYG, 2, 3, 2, "c", 1, True, 1, "catalogue.edition_gap"), 3, (3, 0)),
        (Telling(JYG, 2, 3, 2, "c", 1, True, 1, "catalogue.list_differs"), 4, (4, 0)),
        (Telling(JYG, 0, 3, 0, "c", 1, True, 1, "catalogue.list_differs"), 3, None),
        (Telling(JYG, 2, 3, 2, "c", 1, False, 1, "catalogue.row_invalid"), 3, None),
        (Telling(JYG, 2, 3, 2, "c", 1, False, 1, "catalogue.row_invalid"), 4, (4, 2)),
    ],
)
def test_what_is_said_next_follows_from_what_was_said(
    before: Telling | None, latest: int, after: tuple[int, int] | None
) -> None:
    found = next_telling(before, JYG, latest)
    assert (None if found is None else (found.number, found.base)) == after


async def test_there_is_nothing_to_say_without_a_list(world: World) -> None:
    assert await world.jq.journal.read(lambda s: make_next(s.item_list, JQ, JYG)) is None


async def test_an_edition_that_breaks_its_publishing_leaves_other_regions_theirs(
    world: World,
) -> None:
    lost = ToldEdition(GatewayId("310113"), 1, b"d" * 32, b"", 1, world.clock.now_ms(), 1, 1)

    def lose(tx: Transaction) -> None:
        tx.item_list.put_told(lost)
        tx.item_list.put_told_part(lost.region, 1, 1, bytes(16))  # no such message is kept

    await world.jyg.journal.write(lose)
    await imports(world.jq, list_rows(5))
    await told(world)
    assert await held(world.jyg) == list_rows(5)
    assert "item_list_broke" in world.jyg.log.names()


async def test_what_outlived_a_broken_line_is_said_anew(world: World) -> None:
    await imports(world.jq, list_rows(3))
    await world.jq.lists.tell()
    world.clock.advance(MESSAGE_LIFE_MS + 86_400_000)
    await told(world)
    assert await held(world.jyg) == list_rows(3)
    assert (await telling(world.jq)).known == 1


async def test_a_group_of_parts_looks_up_once_what_is_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for part in in_parts(list_rows(40), 20)[:-1]:
        await world.jq.committer.submit(Say(world.jq, write_part(part)))
    looked_up: list[int] = []
    real = MemoryItemList.told_parts

    def counted(lists: MemoryItemList, region: GatewayId, number: int) -> Mapping[int, bytes]:
        if "keep_part" in {frame.function for frame in inspect.stack()}:
            looked_up.append(number)
        return real(lists, region, number)

    monkeypatch.setattr(MemoryItemList, "told_parts", counted)
    await world.exchange()
    assert len(looked_up) <= 2
    kept = await world.jyg.journal.read(lambda s: s.item_list.told_parts(JQ, 1))
    assert sorted(kept) == list(range(1, 20))


async def test_a_partner_has_one_whole_list_judged_at_a_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    going = most = 0
    real = hear_part

    async def watched(*args: Any) -> Heard:
        nonlocal going, most
        going += 1
        most = max(most, going)
        await asyncio.sleep(0)
        try:
            return await real(*args)
        finally:
            going -= 1

    monkeypatch.setattr("gateway.flow.hearing.hear_part", watched)
    for part in in_parts(list_rows(9), 3):
        await world.jq.committer.submit(Say(world.jq, write_part(part)))
    sealed = await world.jq.journal.read(lambda s: s.outbox(None))  # type: ignore[arg-type]
    refs = [MessageRef(JQ, MessageId(entry.message_id)) for entry in sealed]
    stored = await world.jq.journal.read(lambda s: s.messages(refs))
    calls = [world.jyg.intake.take_in(JQ, [m.envelope]) for m in stored.values()]
    assert len(calls) == 3
    await asyncio.gather(*calls)
    assert most == 1
