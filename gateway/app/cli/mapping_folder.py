"""Which partner's folder a `kuayu mapping` command is about."""

from __future__ import annotations

from pathlib import Path

from gateway.app.cli.common import read_config
from gateway.app.cli.exits import ExitCode, Stop


def folder_of(partner: str, config: Path) -> Path:
    """Find a partner's folder: a path as it is, else by name or gateway id in partners_dir.

    Raises:
        Stop: there is none.
    """
    if "/" in partner or Path(partner, "mapping.toml").is_file():
        return _with_table(Path(partner))
    from gateway.app.mapping.agreed import folders

    partners_dir = read_config(config).partners_dir
    for folder, region in folders(partners_dir):
        if partner in (folder.name, region):
            return _with_table(folder)
    raise Stop(ExitCode.NO, f"{partners_dir} has no partner {partner!r}; give its id or its folder")


def _with_table(folder: Path) -> Path:
    """Return a partner's folder, unless it has no table and needs none.

    Raises:
        Stop: it speaks our own words, or people carry them.
    """
    if (folder / "mapping.toml").is_file():
        return folder
    from gateway.app.onboarding.folders import find_entry
    from gateway.rules.arrivals import DIALECTS

    entry = find_entry(folder.resolve().parent, folder.resolve().name)
    if entry is not None and entry.file.outlet.kind not in DIALECTS:
        kind = entry.file.outlet.kind
        told = f"outlet.kind = {kind!r}: our own words are said there, and no mapping.toml is read"
        raise Stop(ExitCode.USAGE, f"{folder}: {told}")
    return folder
