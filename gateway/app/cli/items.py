"""`kuayu items`: the commands of the group."""

from __future__ import annotations

from gateway.app.cli.common import examples, group
from gateway.app.cli.items_diff import DIFF, diff
from gateway.app.cli.items_export import EXPORT, export
from gateway.app.cli.items_import import IMPORT, import_
from gateway.app.cli.items_reading import HISTORY, LIST, SEARCH, history, list_, search

app = group(
    "事项清单 Item lists of regions: import, compare, search, export.",
    *(IMPORT[1], DIFF[0], LIST[0], SEARCH[0], HISTORY[0], EXPORT[0]),
)
app.command(name="import", epilog=examples(*IMPORT))(import_)
app.command(epilog=examples(*DIFF))(diff)
app.command(name="list", epilog=examples(*LIST))(list_)
app.command(epilog=examples(*SEARCH))(search)
app.command(epilog=examples(*HISTORY))(history)
app.command(epilog=examples(*EXPORT))(export)
