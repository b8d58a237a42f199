"""Documents as partners write them: JSON, XML or CSV, in UTF-8 or GB18030, to trees and back.

Everything here reads hostile bytes: nothing is fetched, expanded or guessed, and all is bounded.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final, Literal, NamedTuple

from lxml import etree

from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.limits import (
    ARRIVAL_BYTES_MAX,
    CSV_CELL_CHARS_MAX,
    CSV_ROWS_MAX,
    JSON_DEPTH_MAX,
    JSON_MARKS_MAX,
    XML_ATTRIBUTES_MAX,
    XML_TAGS_MAX,
)
from gateway.kernel.trees import Tree, Value
from gateway.rules.schema.strict_json import parse

Format = Literal["json", "xml", "csv"]
Encoding = Literal["utf-8", "gb18030"]

_DECLARATION: Final = re.compile(r"\A\ufeff?\s*<\?xml[^>]{0,200}\?>")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,127}")


class Row(NamedTuple):
    """A row of a table file: its cells by column, and its bytes under the file's head line."""

    cells: Tree
    raw: bytes


def decode_text(raw: bytes, encoding: Encoding) -> str:
    """Decode strictly; a byte order mark is taken off.

    GB18030 holds all of GBK and the rare characters of names that GBK lacks.

    Raises:
        Fault: `partner.encoding_invalid` naming the first wrong byte's place.
    """
    try:
        return raw.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as broken:
        raise Fault(
            FaultCode.PARTNER_ENCODING_INVALID, f"byte {broken.start} is not {encoding}"
        ) from None


def encode_text(text: str, encoding: Encoding) -> bytes:
    """Encode strictly.

    Raises:
        Fault: `partner.encoding_invalid` for what no encoding holds (a lone surrogate).
    """
    try:
        return text.encode(encoding)
    except UnicodeEncodeError as broken:
        raise Fault(
            FaultCode.PARTNER_ENCODING_INVALID, f"character {broken.start} is not {encoding}"
        ) from None


# --- JSON ----------------------------------------------------------------------------------------


def read_json(raw: bytes, encoding: Encoding = "utf-8") -> Tree:
    """Read a JSON object; see `rules.schema.strict_json`.

    Raises:
        Fault: `partner.encoding_invalid`, `partner.document_unreadable`, `schema.json_*`.
    """
    text = decode_text(raw, encoding)
    if sum(map(text.count, "[{,")) > JSON_MARKS_MAX:  # reading them takes seconds
        raise _unreadable(f"more than {JSON_MARKS_MAX} brackets and commas")
    document = parse(text.encode(), bytes_max=ARRIVAL_BYTES_MAX)
    if not isinstance(document, dict):
        raise Fault(FaultCode.SCHEMA_JSON_INVALID, "not an object")
    return document


def write_json(tree: Tree, encoding: Encoding = "utf-8") -> bytes:
    """Write a JSON object.

    Raises:
        Fault: `mapping.value_invalid` for bytes or a number that JSON has not.
    """
    try:
        text = json.dumps(tree, ensure_ascii=False, default=_number, allow_nan=False)
    except (TypeError, ValueError):
        raise Fault(FaultCode.MAPPING_VALUE_INVALID, "not JSON") from None
    return encode_text(text, encoding)


def _number(value: object) -> int | float:
    if not isinstance(value, Decimal) or not value.is_finite():
        raise TypeError
    return int(value) if value == value.to_integral_value() else float(value)


# --- XML -----------------------------------------------------------------------------------------


def read_xml(raw: bytes, encoding: Encoding = "utf-8") -> Tree:
    """Read an XML document as `{root: value}`: children by local name, `@attribute`, `#text`.

    Document types, entities and anything from outside are refused, comments and processing
    instructions passed over.

    Raises:
        Fault: `partner.encoding_invalid`, `partner.document_unreadable`.
    """
    text = _DECLARATION.sub("", decode_text(raw, encoding))
    if text.count("<") > XML_TAGS_MAX:
        raise _unreadable(f"more than {XML_TAGS_MAX} tags")
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=True,  # inline files are long texts; size, tags and depth are bounded here
        remove_comments=True,
        remove_pis=True,
    )
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise _unreadable("a document type or an entity")
    try:
        root = etree.fromstring(text.encode("utf-8"), parser)
    except (etree.XMLSyntaxError, UnicodeEncodeError) as broken:
        line = getattr(broken, "lineno", None) or 0
        raise _unreadable(f"line {line} is not XML") from None
    return {_local(root): _value(root, 1)}


def _unreadable(detail: str) -> Fault:
    return Fault(FaultCode.PARTNER_DOCUMENT_UNREADABLE, detail)


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname


def _value(element: etree._Element, depth: int) -> Value:
    if depth > JSON_DEPTH_MAX:
        raise _unreadable(f"more than {JSON_DEPTH_MAX} levels")
    text = element.text or ""
    if not len(element) and not element.attrib:
        return text
    if len(element.attrib) > XML_ATTRIBUTES_MAX:  # reading them takes the square of their number
        raise _unreadable(f"more than {XML_ATTRIBUTES_MAX} attributes")
    found: Tree = {f"@{etree.QName(k).localname}": str(v) for k, v in element.attrib.items()}
    if len(found) < len(element.attrib):
        raise _unreadable("two attributes of one local name")
    for child in element:
        if not isinstance(child.tag, str):
            raise _unreadable("an entity")
        value, name = _value(child, depth + 1), _local(child)
        before = found.get(name)
        if name not in found:
            found[name] = value
        elif isinstance(before, list):
            before.append(value)
        else:
            found[name] = [before, value]
        text += child.tail or ""
    if text.strip():
        found["#text"] = text
    return found


def write_xml(tree: Tree, encoding: Encoding = "utf-8") -> bytes:
    """Write `{root: value}` as a document with a declaration; numbers as their digits.

    Raises:
        Fault: `mapping.value_invalid` for names or characters that XML has not, or several roots.
    """
    if len(tree) != 1:
        raise Fault(FaultCode.MAPPING_VALUE_INVALID, "one root element")
    name, value = next(iter(tree.items()))
    if isinstance(value, list):
        raise Fault(FaultCode.MAPPING_VALUE_INVALID, "one root element")
    text = etree.tostring(_element(name, value), encoding="unicode")
    return encode_text(f'<?xml version="1.0" encoding="{encoding.upper()}"?>\n{text}', encoding)


def _element(name: str, value: Value) -> etree._Element:
    if not _NAME.fullmatch(name):
        raise Fault(FaultCode.MAPPING_VALUE_INVALID, f"element {name[:64]}")
    element = etree.Element(name)
    try:
        if not isinstance(value, dict):
            element.text = _text(value)
            return element
        for key, inner in value.items():
            if key == "#text":
                element.text = _text(inner)
            elif key.startswith("@"):
                element.set(key[1:], _text(inner))
            else:
                element.extend([_element(key, v) for v in _each(inner)])
    except ValueError:
        raise Fault(FaultCode.MAPPING_VALUE_INVALID, f"{name}: a character") from None
    return element


def _each(value: Value) -> list[Value]:
    return value if isinstance(value, list) else [value]


def _text(value: Value) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int() | float() | Decimal():
            return str(value)
        case bytes() | list() | dict():
            raise Fault(FaultCode.MAPPING_VALUE_INVALID, "not a text")


# --- CSV -----------------------------------------------------------------------------------------


def read_rows(raw: bytes, encoding: Encoding = "utf-8") -> Iterator[Row]:
    """Yield the rows of a CSV file with a head line; every row has a cell for every column.

    Raises:
        Fault: `partner.encoding_invalid`, `partner.document_unreadable` naming the line.
    """
    text = decode_text(raw, encoding)
    lines = list(io.StringIO(text, newline=""))
    reader = csv.reader(lines, strict=True)
    try:
        head = next(reader, [])
        _require_head(head)
        begin = reader.line_num
        top = "".join(lines[:begin])
        for number, cells in enumerate(reader, start=1):
            if number > CSV_ROWS_MAX:
                raise _unreadable(f"more than {CSV_ROWS_MAX} rows")
            if len(cells) != len(head):
                raise _unreadable(f"line {reader.line_num}: {len(cells)} cells, not {len(head)}")
            if max(map(len, cells)) > CSV_CELL_CHARS_MAX:
                raise _unreadable(f"line {reader.line_num}: a cell is too long")
            row = "".join(lines[begin : reader.line_num])
            begin = reader.line_num
            yield Row(dict(zip(head, cells, strict=True)), encode_text(top + row, encoding))
    except csv.Error:
        raise _unreadable(f"line {reader.line_num} is not CSV") from None


def _require_head(head: list[str]) -> None:
    if not head or not all(head) or len(set(head)) != len(head):
        raise _unreadable("line 1: a name for each column, each once")


def write_row(cells: Mapping[str, Value], encoding: Encoding = "utf-8") -> bytes:
    """Write one row under its head line.

    Raises:
        Fault: `mapping.value_invalid` for a cell that is no text or number.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(cells)
    writer.writerow([_text(v) for v in cells.values()])
    return encode_text(out.getvalue(), encoding)


# --- whichever -----------------------------------------------------------------------------------


def read_document(form: Format, raw: bytes, encoding: Encoding) -> Tree:
    """Read one document; of CSV the only row.

    Raises:
        Fault: as the readers above; `limit.call_bytes` over `ARRIVAL_BYTES_MAX`.
    """
    if len(raw) > ARRIVAL_BYTES_MAX:
        raise Fault(FaultCode.LIMIT_CALL_BYTES, f"over {ARRIVAL_BYTES_MAX} bytes")
    match form:
        case "json":
            return read_json(raw, encoding)
        case "xml":
            return read_xml(raw, encoding)
        case "csv":
            rows = list(read_rows(raw, encoding))
            if len(rows) != 1:
                raise _unreadable(f"{len(rows)} rows, not one")
            return rows[0].cells


def write_document(form: Format, tree: Tree, encoding: Encoding) -> bytes:
    """Write one document.

    Raises:
        Fault: as the writers above.
    """
    match form:
        case "json":
            return write_json(tree, encoding)
        case "xml":
            return write_xml(tree, encoding)
        case "csv":
            return write_row(tree, encoding)
