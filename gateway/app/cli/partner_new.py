"""`kuayu partner new`: a partner's folder, with every setting it may need."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from gateway.app.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    examples,
    read_config,
    show,
    show_json,
)
from gateway.app.cli.exits import ExitCode, Stop

EXAMPLES = examples(
    "kuayu partner new 620600 --folder wuwei --name-zh 武威市 --name-en Wuwei \\",
    "  --unit 11620600MB0000000G --outlet file_drop",
    "kuayu partner new      逐项询问 asks for each",
)


def new(
    id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="region code, as in 620600")
    ] = None,
    folder: Annotated[str, typer.Option(help="its folder in partners_dir; pID if none")] = "",
    name_zh: Annotated[str, typer.Option(help="name in Chinese")] = "",
    name_en: Annotated[str, typer.Option(help="name in English")] = "",
    unit: Annotated[
        str, typer.Option(help="credit code of its office (统一社会信用代码), 18 characters")
    ] = "",
    outlet: Annotated[
        str,
        typer.Option(help="grpc (a gateway), rest, soap, staging_table, file_drop or assisted"),
    ] = "",
    simulated: Annotated[
        bool, typer.Option("--simulated", help="no real office: everything that shows it says so")
    ] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """新建伙伴 Make a partner's folder, in state draft: nothing of it is believed yet.

    For a gateway like this one, `invite` and `join` fill it in by themselves.
    """
    settings = read_config(config)
    from gateway.app.cli.acting import act
    from gateway.app.onboarding.templates import KINDS, Newcomer, files_of
    from gateway.kernel.identifiers import is_gateway_id
    from gateway.rules.schema.formats import is_uscc

    asked = {
        "ID 行政区划代码": id or "",
        "--name-zh 中文名称": name_zh,
        "--name-en English name": name_en,
        "--unit 统一社会信用代码": unit,
        f"--outlet {'|'.join(KINDS)}": outlet,
    }
    said = [_asked(name, value, [n for n, v in asked.items() if not v]) for name, value in
            asked.items()]  # fmt: skip
    if not is_gateway_id(said[0]):
        raise Stop(ExitCode.USAGE, f"{said[0]}: is no region code of six digits (行政区划代码)")
    if said[4] not in KINDS:
        raise Stop(ExitCode.USAGE, f"--outlet {said[4]}: unknown; there are {', '.join(KINDS)}")
    if not is_uscc(said[3]):
        told = "is no unified social credit code (统一社会信用代码)"
        if len(said[3]) == 18:
            told += "；校验码不符 its last character, the check digit, does not fit"
        raise Stop(ExitCode.USAGE, f"--unit {said[3]}: {told}")
    who = Newcomer(said[0], said[1], said[2], said[3], said[4], simulated)
    name = folder or f"p{who.gateway_id}"
    view = act(settings, "partner-new", {"folder": name, "partner": who.gateway_id,
               "files": files_of(who)}, json=json)  # fmt: skip
    if json:
        show_json(view)
    else:
        show(*_next(view, who.outlet))


def _asked(name: str, value: str, missing: list[str]) -> str:
    """Return an answer; without a terminal, all that is missing is told at once."""
    if value:
        return value
    if not sys.stdin.isatty():
        raise Stop(ExitCode.USAGE, f"still needed: {', '.join(missing)}; see --help")
    answer: str = typer.prompt(name)
    return answer


def _next(view: dict[str, object], outlet: str) -> list[str]:
    folder, partner = view["folder"], view["partner"]
    return [
        f"已建 made {folder}（草稿 draft）",
        f"  1. 填写 fill in {folder}/partner.toml"
        + (f" and {folder}/mapping.toml" if outlet not in ("grpc", "assisted") else ""),
        "  2. 协议 put agreement.toml and items/ beside it, then"
        + ("" if outlet == "grpc" else f" kuayu assisted accept {partner};")
        + f" kuayu agreement accept {partner}",
        f"  3. 检查 kuayu partner check {partner}",
        f"  4. 测试 kuayu partner test {partner}; kuayu conformance run {partner}",
        f"  5. 启用 kuayu partner activate {partner}",
    ]
