"""Checking signatures: collected, deduplicated, and done in one go."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from gateway.kernel.limits import VERIFY_INLINE_MAX
from gateway.ports.keyring import Verifier
from gateway.rules.trust import Check


class Authenticity:
    """Verifies many signatures; 256 envelopes under one batch head cost one verification."""

    def __init__(self, verifier: Verifier) -> None:
        self._verifier = verifier
        self.suites = verifier.suites()

    async def failed(self, checks: Iterable[Check]) -> set[Check]:
        """Return the checks that do not hold.

        A single one is done in place: handing 50 µs of work to a thread costs more than that.
        More go to one thread, which lets go of the interpreter lock for nearly all of the time.
        """
        distinct = set(checks)
        if len(distinct) <= VERIFY_INLINE_MAX:
            return self._run(distinct)
        return await asyncio.to_thread(self._run, distinct)

    def _run(self, checks: set[Check]) -> set[Check]:
        verify = self._verifier.verify
        return {check for check in checks if not verify(*check)}
