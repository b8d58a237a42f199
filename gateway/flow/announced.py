"""Announced keys: heard from partners, told to them, confirmed or dropped by operators."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import cast

from gateway.flow.committer import Committer, Group
from gateway.flow.desk import View
from gateway.flow.outbound import notify
from gateway.kernel.announced import AnnouncedKey, KeyProof, KeyUse
from gateway.kernel.envelope import Body, Header, Kind, Strength
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import CaseKey, GatewayId, KeyId, MessageId, MessageRef
from gateway.kernel.instants import to_iso
from gateway.ports.directory import Book, Directory
from gateway.ports.journal_agreements import StoredNotice
from gateway.ports.journal_announced import AnnouncedReads
from gateway.ports.telemetry import EventLog
from gateway.rules.announced import (
    counts,
    find_announced,
    heard_again,
    require_its_own,
    require_new,
    require_room,
    require_unclaimed,
    require_untold,
)
from gateway.rules.trust import EXCHANGING, Partner, RegisteredKey
from gateway.wire.envelopes import Draft
from gateway.wire.headers import encode_body

KeyReader = Callable[[Partner, KeyUse, bytes, int], tuple[AnnouncedKey, GatewayId]]
"""Reads a certificate (PEM) and proves its chain if it can: (partner, use, PEM, now in ms) to
(the key, the gateway its certificate names). Raises `key.announcement_invalid`."""


def no_reader(_p: Partner, _u: KeyUse, _c: bytes, _n: int) -> tuple[AnnouncedKey, GatewayId]:
    """Read nothing: a gateway that hears no announcements."""
    raise Fault(FaultCode.CASE_KIND_NOT_SERVED, "key_announced")


def heard(
    read: KeyReader, book: Book, sender: Partner, document: object, now_ms: int
) -> AnnouncedKey:
    """Return the key that a valid body announces.

    Raises:
        Fault: `key.announcement_invalid`.
    """
    form = cast("Mapping[str, str]", document)
    use = KeyUse(form["use"])
    key, named = read(sender, use, form["certificate"].encode(), now_ms)
    require_its_own(named, sender.gateway_id, key.not_after_ms, now_ms)
    require_new(key.key_id, _keys_of([sender]))
    everyone = (book.home, *book.partners.values())
    others = (p for p in everyone if p.gateway_id != sender.gateway_id)
    require_unclaimed(key.key_id, _keys_of(others))
    return key


def _keys_of(partners: Iterable[Partner]) -> Iterator[KeyId]:
    for partner in partners:
        yield from partner.keys
        yield from partner.adapter_keys
        yield from map(KeyId, partner.transport_pins)


def _in_use(home: Partner, use: KeyUse, now_ms: int) -> Iterable[KeyId]:
    if use is KeyUse.SIGNING:
        return [k.key_id for k in home.keys.values() if k.not_before_ms <= now_ms < k.not_after_ms]
    return map(KeyId, home.transport_pins)


def keep(group: Group, key: AnnouncedKey) -> None:
    """Keep an announced key inside the commit group.

    Raises:
        Fault: `limit.quota`; `key.announcement_invalid` if it was announced for another use.
    """
    kept = {k.key_id: k for k in group.tx.announced_by(key.partner)}
    kept |= {k.key_id: k for k in group.announced if k.partner == key.partner}
    known = kept.get(key.key_id)
    if known is None:
        require_room(list(kept.values()), key, group.now_ms)
    group.announced.append(key if known is None else heard_again(known, key))


def with_announced(book: Book, kept: AnnouncedReads) -> Book:
    """Return a book in which announced keys that count stand beside those of the files.

    One that another gateway has, by the files or by an earlier announcement, is left out.
    """
    found: dict[GatewayId, list[AnnouncedKey]] = {}
    owners = {k: p.gateway_id for p in (book.home, *book.partners.values()) for k in _keys_of([p])}
    for key in sorted(kept.announced_keys(), key=lambda k: k.announced_at_ms):
        known = counts(key) and key.partner in book.partners
        if known and owners.setdefault(key.key_id, key.partner) == key.partner:
            found.setdefault(key.partner, []).append(key)
    if not found:
        return book
    partners = {**book.partners}
    for gateway_id, keys in found.items():
        partners[gateway_id] = _merged(partners[gateway_id], keys)
    return replace(book, partners=partners)


def _merged(partner: Partner, keys: Sequence[AnnouncedKey]) -> Partner:
    """Add keys to an entry; what its files say of a key stands."""
    signing = {
        k.key_id: RegisteredKey(
            k.key_id, k.suite, k.public_key, k.not_before_ms, k.not_after_ms, k.certificate
        )
        for k in keys
        if k.use is KeyUse.SIGNING
    }
    pins = {bytes(k.key_id) for k in keys if k.use is KeyUse.TRANSPORT}
    return replace(
        partner,
        keys={**signing, **partner.keys},
        transport_pins=partner.transport_pins | pins,
    )


class AnnouncementDesk:
    """What operators do with keys that are announced."""

    def __init__(
        self,
        committer: Committer,
        directory: Directory,
        refresh: Callable[[], Awaitable[None]],
        read: KeyReader,
        log: EventLog,
    ) -> None:
        self._committer = committer
        self._directory = directory
        self._refresh = refresh
        self._read = read
        self._log = log

    async def announce(
        self, operator: str, use: str, certificate: bytes, only: str, now_ms: int
    ) -> View:
        """Tell partners of a key of ours before it is used.

        Raises:
            Fault: `key.announcement_invalid`; `operator.not_found` if nobody is to be told;
                `operator.request_invalid` for a use that is none.
        """
        if use not in set(KeyUse):
            raise Fault(FaultCode.OPERATOR_REQUEST_INVALID, "use")
        book = self._directory.current()
        key, named = self._read(book.home, KeyUse(use), certificate, now_ms)
        require_its_own(named, book.home.gateway_id, key.not_after_ms, now_ms)
        require_untold(key.key_id, _in_use(book.home, key.use, now_ms))
        told = [
            g
            for g, p in sorted(book.partners.items())
            if p.outlet == "grpc" and p.state in EXCHANGING and only in ("", g)
        ]
        if not told:
            sought = f": {only}" if only else ""
            raise Fault(FaultCode.OPERATOR_NOT_FOUND, f"no partner's gateway to tell{sought}")
        form = {"use": use, "certificate": certificate.decode("ascii")}
        await self._committer.submit(_Tell(book, operator, key.key_id, form, told))
        return {**_plain(key), "told": told}

    async def settle(self, operator: str, partner: str, start: str, *, confirm: bool) -> View:
        """Let an announced key count on an operator's word, or let go of it.

        Raises:
            Fault: `trust.key_unknown`.
        """
        work = _SettleKey(operator, GatewayId(partner), start, confirm=confirm)
        await self._committer.submit(work)
        await self._refresh()
        assert work.settled is not None, "the work was done"
        event = "key_confirmed" if confirm else "key_dropped"
        self._log.event(event, partner=partner, operator=operator)
        return announced_view(work.settled)


class _Work:
    def refs(self) -> Iterable[MessageRef]:
        """See `Work`."""
        return ()

    def keys(self) -> Iterable[CaseKey]:
        """See `Work`."""
        return ()


class _Tell(_Work):
    def __init__(
        self,
        book: Book,
        operator: str,
        key_id: KeyId,
        form: Mapping[str, str],
        told: Sequence[GatewayId],
    ) -> None:
        self._book = book
        self._operator = operator
        self._key_id = key_id
        self._form = form
        self._told = told

    def step(self, group: Group) -> None:
        """See `Work`."""
        home = self._book.home
        body = encode_body(Body(json.dumps(self._form).encode()))
        for other in self._told:
            header = Header(
                MessageId(b""),
                home.gateway_id,
                other,
                0,
                0,
                Kind.KEY_ANNOUNCED,
                b"",
                acting_unit=home.unit,
                staff_pseudonym=self._operator,
                staff_capacity="operator",
                strength=Strength.SIGNED,
            )
            draft_id = notify(group, Draft(header, body))
            kind = int(Kind.KEY_ANNOUNCED)
            group.notices.append(StoredNotice(self._key_id, other, kind, draft_id, group.now_ms))


class _SettleKey(_Work):
    def __init__(self, operator: str, partner: GatewayId, start: str, *, confirm: bool) -> None:
        self._operator = operator
        self._partner = partner
        self._start = start
        self._confirm = confirm
        self.settled: AnnouncedKey | None = None

    def step(self, group: Group) -> None:
        """See `Work`."""
        found = find_announced(group.tx.announced_by(self._partner), self._start)
        proof = KeyProof.OPERATOR if found.proof is KeyProof.NONE else found.proof
        self.settled = found._replace(
            proof=proof if self._confirm else found.proof,
            dropped=not self._confirm,
            operator=self._operator,
            settled_at_ms=group.now_ms,
        )
        group.announced.append(self.settled)


def announced_view(key: AnnouncedKey) -> View:
    """Show an announced key. JSON-ready."""
    return {
        "partner": key.partner,
        **_plain(key),
        "announced_at": to_iso(key.announced_at_ms),
        "proof": key.proof.value or None,
        "counts": counts(key),
        "dropped": key.dropped,
        "operator": key.operator or None,
    }


def _plain(key: AnnouncedKey) -> View:
    return {
        "key": key.key_id.hex(),
        "use": key.use.value,
        "suite": key.suite,
        "not_before": to_iso(key.not_before_ms),
        "not_after": to_iso(key.not_after_ms),
    }
