"""`kuayu operator acts|show|approve|decline|verify`: what operators did, and what waits."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.app.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    examples,
    now_ms,
    read_config,
    read_id,
    show,
    show_json,
)
from gateway.app.cli.exits import ExitCode, Stop
from gateway.app.cli.operator import app as app

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.app.config import Config
    from gateway.ports.journal_operators import StoredOperatorAct

_ACTS = ("kuayu operator acts", "kuayu operator acts --waiting --json")
_SHOW = ("kuayu operator show 019e…",)
_APPROVE = ("kuayu operator approve 019e…",)
_DECLINE = ("kuayu operator decline 019e… --reason 依据不足",)
_VERIFY = ("kuayu operator verify", "kuayu operator verify --json")
_Act = Annotated[str, typer.Argument(metavar="ACT", help="its id, as `acts` shows it")]


@app.command(epilog=examples(*_ACTS))
def acts(
    waiting: Annotated[
        bool, typer.Option("--waiting", help="only those a second operator is to agree to")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="how many")] = 50,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """留痕 List what operators did, the newest first."""
    from gateway.adapters.sql.sqlite import open_sqlite_reader
    from gateway.app.operators import whole_view
    from gateway.kernel.operators import ActStatus

    status, at_ms = (ActStatus.WAITING if waiting else None), now_ms()
    with open_sqlite_reader(read_config(config).journal.path) as snapshot:
        found = snapshot.operator_acts(limit=limit, status=status)
    views: list[dict[str, Any]] = [whole_view(act, at_ms) for act in found]
    if json:
        show_json({"acts": views})
    elif not views:
        show("没有待复核的操作 nothing waits" if waiting else "尚无操作 nothing was done yet")
    else:
        show(*map(_line, views))


def _line(view: Mapping[str, Any]) -> str:
    rule = f"  {view['rule']}" if view["rule"] else ""
    subject = str(view["subject"])[:36]
    return (
        f"{view['act']}  {view['acted_at']}  {view['operator']:<12} "
        f"{view['command']:<20} {subject:<36} {view['status']}{rule}"
    )


@app.command(name="show", epilog=examples(*_SHOW))
def show_(act: _Act, config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """详情 Show one act: who asked for what, who agreed, what became of it."""
    from gateway.app.operators import whole_view

    view = whole_view(_found(read_config(config), act), now_ms())
    if json:
        show_json(view)
        return
    asked = view.pop("arguments")
    show(*(f"{name}: {value}" for name, value in view.items() if value is not None))
    show(*(f"  {name} = {str(value)[:200]}" for name, value in asked.items()))


@app.command(epilog=examples(*_APPROVE))
def approve(act: _Act, config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """复核通过 Agree, as a second operator, to what another asked for; then it is done."""
    view = _word(config, "operator-approve", act, "", json=json)
    show_json(view) if json else show(f"已复核并执行 agreed, and done: {view['command']}")


@app.command(epilog=examples(*_DECLINE))
def decline(
    act: _Act,
    reason: Annotated[str, typer.Option(help="kept on record")],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """复核不通过 Decline what another asked for, or take back what you asked for yourself."""
    view = _word(config, "operator-decline", act, reason, json=json)
    show_json(view) if json else show(f"未通过 declined: {view['command']}")


def _word(config: Path, command: str, act_id: str, reason: str, *, json: bool) -> dict[str, Any]:
    """Say a second operator's word about exactly the bytes that were signed."""
    from gateway.app.cli.acting import act
    from gateway.kernel.identifiers import uuid_text

    settings = read_config(config)
    found = _found(settings, act_id)
    digest = hashlib.sha256(found.raw).hexdigest()
    said = {"act": uuid_text(found.act_id), "digest": digest, "reason": reason}
    return act(settings, command, said, json=json)


def _found(config: Config, act_id: str) -> StoredOperatorAct:
    from gateway.adapters.sql.sqlite import open_sqlite_reader

    wanted = read_id(act_id)
    with open_sqlite_reader(config.journal.path) as snapshot:
        found = snapshot.operator_act(wanted)
    if found is None:
        raise Stop(ExitCode.NO, "there is no such act; `kuayu operator acts` lists them")
    return found


@app.command(epilog=examples(*_VERIFY))
def verify(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """核验 Verify the signature of every kept act by the operators there were."""
    from gateway.adapters.sql.sqlite import open_sqlite_reader
    from gateway.app.operators import prove
    from gateway.kernel.identifiers import GatewayId

    settings = read_config(config)

    def told(count: int) -> None:
        if count >= 1_000 and not json:
            typer.echo(f"\r{count}", nl=False, err=True)

    with open_sqlite_reader(settings.journal.path) as snapshot:
        proof = prove(snapshot, GatewayId(settings.gateway_id), told)
    if json:
        show_json({"acts": proof.acts, "problems": list(proof.problems)})
    else:
        show(*proof.problems, f"{proof.acts} 条操作 acts, {len(proof.problems)} 条存疑 not proven")
    if proof.problems:
        raise typer.Exit(ExitCode.NO)
