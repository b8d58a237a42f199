"""Accepting a first agreement as a file, before the two gateways can speak."""

from __future__ import annotations

from pathlib import Path

from gateway.app.agreements import parse_agreement
from gateway.app.cli.common import now_ms, show, show_json
from gateway.app.cli.exits import ExitCode, Stop
from gateway.app.config import Config
from gateway.app.provision import acceptance
from gateway.kernel.identifiers import GatewayId


def sign_file(config: Config, folder: Path, *, json: bool) -> None:
    """Sign this gateway's acceptance of FOLDER/agreement.toml into FOLDER/acts/, and tell.

    Raises:
        Stop: there is no such agreement, it is of others, or it was signed before.
        ConfigProblem: the agreement cannot be read.
    """
    path = folder / "agreement.toml"
    try:
        raw = path.read_bytes()
    except FileNotFoundError as missing:
        told = "不存在 is not there; put the agreement there, byte for byte as the partner has it"
        raise Stop(ExitCode.CONFIG, f"{path} {told}") from missing
    except OSError as problem:
        raise Stop(ExitCode.CONFIG, f"{path} cannot be read: {problem.strerror}") from problem
    content = parse_agreement(raw, path)
    home = GatewayId(config.gateway_id)
    if home not in content.parties:
        parties = ", ".join(sorted(content.parties))
        raise Stop(ExitCode.CONFIG, f"{path}: {home} is not a party; the parties are {parties}")
    act = folder / "acts" / f"{home}.accept.act"
    if act.exists():
        raise Stop(ExitCode.CONFIG, f"{act} is there already; remove it to sign again")
    signed = acceptance(home, config.keys.signing, content.digest, now_ms(), demo=config.demo)
    act.parent.mkdir(parents=True, exist_ok=True)
    act.write_bytes(signed)
    if json:
        show_json({"agreement": content.digest.hex(), "act": str(act)})
        return
    show(f"协议 agreement {content.digest.hex()}", f"已签署 signed: {act}")
    show("请将此文件交给对方，并把对方的 .act 放入同一文件夹")
    show("hand this file to the partner, and put theirs into the same folder")
