"""Agreements from their TOML documents; the digest of the bytes is the address."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field

from gateway.app.problems import ConfigProblem
from gateway.app.toml_files import (
    Instant,
    ItemCode,
    LicenceType,
    Name,
    Region,
    Strict,
    read_table,
    twice,
)
from gateway.kernel.digests import digest
from gateway.kernel.envelope import Mode, Right, Strength
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.instants import from_datetime
from gateway.kernel.limits import (
    AGREEMENT_BYTES_MAX,
    AGREEMENT_GRANTED_MAX,
    AGREEMENT_LINE_DOTS_MAX,
    REQUIRED_SUITES_MAX,
)
from gateway.rules.agreement import Agreement, Grant, Onward, index

_FILE: Final = Path("agreement.toml")


class _Items(Strict):
    code: ItemCode
    versions: Annotated[list[Name], Field(min_length=1)]


class _Onward(Strict):
    to: list[Region]
    form_fields: list[Annotated[str, Field(pattern=r"^(/[A-Za-z][A-Za-z0-9_]{0,63}){1,8}$")]] = (
        Field(default_factory=list)
    )
    materials: list[Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{1,16}$")]] = Field(
        default_factory=list
    )


class _Grant(Strict):
    items: list[_Items]
    origins: list[Region]
    deciding: list[Region]
    modes: list[Literal["online", "collect_on_behalf", "joint"]]
    rights: list[Literal["accept", "notify_once", "verify_originals", "deliver_result"]]
    licence_types: list[LicenceType]
    purposes: list[Name]
    participating: list[Region] = Field(default_factory=list)
    onward: _Onward | None = None


class _Document(Strict):
    version: Literal[1]
    name: Name
    parties: Annotated[list[Region], Field(min_length=2)]
    not_before: Instant
    not_after: Instant
    required_suites: Annotated[list[Name], Field(max_length=REQUIRED_SUITES_MAX)]
    strength_min: Literal["assisted", "integrity_only", "authenticated", "signed"]
    confidentiality: str
    onward_sharing: bool
    grants: list[_Grant]


def parse_agreement(raw: bytes, path: Path = _FILE) -> Agreement:
    """Return the agreement that `raw` says, indexed, without acts: it is not in force by itself.

    Whether its suites and items are known here is *not* checked. `path` is for messages.

    Raises:
        ConfigProblem: naming everything that is wrong.
    """
    if any(line.count(b".") > AGREEMENT_LINE_DOTS_MAX for line in raw.split(b"\n")):
        raise ConfigProblem(path, [f"a line has more than {AGREEMENT_LINE_DOTS_MAX} dots"])
    document = read_table(raw, _Document, path)
    wrong = _contradictions(document)
    if wrong:
        raise ConfigProblem(path, wrong)
    return index(
        Agreement(
            digest=digest(raw),
            name=document.name,
            parties=_gateways(document.parties),
            not_before_ms=from_datetime(document.not_before),
            not_after_ms=from_datetime(document.not_after),
            grants=tuple(_grant(grant) for grant in document.grants),
            required_suites=tuple(document.required_suites),
            strength_min=Strength[document.strength_min.upper()],
            confidentiality=document.confidentiality,
            onward_sharing=document.onward_sharing,
        )
    )


def read_agreement(raw: bytes) -> Agreement:
    """Return the agreement that `raw`, which came from outside, says; bounded before it is parsed.

    Raises:
        Fault: `agreement.content_invalid`, naming everything that is wrong.
    """
    if not raw or len(raw) > AGREEMENT_BYTES_MAX:
        told = f"{len(raw)} bytes; 1 to {AGREEMENT_BYTES_MAX}"
        raise Fault(FaultCode.AGREEMENT_CONTENT_INVALID, told)
    try:
        return parse_agreement(raw)
    except ConfigProblem as problem:
        raise Fault(FaultCode.AGREEMENT_CONTENT_INVALID, "; ".join(problem.messages)) from None
    except RecursionError:
        raise Fault(FaultCode.AGREEMENT_CONTENT_INVALID, "nested too deeply") from None


def _contradictions(document: _Document) -> list[str]:
    wrong = [f"parties: {party} stands twice" for party in twice(document.parties)]
    wrong += [f"required_suites: {s} stands twice" for s in twice(document.required_suites)]
    if document.not_after <= document.not_before:
        wrong.append("not_after: is not after not_before")
    for name in ("not_before", "not_after"):
        if not 1970 <= getattr(document, name).year <= 9998:
            wrong.append(f"{name}: lies outside the years 1970 to 9998")  # no clock can write it
    granted = sum(
        (len(g.origins) + len(g.participating)) * len(g.deciding) * len(g.items)
        for g in document.grants
    )
    if granted > AGREEMENT_GRANTED_MAX:
        # Each is an entry of the index: a small file could ask for billions.
        wrong.append(
            f"grants: {granted} ways from origin to deciding, by item; at most "
            f"{AGREEMENT_GRANTED_MAX}"
        )
    for at, grant in enumerate(document.grants):
        codes = [item.code for item in grant.items]
        wrong += [f"grants.{at}.items: {code} stands twice" for code in twice(codes)]
        for name in ("origins", "deciding", "participating"):
            strangers = sorted(set(getattr(grant, name)) - set(document.parties))
            wrong += [f"grants.{at}.{name}: {party} is not a party" for party in strangers]
        if grant.participating and "joint" not in grant.modes:
            wrong.append(f"grants.{at}.participating: modes does not list joint")
        if grant.onward is not None and not document.onward_sharing:
            wrong.append(f"grants.{at}.onward: onward_sharing is false")
        if grant.onward is not None and "joint" not in grant.modes:
            wrong.append(f"grants.{at}.onward: modes does not list joint")
    return wrong


def _gateways(named: list[str]) -> frozenset[GatewayId]:
    return frozenset(GatewayId(name) for name in named)


def _grant(grant: _Grant) -> Grant:
    return Grant(
        items={item.code: frozenset(item.versions) for item in grant.items},
        origins=_gateways(grant.origins),
        deciding=_gateways(grant.deciding),
        modes=frozenset(Mode[mode.upper()] for mode in grant.modes),
        rights=frozenset(Right[right.upper()] for right in grant.rights),
        licence_types=frozenset(grant.licence_types),
        purposes=frozenset(grant.purposes),
        participating=_gateways(grant.participating),
        onward=_onward(grant.onward),
    )


def _onward(onward: _Onward | None) -> Onward | None:
    if onward is None:
        return None
    fields, materials = frozenset(onward.form_fields), frozenset(onward.materials)
    return Onward(_gateways(onward.to), fields, materials)
