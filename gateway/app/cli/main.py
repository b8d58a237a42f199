"""The entry point: which commands there are, and how each of them ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from typer.main import get_command

from gateway.app.cli import (
    agreement_keeping,
    assisted,
    calendar,
    case,
    conformance_kept,
    explain,
    faults,
    init,
    instant,
    items,
    keys_over_time,
    lane,
    mapping,
    operator_acts,
    overdue,
    partner_onboarding,
    quarantine,
    running,
    token,
    version,
)
from gateway.app.cli.common import examples
from gateway.app.cli.exits import EXIT_CODES, ExitCode, judged, tell

app = typer.Typer(
    help="Kuayu 跨域: 跨域通办网关 a gateway for cross-region government service cases.",
    epilog=f"{EXIT_CODES}\n\n"
    + examples("kuayu demo", "kuayu init --help", "kuayu serve --config /etc/kuayu/kuayu.toml"),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(epilog=init.EXAMPLES)(init.init)
app.command(epilog=running.SERVE_EXAMPLES)(running.serve)
app.command(epilog=running.MIGRATE_EXAMPLES)(running.migrate)
app.command(epilog=explain.EXAMPLES)(explain.explain)
app.command(epilog=overdue.EXAMPLES)(overdue.overdue)
app.add_typer(agreement_keeping.app, name="agreement")
app.add_typer(assisted.app, name="assisted")
app.add_typer(calendar.app, name="calendar")
app.add_typer(case.app, name="case")
app.add_typer(conformance_kept.app, name="conformance")
app.add_typer(items.app, name="items")
app.add_typer(instant.app, name="instant")
app.add_typer(lane.app, name="lane")
app.add_typer(mapping.app, name="mapping")
app.add_typer(operator_acts.app, name="operator")
app.add_typer(partner_onboarding.app, name="partner")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(keys_over_time.app, name="keys")
app.add_typer(token.app, name="token")
app.command(epilog=faults.EXAMPLES)(faults.faults)
app.command(epilog=version.EXAMPLES)(version.version)


@app.command(
    context_settings={
        "allow_extra_args": True,
        "ignore_unknown_options": True,
        "help_option_names": [],
    },
)
def demo(
    context: typer.Context,
    arguments: Annotated[list[str] | None, typer.Argument(hidden=True)] = None,
) -> None:
    """演示 Two gateways on this machine, and one licence that crosses from one to the other."""
    from gateway.app.demo.command import demo as run_demo

    inner = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    text = (
        "kuayu demo",
        "kuayu demo --once --json",
        "kuayu demo --scenario instant --once",
        "kuayu demo --list",
    )
    inner.command(epilog=examples(*text), context_settings={"help_option_names": ["-h", "--help"]})(
        run_demo
    )
    code = get_command(inner)(
        [*(arguments or ()), *context.args], prog_name="kuayu demo", standalone_mode=False
    )
    if isinstance(code, int) and code:
        raise typer.Exit(code)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. Never a traceback, unless KUAYU_DEBUG=1."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal that has no Chinese
    try:
        code = get_command(app)(
            None if arguments is None else list(arguments),
            prog_name="kuayu",
            standalone_mode=False,
        )
        sys.stdout.flush()
    except typer.Abort:
        return ExitCode.INTERRUPTED
    except typer.TyperException as problem:
        return _misused(problem)
    except Exception as error:
        if os.environ.get("KUAYU_DEBUG") == "1":
            raise
        end = judged(error)
        tell(*end.lines)
        return end.code
    return code if isinstance(code, int) else ExitCode.DONE


def _misused(problem: typer.TyperException) -> ExitCode:
    """Say in one line what was not understood, and where help is."""
    what = problem.format_message().strip().rstrip(".")
    if what:  # else help was asked for by giving nothing, and it stands there already
        at = getattr(getattr(problem, "ctx", None), "command_path", "kuayu")
        tell(f"{' '.join(what.split())}; see `{at} --help`")
    return ExitCode.USAGE


def run() -> None:
    """Be the console script."""
    sys.exit(main())


if __name__ == "__main__":
    run()
