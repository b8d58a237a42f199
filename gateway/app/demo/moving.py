"""Making ready a demo whose clock will be moved."""

from __future__ import annotations

from typing import Final

from gateway.adapters.calendars.published import PublishedCalendar
from gateway.adapters.system.clock import SystemClock
from gateway.app.demo.moved_clock import FILE, MovedClock
from gateway.app.demo.state import State, config_of
from gateway.kernel.instants import china_date

_SAMPLE_YEAR: Final = """# 示例: no holidays are published for {year} yet
[[years]]
year = {year}
source = "示例"
rest_days = [{year}-01-01]
workdays = []
"""


def unmoved(state: State) -> None:
    """Take back what an earlier story moved: the gateways live in the real day again."""
    for site in state.sites:
        (config_of(site).state_dir / FILE).unlink(missing_ok=True)


def movable(state: State) -> MovedClock:
    """Put the file that moves the clock where both gateways look, at no move; return the clock.

    A next year that is not published yet gets a sample calendar without holidays, so that the
    story does not end at New Year.
    """
    clock = MovedClock(state.folder / FILE)
    clock.move(0)
    year = int(china_date(SystemClock().now_ms())[:4]) + 1
    for site in state.sites:
        config = config_of(site)
        config.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        link = config.state_dir / FILE
        if not link.is_symlink():
            link.symlink_to(state.folder / FILE)
        if year not in PublishedCalendar().current().years and not config.calendar.exists():
            text = _SAMPLE_YEAR.format(year=year)
            config.calendar.write_text(text, encoding="utf-8")
    return clock
