"""Acts: what an operator signs with a key of their own before the gateway does it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import typer

from gateway.app.cli.common import show, show_json
from gateway.app.cli.exits import ExitCode, Stop
from gateway.app.cli.operate import operate, problem_lines

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.adapters.pki.suites import FileSigner
    from gateway.app.config import Config


def act(
    config: Config, command: str, arguments: Mapping[str, object], *, json: bool
) -> dict[str, Any]:
    """Sign a command, have it done, and return what it answers.

    An act that needs a second operator is shown as waiting, and the program ends with 75.

    Raises:
        Stop: there is no key to sign with; what `operate` raises.
        Exit: it waits.
    """
    from gateway.app.serve import seams_of

    at_ms = seams_of(config).clock.now_ms()
    view = operate(config, "act", signed(own_key(config), config, command, arguments, at_ms))
    if "waiting" in view:
        _tell_waiting(view, json=json)
    return view


def signed(
    signer: FileSigner, config: Config, command: str, arguments: Mapping[str, object], at_ms: int
) -> dict[str, object]:
    """Return what goes to the gateway for an act: its bytes, and who signed them."""
    from gateway.adapters.system.clock import SystemEntropy
    from gateway.kernel.digests import TYPE_OPERATOR_ACT, pae
    from gateway.kernel.identifiers import GatewayId, uuid7
    from gateway.kernel.operators import OperatorAct
    from gateway.wire.operator_acts import encode_operator_act

    act_id = uuid7(at_ms, SystemEntropy().token(10))
    asked = OperatorAct(act_id, GatewayId(config.gateway_id), command, dict(arguments), at_ms)
    raw = encode_operator_act(asked)
    return {
        "act": base64.b64encode(raw).decode(),
        "key": signer.key_id.hex(),
        "signature": base64.b64encode(signer.sign(pae(TYPE_OPERATOR_ACT, raw))).decode(),
    }


def _tell_waiting(view: Mapping[str, Any], *, json: bool) -> None:
    if json:
        show_json(view)
    else:
        show(
            f"待复核 kept, and not done yet: {view['command']} {view['subject']}",
            f"另一名操作员执行 another operator runs: kuayu operator approve {view['waiting']}",
            f"或拒绝 or: kuayu operator decline {view['waiting']}",
        )
    raise typer.Exit(ExitCode.WAITS)


def own_key(config: Config) -> FileSigner:
    """Read the operator's own key; one with a passphrase asks for it on the terminal.

    Raises:
        Stop: none is named, or it cannot be used.
    """
    path = config.operator.key
    if path is None:
        raise Stop(ExitCode.NO, *problem_lines({"rule": "operator.unsigned"}))
    try:
        return read_own_key(path, demo=config.demo)
    except OSError as problem:
        told = f"{path}: {problem.strerror}; set KUAYU_OPERATOR__KEY to the file of your own key"
        raise Stop(ExitCode.NO, told) from problem


def read_own_key(path: Path, *, demo: bool = False) -> FileSigner:
    """Read a person's key.

    Raises:
        KeyProblem: it cannot be used, or the passphrase is another.
        OSError: the file cannot be read.
    """
    from gateway.adapters.pki.key_files import is_encrypted, load_signer, unlock

    if is_encrypted(path):
        asked: str = typer.prompt(f"口令 passphrase of {path}", hide_input=True, err=True)
        return unlock(path, asked.encode())
    return load_signer(path, allow_public=demo)
