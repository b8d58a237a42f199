"""`kuayu keys` with all its commands: also those about the key that comes next."""

from __future__ import annotations

from gateway.app.cli import keys_announced, keys_rehearse
from gateway.app.cli.keys import app as app

app.command(epilog=keys_announced.ANNOUNCE_EXAMPLES)(keys_announced.announce)
app.command(epilog=keys_announced.ANNOUNCED_EXAMPLES)(keys_announced.announced)
app.command(epilog=keys_announced.CONFIRM_EXAMPLES)(keys_announced.confirm)
app.command(epilog=keys_announced.DROP_EXAMPLES)(keys_announced.drop)
app.command(epilog=keys_rehearse.EXAMPLES)(keys_rehearse.rehearse)
