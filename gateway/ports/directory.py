"""Who the partners are, what is agreed with them, and what can be asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, Protocol

from gateway.kernel.identifiers import GatewayId
from gateway.rules.agreement import Agreement
from gateway.rules.catalogue import Catalogue
from gateway.rules.instant import RuleSet
from gateway.rules.schema import FormSchemas
from gateway.rules.trust import Partner


class BrokenPartner(NamedTuple):
    """A partner's folder that cannot be used: nothing of it is in the book."""

    folder: str
    gateway_id: str
    """Empty if even that cannot be read."""
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Book:
    """One consistent, immutable state of the directory."""

    home: Partner
    """This gateway's own entry: its keys sign, its unit decides."""
    partners: Mapping[GatewayId, Partner]
    agreements: Mapping[bytes, Agreement]
    """By digest of content; accepted or not, in force or not."""
    catalogue: Catalogue
    forms: FormSchemas
    documents: Mapping[bytes, tuple[str, bytes]] = field(default_factory=dict)
    """Evidence documents by digest: (kind, bytes) of entries, certificates, agreements, items."""
    instant: tuple[RuleSet, ...] = ()
    """Rules under which this gateway decides at once (秒批), every version that is known."""
    broken: tuple[BrokenPartner, ...] = ()
    """Partners put aside."""
    folders: Mapping[GatewayId, str] = field(default_factory=dict)
    """Name of the folder that each partner was read from."""

    def agreements_with(self, partner: GatewayId) -> Sequence[Agreement]:
        """Return the agreements that name this gateway and `partner`."""
        return self._by_parties.get(frozenset({self.home.gateway_id, partner}), ())

    @cached_property
    def item_keys(self) -> Sequence[tuple[GatewayId, str]]:
        """The keys of the catalogue, in order; sorted once a book."""
        return sorted(self.catalogue)

    @cached_property
    def _by_parties(self) -> Mapping[frozenset[GatewayId], Sequence[Agreement]]:
        """Made once a book: a decision must not cost more with every further partner."""
        found: dict[frozenset[GatewayId], list[Agreement]] = {}
        for agreement in self.agreements.values():
            found.setdefault(agreement.parties, []).append(agreement)
        return found


class Directory(Protocol):
    """Holds the current book. `current` MUST be cheap and MUST NOT block."""

    def current(self) -> Book:
        """Return the book as of now; callers keep one for the whole of a decision."""
        ...
