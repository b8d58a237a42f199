"""`kuayu partner` with all its commands: also those that lead a partner from nothing to live."""

from __future__ import annotations

from gateway.app.cli import partner_check, partner_new, partner_states, partner_swap
from gateway.app.cli.partner import app as app

app.command(epilog=partner_new.EXAMPLES)(partner_new.new)
app.command(epilog=partner_swap.INVITE_EXAMPLES)(partner_swap.invite)
app.command(epilog=partner_swap.JOIN_EXAMPLES)(partner_swap.join)
app.command(epilog=partner_check.EXAMPLES)(partner_check.check)
app.command(name="test", epilog=partner_states.TEST_EXAMPLES)(partner_states.begin_test)
app.command(epilog=partner_states.ACTIVATE_EXAMPLES)(partner_states.activate)
app.command(epilog=partner_states.SUSPEND_EXAMPLES)(partner_states.suspend)
app.command(epilog=partner_states.RETIRE_EXAMPLES)(partner_states.retire)
