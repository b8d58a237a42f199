"""A partner's translation from its folder: its table, and what its table cannot say."""

from __future__ import annotations

from pathlib import Path

from gateway.app.problems import ConfigProblem
from gateway.kernel.platforms import Platform
from gateway.ports.translation import Translation


def load_translation(platform: Platform) -> Translation:
    """Return a partner's translation.

    Raises:
        ConfigProblem: mapping.toml or translate.py cannot be used; every error is named.
    """
    raise ConfigProblem(Path(platform.folder), ["mapping.toml: no mapping can be read"])
