"""`kuayu keys rehearse`."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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

EXAMPLES = examples(
    "kuayu keys rehearse",
    "kuayu keys rehearse --key keys/signing-2027.key.pem --partner 620200 --json",
)
_LIGHTS = {"green": "✓ 可用", "yellow": "! 注意", "red": "✗ 不可用", "none": "– 未试"}


def rehearse(
    key: Annotated[
        Path | None,
        typer.Option(help="private key to try; the next one of keys.signing if none"),
    ] = None,
    partner: Annotated[str, typer.Option(help="this one only; all gateways if none")] = "",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """演练 Try the next signing key with every partner before the day: one ping each.

    Ends with 1 if a partner would not believe it.
    """
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    settings = read_config(config)
    checks = asyncio.run(_tried(settings, key, partner, quiet=json))
    if json:
        rows = [c._asdict() | {"light": c.light.value} for c in checks]
        show_json({"partners": rows})
    if not checks:
        raise Stop(ExitCode.NO, "no partner to try it with; `kuayu partner list` names them")
    if any(c.light.value == "red" for c in checks):
        raise Stop(ExitCode.NO, "有伙伴尚不能验证 not every partner would believe it")


async def _tried(settings: Config, key: Path | None, only: str, *, quiet: bool) -> list[Check]:
    from gateway.app.rehearsal import next_key, rehearse

    at_ms, book = now_ms(), read_book(settings)
    signer, done = next_key(settings, book, at_ms, key), []
    if not quiet:
        show(f"密钥 key {signer.key_id.hex()[:16]}… {signer.suite}")
    async for check in rehearse(settings, book, signer, only, at_ms):
        done.append(check)
        if not quiet:
            advice = [f"           → {check.advice}"] if check.advice else []
            show(f"{_LIGHTS[check.light.value]}  {check.name}: {check.told}", *advice)
    return done
