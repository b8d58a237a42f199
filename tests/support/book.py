"""A directory's book with as many partners and items as wanted, all invented (示例)."""

from __future__ import annotations

from dataclasses import replace

from gateway.kernel.envelope import Mode, Right, Strength
from gateway.kernel.identifiers import GatewayId
from gateway.ports.directory import Book
from gateway.rules.agreement import Act, Agreement, Grant, Verdict, index
from gateway.rules.catalogue import Item, ItemVersion
from gateway.rules.schema import FormSchemas
from gateway.rules.trust import Partner, PartnerState

HOME = GatewayId("620900")
BEGIN_MS, END_MS = 1_622_044_800_000, 2_095_344_000_000  # 2021-05-27 to 2036-05-26
NOW_MS = 1_790_000_000_000
PURPOSE = "branch-registration"


def partner_id(number: int) -> GatewayId:
    """Return the id of a partner, counted from 0."""
    return GatewayId(str(100_000 + number))


def item_code(number: int) -> str:
    """Return the code of an item, counted from 0; every region has the same codes."""
    return f"{number:012d}02"


def agreement_digest(partner: GatewayId) -> bytes:
    """Return the address of the agreement with a partner."""
    return partner.encode().ljust(32, b"\x00")


def _item(region: GatewayId, number: int) -> Item:
    code = item_code(number)
    versions = {
        v: ItemVersion(v, BEGIN_MS + n, BEGIN_MS + n + 1 if n == 0 else None, 0, bytes(32), ())
        for n, v in enumerate(("1", "2"))
    }
    name = f"示例事项 {number}"
    implementation = f"11{region}MB00000000" + f"3{number:012d}"
    unit = implementation[:18]
    modes = frozenset({Mode.COLLECT_ON_BEHALF, Mode.ONLINE})
    return Item(code, name, name, region, unit, implementation, modes, 5, 20, "", versions)


def _agreement(partner: GatewayId, codes: list[str]) -> Agreement:
    both = frozenset({HOME, partner})
    acts = tuple(Act(party, Verdict.ACCEPT, BEGIN_MS) for party in sorted(both))
    grants = tuple(
        Grant(
            {code: frozenset({"1", "2"}) for code in part},
            both,
            both,
            frozenset({Mode.COLLECT_ON_BEHALF}),
            frozenset({Right.ACCEPT, Right.VERIFY_ORIGINALS}),
            frozenset(),
            frozenset({PURPOSE}),
        )
        for part in (codes[: len(codes) // 2], codes[len(codes) // 2 :])
    )
    name, digest = f"示例协议 {partner}", agreement_digest(partner)
    made = Agreement(
        digest, name, both, BEGIN_MS, END_MS, grants, ("ES256",), Strength.SIGNED, acts=acts
    )
    return index(made)


def make_book(partner_count: int, item_count: int) -> Book:
    """Return a book of partners, an agreement with each, and items of each and of ours."""
    partners = [partner_id(n) for n in range(partner_count)]
    items = [_item(region, n) for region in (HOME, *partners) for n in range(item_count)]
    codes = [item.code for item in items[:item_count]]
    agreements = [_agreement(partner, codes) for partner in partners]
    home = Partner(
        HOME, "示例", "Sample", "", PartnerState.ACTIVE, "", frozenset(), {}, frozenset(), b""
    )
    return Book(
        home=home,
        partners={p: replace(home, gateway_id=p) for p in partners},
        agreements={a.digest: a for a in agreements},
        catalogue={(item.region, item.code): item for item in items},
        forms=FormSchemas({}),
    )
