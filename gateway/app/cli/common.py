"""What the commands share: options, examples, reading the configuration, writing answers."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from gateway.app.cli.exits import ExitCode, Stop

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from gateway.app.config import Config
    from gateway.ports.directory import Book

_PIPED_COLUMNS: Final = 160  # no terminal to fit into; wide enough for every table

ConfigOption = Annotated[
    Path,
    typer.Option(
        "--config", "-c", envvar="KUAYU_CONFIG", metavar="FILE", help="the gateway's configuration"
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="one JSON document, for scripts")]
DEFAULT_CONFIG: Final = Path("kuayu.toml")


def examples(*lines: str) -> str:
    """Return the text below a command's help."""
    return "\n".join(("示例 Examples", *(f"  {line}" for line in lines)))


def group(text: str, *lines: str) -> typer.Typer:
    """Make a group of commands, with examples below its help."""
    return typer.Typer(help=text, no_args_is_help=True, epilog=examples(*lines))


def read_config(path: Path) -> Config:
    """Read the configuration and the environment over it.

    Raises:
        ConfigProblem: naming every error.
    """
    from gateway.app.config import load_config

    return load_config(path, os.environ)


def read_book(config: Config, *, drafts: bool = False) -> Book:
    """Read the directory as `serve` would: the files, and what the journal has of agreements.

    `drafts`: those too that nothing is believed of yet.

    Raises:
        ConfigProblem: naming everything that is wrong, in every file.
        JournalDown: there is a journal, and it cannot be read.
    """
    from gateway.adapters.pki.suites import SuiteVerifier
    from gateway.app.books import with_agreed
    from gateway.app.partners import load_book
    from gateway.kernel.identifiers import GatewayId

    home = GatewayId(config.gateway_id)
    verifier = SuiteVerifier()
    book = load_book(config.partners_dir, home, verifier, demo=config.demo, drafts=drafts)
    return with_agreed(config, book)


def at_ms_of(date: str) -> int:
    """Return the last instant of a day in China, as in 2024-05-01; now if `date` is empty.

    Raises:
        Stop: it is no date.
    """
    from datetime import datetime, timedelta

    from gateway.kernel.instants import CHINA_STANDARD_TIME, from_datetime

    if not date:
        return now_ms()
    try:
        day = datetime.strptime(date, "%Y-%m-%d").replace(tzinfo=CHINA_STANDARD_TIME)
    except ValueError:
        raise Stop(ExitCode.USAGE, f"{date}: no date; they look like 2024-05-01") from None
    return from_datetime(day + timedelta(days=1)) - 1


def read_id(text: str) -> bytes:
    """Read the id of a case or message, with hyphens or without.

    Raises:
        Stop: it is not one.
    """
    from gateway.kernel.identifiers import parse_uuid7, uuid_text

    plain = text.strip().lower()
    try:
        raw = parse_uuid7(uuid_text(bytes.fromhex(plain)) if len(plain) == 32 else plain)
    except ValueError:
        raw = None
    if raw is None:
        raise Stop(
            ExitCode.USAGE,
            "this is no id of a case or message; they look like "
            "0190a2b4-3c5d-7e6f-8a9b-0c1d2e3f4a5b",
        )
    return raw


def now_ms() -> int:
    """Return Unix time in ms."""
    from gateway.adapters.system.clock import SystemClock

    return SystemClock().now_ms()


def show_json(value: object) -> None:
    """Write one JSON document to standard output."""
    print(json.dumps(value, ensure_ascii=False, indent=2))


def console() -> Console:
    """Return standard output as rich sees it; a pipe is as wide as the tables need."""
    from rich.console import Console

    return Console(
        width=None if sys.stdout.isatty() else _PIPED_COLUMNS, highlight=False, markup=False
    )


def show(*parts: RenderableType) -> None:
    """Write tables, trees and lines for people."""
    out = console()
    for part in parts:
        out.print(part, soft_wrap=isinstance(part, str))
