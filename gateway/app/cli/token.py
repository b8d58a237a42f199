"""`kuayu token`."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.app.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    group,
    now_ms,
    read_config,
    show_json,
)
from gateway.app.cli.exits import ExitCode, Stop

_EXAMPLES = (
    "kuayu token issue --subject window-3 --scope cases:read --scope cases:write",
    'curl -H "Authorization: Bearer $(kuayu token issue)" http://127.0.0.1:7080/v1/items',
)
app = group("令牌 Tokens for portals and business systems.", *_EXAMPLES)


@app.callback()
def _tokens() -> None:
    """Keep `issue` a command of its own although it is the only one."""


@app.command(epilog="示例 Examples\n  " + "\n  ".join(_EXAMPLES))
def issue(
    config: ConfigOption = DEFAULT_CONFIG,
    unit: Annotated[
        str, typer.Option(help="credit code of the unit; the gateway's own if not given")
    ] = "",
    subject: Annotated[str, typer.Option(help="who: a system or a window, no name")] = "operator",
    scope: Annotated[list[str] | None, typer.Option(help="again for each; all if none")] = None,
    capacity: Annotated[str, typer.Option(help="in what capacity the bearer acts")] = "system",
    life: Annotated[int, typer.Option(min=1, help="seconds; at most a day")] = 3600,
    json: JsonOption = False,
) -> None:
    """签发令牌 Issue a token with the gateway's own key; prints the token only.

    For an office without an identity provider. Whoever holds the token acts for the unit.
    """
    settings = read_config(config)

    from gateway.app.tokens import PORTAL_KEY, SCOPES, issue_token
    from gateway.kernel.instants import to_iso
    from gateway.rules.schema.formats import is_uscc

    if not (settings.portal.jwks.parent / PORTAL_KEY).is_file():
        raise Stop(
            ExitCode.CONFIG,
            f"no {PORTAL_KEY} beside {settings.portal.jwks}: "
            "tokens of this gateway come from your identity provider",
        )
    unit = unit or settings.unit
    if not is_uscc(unit):
        raise Stop(ExitCode.USAGE, "--unit is no unified social credit code (统一社会信用代码)")
    scopes, at_ms = tuple(scope or SCOPES), now_ms()
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown:
        raise Stop(
            ExitCode.USAGE, f"--scope {', '.join(unknown)}: unknown; there are {', '.join(SCOPES)}"
        )
    try:
        made = issue_token(
            settings,
            unit=unit,
            subject=subject,
            scopes=scopes,
            now_s=at_ms // 1000,
            life_s=life,
            capacity=capacity,
        )
    except ValueError as problem:
        raise Stop(ExitCode.USAGE, f"--life {life}: {problem}") from problem
    if not json:
        print(made)
        return
    until = to_iso((at_ms // 1000 + life) * 1000)
    show_json({"token": made, "unit": unit, "scopes": scopes, "expires_at": until})
