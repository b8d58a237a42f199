"""Who the partners are, what is agreed with them, and what can be asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from gateway.kernel.identifiers import GatewayId
from gateway.rules.agreement import Agreement
from gateway.rules.catalogue import Catalogue
from gateway.rules.instant import RuleSet
from gateway.rules.schema import FormSchemas
from gateway.rules.trust import Partner


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

    def agreements_with(self, partner: GatewayId) -> list[Agreement]:
        """Return the agreements that name this gateway and `partner`."""
        both = {self.home.gateway_id, partner}
        return [a for a in self.agreements.values() if both == set(a.parties)]


class Directory(Protocol):
    """Holds the current book. `current` MUST be cheap and MUST NOT block."""

    def current(self) -> Book:
        """Return the book as of now; callers keep one for the whole of a decision."""
        ...
