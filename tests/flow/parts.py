"""Parts that can fail when a test says so; each keeps its port's promise about failing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from gateway.adapters.memory.journal import MemoryJournal
from gateway.adapters.memory.vault import MemoryVault
from gateway.kernel.case import Stage
from gateway.kernel.identifiers import CaseKey, KeyId
from gateway.ports.clock import Clock
from gateway.ports.journal import JournalDown, Transaction
from gateway.ports.keyring import Signer, SignerDown
from gateway.ports.vault import VaultScope

T = TypeVar("T")


class TroubledJournal(MemoryJournal):
    """A memory journal that can be down, lose a commit, and notes every stage a case has had."""

    def __init__(self) -> None:
        super().__init__()
        self.down = False
        self.lost_commits = 0
        """How many of the next writes fail at their very end."""
        self.lose_write = 0
        """Which write, counted from 1, fails at its very end; 0: none."""
        self.begun = 0
        self.writes = 0
        self.trail: dict[CaseKey, list[Stage]] = {}

    async def write(self, work: Callable[[Transaction], T]) -> T:
        if self.down:
            raise JournalDown("no space left")
        stages: dict[CaseKey, Stage] = {}
        self.begun += 1

        def watched(tx: Transaction) -> T:
            result = work(tx)
            if self.begun == self.lose_write:
                raise JournalDown("the commit failed")
            if self.lost_commits:
                self.lost_commits -= 1
                raise JournalDown("the commit failed")
            stages.update((c.key, c.stage) for c in tx.cases_of(None, limit=1_000))
            return result

        result = await super().write(watched)
        self.writes += 1
        for key, stage in stages.items():
            trail = self.trail.setdefault(key, [Stage.RECEIVING])
            if trail[-1] is not stage:
                trail.append(stage)
        return result


class TroubledVault(MemoryVault):
    """A memory vault that can lose what it holds, and whose disk can break."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.broken: set[bytes] = set()
        """Commitments whose content cannot be read: `OSError`."""

    def lose(self, scope: VaultScope, commitment: bytes) -> None:
        del self._whole[scope][commitment]

    async def read(
        self, scope: VaultScope, commitment: bytes, *, offset: int = 0
    ) -> AsyncIterator[bytes]:
        if commitment in self.broken:
            raise OSError(5, "Input/output error")
        async for chunk in super().read(scope, commitment, offset=offset):
            yield chunk


class Pen:
    """A signer that can be out of order, and counts its signatures."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self.down = False
        self.signatures = 0

    @property
    def suite(self) -> str:
        return self._signer.suite

    @property
    def key_id(self) -> KeyId:
        return self._signer.key_id

    def sign(self, message: bytes) -> bytes:
        if self.down:
            raise SignerDown("the token is pulled out")
        self.signatures += 1
        return self._signer.sign(message)
