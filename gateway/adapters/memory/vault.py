"""Attachments in memory, for tests and simulation."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping
from hashlib import sha256 as sha256_of
from weakref import WeakValueDictionary

from gateway.kernel.digests import commitment as commitment_of
from gateway.kernel.digests import digest
from gateway.kernel.envelope import AttachmentState
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import CaseKey, GatewayId
from gateway.kernel.limits import ATTACHMENT_CHUNK_BYTES, ATTACHMENT_CHUNK_BYTES_MAX, SALT_BYTES
from gateway.ports.clock import Clock
from gateway.ports.vault import Held, Stored, Usage, VaultScope


def _checked(commitment: bytes) -> bytes:
    if len(commitment) != 32:
        raise Fault(FaultCode.WIRE_FIELD_INVALID, "commitment")
    return commitment


def _check_salt(salt: bytes) -> None:
    if len(salt) != SALT_BYTES:
        raise Fault(FaultCode.WIRE_FIELD_INVALID, "salt")


def _add(held: bytearray, chunk: bytes, size: int) -> None:
    if len(chunk) > ATTACHMENT_CHUNK_BYTES_MAX:
        raise Fault(
            FaultCode.LIMIT_ATTACHMENT_BYTES, f"chunk over {ATTACHMENT_CHUNK_BYTES_MAX} bytes"
        )
    if len(held) + len(chunk) > size:
        raise Fault(FaultCode.ATTACHMENT_SIZE, f"more than {size} bytes")
    held += chunk


class MemoryVault:
    """Implements `ports.vault.Vault`, except that nothing outlives the process or is small."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock
        self._used: dict[VaultScope, int] = {}
        self._part_used: dict[tuple[VaultScope, bytes], int] = {}
        self._whole: dict[VaultScope, dict[bytes, bytes]] = defaultdict(dict)
        self._parts: dict[VaultScope, dict[bytes, bytearray]] = defaultdict(dict)
        self._salts: dict[tuple[VaultScope, bytes], bytes] = {}
        self._locks: WeakValueDictionary[tuple[VaultScope, bytes], asyncio.Lock] = (
            WeakValueDictionary()
        )

    async def state(self, scope: VaultScope, commitment: bytes) -> AttachmentState:
        """Return how much is held."""
        whole = self._whole[scope].get(_checked(commitment))
        if whole is not None:
            return AttachmentState(len(whole), True)
        return AttachmentState(len(self._parts[scope].get(commitment, b"")), False)

    async def held(self, scope: VaultScope, commitments: Collection[bytes]) -> Mapping[bytes, Held]:
        """Return those of `commitments` that are held whole."""
        self._use(scope)
        whole = self._whole[scope]
        return {
            c: Held(self._salts[scope, c], len(whole[c]))
            for c in commitments
            if _checked(c) in whole
        }

    async def usage(self, scope: VaultScope) -> Usage:
        """Return what the scope holds."""
        held = [*self._whole[scope].values(), *self._parts[scope].values()]
        return Usage(len(held), sum(map(len, held)))

    async def cases_of(self, partner: GatewayId) -> set[CaseKey]:
        """Return the cases in which this partner holds attachments; see `ports.vault`."""
        return {
            scope.case_key
            for shelf in (self._whole, self._parts)
            for scope, held in shelf.items()
            if held and scope.partner == partner
        }

    async def partners(self) -> set[GatewayId]:
        """Return the partners with which attachments are, or were, held."""
        return {scope.partner for scope in self._used}

    async def idle(self, partner: GatewayId, before_ms: int) -> Mapping[CaseKey, bool]:
        """Return the cases last used before `before_ms`; see `ports.vault`."""
        return {
            scope.case_key: bool(self._parts.get(scope))
            for scope, used_ms in self._used.items()
            if scope.partner == partner and used_ms < before_ms
        }

    async def sweep(self, scope: VaultScope, before_ms: int) -> Usage:
        """Remove a case's attachments that were last used before `before_ms`."""
        if self._used.get(scope, before_ms) >= before_ms:
            return Usage(0, 0)
        there = await self.usage(scope)
        for shelf in (self._whole, self._parts):
            shelf.pop(scope, None)
        del self._used[scope]
        return there

    async def sweep_parts(self, scope: VaultScope, before_ms: int) -> Usage:
        """Remove uploads that were never completed and not written since `before_ms`."""
        sizes: list[int] = []
        for commitment in list(self._parts.get(scope, ())):
            async with self._lock(scope, commitment):
                part = self._parts[scope].get(commitment)
                if part is not None and self._part_used[scope, commitment] < before_ms:
                    sizes.append(len(part))
                    del self._parts[scope][commitment]
        return Usage(len(sizes), sum(sizes))

    def _use(self, scope: VaultScope, commitment: bytes | None = None) -> None:
        now_ms = 0 if self._clock is None else self._clock.now_ms()
        if commitment is not None:
            self._part_used[scope, commitment] = now_ms
        if commitment is not None or scope in self._used:
            self._used[scope] = now_ms

    async def put(
        self,
        scope: VaultScope,
        salt: bytes,
        chunks: AsyncIterator[bytes],
        *,
        size: int,
        sha256: bytes,
    ) -> Stored:
        """Store a local upload; see `ports.vault`."""
        _check_salt(salt)
        held = bytearray()
        async for chunk in chunks:
            _add(held, chunk, size)
        if len(held) != size:
            raise Fault(FaultCode.ATTACHMENT_SIZE, f"{len(held)} bytes, {size} announced")
        content = bytes(held)
        if sha256_of(content).digest() != sha256:
            raise Fault(FaultCode.ATTACHMENT_DIGEST)
        commitment = commitment_of(salt, content)
        async with self._lock(scope, commitment):
            self._use(scope, commitment)
            self._parts[scope].pop(commitment, None)
            self._whole[scope][commitment] = content
            self._salts[scope, commitment] = salt
        return Stored(commitment, digest(content), size)

    async def append(
        self,
        scope: VaultScope,
        salt: bytes,
        commitment: bytes,
        chunks: AsyncIterator[bytes],
        *,
        offset: int,
        size: int,
    ) -> AttachmentState:
        """Store a partner's upload from `offset` on; see `ports.vault`."""
        _check_salt(salt)
        async with self._lock(scope, _checked(commitment)):
            state = await self.state(scope, commitment)
            if state.complete:
                return state
            if state.held and self._salts[scope, commitment] != salt:
                del self._parts[scope][commitment]
                raise Fault(FaultCode.ATTACHMENT_DIGEST, "salt")
            if state.held > size:
                del self._parts[scope][commitment]
                raise Fault(FaultCode.ATTACHMENT_SIZE, f"{state.held} bytes held, {size} announced")
            if state.held != offset:
                raise Fault(FaultCode.ATTACHMENT_OFFSET, f"{state.held} bytes held")
            held = self._parts[scope].setdefault(commitment, bytearray())
            self._salts[scope, commitment] = salt
            self._use(scope, commitment)
            async for chunk in chunks:
                _add(held, chunk, size)
                self._use(scope, commitment)
            if len(held) < size:
                return AttachmentState(len(held), False)
            content = bytes(self._parts[scope].pop(commitment))
            if commitment_of(salt, content) != commitment:
                raise Fault(FaultCode.ATTACHMENT_DIGEST)
            self._whole[scope][commitment] = content
            return AttachmentState(size, True)

    async def read(
        self, scope: VaultScope, commitment: bytes, *, offset: int = 0
    ) -> AsyncIterator[bytes]:
        """Yield the content from `offset` in chunks of at most `ATTACHMENT_CHUNK_BYTES`."""
        content = self._whole[scope].get(_checked(commitment))
        if content is None:
            raise Fault(FaultCode.ATTACHMENT_ABSENT)
        for start in range(offset, len(content), ATTACHMENT_CHUNK_BYTES):
            yield content[start : start + ATTACHMENT_CHUNK_BYTES]

    def _lock(self, scope: VaultScope, commitment: bytes) -> asyncio.Lock:
        return self._locks.setdefault((scope, commitment), asyncio.Lock())
