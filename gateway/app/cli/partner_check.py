"""`kuayu partner check`."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.app.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    examples,
    now_ms,
    read_book,
    read_config,
    show,
    show_json,
)
from gateway.app.cli.exits import ExitCode, Stop

if TYPE_CHECKING:
    from gateway.app.config import Config
    from gateway.app.onboarding.checks import Check

EXAMPLES = examples("kuayu partner check 620200", "kuayu partner check wuwei --json")
_LIGHTS = {"green": "✓ 通过", "yellow": "! 注意", "red": "✗ 不通过", "none": "– 不适用"}


def check(
    partner: Annotated[str, typer.Argument(metavar="PARTNER", help="gateway id or folder")],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """检查 See whether a partner can be worked with now, drafts too; what to do where it cannot.

    Entry, agreement, items, certificates and their dates, suites, address, TLS, clocks, and a ping;
    for a platform also its mapping. Ends with 1 if anything is red.
    """
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    settings = read_config(config)
    checks = asyncio.run(_checks(settings, partner, quiet=json))
    views = [c._asdict() | {"light": c.light.value} for c in checks]
    if json:
        show_json({"partner": partner, "checks": views})
    if any(view["light"] == "red" for view in views):
        raise Stop(ExitCode.NO, f"{partner}: 有不通过项 something is red")


async def _checks(settings: Config, name: str, *, quiet: bool) -> list[Check]:
    from gateway.app.books import with_agreed
    from gateway.app.onboarding.checks import book_with, check_partner
    from gateway.app.onboarding.folders import find_entry
    from gateway.kernel.identifiers import GatewayId

    entry = find_entry(settings.partners_dir, name)
    if entry is None:
        return _unread(settings, name, quiet=quiet)
    book, done = book_with(settings, entry)
    for each in done:
        _tell(each, quiet=quiet)
    if book is None:
        return done
    whole = with_agreed(settings, book)
    if entry.file.gateway_id == whole.home.gateway_id:
        raise Stop(ExitCode.NO, f"{name} is this gateway itself; see `kuayu keys show`")
    found = whole.partners[GatewayId(entry.file.gateway_id)]
    async for each in check_partner(settings, whole, found, now_ms()):
        _tell(each, quiet=quiet)
        done.append(each)
    return done


def _unread(settings: Config, name: str, *, quiet: bool) -> list[Check]:
    """Tell what is wrong with a folder whose entry cannot be read.

    Raises:
        Stop: there is no such folder.
    """
    from gateway.app.onboarding.checks import Check, Light

    broken = [b for b in read_book(settings, drafts=True).broken if b.folder == name]
    if not broken:
        raise Stop(
            ExitCode.NO, f"{name}: 没有该伙伴 no such partner; `kuayu partner list` names them"
        )
    advice = "change the file it names"
    done = [Check("entry 登记", Light.RED, line, advice) for b in broken for line in b.problems]
    for each in done:
        _tell(each, quiet=quiet)
    return done


def _tell(check: Check, *, quiet: bool) -> None:
    if quiet:
        return
    advice: list[Any] = [f"           → {check.advice}"] if check.advice else []
    show(f"{_LIGHTS[check.light.value]}  {check.name}: {check.told}", *advice)
