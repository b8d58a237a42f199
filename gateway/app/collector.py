"""Python's garbage collector, set for a process that serves for months."""

from __future__ import annotations

import gc
from typing import Final

_THRESHOLDS: Final = (200_000, 20, 100)
"""New containers before the young are looked through, and how seldom the older ones are.

A commit group of 256 messages is some 40,000 objects that are all in use, and several groups are
on their way at once: one checked, one written, one answered. With less than all of them each look
finds nothing: a quarter of all CPU with Python's default of 700, an eighth still with 50,000.
Nearly everything here dies by its reference count; cycles come from exceptions and are small.
"""


def settle_collector() -> None:
    """Leave what start-up made (modules, schemas, statements) out of every later collection.

    To be called once, when the process begins to serve. Cycles made later are still found.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
