"""Hostile documents: what would take seconds to read is refused by counting, before it is read."""

from __future__ import annotations

import asyncio
import threading

import pytest

from gateway.adapters.outlets.beside import read_beside
from gateway.adapters.outlets.documents import read_json, read_rows, read_xml
from gateway.adapters.outlets.rest.schemes.jpaas import Jpaas
from gateway.adapters.outlets.rest.schemes.scheme import Call
from gateway.adapters.pki.sm2 import sm3
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.limits import (
    FORM_ESCAPES_MAX,
    JSON_MARKS_MAX,
    READ_BESIDE_BYTES,
    XML_TAGS_MAX,
)

MANY = JSON_MARKS_MAX + 1


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a":[' + b"[]," * MANY + b"1]}",
        b'{"a":[' + b'{"a":1},' * MANY + b"1]}",
        b'{"a":[' + b"1," * MANY + b"1]}",
        b"[" * MANY,
    ],
    ids=["lists", "objects", "numbers", "depth"],
)
def test_json_of_many_values_is_not_read(raw: bytes) -> None:
    with pytest.raises(Fault) as refused:
        read_json(raw)
    assert refused.value.code is FaultCode.PARTNER_DOCUMENT_UNREADABLE
    assert str(JSON_MARKS_MAX) in refused.value.detail


def test_a_large_file_inside_json_is_read() -> None:
    assert read_json(b'{"zp":"' + b"QUJD" * 1_000_000 + b'"}')["zp"] == "QUJD" * 1_000_000


def test_xml_of_many_tags_is_not_read() -> None:
    with pytest.raises(Fault) as refused:
        read_xml(b"<a>" + b"<b/>" * XML_TAGS_MAX + b"</a>")
    assert str(XML_TAGS_MAX) in refused.value.detail


def test_a_table_of_many_rows_ends_where_there_are_too_many() -> None:
    with pytest.raises(Fault, match="rows"):
        list(read_rows(b"a\r\n" + b"1\r\n" * 6_000))


def test_a_form_of_escapes_is_not_read_before_anybody_is_proven() -> None:
    scheme = Jpaas("app", "app", "1", "1.0", 300_000, sm3)
    body = b"biz_content=" + b"%41" * (FORM_ESCAPES_MAX + 1)
    with pytest.raises(Fault) as refused:
        scheme.verify(Call("POST", "https://us/", "", {}, body), 0)
    assert refused.value.code is FaultCode.PARTNER_DOCUMENT_UNREADABLE
    assert "escapes" in refused.value.detail


async def test_what_is_large_is_read_in_another_thread() -> None:
    here = threading.get_ident()
    assert await read_beside(READ_BESIDE_BYTES, threading.get_ident) == here
    assert await read_beside(READ_BESIDE_BYTES + 1, threading.get_ident) != here

    def broken() -> None:
        raise Fault(FaultCode.PARTNER_DOCUMENT_UNREADABLE)

    with pytest.raises(Fault):
        await asyncio.wait_for(read_beside(READ_BESIDE_BYTES + 1, broken), 5)
