"""Items at both ends: scope, and licences that stand for material."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from gateway.adapters.pki.suites import SuiteVerifier
from gateway.adapters.system.clock import SystemClock
from gateway.app.partners import load_book
from gateway.app.provision import make_site
from gateway.flow.items import item_views
from gateway.kernel.envelope import Mode, Outcome
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.rules.agreement import index
from gateway.rules.catalogue import Scope
from tests.flow.judge import require_converged
from tests.flow.world import WINDOW, Side, World, actor, as_json, branch_wish
from tests.support.world import (
    BRANCH,
    JIUQUAN,
    PARTNERS,
    sample_files,
    sample_form,
    site_at,
)

JIAYUGUAN = GatewayId("620200")


def rely_on_nothing(side: Side) -> None:
    """Take every licence type out of a side's agreements, under the same digests."""
    book = side.directory.current()
    agreements = {
        key: index(
            replace(a, grants=tuple(replace(g, licence_types=frozenset()) for g in a.grants))
        )
        for key, a in book.agreements.items()
    }
    side.directory.replace(replace(book, agreements=agreements))


def confine(side: Side, scope: Scope) -> None:
    """Give every item a side knows one scope."""
    book = side.directory.current()
    items = {key: replace(i, scope=frozenset({scope})) for key, i in book.catalogue.items()}
    side.directory.replace(replace(book, catalogue=items))


async def submit(world: World) -> tuple[Outcome | None, str]:
    """Send the founding case; return how the deciding side took it, and its rule."""
    case_id = await world.open_branch()
    await world.drain()
    (said,) = await world.jq.said(case_id)
    return said.outcome, said.rule


async def test_a_licence_the_agreement_does_not_list_is_not_relied_on_at_the_window(
    world: World,
) -> None:
    rely_on_nothing(world.jq)
    with pytest.raises(Fault) as raised:
        await world.open_branch()
    assert raised.value.code is FaultCode.AGREEMENT_ITEM_UNLISTED


async def test_a_licence_the_agreement_does_not_list_is_refused_by_the_deciding_side(
    world: World,
) -> None:
    rely_on_nothing(world.jyg)
    assert await submit(world) == (Outcome.REFUSED, FaultCode.AGREEMENT_ITEM_UNLISTED)


async def test_a_licence_of_another_type_is_told_at_the_window(world: World) -> None:
    wish = branch_wish(sample_files(("01", "02", "03", "04", "05")))
    form = sample_form()
    form["parent_licence_id"] = str(form["parent_licence_id"]).replace("R001", "R002")
    with pytest.raises(Fault) as raised:
        await world.jq.desk.open_case(actor(WINDOW), replace(wish, form=as_json(form)), None)
    assert (raised.value.code, raised.value.detail) == (FaultCode.CATALOGUE_LICENCE_UNFIT, "06")


async def test_an_item_out_of_scope_is_neither_listed_nor_asked_for(world: World) -> None:
    confine(world.jq, Scope.CROSS_PROVINCE)
    assert item_views(world.jq.directory.current(), world.clock.now_ms()) == []
    with pytest.raises(Fault) as raised:
        await world.open_branch()
    assert raised.value.code is FaultCode.CATALOGUE_OUT_OF_SCOPE


async def test_an_item_out_of_scope_is_refused_by_the_deciding_side(world: World) -> None:
    confine(world.jyg, Scope.CITY)
    assert await submit(world) == (Outcome.REFUSED, FaultCode.CATALOGUE_OUT_OF_SCOPE)


def allow_only(side: Side, mode: Mode) -> None:
    """Give every item a side knows one mode; the agreement goes on granting the others."""
    book = side.directory.current()
    items = {key: replace(i, modes=frozenset({mode})) for key, i in book.catalogue.items()}
    side.directory.replace(replace(book, catalogue=items))


async def test_a_mode_the_item_does_not_list_is_neither_listed_nor_asked_for(world: World) -> None:
    allow_only(world.jq, Mode.ONLINE)
    views = item_views(world.jq.directory.current(), world.clock.now_ms())
    assert BRANCH not in {v["item_code"] for v in views}, "granted for collect_on_behalf only"
    assert {mode for v in views for mode in cast("list[str]", v["modes"])} == {"online"}
    with pytest.raises(Fault) as raised:
        await world.open_branch()
    assert raised.value.code is FaultCode.CATALOGUE_MODE_UNLISTED


async def test_a_mode_the_item_does_not_list_is_refused_by_the_deciding_side(world: World) -> None:
    allow_only(world.jyg, Mode.JOINT)
    assert await submit(world) == (Outcome.REFUSED, FaultCode.CATALOGUE_MODE_UNLISTED)


async def test_a_named_licence_spares_the_file_at_both_ends(world: World) -> None:
    assert (await submit(world))[0] is Outcome.TAKEN_IN
    await require_converged(world)


async def test_the_window_sees_scope_level_limits_and_what_a_licence_spares(world: World) -> None:
    views = item_views(world.jq.directory.current(), world.clock.now_ms())
    (view,) = (v for v in views if (v["region"], v["item_code"]) == (JIAYUGUAN, BRANCH))
    assert view["scope"] == ["cross_province", "province"]
    assert (view["level"], view["extension_days"], view["joint"]) == (3, 3, None)
    assert view["licence_type"] == "11100000MB0143028R001"
    materials = view["materials"]
    assert isinstance(materials, list)
    assert materials[5]["forms"] == ["copy", "e_licence"]
    assert materials[5]["licence_types"] == ["11100000MB0143028R001"]
    assert materials[5]["licence_field"] == "/parent_licence_id"


def test_the_shipped_drafts_are_in_nobodys_way(tmp_path: Path) -> None:
    site = site_at(tmp_path, JIUQUAN)
    make_site(site, SystemClock().now_ms(), demo=True)
    drafts = [p for p in PARTNERS.iterdir() if 'state = "draft"' in _entry(p)]
    assert len(drafts) >= 4
    for draft in drafts:
        shutil.copytree(draft, site.root / "partners" / draft.name.lstrip("_"))
    home = site.identity.gateway_id
    book = load_book(site.root / "partners", home, SuiteVerifier(), demo=True)
    assert (book.home.gateway_id, book.partners, book.agreements) == (home, {}, {})
    assert {region for region, _ in book.catalogue} <= {home}


def _entry(folder: Path) -> str:
    return (folder / "partner.toml").read_text(encoding="utf-8")
