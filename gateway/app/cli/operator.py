"""`kuayu operator`: who may act on this gateway."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.app.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    examples,
    group,
    read_config,
    show,
    show_json,
)
from gateway.app.cli.exits import ExitCode, Stop

if TYPE_CHECKING:
    from gateway.app.config import Config
    from gateway.kernel.operators import Operator

_KEY = ("kuayu operator key ~/kuayu-wang.key.pem", "kuayu operator key FILE --no-passphrase")
_ADD = ("kuayu operator add wang --key ~/kuayu-wang.pem",)
_REMOVE = ("kuayu operator remove operator-1 --reason 已有专人密钥",)
_LIST = ("kuayu operator list", "kuayu operator list --all --json")
app = group(
    "操作员 Operators: persons with keys of their own; what each of them did.",
    *_KEY, *_ADD, *_REMOVE, *_LIST,
)  # fmt: skip
_Reason = Annotated[str, typer.Option("--reason", help="kept on record")]


@app.command(epilog=examples(*_KEY))
def key(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="new file for the private key")],
    passphrase: Annotated[
        bool, typer.Option(help="whether the key is encrypted; it is asked for on the terminal")
    ] = True,
    json: JsonOption = False,
) -> None:
    """生成密钥 Make your own key. The private half stays with you; hand over FILE.pub.pem."""
    from gateway.adapters.pki.key_files import lock, parse_key, write_key
    from gateway.adapters.pki.suites import EDDSA, FileSigner, generate_key, public_pem

    pem = generate_key(EDDSA)
    signer = FileSigner(parse_key(pem))
    if passphrase and not sys.stdin.isatty():
        told = "the passphrase is asked for on a terminal, and there is none; or --no-passphrase"
        raise Stop(ExitCode.USAGE, told)
    if passphrase:
        said: str = typer.prompt(
            "口令 passphrase", hide_input=True, confirmation_prompt=True, err=True
        )
        pem = lock(pem, said.encode())
    public = file.with_name(file.name.removesuffix(".key.pem").removesuffix(".pem") + ".pub.pem")
    for path in (file, public):
        if path.exists():
            raise Stop(ExitCode.NO, f"{path} is there already; name a new file")
    write_key(file, pem)
    public.write_bytes(public_pem(signer.public_key))
    if json:
        show_json({"key": signer.key_id.hex(), "file": str(file), "public": str(public)})
        return
    show(
        f"私钥 private key: {file}",
        f"公钥 public key: {public} ({signer.key_id.hex()[:16]}…)",
        f"登记 have an operator run: kuayu operator add NAME --key {public}",
        f"使用 then: export KUAYU_OPERATOR__KEY={file.absolute()}",
    )


@app.command(epilog=examples(*_ADD))
def add(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="a pseudonym (代号), as in wang; used once")
    ],
    key: Annotated[Path, typer.Option(metavar="FILE", help="the person's public key (PEM)")],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """登记 Let a person act. From the third person on a second operator must agree."""
    from gateway.adapters.pki.suites import read_public_pem, suite_of_public
    from gateway.app.cli.acting import act

    public_key = read_public_pem(key.read_bytes())
    said = {"name": name, "suite": suite_of_public(public_key), "public_key": public_key.hex()}
    view = act(read_config(config), "operator-add", said, json=json)
    if json:
        show_json(view)
    else:
        show(f"已登记 added {name}")


@app.command(epilog=examples(*_REMOVE))
def remove(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    reason: _Reason,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """移除 Let a person act no longer; what they signed stays proven. A second operator agrees."""
    from gateway.app.cli.acting import act

    view = act(read_config(config), "operator-remove", {"name": name, "reason": reason}, json=json)
    if json:
        show_json(view)
    else:
        show(f"已移除 removed {name}")


@app.command(name="list", epilog=examples(*_LIST))
def list_(
    all: Annotated[bool, typer.Option("--all", help="also who may act no longer")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """列表 List who may act, by name and key."""
    from gateway.app.operators import operator_view

    people = _everyone(read_config(config))
    views: list[dict[str, Any]] = [operator_view(o) for o in people if all or not o.until_ms]
    if json:
        show_json({"operators": views})
    elif not views:
        show("尚无操作员 nobody may act yet: kuayu operator key FILE; kuayu operator add NAME")
    else:
        for view in views:
            until = f"  至 until {view['until']}" if view["until"] else ""
            show(f"{view['name']:<16} {view['suite']}  {view['key'][:16]}…  {view['since']}{until}")


def _everyone(config: Config) -> list[Operator]:
    from gateway.adapters.sql.sqlite import open_sqlite_reader
    from gateway.app.operators import everyone

    with open_sqlite_reader(config.journal.path) as snapshot:
        return everyone(snapshot)
