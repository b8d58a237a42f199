"""`kuayu partner invite|join`: one file each way, and six words by telephone."""

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
    now_ms,
    read_config,
    show,
    show_json,
)
from gateway.app.cli.exits import ExitCode, Stop

if TYPE_CHECKING:
    from gateway.app.config import Config
    from gateway.app.onboarding.invitation import Read

INVITE_EXAMPLES = examples(
    "kuayu partner invite 620200 --out to-jiayuguan.invite",
    "kuayu partner invite 620200 --json",
)
JOIN_EXAMPLES = examples(
    "kuayu partner join from-jiuquan.invite --out answer.invite",
    "kuayu partner join answer.invite --phrase '毛衣 车站 红枣 舞蹈 花瓶 枕头'",
)
_Out = Annotated[Path | None, typer.Option(metavar="FILE", help="where to write the file")]


def invite(
    partner: Annotated[str, typer.Argument(metavar="ID", help="whom it is for, as in 620200")],
    out: _Out = None,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """邀请 Write what a partner's gateway needs to know of this one, signed; nothing secret.

    Send the file by any way, and read the six words to the partner's operator by telephone.
    """
    view = _invite(read_config(config), partner, "", out, json=json)
    if json:
        show_json(view)
        return
    show(*_told(view), "对方执行 the partner runs: kuayu partner join FILE, and sends its answer",
         "收到后 then here: kuayu partner join ANSWER")  # fmt: skip


def _invite(
    settings: Config, partner: str, in_reply_to: str, out: Path | None, *, json: bool
) -> dict[str, Any]:
    from gateway.app.cli.acting import act

    said = {"partner": partner, "in_reply_to": in_reply_to}
    target = out or Path(f"{settings.gateway_id}-to-{partner}.invite")
    if target.exists():
        raise Stop(ExitCode.NO, f"{target} is there already; name another with --out")
    view = act(settings, "partner-invite", said, json=json)
    target.write_text(view.pop("file"), encoding="utf-8")
    return {**view, "written": str(target)}


def _told(view: dict[str, Any]) -> list[str]:
    return [f"已写 written: {view['written']}", f"核对口令 words to read out: {view['phrase']}"]


def join(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="an invitation, or its answer")],
    phrase: Annotated[
        str, typer.Option(help="the six words, as heard from the partner by telephone")
    ] = "",
    folder: Annotated[str, typer.Option(help="its folder in partners_dir")] = "",
    out: _Out = None,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """加入 Take a partner's entry in, in state testing, and answer an invitation with ours.

    The words are asked for and not shown: they are worth something only if they were heard.
    """
    settings = read_config(config)
    from gateway.app.cli.acting import act
    from gateway.app.onboarding.invitation import read_invitation

    found = read_invitation(file, settings.gateway_id, now_ms(), demo=settings.demo)
    who = found.content
    if not json:
        show(f"{who.gateway_id} {who.name_zh} {who.name_en}  {who.address}")
    said = {
        "folder": folder,
        "partner": who.gateway_id,
        "file": file.read_text("utf-8"),
        "phrase": _heard(found, phrase),
    }
    view = act(settings, "partner-join", said, json=json)
    if not who.in_reply_to:
        answer = _invite(settings, who.gateway_id, found.digest, out, json=json)
        view = {**view, "answer": answer["written"], "phrase": answer["phrase"]}
    show_json(view) if json else show(*_joined(view))


def _heard(found: Read, phrase: str) -> str:
    """Return the words that were heard, if they are those of the file; the gateway asks again."""
    from gateway.adapters.pki.phrase import is_phrase

    if not phrase and not sys.stdin.isatty():
        raise Stop(ExitCode.USAGE, "--phrase is needed: the six words, heard by telephone")
    heard = phrase or typer.prompt("电话中听到的六个词 the six words you heard", err=True)
    if not is_phrase(heard, found.payload):
        raise Stop(
            ExitCode.NO,
            "these are not the words of this file: it may have been swapped on its way; "
            "nothing was taken in. Ask for the file again by another way",
        )
    return heard


def _joined(view: dict[str, Any]) -> list[str]:
    lines = [f"已登记 {view['partner']} {view['name_zh']} is in {view['folder']}（测试 testing）"]
    if "answer" in view:
        lines += [f"已写回执 answer written: {view['answer']}", f"核对口令 words: {view['phrase']}"]
    partner = view["partner"]
    return [
        *lines,
        f"下一步 next: kuayu partner check {partner}; kuayu conformance run {partner}; "
        f"kuayu partner activate {partner}",
    ]
