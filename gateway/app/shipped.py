"""Where the files shipped with the code are: in a source checkout or an installed wheel."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).resolve().parent.parent
_INSTALLED: Final = _PACKAGE / "app" / "shipped_data"
"""Put there by the build: see `force-include` in pyproject.toml."""


def partners_root() -> Path:
    """Return the folder of the sample partners.

    Raises:
        FileNotFoundError: the installation is incomplete.
    """
    return _find("partners")


def certs_example_root() -> Path:
    """Return the folder of the example authority and certificates.

    Raises:
        FileNotFoundError: the installation is incomplete.
    """
    return _find("certs_example")


def _find(name: str) -> Path:
    """Return the checkout's folder or the wheel's; a checkout is told by its pyproject.toml."""
    checkout = _PACKAGE.parent
    in_checkout = (checkout / "pyproject.toml").is_file() and (checkout / name).is_dir()
    found = checkout / name if in_checkout else _INSTALLED / name
    if not found.is_dir():
        raise FileNotFoundError(f"{name} was not installed with the package; install it anew")
    return found
