"""`kuayu faults`."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.app.cli.common import JsonOption, examples, show_json
from gateway.app.cli.exits import ExitCode, Stop

EXAMPLES = examples(
    "kuayu faults > faults.md", "kuayu faults agreement.ended", "kuayu faults --json"
)


def faults(
    rule: Annotated[str, typer.Argument(metavar="[RULE]", help="one rule id")] = "",
    json: JsonOption = False,
) -> None:
    """规则表 Every rule that can be broken: how it is answered, what it means, what to do."""
    from gateway.wire.fault_table import TABLE, render

    rows = {code.value: row._asdict() for code, row in TABLE.items()}
    if rule and rule not in rows:
        raise Stop(ExitCode.NO, f"there is no rule {rule!r}; `kuayu faults` lists them")
    if json:
        show_json({rule: rows[rule]} if rule else rows)
    elif rule:
        print("\n".join(f"{name:<15} {value}" for name, value in rows[rule].items()))
    else:
        print(render(), end="")
