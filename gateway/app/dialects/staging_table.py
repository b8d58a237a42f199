"""Opening a partner that exchanges rows in tables of its own database."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import URL, create_engine, make_url

from gateway.adapters.outlets.staging_table.dialect import StagingTable, TableLine, TableReader
from gateway.adapters.outlets.staging_table.settings import StagingTableSettings
from gateway.app.dialects.files import read_secret_text
from gateway.app.dialects.opening import Opened, Opening


@dataclass(frozen=True)
class StagingTableKind:
    """Implements `DialectKind`."""

    settings: type[StagingTableSettings] = StagingTableSettings

    def open(self, settings: StagingTableSettings, opening: Opening) -> Opened:
        """See `DialectKind`."""
        engine = create_engine(
            _url(settings, opening),
            pool_size=1,
            max_overflow=0,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args=_limits(settings),
        )
        line = TableLine(engine, settings)
        reader = TableReader(
            opening.partner.gateway_id,
            settings,
            line,
            opening.reception,
            opening.clock,
            opening.log,
        )
        dialect = StagingTable(line, opening.clock)
        return Opened(dialect, listen=reader.run, peek=reader.answer_to)


def _url(s: StagingTableSettings, opening: Opening) -> URL:
    url = make_url(s.url)
    if s.password_file is not None:
        secret = read_secret_text(opening.folder, s.password_file, demo=opening.demo)
        url = url.set(password=secret)
    if url.drivername == "sqlite" and url.database:
        url = url.set(database=str(opening.folder / url.database))
    return url


def _limits(s: StagingTableSettings) -> dict[str, object]:
    """Return what ends a statement that hangs, by the driver's own means."""
    if s.url.startswith("sqlite"):
        return {"timeout": s.timeout_s}
    return {
        "connect_timeout": max(2, int(s.timeout_s)),
        "options": f"-c statement_timeout={int(s.timeout_s * 1000)}",
    }
