"""`kuayu instant`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.app.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    group,
    now_ms,
    read_book,
    read_config,
    show,
    show_json,
)
from gateway.app.cli.exits import ExitCode, Stop

if TYPE_CHECKING:
    from gateway.rules.instant import RuleSet

LIST_EXAMPLES = ("kuayu instant list", "kuayu instant list --json")
SHOW_EXAMPLES = (
    "kuayu instant show individual-business",
    "kuayu instant show individual-business --version 1 --json",
)
TRY_EXAMPLES = (
    "kuayu instant try application.json --item 00013112700603 --material 01",
    "cat application.json | kuayu instant try - --item 00013112700603 --json",
)
app = group(
    "秒批 Rules under which this gateway decides at once.",
    *LIST_EXAMPLES[:1],
    *SHOW_EXAMPLES[:1],
    *TRY_EXAMPLES[:1],
)


def _examples(lines: tuple[str, ...]) -> str:
    return "示例 Examples\n  " + "\n  ".join(lines)


@app.command("list", epilog=_examples(LIST_EXAMPLES))
def list_(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """秒批规则清单 List every version of every rule, and whether it holds now."""
    book = read_book(read_config(config))

    from gateway.app.cli.instant_views import rule_row, rules_table

    rows = [rule_row(rule, now_ms(), book) for rule in book.instant]
    if json:
        show_json(rows)
    elif rows:
        show(rules_table(rows))
    else:
        show("没有秒批规则，全部办件由人工办理  no instant rules: every case is left to a person")


@app.command("show", epilog=_examples(SHOW_EXAMPLES))
def show_rule(
    rule: Annotated[str, typer.Argument(help="id of the rule")],
    version: Annotated[str, typer.Option(help="its version; the latest if not given")] = "",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """秒批规则 Show a rule: scopes by class, conditions, and the licence it makes."""
    book = read_book(read_config(config))

    from gateway.app.cli.instant_views import rule_parts, rule_view

    found = _find(book.instant, rule, version)
    if json:
        show_json(rule_view(found, now_ms(), book))
    else:
        show(*rule_parts(found, now_ms(), book))


def _find(rules: tuple[RuleSet, ...], rule: str, version: str) -> RuleSet:
    named = [r for r in rules if r.id == rule and version in ("", r.version)]
    if not named:
        known = ", ".join(sorted(f"{r.id}@{r.version}" for r in rules)) or "none"
        what = f"{rule}@{version}" if version else rule
        raise Stop(ExitCode.NO, f"no instant rule {what}; known: {known}")
    return max(named, key=lambda r: r.valid_from_ms)


@app.command("try", epilog=_examples(TRY_EXAMPLES))
def try_(
    form: Annotated[Path, typer.Argument(help="the item's form as JSON; - for standard input")],
    item: Annotated[str, typer.Option(help="item code")],
    version: Annotated[str, typer.Option(help="item version; the current one if not given")] = "",
    material: Annotated[
        list[str] | None,
        typer.Option(help="code of a material that would come; once for each"),
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """试算 Say what would be decided, and why; nothing is stored, numbered or sent.

    Exits with 0 whether a rule would decide or a person would have to.
    """
    book = read_book(read_config(config))

    from gateway.app.cli.instant_views import trial_parts
    from gateway.app.instant_trial import try_form
    from gateway.kernel.faults import Fault

    try:
        raw = sys.stdin.buffer.read() if str(form) == "-" else form.read_bytes()
    except OSError as problem:
        raise Stop(ExitCode.USAGE, f"{form} cannot be read: {problem.strerror}") from problem
    try:
        trial = try_form(book, raw, item, version, frozenset(material or ()), now_ms())
    except Fault as fault:
        raise Stop(ExitCode.USAGE, f"{form} would not be taken in: {fault}") from fault
    if json:
        show_json(trial)
    else:
        show(*trial_parts(trial))
