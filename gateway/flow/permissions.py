"""What agreements in force allow, laid out: partners × items × modes × rights, on any day."""

from __future__ import annotations

from typing import NamedTuple

from gateway.kernel.envelope import Mode, Right
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.ports.directory import Book
from gateway.rules.agreement import (
    Agreement,
    Exchange,
    as_of,
    require_in_force,
    require_party,
    require_permitted,
)


class Permission(NamedTuple):
    """What one agreement allows between this gateway and a partner for one item."""

    partner: GatewayId
    origin: GatewayId
    deciding: GatewayId
    item_code: str
    item_name_zh: str
    versions: tuple[str, ...]
    modes: frozenset[Mode]
    rights: frozenset[Right]
    purposes: tuple[str, ...]
    agreement: bytes
    task: bool = False
    """A joint task (协办任务): `deciding` asks, and `origin`, empty, has no part in it."""
    participating: str = ""
    """Who may be asked in a joint task."""

    def way(self, home: GatewayId) -> str:
        """Say which side does what, seen from `home`."""
        if self.task:
            return "请对方协办 →" if self.deciding == home else "← 本地协办"
        return "本地收件 →" if self.origin == home else "← 本地办理"


def in_force(agreement: Agreement, at_ms: int) -> Fault | None:
    """Return why an agreement is not in force as of an instant; None if it is.

    Verdicts given later do not count: what was allowed on a day stays answerable.
    """
    try:
        require_in_force(as_of(agreement, at_ms), at_ms)
    except Fault as fault:
        return fault
    return None


def permissions(book: Book, at_ms: int) -> list[Permission]:
    """Return everything allowed as of an instant, by partner, direction and item."""
    home = book.home.gateway_id
    found: list[Permission] = []
    for agreement in book.agreements.values():
        if home not in agreement.parties or in_force(agreement, at_ms) is not None:
            continue
        for (origin, deciding, code), grants in agreement.grants_of.items():
            if home not in (origin, deciding):
                continue
            item = book.catalogue.get((deciding, code))
            found.append(
                Permission(
                    deciding if origin == home else origin,
                    origin,
                    deciding,
                    code,
                    item.name_zh if item is not None else "",
                    tuple(sorted({v for g in grants for v in g.items[code]})),
                    frozenset(m for g in grants for m in g.modes),
                    frozenset(r for g in grants for r in g.rights),
                    tuple(sorted({p for g in grants for p in g.purposes})),
                    agreement.digest,
                )
            )
        found += _tasks(book, agreement)
    return sorted(
        found, key=lambda p: (p.partner, p.task, p.origin != home, p.item_code, p.agreement)
    )


def _tasks(book: Book, agreement: Agreement) -> list[Permission]:
    """Return the joint tasks that an agreement allows between this gateway and a partner."""
    home = book.home.gateway_id
    found = []
    for (deciding, participating, code), grants in agreement.tasks_of.items():
        allowed = [g for g in grants if Mode.JOINT in g.modes]
        if not allowed or home not in (deciding, participating):
            continue
        item = book.catalogue.get((deciding, code))
        found.append(
            Permission(
                participating if deciding == home else deciding,
                GatewayId(""),
                deciding,
                code,
                item.name_zh if item is not None else "",
                tuple(sorted({v for g in allowed for v in g.items[code]})),
                frozenset({Mode.JOINT}),
                frozenset(),
                tuple(sorted({p for g in allowed for p in g.purposes})),
                agreement.digest,
                task=True,
                participating=participating,
            )
        )
    return found


def allowed_under(book: Book, wish: Exchange, at_ms: int) -> bytes:
    """Return the digest of an agreement under which a new case was allowed at an instant.

    Keys and item versions of that day are *not* looked at.

    Raises:
        Fault: the rule that the agreement which came nearest breaks; `agreement.unknown` if there
            is none between the two.
    """
    both = {wish.origin, wish.deciding}
    nearest: Fault | None = None
    for agreement in book.agreements.values():
        if not both <= agreement.parties:
            continue
        fault = in_force(agreement, at_ms)
        try:
            if fault is not None:
                raise fault
            require_party(agreement, wish.origin, wish.deciding)
            require_permitted(agreement, wish)
        except Fault as refusal:
            nearest = refusal if fault is None else nearest or refusal
            continue
        return agreement.digest
    raise nearest or Fault(FaultCode.AGREEMENT_UNKNOWN, f"{wish.origin} {wish.deciding}")
