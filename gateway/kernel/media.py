"""How files of the types that a scanner makes begin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

MAGIC: Final[Mapping[str, bytes]] = {
    "application/pdf": b"%PDF-",
    "image/jpeg": b"\xff\xd8\xff",
    "image/png": b"\x89PNG\r\n\x1a\n",
}
"""Media type to the first bytes of every file of it."""
MAGIC_BYTES: Final = max(map(len, MAGIC.values()))
