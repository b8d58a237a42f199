"""The conformance kit (符合性测试): judges a gateway over the wire only, and signs what it found.

It acts as one partner of the target. It sees wire, rules and kernel; keys, time and randomness
are handed to it, see `bench`.
"""

from __future__ import annotations

from typing import Final

KIT_VERSION: Final = "1"
"""Raised when the engine judges differently; the set of cases has a digest of its own."""
