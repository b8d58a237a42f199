"""`kuayu agreement`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.app.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    group,
    now_ms,
    read_config,
    show,
    show_json,
)
from gateway.app.cli.exits import ExitCode, Stop

_EXAMPLES = (
    "kuayu agreement accept partners/jiayuguan",
    "kuayu agreement accept partners/jiayuguan --config /etc/kuayu/kuayu.toml --json",
)
app = group("协议 Agreements of mutual recognition.", *_EXAMPLES)


@app.callback()
def _agreements() -> None:
    """Keep `accept` a command of its own although it is the only one."""


@app.command(epilog="示例 Examples\n  " + "\n  ".join(_EXAMPLES))
def accept(
    folder: Annotated[Path, typer.Argument(help="partner's folder that holds agreement.toml")],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """接受协议 Sign this gateway's acceptance of FOLDER/agreement.toml into FOLDER/acts/.

    The agreement is in force once both parties' acts lie in both parties' folders: hand yours to
    the partner, put theirs beside it, and start the gateway anew.
    """
    settings = read_config(config)

    from gateway.app.agreements import parse_agreement
    from gateway.app.provision import acceptance
    from gateway.kernel.identifiers import GatewayId

    path = folder / "agreement.toml"
    try:
        raw = path.read_bytes()
    except OSError as problem:
        raise Stop(ExitCode.CONFIG, f"{path} cannot be read: {problem.strerror}") from problem
    agreement = parse_agreement(raw, path)
    home = GatewayId(settings.gateway_id)
    if home not in agreement.parties:
        parties = ", ".join(sorted(agreement.parties))
        raise Stop(ExitCode.CONFIG, f"{path}: {home} is not a party; the parties are {parties}")
    act = folder / "acts" / f"{home}.accept.act"
    if act.exists():
        raise Stop(ExitCode.CONFIG, f"{act} is there already; remove it to sign again")
    signed = acceptance(home, settings.keys.signing, agreement.digest, now_ms(), demo=settings.demo)
    act.parent.mkdir(parents=True, exist_ok=True)
    act.write_bytes(signed)
    if json:
        show_json({"agreement": agreement.digest.hex(), "act": str(act)})
    else:
        show(f"协议 agreement {agreement.digest.hex()}")
        show(f"已签署 signed: {act}")
        show("请将此文件交给对方，并把对方的 .act 放入同一文件夹")
        show("hand this file to the partner, and put theirs into the same folder")
