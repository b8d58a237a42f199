"""Attachments on their way: out to a partner, and in from one."""

from __future__ import annotations

from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import contextmanager
from functools import partial
from typing import Final, NamedTuple

from gateway.flow.effects import agreement_of
from gateway.kernel.case import CaseRecord
from gateway.kernel.envelope import AttachmentRef, AttachmentState, NotTakenIn
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import CaseKey, GatewayId, is_gateway_id, is_uuid7
from gateway.kernel.limits import (
    ATTACHMENT_BYTES_MAX,
    CASE_ATTACHMENT_BYTES_MAX,
    CASE_ATTACHMENTS_MAX,
    CASES_LOOKED_UP_MAX,
    DELIVER_TIMEOUT_S,
    MESSAGE_LIFE_MS_MAX,
    PARTNER_STAGED_BYTES_MAX,
    PARTNER_STAGED_CASES_MAX,
    SALT_BYTES,
    UPLOAD_TIMEOUT_S,
)
from gateway.ports.clock import Clock
from gateway.ports.directory import Directory
from gateway.ports.journal import Journal, OutboxEntry, Snapshot
from gateway.ports.outlet import Outlet
from gateway.ports.vault import Vault, VaultScope
from gateway.rules.agreement import require_in_force, require_party
from gateway.wire.envelopes import decode_draft
from gateway.wire.fault_table import entry as fault_entry
from gateway.wire.fault_table import texts
from gateway.wire.headers import decode_body


def carries_files(entry: OutboxEntry) -> bool:
    """Tell whether a message has attachments, which go before it."""
    return bool(decode_body(decode_draft(entry.draft).body_bytes).attachments)


async def upload_attachments(
    outlet: Outlet, vault: Vault, entry: OutboxEntry, going_on: Callable[[], Awaitable[None]]
) -> NotTakenIn | None:
    """Bring every attachment of a message to the partner; None if they are all there.

    `going_on` is awaited before every chunk that is sent.

    Raises:
        OutletDown: no answer was had.
    """
    draft = decode_draft(entry.draft)
    key = entry.case_key
    if key is None:
        return None
    scope = VaultScope(entry.partner, key)
    for attachment in decode_body(draft.body_bytes).attachments:
        ref = AttachmentRef(
            key,
            draft.header.agreement_digest,
            attachment.salt,
            attachment.commitment,
            attachment.size,
            attachment.media_type,
        )
        try:
            state = await outlet.attachment_status(ref, DELIVER_TIMEOUT_S)
            if not state.complete:
                chunks = _told(vault.read(scope, ref.commitment, offset=state.held), going_on)
                await outlet.upload(ref, state.held, chunks, UPLOAD_TIMEOUT_S)
        except Fault as fault:
            zh, en = texts(fault.code, fault.detail)
            retry = fault_entry(fault.code).retry
            return NotTakenIn(fault.code.value, zh, en, retry, fault.retry_after_ms)
    return None


async def _told(
    chunks: AsyncIterator[bytes], going_on: Callable[[], Awaitable[None]]
) -> AsyncIterator[bytes]:
    async for chunk in chunks:
        await going_on()
        yield chunk


class _Coming(NamedTuple):
    """An upload under way: the bytes still to come when it began, and whether it began a file."""

    size: int
    begins: bool


class AttachmentIntake:
    """Takes in attachments that partners upload before the message that names them."""

    def __init__(self, vault: Vault, journal: Journal, directory: Directory, clock: Clock) -> None:
        self._vault = vault
        self._journal = journal
        self._directory = directory
        self._clock = clock
        self._staged: dict[GatewayId, dict[CaseKey, int]] = {}
        """Bytes held, or on their way, for cases that the journal did not know when asked."""
        self._coming: dict[VaultScope, list[_Coming]] = {}

    async def status(self, peer: GatewayId, ref: AttachmentRef) -> AttachmentState:
        """Return how much of an attachment is held for this peer and case.

        Raises:
            Fault: the peer may not upload to this case.
        """
        await self._require_allowed(peer, ref)
        return await self._vault.state(VaultScope(peer, ref.case_key), ref.commitment)

    async def receive(
        self, peer: GatewayId, ref: AttachmentRef, offset: int, chunks: AsyncIterator[bytes]
    ) -> AttachmentState:
        """Store an attachment from `offset` on.

        Raises:
            Fault: the peer may not, a quota is full, or the content is not what was announced.
        """
        case = await self._require_allowed(peer, ref)
        scope = VaultScope(peer, ref.case_key)
        held = await self._vault.state(scope, ref.commitment)
        if held.complete:
            return held
        try:
            with self._reserved(scope, _Coming(ref.size - held.held, not held.held)):
                await self._require_quota(scope, staged=case is None)
                return await self._vault.append(
                    scope, ref.salt, ref.commitment, chunks, offset=offset, size=ref.size
                )
        finally:
            if case is None:
                await self._count_again(scope)

    def recount(self, partner: GatewayId) -> None:
        """Forget what was counted for a partner: the vault holds less than it did."""
        self._staged.pop(partner, None)

    @contextmanager
    def _reserved(self, scope: VaultScope, coming: _Coming) -> Iterator[None]:
        """Count an upload as if all of it were here, so that two at once share one quota."""
        under_way = self._coming.setdefault(scope, [])
        under_way.append(coming)
        try:
            yield
        finally:
            under_way.remove(coming)
            if not under_way:
                del self._coming[scope]

    async def _require_allowed(self, peer: GatewayId, ref: AttachmentRef) -> CaseRecord | None:
        if len(ref.salt) != SALT_BYTES or len(ref.commitment) != 32:
            raise Fault(FaultCode.WIRE_FIELD_INVALID, "salt or commitment")
        if not is_gateway_id(ref.case_key.origin) or not is_uuid7(ref.case_key.case_id):
            raise Fault(FaultCode.WIRE_FIELD_INVALID, "case")
        if ref.size > ATTACHMENT_BYTES_MAX:
            raise Fault(FaultCode.LIMIT_ATTACHMENT_BYTES, str(ref.size))
        book = self._directory.current()
        agreement = agreement_of(book, ref.agreement_digest)
        require_party(agreement, peer, book.home.gateway_id)
        case = await self._case(ref)
        if case is None:
            if ref.case_key.origin != peer:
                raise Fault(FaultCode.CASE_NOT_PARTY)
            require_in_force(agreement, self._clock.now_ms())
        elif case.counterpart != peer:
            raise Fault(FaultCode.CASE_NOT_PARTY)
        elif case.agreement_digest != ref.agreement_digest:
            raise Fault(FaultCode.CASE_FROZEN_DIFFERS)
        return case

    async def _case(self, ref: AttachmentRef) -> CaseRecord | None:
        found = await self._journal.read(lambda s: s.cases([ref.case_key]))
        return found.get(ref.case_key)

    async def _require_quota(self, scope: VaultScope, *, staged: bool) -> None:
        """Check what is held and what is coming against the quotas of the case and its partner.

        What an upload under way has already written counts twice: near the quota one may be
        refused that a moment later is not, which is what `limit.quota` says.
        """
        usage = await self._vault.usage(scope)
        coming = self._coming[scope]
        if usage.files + sum(c.begins for c in coming) > CASE_ATTACHMENTS_MAX:
            raise Fault(FaultCode.LIMIT_QUOTA, "files of a case")
        if usage.size + sum(c.size for c in coming) > CASE_ATTACHMENT_BYTES_MAX:
            raise Fault(FaultCode.LIMIT_QUOTA, "bytes of a case")
        if staged:
            await self._require_staging_place(scope)

    async def _require_staging_place(self, scope: VaultScope) -> None:
        """Bound what a partner holds for cases that it has not submitted: cases, and bytes.

        The vault is listed once a start and after each sweep that found something; the journal is
        asked only when a bound is reached.
        """
        staged = await self._staged_of(scope.partner)
        await self._count(scope, staged)
        if _over(staged) is not None:
            for key in set(staged) - await self._unknown(staged):
                staged.pop(key, None)
        if (what := _over(staged)) is not None:
            raise Fault(FaultCode.LIMIT_QUOTA, f"{what} of cases not submitted; {_UNUSED}")

    async def _staged_of(self, partner: GatewayId) -> dict[CaseKey, int]:
        staged = self._staged.get(partner)
        if staged is None:
            counted: dict[CaseKey, int] = {}
            for key in await self._unknown(await self._vault.cases_of(partner)):
                await self._count(VaultScope(partner, key), counted)
            staged = self._staged.setdefault(partner, counted)
        return staged

    async def _unknown(self, keys: Iterable[CaseKey]) -> set[CaseKey]:
        """Return the cases that the journal does not know; a partner's may be all of its life."""
        asked = list(keys)
        unknown = set(asked)
        for start in range(0, len(asked), CASES_LOOKED_UP_MAX):
            batch = asked[start : start + CASES_LOOKED_UP_MAX]
            unknown.difference_update(await self._journal.read(partial(_cases, batch)))
        return unknown

    async def _count(self, scope: VaultScope, staged: dict[CaseKey, int]) -> None:
        usage = await self._vault.usage(scope)
        coming = self._coming.get(scope, ())
        if usage.files or coming:
            staged[scope.case_key] = usage.size + sum(c.size for c in coming)
        else:
            staged.pop(scope.case_key, None)

    async def _count_again(self, scope: VaultScope) -> None:
        """Count what is there after an upload, whole or broken off, and not what was meant."""
        staged = self._staged.get(scope.partner)
        if staged is not None and scope.case_key in staged:
            await self._count(scope, staged)


def _cases(keys: Sequence[CaseKey], snapshot: Snapshot) -> Mapping[CaseKey, CaseRecord]:
    return snapshot.cases(keys)


_UNUSED: Final = f"removed after {MESSAGE_LIFE_MS_MAX // 86_400_000} days without use"


def _over(staged: Mapping[CaseKey, int]) -> str | None:
    """Name the bound that what is staged exceeds."""
    if len(staged) > PARTNER_STAGED_CASES_MAX:
        return f"files of over {PARTNER_STAGED_CASES_MAX} cases"
    if sum(staged.values()) > PARTNER_STAGED_BYTES_MAX:
        return f"over {PARTNER_STAGED_BYTES_MAX} bytes"
    return None
