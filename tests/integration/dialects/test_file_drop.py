"""Files over a real SFTP server: half ones, hostile ones, and the road both ways."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from gateway.adapters.outlets.file_drop.dialect import DropReader, FileDrop
from gateway.adapters.outlets.file_drop.line import Access, SftpLine, read_file
from gateway.adapters.outlets.file_drop.settings import FileDropSettings
from gateway.adapters.system.clock import SystemClock
from gateway.kernel.envelope import Strength
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.translations import Said
from gateway.kernel.trees import Tree
from gateway.ports.outlet import Listed, OutletDown
from gateway.ports.reception import Arrival, Disposition
from tests.fakes.telemetry import HeardEvents
from tests.simulators.reception import HeldReception, said_tree
from tests.simulators.sftp_office import SftpOffice, sftp_office

WUWEI = GatewayId("620600")
NUMBER = "019e0000-0000-7000-8000-000000000001"
GOOD = "result_20260601_W-1"


class Drop:
    """Our side of the exchange with an office."""

    def __init__(self, office: SftpOffice, **changes: Any) -> None:
        self.office = office
        self.settings = FileDropSettings(
            host="127.0.0.1", port=office.port, username="kuayu", client_key="-", **changes
        )
        self.line = line_to(office)
        self.dialect = FileDrop(self.settings, self.line)
        self.reception, self.log = HeldReception(), HeardEvents()
        self.reader = DropReader(
            WUWEI, self.settings, self.line, self.reception, said_tree, SystemClock(), self.log
        )

    def left(self) -> list[str]:
        folder = self.office.root / "from_partner"
        return sorted(p.name for p in folder.iterdir() if not p.is_dir() or p.is_symlink())


def line_to(office: SftpOffice, host_key: asyncssh.SSHKey | None = None) -> SftpLine:
    return SftpLine(
        Access(
            "127.0.0.1",
            office.port,
            "kuayu",
            ((host_key or office.host_key).convert_to_public(),),
            (office.client_key,),
            timeout_s=5.0,
        )
    )


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[SftpOffice]:
    async with sftp_office(tmp_path / "office") as running:
        yield running


@pytest.fixture
async def drop(office: SftpOffice) -> AsyncIterator[Drop]:
    made = Drop(office)
    yield made
    await made.line.close()


# --- hostile -------------------------------------------------------------------------------------


async def test_a_server_with_another_host_key_gets_nothing(office: SftpOffice) -> None:
    line = line_to(office, asyncssh.generate_private_key("ssh-ed25519"))
    drop = Drop(office)
    with pytest.raises(OutletDown, match="HostKeyNotVerifiable"):
        await FileDrop(drop.settings, line).send("push", {"A": "1"}, NUMBER, 5.0)
    assert office.received == []


@pytest.mark.parametrize(
    "raw",
    [
        b"<!DOCTYPE r [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><r>&x;</r>",
        b"<!DOCTYPE r [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;'>]><r>&b;</r>",
        b"<r><half>",
        b"",
        b"<html><body>502 Bad Gateway</body></html>"[:20],
        b"<?xml version='1.0' encoding='gbk'?><r>\xfd\xff</r>",
        b"<r>" + b"<a>" * 100 + b"</a>" * 100 + b"</r>",
    ],
)
async def test_what_cannot_be_read_is_kept_put_aside_and_answered(drop: Drop, raw: bytes) -> None:
    drop.office.lay(f"{GOOD}.xml", raw)
    await drop.reader.turn()
    (kept,) = drop.reception.unreadable
    assert (kept.raw, kept.partner, kept.source) == (raw, WUWEI, f"{GOOD}.xml")
    assert drop.reception.arrivals == []
    assert drop.left() == []
    assert (drop.office.root / "from_partner/refused" / f"{GOOD}.xml").read_bytes() == raw
    assert "<CODE>1</CODE>" in drop.office.text("to_partner", f"{GOOD}.result.xml")


async def test_a_file_that_is_still_being_written_is_left_alone(drop: Drop) -> None:
    path = drop.office.root / "from_partner" / f"{GOOD}.xml.tmp"
    path.write_bytes(b"<r><half>")
    await drop.reader.turn()
    assert drop.left() == [path.name]
    path.write_bytes(b"<r><A>1</A></r>")
    path.rename(path.with_suffix(""))
    await drop.reader.turn()
    assert [a.document for a in drop.reception.arrivals] == [{"r": {"A": "1"}}]


async def test_a_file_that_grows_is_read_once_it_stands_still(office: SftpOffice) -> None:
    drop = Drop(office, ready="stable")
    path = office.lay(f"{GOOD}.xml", b"<r><A>")
    await drop.reader.turn()
    path.write_bytes(b"<r><A>1</A></r>")
    await drop.reader.turn()
    assert drop.reception.arrivals == []
    await drop.reader.turn()
    assert [a.raw for a in drop.reception.arrivals] == [b"<r><A>1</A></r>"]
    await drop.line.close()


async def test_links_are_not_followed_and_folders_not_entered(drop: Drop, tmp_path: Path) -> None:
    secret = tmp_path / "secret.xml"
    secret.write_bytes(b"<r><A>secret</A></r>")
    os.symlink(secret, drop.office.root / "from_partner" / f"{GOOD}.xml")
    (drop.office.root / "from_partner" / "result_20260601_W-2.xml").mkdir()
    await drop.reader.turn()
    await drop.reader.turn()
    assert not drop.reception.arrivals
    assert not drop.reception.unreadable
    assert secret.exists()
    refused = [fields["reason"] for name, fields in drop.log.events if name == "drop_refused"]
    assert refused == ["not_a_plain_file", "not_a_plain_file"]


@pytest.mark.parametrize("name", ["notes.txt", "result_20260601_W-1.zip", "-rf.xml", "果.xml"])
async def test_names_that_were_not_agreed_are_put_aside_unread(drop: Drop, name: str) -> None:
    drop.office.lay(name, b"<r/>")
    await drop.reader.turn()
    assert drop.left() == []
    assert drop.reception.arrivals == []
    assert (drop.office.root / "from_partner/refused" / name).exists()


async def test_a_file_beyond_the_limit_is_never_read(
    drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.adapters.outlets.file_drop.dialect.ARRIVAL_BYTES_MAX", 10)
    drop.office.lay(f"{GOOD}.xml", b"<r><A>1</A></r>")
    await drop.reader.turn()
    assert drop.reception.arrivals == []
    assert "limit.call_bytes" in drop.office.text("to_partner", f"{GOOD}.result.xml")


async def test_a_file_that_is_larger_than_it_claims_holds_up_none_behind_it(
    drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.adapters.outlets.file_drop.line.ARRIVAL_BYTES_MAX", 20)
    drop.office.lay(f"{GOOD}.xml", b"<r><A>1</A><B>22</B></r>")
    drop.office.lay("result_20260601_W-2.xml", b"<r><A>1</A></r>")
    await drop.reader.turn()
    assert [a.source for a in drop.reception.arrivals] == ["result_20260601_W-2.xml"]
    assert "limit.call_bytes" in drop.office.text("to_partner", f"{GOOD}.result.xml")


async def test_a_file_that_may_not_be_read_holds_up_none_behind_it(
    drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def read(client: asyncssh.SFTPClient, path: str) -> bytes:
        if path.endswith(f"{GOOD}.xml"):
            raise asyncssh.SFTPPermissionDenied("示例")
        return await read_file(client, path)

    monkeypatch.setattr("gateway.adapters.outlets.file_drop.dialect.read_file", read)
    drop.office.lay(f"{GOOD}.xml", b"<r><A>1</A></r>")
    drop.office.lay("result_20260601_W-2.xml", b"<r><A>2</A></r>")
    with pytest.raises(OutletDown, match="SFTPPermissionDenied"):
        await drop.reader.turn()
    assert [a.source for a in drop.reception.arrivals] == ["result_20260601_W-2.xml"]
    assert drop.left() == [f"{GOOD}.xml"]


async def test_nothing_is_moved_while_our_journal_is_down(drop: Drop) -> None:
    drop.office.lay(f"{GOOD}.xml", b"<r><A>1</A></r>")
    drop.reception.fault = Fault(FaultCode.DELIVERY_JOURNAL_DOWN)
    with pytest.raises(Fault):
        await drop.reader.turn()
    assert drop.left() == [f"{GOOD}.xml"]
    drop.reception.fault = None
    await drop.reader.turn()
    assert drop.left() == []
    assert len(drop.reception.arrivals) == 1


async def test_a_file_we_have_no_word_for_stays_and_holds_up_none_behind_it(drop: Drop) -> None:
    other = "result_20260601_W-2"
    drop.office.lay(f"{GOOD}.xml", b"<r><A>wrong</A></r>")
    drop.office.lay(f"{other}.xml", b"<r><A>1</A></r>")
    drop.reception.about["wrong"] = Fault(FaultCode.PARTNER_NUMBER_REUSED)

    def say(said: Said) -> Tree:
        if not said.ok:
            raise Fault(FaultCode.MAPPING_CODE_UNMAPPED, "/rule")
        return said_tree(said)

    drop.reader.say = say
    with pytest.raises(Fault, match=r"mapping\.code_unmapped"):
        await drop.reader.turn()
    assert drop.left() == [f"{GOOD}.xml"]
    assert len(drop.reception.arrivals) == 1


async def test_a_server_that_went_away_is_found_again(drop: Drop) -> None:
    await drop.reader.turn()
    await drop.line.close()
    drop.office.lay(f"{GOOD}.xml", b"<r><A>1</A></r>")
    await drop.reader.turn()
    assert len(drop.reception.arrivals) == 1


async def test_a_server_that_is_gone_is_an_outlet_that_is_down(drop: Drop) -> None:
    drop.office.server.close()
    await drop.office.server.wait_closed()
    with pytest.raises(OutletDown):
        await drop.dialect.send("push", {"A": {"B": "1"}}, NUMBER, 5.0)


# --- the road ------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
async def test_a_document_is_laid_down_whole_and_once(office: SftpOffice, encoding: str) -> None:
    drop = Drop(office, encoding=encoding)
    for _ in range(2):
        done = await drop.dialect.send("push", {"A": {"XM": "示例㛃𬭊"}}, NUMBER, 5.0)
        assert isinstance(done, Listed)
    (name,) = office.received
    assert name == f"push_20260507_{NUMBER}.xml"
    assert "<XM>示例㛃𬭊</XM>" in office.text("to_partner", name, encoding)
    await drop.line.close()


async def test_the_partners_result_on_our_file_comes_to_our_message(drop: Drop) -> None:
    await drop.dialect.send("push", {"A": {"B": "1"}}, NUMBER, 5.0)
    (name,) = drop.office.received
    stem = name.removesuffix(".xml")
    drop.office.lay(f"{stem}.result.xml", b"<R><CODE>0</CODE></R>")
    await drop.reader.turn()
    (answer,) = drop.reception.answers
    assert answer.message_id.hex() == NUMBER.replace("-", "")
    assert (answer.document, answer.strength) == ({"R": {"CODE": "0"}}, Strength.AUTHENTICATED)
    assert drop.left() == []


async def test_each_row_of_a_table_is_an_arrival_with_its_own_bytes_and_result(
    office: SftpOffice,
) -> None:
    drop = Drop(office, format="csv")
    drop.reader.say = lambda said: {"code": "0" if said.ok else "1", "no": said.number}
    office.lay(f"{GOOD}.csv", 'no,name\r\n1,"示例\n甲"\r\n2,示例乙\r\n'.encode())
    await drop.reader.turn()
    assert [a.document for a in drop.reception.arrivals] == [
        {"no": "1", "name": "示例\n甲"},
        {"no": "2", "name": "示例乙"},
    ]
    assert drop.reception.arrivals[1].raw == "no,name\r\n2,示例乙\r\n".encode()
    assert [a.source for a in drop.reception.arrivals] == [f"{GOOD}.csv#1", f"{GOOD}.csv#2"]
    assert office.received == [f"{GOOD}-1.result.csv", f"{GOOD}-2.result.csv"]
    await drop.line.close()


async def test_the_same_file_again_is_answered_again_and_is_one_arrival(drop: Drop) -> None:
    for _ in range(2):
        drop.office.lay(f"{GOOD}.xml", b"<r><A>1</A></r>")
        await drop.reader.turn()
    assert len(drop.reception.arrivals) == 1
    assert drop.office.received == [f"{GOOD}.result.xml"]
    assert "<NO>JQ-1</NO>" in drop.office.text("to_partner", f"{GOOD}.result.xml")


class Meanwhile(HeldReception):
    """Does something while an arrival is judged."""

    def __init__(self, does: Callable[[], None], at: int) -> None:
        super().__init__()
        self._does = does
        self._at = at

    async def receive(self, arrival: Arrival) -> Disposition:
        met = await super().receive(arrival)
        if len(self.arrivals) == self._at:
            self._at = 0
            self._does()
        return met


def documents(drop: Drop) -> list[object]:
    return [a.document for a in drop.reception.arrivals]


async def test_a_next_version_laid_over_the_name_meanwhile_is_read_too(
    office: SftpOffice, drop: Drop
) -> None:
    path = office.lay(f"{GOOD}.xml", b"<r><A>1</A></r>")

    def lay_over() -> None:
        fresh = path.with_suffix(".xml.tmp")
        fresh.write_bytes(b"<r><A>2</A></r>")
        fresh.rename(path)

    drop.reader.reception = drop.reception = Meanwhile(lay_over, 1)
    await drop.reader.turn()
    assert documents(drop) == [{"r": {"A": "1"}}, {"r": {"A": "2"}}]
    assert drop.left() == []


async def test_a_row_added_meanwhile_is_read_too(office: SftpOffice) -> None:
    drop = Drop(office, ready="stable", format="csv")
    drop.reader.say = lambda said: {"CODE": "0" if said.ok else "1"}
    path = office.lay(f"{GOOD}.csv", b"A\r\n1\r\n2\r\n")

    def add() -> None:
        with path.open("ab") as file:
            file.write(b"3\r\n")

    drop.reader.reception = drop.reception = Meanwhile(add, 2)
    for _ in range(2):
        await drop.reader.turn()
    assert documents(drop) == [{"A": "1"}, {"A": "2"}, {"A": "3"}]
    await drop.line.close()


async def test_what_it_had_become_waits_if_our_journal_is_down_by_then(
    office: SftpOffice, drop: Drop
) -> None:
    path = office.lay(f"{GOOD}.xml", b"<r><A>1</A></r>")

    def lay_over_and_fail() -> None:
        path.write_bytes(b"<r><A>2</A></r>")
        drop.reception.fault = Fault(FaultCode.DELIVERY_JOURNAL_DOWN)

    drop.reader.reception = drop.reception = Meanwhile(lay_over_and_fail, 1)
    with pytest.raises(Fault):
        await drop.reader.turn()
    assert drop.left() == [path.name], "laid back for the next look"
    drop.reception.fault = None
    await drop.reader.turn()
    assert documents(drop) == [{"r": {"A": "1"}}, {"r": {"A": "2"}}]
