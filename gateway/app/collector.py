"""Python's garbage collector, set for a process that serves for months."""

from __future__ import annotations

import gc
from typing import Final

_THRESHOLDS: Final = (50_000, 20, 100)
"""New containers before the young are looked through, and how seldom the older ones are.

A commit group of 256 messages is some 40,000 objects that are all in use: with Python's default
of 700 each group is walked through dozens of times and nothing is found, a quarter of all CPU.
Nearly everything here dies by its reference count; cycles come from gRPC's calls (five objects
each) and from exceptions, and are small. Many more at a time would make one look a long stop.
"""


def settle_collector() -> None:
    """Leave what start-up made (modules, schemas, statements) out of every later collection.

    To be called once, when the process begins to serve. Cycles made later are still found.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
