"""`kuayu serve` and `kuayu migrate`."""

from __future__ import annotations

import os
from pathlib import Path
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

SERVE_EXAMPLES = examples(
    "kuayu serve --config /etc/kuayu/kuayu.toml",
    "KUAYU_CONFIG=/etc/kuayu/kuayu.toml KUAYU_LOG__LEVEL=DEBUG kuayu serve",
    "kill -TERM PID      停止，不丢报文 stops it; nothing is lost",
    "kill -HUP PID       重新读取伙伴目录 reads the partners' folders again",
)
MIGRATE_EXAMPLES = examples("kuayu migrate", "kuayu migrate --config FILE --json")


def serve(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """运行网关 Run the gateway until SIGTERM or Ctrl-C.

    Once it serves it writes one JSON line to standard output: event, exchange_port, portal_port,
    pid. Logs go to standard error.
    """
    # The C core of gRPC writes unstructured lines of its own; read when grpc is imported.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    settings = read_config(config)
    if not settings.journal.path.is_file():
        raise Stop(ExitCode.UNAVAILABLE, _no_journal(settings.journal.path))

    from gateway.app.serve import AddressDown
    from gateway.app.serve import serve as run

    try:
        run(settings)
    except AddressDown as problem:
        raise Stop(ExitCode.UNAVAILABLE, str(problem)) from problem


def _no_journal(path: Path) -> str:
    """Never advise a new journal where one was lost: receipts and known ids would be gone."""
    return (
        f"there is no journal at {path}: check journal.path and that its disk is mounted, "
        "or restore it; only a gateway that never ran gets one by `kuayu migrate --new`"
    )


def migrate(
    config: ConfigOption = DEFAULT_CONFIG,
    new: Annotated[bool, typer.Option("--new", help="make a journal where there is none")] = False,
    json: JsonOption = False,
) -> None:
    """升级账本 Bring the journal to the tables that this version needs; the gateway is stopped."""
    settings = read_config(config)
    if not new and not settings.journal.path.is_file():
        raise Stop(ExitCode.UNAVAILABLE, _no_journal(settings.journal.path))

    from gateway.adapters.sql.sqlite import migrate_sqlite

    before, after = migrate_sqlite(settings.journal.path)
    if json:
        show_json({"journal": str(settings.journal.path), "before": before or None, "after": after})
    elif before == after:
        show(f"账本已是最新 the journal is at {after} already: {settings.journal.path}")
    else:
        went = f"from {before or 'none'} to {after}"
        show(f"账本已升级 the journal went {went}: {settings.journal.path}")
