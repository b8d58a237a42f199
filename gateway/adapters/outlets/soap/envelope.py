"""SOAP 1.1 envelopes around one XML text (W3C note, sections 4 and 7), read strictly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from lxml import etree

from gateway.adapters.outlets.documents import read_xml, write_xml
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.trees import Tree, put, steps_of

SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
CONTENT_TYPE: Final = "text/xml; charset=utf-8"


class Call(NamedTuple):
    """An operation and its parameters, all texts."""

    operation: str
    parameters: Mapping[str, str]


class SoapFault(Exception):
    """The service answered with a SOAP fault; `code` is its code, never its text."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def write_call(namespace: str, call: Call) -> bytes:
    """Write a request, or an answer; XML inside a parameter is text to SOAP, and escaped.

    Raises:
        Fault: `mapping.value_invalid` for a name or a character that XML has not.
    """
    envelope = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"soap": SOAP})
    body = etree.SubElement(envelope, f"{{{SOAP}}}Body")
    try:
        operation = etree.SubElement(body, f"{{{namespace}}}{call.operation}")
        for name, text in call.parameters.items():
            etree.SubElement(operation, name).text = text
    except ValueError:
        raise Fault(FaultCode.MAPPING_VALUE_INVALID, "a character or a name") from None
    return etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")


def read_call(raw: bytes) -> Call:
    """Read a request or an answer.

    Raises:
        SoapFault: it is a fault.
        Fault: those of `read_xml`; `partner.document_unreadable` for what is no such envelope.
    """
    inside = _only(_child(read_xml(raw), "Envelope"), "Body")
    if "Fault" in inside:
        fault = inside["Fault"]
        code = fault.get("faultcode") if isinstance(fault, dict) else None
        raise SoapFault(code if isinstance(code, str) else "")
    names = [name for name in inside if not name.startswith(("@", "#"))]
    if len(names) != 1:
        raise _no_envelope("one operation")
    parameters = inside[names[0]]
    found = parameters if isinstance(parameters, dict) else {}
    texts = {}
    for name, value in found.items():
        if name.startswith(("@", "#")):
            continue
        text = value.get("#text", "") if isinstance(value, dict) else value
        if not isinstance(text, str):
            raise _no_envelope(f"parameter {name[:64]}")
        texts[name] = text
    return Call(names[0], texts)


def write_fault(code: str, text: str) -> bytes:
    """Write a SOAP fault."""
    fault: Tree = {"faultcode": f"soap:{code}", "faultstring": text}
    envelope = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"soap": SOAP})
    body = etree.SubElement(envelope, f"{{{SOAP}}}Body")
    told = etree.SubElement(body, f"{{{SOAP}}}Fault")
    for name, value in fault.items():
        etree.SubElement(told, name).text = str(value)
    return etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")


def write_inside(document: Tree) -> str:
    """Write the XML text that a parameter carries.

    Raises:
        Fault: those of `write_xml`.
    """
    return write_xml(document).decode()


def read_inside(text: str, bare_number_at: str = "/code") -> Tree:
    """Read the XML text that a parameter or an answer carries.

    Services of this style answer some calls with a negative error number and nothing else: it is
    put where `bare_number_at` leads.

    Raises:
        Fault: those of `read_xml`.
    """
    plain = text.strip()
    if plain.lstrip("-").isdigit() and len(plain) <= 12:
        found: Tree = {}
        put(found, steps_of(bare_number_at), plain)
        return found
    return read_xml(text.encode())


def _child(tree: Tree, name: str) -> Tree:
    found = tree.get(name)
    if not isinstance(found, dict):
        raise _no_envelope(name)
    return found


def _only(tree: Tree, name: str) -> Tree:
    if any(key not in (name, "Header") for key in tree if not key.startswith(("@", "#"))):
        raise _no_envelope("more than a body")
    return _child(tree, name)


def _no_envelope(what: str) -> Fault:
    return Fault(FaultCode.PARTNER_DOCUMENT_UNREADABLE, f"no SOAP envelope: {what}")
