"""Rows in a partner's database, over a real socket: hostile ones first."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import Engine, create_engine, text

from gateway.adapters.outlets.staging_table.dialect import StagingTable, TableLine, TableReader
from gateway.adapters.outlets.staging_table.settings import StagingTableSettings
from gateway.adapters.outlets.staging_table.tables import Tables
from gateway.adapters.system.clock import SystemClock
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.trees import Tree
from gateway.ports.outlet import Listed, OutletDown
from tests.fakes.telemetry import HeardEvents
from tests.simulators.front_database import clean, engine_of
from tests.simulators.reception import HeldReception

ZHANGYE = GatewayId("620700")
NUMBER = "019e0000-0000-7000-8000-000000000001"
APPLY: Tree = {
    "sqr": "示例㛃𬭊",
    "je": "12.50",
    "fj": [{"mc": "申请书", "nr": "JVBERi0="}, {"mc": "章程", "nr": "JVBERi0x"}],
}
SETTINGS: Mapping[str, Any] = {
    "url": "postgresql+psycopg://kuayu@127.0.0.1/postgres",
    "in": ("ex_result",),
    "out": ("ex_apply",),
    "children": (
        {"of": "ex_apply", "table": "ex_attach", "parent": "apply_id", "order": "xh", "name": "fj"},
    ),
}


class Front:
    """Both sides of a front database."""

    def __init__(self, port: int) -> None:
        self.office: Engine = engine_of(port)
        clean(self.office)
        settings = StagingTableSettings.model_validate(SETTINGS)
        self.line = TableLine(engine_of(port, pool_size=1), settings)
        self.dialect = StagingTable(self.line, SystemClock())
        self.reception, self.log = HeldReception(), HeardEvents()
        self.reader = TableReader(
            ZHANGYE, settings, self.line, self.reception, SystemClock(), self.log
        )

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.office.begin() as c:
            return [tuple(row) for row in c.execute(text(query))]

    def does(self, statement: str, **values: object) -> None:
        with self.office.begin() as c:
            c.execute(text(statement), values)

    def result(self, number: str, outcome: str = "1", **more: object) -> None:
        """Have the office write a result."""
        self.does(
            "INSERT INTO ex_result (id, bjbh, jg, zp, rec_flag, version, inserttime)"
            " VALUES (:id, :bjbh, :jg, :zp, '0', 1, '2026-06-01 09:00:00')",
            id=number,
            jg=outcome,
            bjbh=more.get("bjbh", "JQ-1"),
            zp=more.get("zp"),
        )


@pytest.fixture
async def front(database_port: int) -> AsyncIterator[Front]:
    made = Front(database_port)
    yield made
    await made.line.close()
    made.office.dispose()


# --- hostile -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"url": "postgresql+psycopg://kuayu:secret@127.0.0.1/x"}, "password"),
        ({"url": "postgresql+psycopg://kuayu@db.sample.example/x"}, "verify-full"),
        ({"url": "postgresql+psycopg://kuayu@db.sample.example/x?sslmode=require"}, "verify-full"),
        ({"url": "mysql://127.0.0.1/x"}, "one of"),
        ({"in": ("ex_result; drop table ex_apply",)}, "no name"),
        ({"flags": {"new": "1"}}, "same"),
    ],
)
def test_settings_that_would_not_be_safe_are_refused(changed: dict[str, Any], told: str) -> None:
    StagingTableSettings.model_validate(SETTINGS)
    with pytest.raises(ValidationError, match=told):
        StagingTableSettings.model_validate({**SETTINGS, **changed})


async def test_values_are_never_statements(front: Front) -> None:
    hostile = "x'); DROP TABLE ex_result; --"
    await front.dialect.send("ex_apply", {"sqr": hostile}, NUMBER, 5.0)
    assert front.rows("SELECT sqr FROM ex_apply") == [(hostile,)]
    assert front.rows("SELECT count(*) FROM ex_result") == [(0,)]


@pytest.mark.parametrize(
    ("operation", "document"),
    [("ex_result", APPLY), ("pg_user", APPLY), ("ex_apply", {"sqr; --": "1"})],
)
async def test_only_agreed_tables_and_their_columns_are_written(
    front: Front, operation: str, document: Tree
) -> None:
    with pytest.raises(Fault) as refused:
        await front.dialect.send(operation, document, NUMBER, 5.0)
    assert refused.value.code is FaultCode.MAPPING_VALUE_INVALID
    assert front.rows("SELECT count(*) FROM ex_apply") == [(0,)]


async def test_a_row_that_breaks_leaves_nothing_of_its_children(front: Front) -> None:
    broken: Tree = {**APPLY, "fj": [{"mc": "一", "nr": "x"}, {"nowhere": "二"}]}
    with pytest.raises(Fault):
        await front.dialect.send("ex_apply", broken, NUMBER, 5.0)
    assert front.rows("SELECT count(*) FROM ex_apply") == [(0,)]
    assert front.rows("SELECT count(*) FROM ex_attach") == [(0,)]


async def test_rows_keep_their_flag_while_our_journal_is_down(front: Front) -> None:
    front.result("Z-1")
    front.reception.fault = Fault(FaultCode.DELIVERY_JOURNAL_DOWN)
    with pytest.raises(Fault):
        await front.reader.turn()
    assert front.rows("SELECT rec_flag FROM ex_result") == [("0",)]
    front.reception.fault = None
    await front.reader.turn()
    assert front.rows("SELECT rec_flag FROM ex_result") == [("1",)]


async def test_a_refused_row_says_by_which_rule_within_its_column(front: Front) -> None:
    front.result("Z-1")
    front.reception.refuses = "agreement.strength_too_weak"
    await front.reader.turn()
    ((flag, told),) = front.rows("SELECT rec_flag, rec_msg FROM ex_result")
    assert flag == "2"
    assert told.startswith("agreement.strength_too_weak 不予接收")


async def test_a_row_the_partner_changed_meanwhile_is_read_again(front: Front) -> None:
    front.result("Z-1")
    (row,) = await front.line.run(lambda: front.line.tables.news("ex_result"))
    front.does("UPDATE ex_result SET rec_flag = '9'")
    await front.line.run(lambda: front.line.tables.mark(row, "1", ""))
    assert front.rows("SELECT rec_flag FROM ex_result") == [("9",)]


async def test_a_database_that_is_gone_is_an_outlet_that_is_down() -> None:
    settings = StagingTableSettings.model_validate(SETTINGS)
    line = TableLine(create_engine("postgresql+psycopg://kuayu@127.0.0.1:1/x"), settings)
    with pytest.raises(OutletDown, match="OperationalError"):
        await StagingTable(line, SystemClock()).send("ex_apply", APPLY, NUMBER, 5.0)
    await line.close()


async def test_a_statement_that_hangs_holds_only_this_partners_thread(front: Front) -> None:
    settings = StagingTableSettings.model_validate({**SETTINGS, "timeout_s": 0.3})
    line = TableLine(engine_of(front.office.url.port or 0, 2_000), settings)
    await line.run(lambda: line.tables.news("ex_apply"))
    with front.office.begin() as c:
        c.execute(text("LOCK TABLE ex_apply IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(OutletDown, match="TimeoutError"):
            await StagingTable(line, SystemClock()).send("ex_apply", APPLY, NUMBER, 5.0)
        front.result("Z-1")
        await front.reader.turn()
        assert len(front.reception.arrivals) == 1
    await line.close()


# --- the road ------------------------------------------------------------------------------------


async def test_a_row_is_laid_down_once_with_its_children(front: Front) -> None:
    for _ in range(2):
        assert isinstance(await front.dialect.send("ex_apply", APPLY, NUMBER, 5.0), Listed)
    assert front.rows("SELECT id, sqr, je::text, rec_flag, version FROM ex_apply") == [
        (NUMBER, "示例㛃𬭊", "12.50", "0", 1)
    ]
    assert front.rows("SELECT apply_id, xh, mc FROM ex_attach ORDER BY xh") == [
        (NUMBER, 1, "申请书"),
        (NUMBER, 2, "章程"),
    ]


async def test_a_row_on_the_error_list_is_laid_down_anew_with_the_next_version(
    front: Front,
) -> None:
    await front.dialect.send("ex_apply", APPLY, NUMBER, 5.0)
    front.does("UPDATE ex_apply SET rec_flag = '3', rec_msg = '解析超时（示例）'")
    await front.dialect.send("ex_apply", APPLY, NUMBER, 5.0)
    assert front.rows("SELECT rec_flag, version FROM ex_apply") == [("0", 2)]
    front.does("UPDATE ex_apply SET rec_flag = '1'")
    await front.dialect.send("ex_apply", APPLY, NUMBER, 5.0)
    assert front.rows("SELECT rec_flag, version FROM ex_apply") == [("1", 2)]


async def test_the_flag_of_our_row_is_the_partners_answer(front: Front) -> None:
    await front.dialect.send("ex_apply", APPLY, NUMBER, 5.0)
    front.reception.waiting = [bytes.fromhex(NUMBER.replace("-", ""))]
    await front.reader.turn()
    assert front.reception.answers == []
    front.does("UPDATE ex_apply SET rec_flag = '2', rec_msg = '事项未开通（示例）'")
    await front.reader.turn()
    (answer,) = front.reception.answers
    assert answer.message_id == front.reception.waiting[0]
    assert answer.document["rec_flag"] == "2"
    assert answer.document["rec_msg"] == "事项未开通（示例）"
    assert [row["mc"] for row in answer.document["fj"]] == ["申请书", "章程"]  # type: ignore[union-attr, call-overload, index]


async def test_an_answer_nobody_understands_is_put_aside_and_holds_up_nothing(
    front: Front,
) -> None:
    await front.dialect.send("ex_apply", APPLY, NUMBER, 5.0)
    front.reception.waiting = [bytes.fromhex(NUMBER.replace("-", ""))]
    front.does("UPDATE ex_apply SET rec_flag = '2', rec_msg = '？'")
    front.result("Z-1")
    front.reception.about["？"] = Fault(FaultCode.MAPPING_CODE_UNMAPPED, "/rec_msg")
    for _ in range(2):
        with pytest.raises(Fault, match=r"mapping\.code_unmapped"):
            await front.reader.turn()
    (arrival,) = front.reception.arrivals
    assert arrival.document["id"] == "Z-1"
    (kept,) = front.reception.unreadable
    assert (kept.operation, kept.fault.detail) == ("ex_apply", "/rec_msg")
    assert "？" in kept.raw.decode()
    front.reception.about.clear()
    await front.reader.turn()
    assert len(front.reception.answers) == 1


async def test_a_cell_json_has_no_word_for_is_its_text_and_hides_no_other_row(
    front: Front,
) -> None:
    front.does("ALTER TABLE ex_result ADD COLUMN odd numeric, ADD COLUMN doc jsonb")
    front.does("ALTER TABLE ex_result ADD COLUMN at time, ADD COLUMN share float8")
    front.result("Z-1")
    front.result("Z-2")
    front.does(
        "UPDATE ex_result SET odd = 'Infinity', share = 'NaN', at = '09:30',"
        " doc = '{\"名\": [1]}' WHERE id = 'Z-1'"
    )
    await front.reader.turn()
    odd, plain = front.reception.arrivals
    assert (odd.document["id"], plain.document["id"]) == ("Z-1", "Z-2")
    assert odd.document["odd"] == "Infinity"
    assert odd.document["share"] == "nan"
    assert odd.document["at"] == "09:30:00"
    assert odd.document["doc"] == '{"名": [1]}'
    assert json.loads(odd.raw)["row"]["odd"] == "Infinity"


def test_a_time_that_is_none_hides_no_other_row_of_a_file(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'front.sqlite'}")
    with engine.begin() as c:
        c.execute(text("CREATE TABLE ex_result (id text, rec_flag text, inserttime datetime)"))
        c.execute(text("INSERT INTO ex_result VALUES ('a', '0', '20240101 bad')"))
        c.execute(text("INSERT INTO ex_result VALUES ('b', '0', '2026-06-01 09:00:00')"))
    settings = StagingTableSettings.model_validate({**SETTINGS, "version": None})
    rows = Tables(engine, settings).news("ex_result")
    engine.dispose()
    assert [row.cells["inserttime"] for row in rows] == ["20240101 bad", "2026-06-01 09:00:00"]


async def test_a_text_that_is_no_text_is_refused_with_its_row_and_hides_no_other(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path / 'front.sqlite'}"
    made = create_engine(url)
    with made.begin() as c:
        for table in ("ex_apply", "ex_result"):
            c.execute(text(f"CREATE TABLE {table} (id text, rec_flag text, v text, rec_msg text)"))
        c.execute(text("INSERT INTO ex_result VALUES ('a', '0', CAST(x'ff' AS TEXT), NULL)"))
        c.execute(text("INSERT INTO ex_result VALUES (CAST(x'fe' AS TEXT), '0', 'x', NULL)"))
        c.execute(text("INSERT INTO ex_result VALUES ('z', '0', '示例', NULL)"))
    settings = StagingTableSettings.model_validate(
        {"url": url, "in": ["ex_result"], "out": ["ex_apply"], "version": None, "inserted": None}
    )
    reception, line = HeldReception(), TableLine(create_engine(url), settings)
    reader = TableReader(
        GatewayId("620700"), settings, line, reception, SystemClock(), HeardEvents()
    )
    with pytest.raises(Fault) as unnamed:
        await reader.turn()
    assert unnamed.value.code is FaultCode.PARTNER_ENCODING_INVALID
    await line.close()
    assert [a.document["id"] for a in reception.arrivals] == ["z"]
    assert [u.fault.code for u in reception.unreadable] == [FaultCode.PARTNER_ENCODING_INVALID] * 2
    assert b'"v": "\xff"' in reception.unreadable[0].raw, "its bytes as they came"
    with made.begin() as c:
        flags = c.execute(text("SELECT rec_flag FROM ex_result ORDER BY rowid")).scalars().all()
    made.dispose()
    assert flags == ["2", "0", "1"]


async def test_rows_of_the_partner_come_in_order_and_are_flagged(front: Front) -> None:
    front.result("Z-2", zp=b"\x00\xff")
    front.result("Z-1")
    await front.reader.turn()
    assert [a.document["id"] for a in front.reception.arrivals] == ["Z-1", "Z-2"]
    assert front.reception.arrivals[1].document["zp"] == "AP8="
    assert front.reception.arrivals[0].source == "ex_result/Z-1"
    assert front.rows("SELECT id, rec_flag, rec_msg FROM ex_result ORDER BY id") == [
        ("Z-1", "1", "JQ-1"),
        ("Z-2", "1", "JQ-1"),
    ]
    await front.reader.turn()
    assert len(front.reception.arrivals) == 2
