"""Named points at which a gateway's process kills itself, put in through its seams.

A point is an instant between two steps whose order matters. `before_commit` is inside the write,
after the work ran and before COMMIT; `after_commit` is once the write is durable and before anyone
is told.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Final, TypeVar, cast

from gateway.app.wiring import Seams
from gateway.kernel.envelope import AttachmentRef, AttachmentState, NotTakenIn, ReceiptQuery
from gateway.kernel.identifiers import GatewayId
from gateway.ports.journal import Journal, Material, OutboxEntry, OutboxStatus, Snapshot
from gateway.ports.journal import Transaction as Tx
from gateway.ports.outlet import Answered, Listed, Outlet
from gateway.ports.vault import Stored, Vault, VaultScope

T = TypeVar("T")

WRITES: Final = {
    "append": "intake",  # a partner's message taken in, with its effect and receipt
    "remember": "request",  # a request of a portal or business system done
    "seal": "say",  # a message of our own signed and queued
    "receipted": "settle",  # a receipt of our own message stored
    "void": "burn",  # the id of a message that was never seen, at its sender's wish
}
"""Writing method of the journal's transaction -> the point it makes."""

COMMITS: Final = (*WRITES.values(), "claim", "material")
POINTS: Final = (
    *(f"{name}.{when}" for name in COMMITS for when in ("before_commit", "after_commit")),
    "deliver.before_send",  # leased, attachments there, nothing sent
    "deliver.after_answer",  # the partner took it in, its receipt is in memory only
    "portal_upload.middle",
    "partner_upload.sending",
    "partner_upload.receiving",
    "partner_upload.after_rename",  # the file has its name, the partner has no answer
)


class Trigger:
    """Kills the own process at the n-th passing of one point."""

    def __init__(self) -> None:
        self._point = ""
        self._left = 0

    def arm(self, point: str, after: int) -> None:
        if point not in POINTS or after < 1:
            raise ValueError(f"no such point: {point} {after}")
        self._left, self._point = after, point

    def reached(self, point: str) -> None:
        """Say where it dies, then die. May be called from any thread."""
        if point != self._point:
            return
        self._left -= 1
        if self._left == 0:
            tell(killed_at=point)
            os.kill(os.getpid(), signal.SIGKILL)


def tell(**fields: object) -> None:
    """Write one line for the parent, past every buffer."""
    os.write(1, json.dumps(fields).encode() + b"\n")


def durability(tx: Snapshot) -> tuple[str, int]:
    """Return (journal_mode, synchronous) of the connection that `tx` writes on."""
    cursor = cast(Any, tx)._cursor
    (mode,) = cursor.execute("PRAGMA journal_mode").fetchone()
    (synchronous,) = cursor.execute("PRAGMA synchronous").fetchone()
    return mode, synchronous


class _WatchedTx:
    """Passes everything on and notes which points a transaction makes."""

    def __init__(self, tx: Tx, made: set[str]) -> None:
        self._tx = tx
        self._made = made

    def __getattr__(self, name: str) -> Any:
        if name in WRITES:
            self._made.add(WRITES[name])
        return getattr(self._tx, name)

    def claim(
        self, partner: GatewayId, status: OutboxStatus, **bounds: int
    ) -> Sequence[OutboxEntry]:
        found = self._tx.claim(partner, status, **bounds)
        if found:
            self._made.add("claim")
        return found

    def put_materials(self, materials: Sequence[Material]) -> None:
        if any(m.commitment for m in materials):
            self._made.add("material")
        self._tx.put_materials(materials)


class WatchedJournal:
    """Dies around commits, and on a commit that would not be durable."""

    def __init__(self, inner: Journal, trigger: Trigger) -> None:
        self._inner = inner
        self._trigger = trigger

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def write(self, work: Callable[[Tx], T]) -> T:
        made: set[str] = set()

        def watched(tx: Tx) -> T:
            found = durability(tx)
            if found != ("wal", 2):
                tell(not_durable=found)
                os._exit(3)
            result = work(cast(Tx, _WatchedTx(tx, made)))
            for name in made:
                self._trigger.reached(f"{name}.before_commit")
            return result

        result = await self._inner.write(watched)
        for name in made:
            self._trigger.reached(f"{name}.after_commit")
        return result


class WatchedVault:
    """Dies in the middle of an attachment and right after it has its name."""

    def __init__(self, inner: Vault, trigger: Trigger) -> None:
        self._inner = inner
        self._trigger = trigger

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def put(
        self, scope: VaultScope, salt: bytes, chunks: AsyncIterator[bytes], **told: Any
    ) -> Stored:
        passed = _passing(chunks, self._trigger, "portal_upload.middle")
        return await self._inner.put(scope, salt, passed, **told)

    async def append(
        self,
        scope: VaultScope,
        salt: bytes,
        commitment: bytes,
        chunks: AsyncIterator[bytes],
        **told: Any,
    ) -> AttachmentState:
        passed = _passing(chunks, self._trigger, "partner_upload.receiving")
        state = await self._inner.append(scope, salt, commitment, passed, **told)
        if state.complete:
            self._trigger.reached("partner_upload.after_rename")
        return state


class WatchedOutlet:
    """Dies around a delivery and while it sends an attachment."""

    def __init__(self, inner: Outlet, trigger: Trigger) -> None:
        self._inner = inner
        self._trigger = trigger

    @property
    def batch_max(self) -> int:
        return self._inner.batch_max

    async def deliver(
        self, envelopes: Sequence[bytes], timeout_s: float
    ) -> Sequence[bytes | NotTakenIn | Listed | Answered]:
        self._trigger.reached("deliver.before_send")
        answers = await self._inner.deliver(envelopes, timeout_s)
        self._trigger.reached("deliver.after_answer")
        return answers

    async def query_receipts(
        self, queries: Sequence[ReceiptQuery], timeout_s: float
    ) -> Sequence[bytes | NotTakenIn | Listed | Answered]:
        return await self._inner.query_receipts(queries, timeout_s)

    async def attachment_status(self, ref: AttachmentRef, timeout_s: float) -> AttachmentState:
        return await self._inner.attachment_status(ref, timeout_s)

    async def upload(
        self, ref: AttachmentRef, offset: int, chunks: AsyncIterator[bytes], timeout_s: float
    ) -> AttachmentState:
        passed = _passing(chunks, self._trigger, "partner_upload.sending")
        return await self._inner.upload(ref, offset, passed, timeout_s)

    async def close(self) -> None:
        await self._inner.close()


async def _passing(
    chunks: AsyncIterator[bytes], trigger: Trigger, point: str
) -> AsyncIterator[bytes]:
    """Pass chunks on; the point comes before each but the first, when the one before is out."""
    first = True
    async for chunk in chunks:
        if not first:
            trigger.reached(point)
        first = False
        yield chunk


def seams(trigger: Trigger) -> Seams:
    """Return the seams that put every point in."""
    return Seams(
        journal=lambda inner: cast(Journal, WatchedJournal(inner, trigger)),
        vault=lambda inner: cast(Vault, WatchedVault(inner, trigger)),
        outlet=lambda inner: WatchedOutlet(inner, trigger),
    )
