"""How a partner's own platform is spoken to: what its folder says, verbatim."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Platform(NamedTuple):
    """What an adapter of a partner is opened with. Nothing in it is secret."""

    folder: str
    """The partner's folder; files that settings name, secrets among them, lie in it."""
    settings: Mapping[str, object]
    """The table `[outlet.<kind>]` of partner.toml."""
    words: bytes
    """Digest of mapping.toml, translate.py and the files that settings name."""
