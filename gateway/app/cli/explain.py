"""`kuayu explain`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

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

EXAMPLES = examples(
    "kuayu explain 0190a2b4-3c5d-7e6f-8a9b-0c1d2e3f4a5b",
    "kuayu explain 0190a2b43c5d7e6f8a9b0c1d2e3f4a5b --config FILE --json",
)
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="id of a case or of a message")]


def explain(
    id: IdArgument, config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False
) -> None:
    """说明 Everything known of a case or a message.

    Who, when, under which rule, with which receipt, and where it waits now. Forms, files and
    licences are left out. The gateway may be running.
    """
    from gateway.app.cli.trees import case_tree, message_tree

    known = look_up(config, id)
    cases, messages = known["cases"], known["messages"]
    if json:
        show_json(known)
    else:
        home = str(known["gateway"])
        show(*(case_tree(c, home) for c in cases), *(message_tree(m, home) for m in messages))


def look_up(config: Path, text: str) -> dict[str, list[dict[str, object]]]:
    """Return what `flow.inquiry` knows of an id.

    Raises:
        Stop: nothing is known of it, or it is no id.
    """
    raw = read_id(text)
    settings = read_config(config)

    from gateway.adapters.sql.sqlite import open_sqlite_reader
    from gateway.app.calendar import load_calendar
    from gateway.flow import inquiry
    from gateway.flow.clock_views import clocks_view
    from gateway.kernel.identifiers import CaseId, GatewayId, uuid_text

    with open_sqlite_reader(settings.journal.path) as snapshot:
        home = GatewayId(settings.gateway_id)
        known = inquiry.explain(snapshot, raw, home)
        calendar = load_calendar(settings.calendar).current()
        views = cast("list[dict[str, object]]", (known or {}).get("cases", []))
        for view, case in zip(views, snapshot.cases_by_id(CaseId(raw)), strict=True):
            view["deadlines"] = clocks_view(snapshot, case, home, calendar, now_ms())
    if known is None:
        raise Stop(
            ExitCode.NO,
            f"gateway {settings.gateway_id} knows no case and no message {uuid_text(raw)}; "
            "ask the gateway that made the id",
        )
    return known  # type: ignore[return-value]  # what inquiry.explain promises in its text
