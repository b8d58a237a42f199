"""A result that is no business licence: its face is described by its item, judged at both ends."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256

import pytest
from stdnum.iso7064 import mod_37_36

from gateway.kernel.case import Stage
from gateway.kernel.envelope import Kind
from gateway.kernel.faults import Fault, FaultCode
from gateway.rules.agreement import index
from gateway.rules.schema import FormSchemas
from tests.flow.judge import require_converged
from tests.flow.world import Side, World
from tests.support.world import QUERY

TYPE = "11310113MB0000001C001"
FACE = b'{"properties": {"number": {"maxLength": 8}}, "additionalProperties": false}'
STRICTER = b'{"properties": {"number": {"maxLength": 2}}, "additionalProperties": false}'


async def test_a_described_licence_reaches_the_applicants_side(world: World) -> None:
    for side in world.sides:
        issue(side, FACE)
    case_id = await accepted(world)
    await world.act(case_id, Kind.DECIDED, form=decided({"number": "示例7"}))
    await world.drain()
    case = await world.jq.case(case_id)
    assert case.stage is Stage.DECIDED
    assert json.loads(case.outcome)["licence"]["face"] == {"number": "示例7"}
    await require_converged(world)


@pytest.mark.parametrize("face", [{"number": "123456789"}, {"other": "1"}])
async def test_a_face_that_is_not_as_described_is_refused_before_it_leaves(
    world: World, face: dict[str, str]
) -> None:
    for side in world.sides:
        issue(side, FACE)
    case_id = await accepted(world)
    with pytest.raises(Fault) as raised:
        await world.act(case_id, Kind.DECIDED, form=decided(face))
    assert raised.value.code is FaultCode.SCHEMA_FORM_INVALID
    assert (await world.jyg.case(case_id)).stage is Stage.ACCEPTED


async def test_the_applicants_side_judges_the_face_by_its_own_copy(world: World) -> None:
    issue(world.jyg, FACE)
    issue(world.jq, STRICTER)
    case_id = await accepted(world)
    await world.act(case_id, Kind.DECIDED, form=decided({"number": "123"}))
    await world.drain()
    case = await world.jyg.case(case_id)
    assert (case.stage, case.attention) == (Stage.ACCEPTED, FaultCode.SCHEMA_FORM_INVALID)
    assert (await world.jq.case(case_id)).stage is Stage.ACCEPTED


async def accepted(world: World) -> bytes:
    case_id = await world.open_query()
    await world.drain()
    await world.act(case_id, Kind.ACKNOWLEDGED, Kind.ACCEPTED)
    await world.drain()
    return case_id


def decided(face: dict[str, str]) -> dict[str, object]:
    middle = f"{TYPE}.11620200MB0000000U.20210527000001.001"
    check = mod_37_36.calc_check_digit(middle.replace(".", ""))
    licence_id = f"1.2.156.3005.2.{middle}.{check}"
    licence = {"licence_type": TYPE, "licence_id": licence_id, "face": face}
    return {"result": "approved", "licence": licence}


def issue(side: Side, face: bytes) -> None:
    """Have a side's copy of the item and of the agreement name a licence with this face."""
    book = side.directory.current()
    address = sha256(face).digest()
    catalogue = {
        key: item
        if key[1] != QUERY
        else replace(
            item,
            licence_type=TYPE,
            versions={
                name: replace(version, licence_face_schema=address)
                for name, version in item.versions.items()
            },
        )
        for key, item in book.catalogue.items()
    }
    agreements = {
        address: index(
            replace(
                a,
                grants=tuple(replace(g, licence_types=g.licence_types | {TYPE}) for g in a.grants),
            )
        )
        for address, a in book.agreements.items()
    }
    used = {v.form_schema for item in catalogue.values() for v in item.versions.values()}
    forms = FormSchemas({address: face, **{d: book.documents[d][1] for d in used}})
    side.directory.replace(replace(book, catalogue=catalogue, agreements=agreements, forms=forms))
