"""`kuayu calendar`."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from gateway.app.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    examples,
    group,
    now_ms,
    read_config,
    show,
    show_json,
)
from gateway.app.cli.exits import ExitCode, Stop

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHOW = ("kuayu calendar show 2026", "kuayu calendar show 2026 --json")
_CHECK = ("kuayu calendar check", "kuayu calendar check --config /etc/kuayu/kuayu.toml --json")
_RELOAD = ("kuayu calendar check && kuayu calendar reload", "kuayu calendar reload --json")
_AHEAD: Final = timedelta(days=60)  # the longest usual limit: 20 + 10 working days over a holiday
app = group(
    "工作日历 Working days: the library's years under those of calendar.toml.", *_SHOW, *_CHECK
)


@app.command(name="show", epilog=examples(*_SHOW))
def show_(
    year: Annotated[int, typer.Argument(metavar="YEAR", min=1949, max=2200)],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """查看 Show the rest days and worked weekends of a year, and where they come from."""
    settings = read_config(config)

    from gateway.app.calendar import load_calendar, read_years
    from gateway.rules.deadlines import days_between

    own, calendar = read_years(settings.calendar), load_calendar(settings.calendar).current()
    found = calendar.years.get(year)
    if found is None:
        raise Stop(ExitCode.NO, _missing(year, settings.calendar))
    before = date(year, 1, 1) - timedelta(days=1)
    first = int(calendar.is_workday(date(year, 1, 1)) is True)
    worked = days_between(calendar, before + timedelta(days=1), date(year, 12, 31))
    assert isinstance(worked, int)
    view: dict[str, Any] = {
        "year": year,
        "from": str(settings.calendar) if year in own else "chinesecalendar",
        "working_days": worked + first,
        "rest_days": [day.isoformat() for day in sorted(found.rest_days)],
        "workdays": [day.isoformat() for day in sorted(found.workdays)],
    }
    if json:
        show_json(view)
        return
    show(
        f"{year} 年 {view['working_days']} 个工作日 working days，来源 from {view['from']}",
        f"休息 rest: {_listed(view['rest_days'])}",
        f"调休上班 worked weekends: {_listed(view['workdays'])}",
    )


@app.command(epilog=examples(*_CHECK))
def check(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """检查 Check calendar.toml, and whether every limit that runs now can be counted.

    Ends with 1 if the days ahead reach into a year that is not known: clocks that need it read
    calendar_missing. A running gateway takes a changed file by `kuayu calendar reload`.
    """
    settings = read_config(config)

    from gateway.app.calendar import load_calendar, read_years
    from gateway.rules.deadlines import china_day

    own, calendar = read_years(settings.calendar), load_calendar(settings.calendar).current()
    today = china_day(now_ms())
    missing = calendar.unknown(today, today + _AHEAD)
    view: dict[str, Any] = {
        "file": str(settings.calendar),
        "own_years": sorted(own),
        "known_years": sorted(calendar.years),
        "missing": None if missing is None else missing.year,
    }
    if json:
        show_json(view)
    else:
        show(
            f"文件 file {view['file']}: 年份 years {_listed(map(str, sorted(own)))}",
            f"已知年份 known: {_spans(view['known_years'])}",
        )
    if missing is not None:
        raise Stop(ExitCode.NO, _missing(missing.year, settings.calendar))


@app.command(epilog=examples(*_RELOAD))
def reload(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """重新读取 Have the running gateway read calendar.toml again; its clocks are counted anew.

    Ends with 1 if the file is wrong: the gateway goes on with the calendar it has.
    """
    settings = read_config(config)

    from gateway.app.cli.operate import operate

    view = operate(settings, "calendar-reload", {})
    if not view["taken"]:
        told = [f"{settings.calendar}: {line}" for line in _lines(view["problems"])]
        raise Stop(ExitCode.NO, *told, "沿用原日历 the calendar stays as it was")
    if json:
        show_json(view)
        return
    show("已生效 taken" if view["running"] else "未运行，启动时生效 taken at the next start")
    heads = ("新增 added", "变更 changed", "取消 removed")
    show(*(f"{head}: {_listed(_lines(view[head.split()[1]]))}" for head in heads))


def _lines(found: object) -> list[str]:
    return [str(each) for each in found] if isinstance(found, list) else []


def _missing(year: int, path: object) -> str:
    return (
        f"{year} is not known: clocks that need it read calendar_missing and nothing is guessed; "
        f"once its holidays are published, add to {path}: [[years]] with year = {year}, source, "
        "rest_days and workdays"
    )


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(texts) or "无 none"


def _spans(years: list[int]) -> str:
    """Write years in a row as a span: 2004-2026, 2028."""
    spans: list[list[int]] = []
    for year in years:
        if spans and spans[-1][-1] == year - 1:
            spans[-1].append(year)
        else:
            spans.append([year])
    return ", ".join(f"{s[0]}-{s[-1]}" if len(s) > 1 else str(s[0]) for s in spans)
