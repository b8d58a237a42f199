"""Attachments for a partner that collects: only those of messages it was handed."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from functools import partial
from typing import NamedTuple

from gateway.flow.collecting import require_collecting
from gateway.flow.committer import Committer
from gateway.flow.leasing import Renew, Upkeep
from gateway.kernel.envelope import Attachment, AttachmentRef, Outcome
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.limits import COLLECT_LEASE_MS
from gateway.ports.clock import Clock
from gateway.ports.directory import Directory
from gateway.ports.journal import Direction, Journal, OutboxEntry, Snapshot
from gateway.ports.vault import Vault, VaultScope
from gateway.wire.envelopes import decode_envelope
from gateway.wire.headers import decode_body


class _HandedOut(NamedTuple):
    attachment: Attachment
    entry: OutboxEntry | None
    """What waits for its receipt; None once it has one."""


class Downloads:
    """Hands out attachments from any offset on."""

    def __init__(
        self,
        committer: Committer,
        journal: Journal,
        vault: Vault,
        directory: Directory,
        clock: Clock,
    ) -> None:
        self._committer = committer
        self._journal = journal
        self._vault = vault
        self._directory = directory
        self._clock = clock

    async def read(
        self, peer: GatewayId, ref: AttachmentRef, offset: int
    ) -> AsyncGenerator[bytes, None]:
        """Yield the content from `offset` on; keep the message that names it leased meanwhile.

        Raises:
            Fault: those of `require_collecting`, `attachment.not_declared` if no message handed
                out to the peer lists it, `attachment.offset` beyond its end, `attachment.absent`.
        """
        require_collecting(self._directory, peer)
        found = await self._journal.read(partial(_handed_out, peer, ref))
        if found is None:
            raise Fault(FaultCode.ATTACHMENT_NOT_DECLARED)
        if offset > found.attachment.size:
            raise Fault(FaultCode.ATTACHMENT_OFFSET, str(found.attachment.size))
        home = self._directory.current().home.gateway_id
        waiting = () if found.entry is None else (found.entry,)
        renewal = Renew(waiting, home, COLLECT_LEASE_MS)
        if waiting:
            await self._committer.submit(renewal)
        upkeep = Upkeep(self._committer, self._clock, renewal)
        scope = VaultScope(peer, ref.case_key)
        async for chunk in self._vault.read(scope, ref.commitment, offset=offset):
            if waiting:
                await upkeep()
            yield chunk


def _handed_out(peer: GatewayId, ref: AttachmentRef, snapshot: Snapshot) -> _HandedOut | None:
    """Find the attachment among the messages of the case that the peer was handed.

    One that was refused or burnt gives no right to its files any more.
    """
    for message in snapshot.history(ref.case_key):
        ours = message.direction is Direction.OUT and message.counterpart == peer
        if not ours or message.outcome not in (None, Outcome.TAKEN_IN):
            continue
        entry = snapshot.outbox_of([message.ref]).get(message.ref)
        if message.outcome is None and (entry is None or not entry.attempts):
            continue
        envelope = decode_envelope(message.envelope)
        if envelope.header.agreement_digest != ref.agreement_digest:
            continue
        for attachment in decode_body(envelope.body_bytes).attachments:
            if (attachment.commitment, attachment.salt) == (ref.commitment, ref.salt):
                return _HandedOut(attachment, entry)
    return None
