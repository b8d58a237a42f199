"""Zhangye's front database (张掖, simulated 模拟): stage tables in a file, and who reads them."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, Final

from gateway.app.demo.platforms.office import POLL_S, PlatformStory, Register, today
from gateway.app.provision import Site
from gateway.ports.clock import Clock

_FILE: Final = "front.sqlite3"
_HEAD: Final = "id TEXT PRIMARY KEY, rec_flag TEXT, version INTEGER, inserttime TEXT, rec_msg TEXT"
_ASKED: Final = (
    "jyid, sqbh, sqsj, xzqh, sxbm, sxbb, blms, yt, hyfs, hydw, hyry, hysj, wtxm, wtzh, wtcl, wtfw,"
    " wtqx, jbr, jbrzh, jbrdh"
)
_TABLES: Final = (
    f"ex_transport ({_HEAD}, {_ASKED}, qymc, xydm, cphm, zzbs, hfyy, cllx, jcrq)",
    f"ex_change ({_HEAD}, {_ASKED}, qymc, xydm, zzbs, bgsx, bgq, bgh, fr, frzh, frdh, lqfs)",
    f"ex_cancel ({_HEAD}, {_ASKED}, qymc, xydm, zzbs, zxcx, zxyy, barq, qszm)",
    f"ex_supply ({_HEAD}, jyid, sqbh, sqsj, xzqh, bz)",
    f"ex_withdraw ({_HEAD}, jyid, sqbh, sqsj, xzqh, chyy)",
    f"ex_deliver ({_HEAD}, jyid, sqbh, sqsj, xzqh, sdfs, sdrq)",
    "ex_attach (fid INTEGER PRIMARY KEY, pid TEXT, xh INTEGER, clbm, clmc, lx, nr, dx, zy)",
    f"ex_process ({_HEAD}, sqbh, zt, bjbh, rq, cnts, yj)",
    f"ex_result ({_HEAD}, sqbh, jg, wh, ly, jgsm)",
)
_READ: Final = "SELECT id, sqbh FROM {} WHERE rec_flag = '0'"
_APPLY: Final = ("ex_transport", "ex_change", "ex_cancel")
_FLAG: Final = "UPDATE {} SET rec_flag = ? WHERE id = ?"
_CHILDREN: Final = ", ".join(
    f'{{ of = "{of}", table = "ex_attach", parent = "pid", order = "xh", name = "fj" }}'
    for of in ("ex_transport", "ex_change", "ex_cancel", "ex_supply")
)


class FrontDatabase:
    """Implements `Platform`."""

    story = PlatformStory(
        "zhangye",
        "620700",
        "staging_table",
        "前置机中间表",
        "stage tables",
        "00011810100201",
        "road-transport",
        "road_transport_certificate",
    )

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.register = Register(self.story.items)

    @asynccontextmanager
    async def running(self, site: Site) -> AsyncIterator[str]:
        """See `Platform`."""
        path = site.root / "partners" / self.story.folder / _FILE
        await asyncio.to_thread(_make, path)
        works = asyncio.get_running_loop().create_task(self._work(path))
        try:
            yield (
                f'url = "sqlite:///{_FILE}"\n'
                'out = ["ex_transport", "ex_change", "ex_cancel", "ex_supply", "ex_withdraw", '
                '"ex_deliver"]\nin = ["ex_process", "ex_result"]\n'
                f"children = [{_CHILDREN}]\npoll_s = 0.1"
            )
        finally:
            works.cancel()
            await asyncio.gather(works, return_exceptions=True)

    async def _work(self, path: Path) -> None:
        while True:
            await asyncio.to_thread(_in, path, self._turn)
            await asyncio.sleep(POLL_S)

    def _turn(self, db: sqlite3.Connection) -> None:
        """Read what lies ready, and say what comes of an application."""
        for table in (*_APPLY, "ex_deliver", "ex_withdraw"):
            for ident, number in db.execute(_READ.format(table)).fetchall():
                known = table in _APPLY or self.register.has(number)
                db.execute(_FLAG.format(table), ("1" if known else "2", ident))
                if table in _APPLY and self.register.opened(ident, number):
                    self._handle(db, number)

    def _handle(self, db: sqlite3.Connection, number: str) -> None:
        day = today(self._clock.now_ms())
        handling = f"张运〔示例〕{day}"
        said: tuple[tuple[str, dict[str, Any]], ...] = (
            ("ex_process", {"zt": "10", "bjbh": handling}),
            ("ex_process", {"zt": "20", "bjbh": handling, "rq": day, "cnts": "3"}),
            ("ex_result", {"jg": "1", "wh": handling, "jgsm": "道路运输证已换发（示例）"}),
        )
        for at, (table, cells) in enumerate(said, start=1):
            row = {
                "id": f"ZY-{number}-{at}",
                "rec_flag": "0",
                "version": 1,
                "inserttime": f"{day}{at:06d}",
                "sqbh": number,
                **cells,
            }
            names = ", ".join(row)
            marks = ", ".join("?" * len(row))
            db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(row.values()))  # noqa: S608


def _make(path: Path) -> None:
    def tables(db: sqlite3.Connection) -> None:
        for table in _TABLES:
            db.execute(f"CREATE TABLE IF NOT EXISTS {table}")

    _in(path, tables)


def _in(path: Path, work: Callable[[sqlite3.Connection], None]) -> None:
    with closing(sqlite3.connect(path, timeout=10.0)) as db, db:
        work(db)
