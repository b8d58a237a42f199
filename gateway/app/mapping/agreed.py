"""What a mapping must carry: the items agreed with a partner, as its folder and agreement say."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from gateway.app.agreements import parse_agreement
from gateway.app.items import load_items
from gateway.app.problems import ConfigProblem
from gateway.kernel.envelope import Mode
from gateway.kernel.identifiers import GatewayId
from gateway.rules.agreement import Agreement
from gateway.rules.catalogue import Item, MaterialRequirement
from gateway.rules.schema.strict_json import parse

UNSTATED: Final = "unstated"
"""Stands in for a purpose where no agreement names any."""


class AgreedItem(NamedTuple):
    """An item version that may be asked for between the two sides."""

    code: str
    version: str
    name_zh: str
    decided_there: bool
    """The partner decides: we submit. Else it submits and we decide."""
    schema: Mapping[str, Any]
    materials: tuple[MaterialRequirement, ...]
    modes: tuple[str, ...]
    purposes: tuple[str, ...]


def agreed_items(folder: Path) -> tuple[str, list[AgreedItem]]:
    """Return a partner's region and the items agreed with it; without an agreement, all its own.

    Whether an agreement is accepted or in force is *not* asked: a mapping is made before that.

    Raises:
        ConfigProblem: the folder's files cannot be read or are wrong.
    """
    region = region_of(folder)
    agreements = [
        agreement
        for path in sorted(folder.glob("agreement*.toml"))
        if region in (agreement := parse_agreement(path.read_bytes(), path)).parties
    ]
    found: list[AgreedItem] = []
    items, schemas, _ = load_items(folder / "items", GatewayId(region))
    for item in items:
        found += _versions(item, schemas, agreements, there=True)
    others = sorted({party for one in agreements for party in one.parties} - {region})
    for sibling, other in folders(folder.parent):
        if other not in others or sibling.name.startswith("_"):
            continue
        items, schemas, _ = load_items(sibling / "items", GatewayId(other))
        for item in items:
            found += _versions(item, schemas, agreements, there=False, partner=region)
    return region, found


def region_of(folder: Path) -> str:
    """Return the gateway id that a folder's partner.toml gives.

    Raises:
        ConfigProblem: there is none.
    """
    path = folder / "partner.toml"
    try:
        found = tomllib.loads(path.read_bytes().decode("utf-8")).get("gateway_id")
    except OSError as problem:
        raise ConfigProblem(path, [f"cannot be read: {problem.strerror}"]) from None
    except ValueError as problem:
        raise ConfigProblem(path, [f"not TOML: {problem}"]) from None
    if not isinstance(found, str):
        raise ConfigProblem(path, ["gateway_id: is missing"])
    return found


def folders(partners_dir: Path) -> list[tuple[Path, str]]:
    """List the partners' folders with their regions; "" where partner.toml gives none.

    What is wrong with one folder is told where that one is asked for: it keeps nobody else.
    """
    found = []
    for path in sorted(partners_dir.glob("*/partner.toml")):
        try:
            found.append((path.parent, region_of(path.parent)))
        except ConfigProblem:
            found.append((path.parent, ""))
    return found


def _versions(
    item: Item,
    schemas: Mapping[bytes, bytes],
    agreements: list[Agreement],
    *,
    there: bool,
    partner: str = "",
) -> list[AgreedItem]:
    found = []
    for version in item.versions.values():
        grants = [
            grant
            for agreement in agreements
            for grant in agreement.grants
            if version.version in grant.items.get(item.code, ())
            and item.region in grant.deciding
            and (there or partner in grant.origins)
        ]
        if not grants and (agreements or not there):
            continue
        modes: set[Mode] = {m for grant in grants for m in grant.modes} or set(item.modes)
        schema = parse(schemas[version.form_schema])
        assert isinstance(schema, dict)
        found.append(
            AgreedItem(
                item.code,
                version.version,
                item.name_zh,
                there,
                schema,
                version.materials,
                tuple(sorted(mode.name.lower() for mode in modes & item.modes)),
                tuple(sorted({p for grant in grants for p in grant.purposes})) or (UNSTATED,),
            )
        )
    return found
