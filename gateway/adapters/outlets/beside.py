"""Reading what is large beside the event loop: other partners' calls go on meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from gateway.kernel.limits import READ_BESIDE_BYTES

T = TypeVar("T")


async def read_beside(size: int, read: Callable[[], T]) -> T:
    """Return what `read` does: here if it is about few bytes, else in a thread.

    Raises:
        Exception: whatever `read` raises.
    """
    return read() if size <= READ_BESIDE_BYTES else await asyncio.to_thread(read)
