"""Which parts of a partner's editions may be kept, and when an edition is whole."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.rules.item_list.parts import ListPart


class ToldEdition(NamedTuple):
    """An edition that a partner tells of in parts, as far as they are here."""

    region: GatewayId
    number: int
    """As its own gateway counts."""
    digest: bytes
    previous: bytes
    """Digest of the list it changes; empty: it is the whole list."""
    rows: int
    begun_ms: int
    arrived: int
    """How many parts are here."""
    parts: int
    """How many there are; 0 until the last is here."""
    published: bool = False

    @property
    def complete(self) -> bool:
        """Whether every part is here."""
        return 0 < self.parts == self.arrived


def require_own_list(region: GatewayId, sender: GatewayId) -> None:
    """Check that a gateway tells of its own region's list.

    Raises:
        Fault: `catalogue.list_of_another`.
    """
    if region != sender:
        raise Fault(FaultCode.CATALOGUE_LIST_OF_ANOTHER, region)


def arriving(told: Sequence[ToldEdition]) -> ToldEdition | None:
    """Return the edition that is not published yet; there is at most one."""
    return next((one for one in told if not one.published), None)


def arrive(
    told: Sequence[ToldEdition],
    here: Collection[int],
    part: ListPart,
    base: bytes,
    now_ms: int,
) -> ToldEdition | None:
    """Return the edition with this part; None if the part adds nothing to what is here.

    `here` are the parts of `arriving(told)` that are kept, `base` the digest of the list as it is.

    Raises:
        Fault: `catalogue.edition_old`, `catalogue.edition_gap`, `catalogue.parts_differ`;
            `catalogue.edition_pending`, which may pass.
    """
    for one in told:
        same = (one.number, one.digest) == (part.edition, part.digest)
        if same and (one.published or one.complete):
            return None
        if part.edition < one.number or (one.published and part.edition == one.number):
            raise Fault(FaultCode.CATALOGUE_EDITION_OLD, f"{part.edition}, here is {one.number}")
    before = arriving(told)
    if before is not None and before.complete:
        raise Fault(FaultCode.CATALOGUE_EDITION_PENDING, f"edition {before.number}")
    if before is None or _anew(before, part):
        before, here = _begun(part, base, now_ms), ()
    _require_like(before, here, part)
    if part.part in here:
        return None
    parts = part.part if part.last else before.parts
    return before._replace(arrived=before.arrived + 1, parts=parts)


def _anew(before: ToldEdition, part: ListPart) -> bool:
    """Tell whether a part begins anew: a later edition, or all of the one that was a change."""
    return part.edition > before.number or bool(before.previous and not part.previous)


def _begun(part: ListPart, base: bytes, now_ms: int) -> ToldEdition:
    if part.previous and part.previous != base:
        raise Fault(FaultCode.CATALOGUE_EDITION_GAP, f"edition {part.edition}")
    return ToldEdition(
        part.region, part.edition, part.digest, part.previous, part.rows, now_ms, 0, 0
    )


def _require_like(before: ToldEdition, here: Collection[int], part: ListPart) -> None:
    """Check that a part fits those that are kept."""
    known = before.digest, before.previous, before.rows
    if known != (part.digest, part.previous, part.rows):
        raise Fault(FaultCode.CATALOGUE_PARTS_DIFFER, "another edition under its number")
    last = part.part if part.last else before.parts
    beyond = last and max((part.part, *here)) > last
    other_last = before.parts and part.last and part.part != before.parts
    not_last = not part.last and part.part == before.parts
    if beyond or other_last or not_last:
        raise Fault(FaultCode.CATALOGUE_PARTS_DIFFER, f"part {part.part} of {last}")
