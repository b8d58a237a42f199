"""Keep the shape of the protos: `protos/kuayu/v1/frozen.json`; what broke it is told by name.

Without arguments, what was added is frozen too; a break is never written. With `--check`, fails
if anything broke or an addition is not frozen yet. A break needs a new package, `kuayu.v2`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    ServiceDescriptorProto,
)

from gateway.wire.generated import agreement_pb2, exchange_pb2, message_pb2, receipt_pb2

ROOT = Path(__file__).resolve().parent.parent
FROZEN = ROOT / "protos" / "kuayu" / "v1" / "frozen.json"
MODULES: Final = (message_pb2, receipt_pb2, agreement_pb2, exchange_pb2)

Shape = dict[str, dict[str, dict[str, Any]]]
"""messages: name to {field number: its facts}; enums: name to {number: name}; services likewise."""


STRICT: Final = frozenset(
    f"kuayu.v1.{name}"
    for name in (
        *("Envelope", "Header", "Body", "Attachment", "Signature", "BatchProof", "BatchHead"),
        *("Attestation", "SignedAttestation", "Receipt", "SignedReceipt"),
        *("AgreementAct", "SignedAgreementAct"),
    )
)
"""What both sides read strictly: a field that one of them does not know is refused."""


def files_now() -> list[FileDescriptorProto]:
    """Return the descriptors that the gateway was built with."""
    made = []
    for module in MODULES:
        file = FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(file)
        made.append(file)
    return made


def shape_of(files: Iterable[FileDescriptorProto]) -> Shape:
    """Return what two sides that speak the protos must agree on, as plain values."""
    shape: Shape = {"messages": {}, "enums": {}, "services": {}}
    for file in files:
        for message in file.message_type:
            _add_message(shape, file.package, message)
        for enum in file.enum_type:
            shape["enums"][f"{file.package}.{enum.name}"] = _enum(enum)
        for service in file.service:
            shape["services"][f"{file.package}.{service.name}"] = _service(service)
    return shape


def _add_message(shape: Shape, scope: str, message: DescriptorProto) -> None:
    name = f"{scope}.{message.name}"
    shape["messages"][name] = {str(f.number): _field(message, f) for f in message.field}
    for inner in message.nested_type:
        _add_message(shape, name, inner)
    for enum in message.enum_type:
        shape["enums"][f"{name}.{enum.name}"] = _enum(enum)


def _field(message: DescriptorProto, field: FieldDescriptorProto) -> dict[str, str]:
    oneof = message.oneof_decl[field.oneof_index].name if field.HasField("oneof_index") else ""
    label = FieldDescriptorProto.Label.Name(field.label)
    return {
        "name": field.name,
        "type": field.type_name.lstrip(".")
        or FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower(),
        "cardinality": label.removeprefix("LABEL_").lower(),
        "oneof": oneof,
        "packed": str(field.options.packed) if field.options.HasField("packed") else "",
    }


def _enum(enum: EnumDescriptorProto) -> dict[str, Any]:
    return {str(value.number): value.name for value in enum.value}


def _service(service: ServiceDescriptorProto) -> dict[str, Any]:
    return {
        m.name: {
            "request": m.input_type.lstrip("."),
            "answer": m.output_type.lstrip("."),
            "request_stream": m.client_streaming,
            "answer_stream": m.server_streaming,
        }
        for m in service.method
    }


def breaks(frozen: Shape, now: Shape) -> list[str]:
    """Return what a side that knows only `frozen` would misread under `now`; empty: nothing."""
    return [*_lost(frozen, now, "changed"), *_refused(frozen, now)]


def _refused(old: Shape, new: Shape) -> Iterable[str]:
    """Name fields added to what is read strictly."""
    for name in sorted(STRICT & old["messages"].keys() & new["messages"].keys()):
        for number in new["messages"][name].keys() - old["messages"][name].keys():
            yield f"{name} {number} is refused by whoever does not know it"


def additions(frozen: Shape, now: Shape) -> list[str]:
    """Return what `now` has and `frozen` does not; it may be added, and has to be frozen."""
    return [line for line in _lost(now, frozen, "") if line.endswith("is gone")]


def _lost(old: Shape, new: Shape, changed: str) -> Iterable[str]:
    for part, things in old.items():
        for name, members in things.items():
            there = new[part].get(name)
            if there is None:
                yield f"{name} is gone"
                continue
            yield from _lost_members(name, members, there, changed)


def _lost_members(
    name: str, members: Mapping[str, Any], there: Mapping[str, Any], changed: str
) -> Iterable[str]:
    for key, facts in members.items():
        if key not in there:
            yield f"{name} {key} is gone"
        elif there[key] != facts and changed:
            yield f"{name} {key} {changed}: {_told(facts)} is now {_told(there[key])}"


def _told(facts: object) -> str:
    if isinstance(facts, dict):
        return " ".join(f"{k}={v}" for k, v in facts.items() if v != "")
    return str(facts)


def read_frozen() -> Shape:
    """Return the committed shape."""
    frozen: Shape = json.loads(FROZEN.read_text(encoding="utf-8"))
    return frozen


def main() -> int:
    """Freeze, or with `--check` compare."""
    now = shape_of(files_now())
    frozen = read_frozen() if FROZEN.exists() else {"messages": {}, "enums": {}, "services": {}}
    wrong = [f"breaking: {line}" for line in breaks(frozen, now)]
    if "--check" in sys.argv:
        added = [line.removesuffix(" is gone") for line in additions(frozen, now)]
        wrong += [f"not frozen, run `python -m tools.freeze_protos`: {name}" for name in added]
    elif not wrong:
        FROZEN.write_text(json.dumps(now, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
