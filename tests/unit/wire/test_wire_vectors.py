"""Our own code reads, makes, believes and refuses what `tests/vectors/wire/` says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from google.rpc import status_pb2

from gateway.adapters.pki.suites import SuiteVerifier
from gateway.flow.receipt_checks import Sent, receipt_proof
from gateway.kernel.digests import commitment, pae
from gateway.kernel.envelope import Kind
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId, KeyId
from gateway.kernel.merkle import leaf_hash, root_of_path, tree
from gateway.rules.schema import body_schema
from gateway.rules.schema.forms import compile_schema
from gateway.rules.trust import Partner, PartnerState, RegisteredKey, run_checks
from gateway.wire.fault_table import entry
from gateway.wire.generated import agreement_pb2, exchange_pb2, message_pb2, receipt_pb2
from gateway.wire.rpc_status import decode_fault

ROOT = Path(__file__).resolve().parent.parent.parent.parent
FOLDER = ROOT / "tests" / "vectors" / "wire"
STUBS = (agreement_pb2, exchange_pb2, message_pb2, receipt_pb2)


def vectors(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def keys_of(gateway: str) -> dict[KeyId, RegisteredKey]:
    found = [
        RegisteredKey(
            KeyId(bytes.fromhex(k["key_id"])),
            k["suite"],
            bytes.fromhex(k["public_key_spki"]),
            k["not_before_ms"],
            k["not_after_ms"],
        )
        for k in vectors("keys")
        if k["gateway"] == gateway
    ]
    return {key.key_id: key for key in found}


@pytest.mark.parametrize(
    "vector", vectors("structures")["vectors"], ids=lambda v: str(v["name"]).replace(" ", "-")
)
def test_a_structure_has_this_encoding(vector: dict[str, Any]) -> None:
    name = vector["type"].rpartition(".")[2]
    (kind,) = {getattr(m, name) for m in STUBS if hasattr(m, name)}
    made = ParseDict(vector["fields"], kind())
    assert made.SerializeToString(deterministic=True).hex() == vector["bytes"]


@pytest.mark.parametrize("vector", vectors("signed_inputs"))
def test_what_is_signed_is_encoded_so(vector: dict[str, str]) -> None:
    found = pae(vector["type"].encode(), bytes.fromhex(vector["payload"]))
    assert found.hex() == vector["pae"]


@pytest.mark.parametrize("vector", vectors("commitments"))
def test_a_commitment_is_made_so(vector: dict[str, str]) -> None:
    found = commitment(bytes.fromhex(vector["salt"]), bytes.fromhex(vector["content"]))
    assert found.hex() == vector["commitment"]


@pytest.mark.parametrize("vector", vectors("trees"), ids=lambda v: f"of-{len(v['leaves'])}")
def test_each_path_leads_to_the_root_and_to_no_other_place(vector: dict[str, Any]) -> None:
    leaves = [leaf_hash(bytes.fromhex(leaf)) for leaf in vector["leaves"]]
    root = bytes.fromhex(vector["root"])
    assert tree(leaves)[0] == root
    for at, steps in enumerate(vector["paths"]):
        path = [bytes.fromhex(step) for step in steps]
        led = [root_of_path(leaves[at], n, len(leaves), path) == root for n in range(len(leaves))]
        assert [n for n, right in enumerate(led) if right] == [at]


@pytest.mark.parametrize(
    "vector", vectors("signatures"), ids=lambda v: f"{v['suite']} {v['name']}".replace(" ", "-")
)
def test_a_signature_is_believed_or_not(vector: dict[str, Any]) -> None:
    key = keys_of("620900")[KeyId(bytes.fromhex(vector["key_id"]))]
    message, made = bytes.fromhex(vector["message"]), bytes.fromhex(vector["signature"])
    verified = SuiteVerifier().verify(vector["suite"], key.public_key, made, message)
    assert verified is vector["valid"]


RECEIPTS = vectors("receipts")


@pytest.mark.parametrize(
    "vector", RECEIPTS["vectors"], ids=lambda v: str(v["name"]).replace(" ", "-")
)
def test_a_receipt_is_believed_or_refused_by_its_rule(vector: dict[str, str]) -> None:
    assert rule_of(bytes.fromhex(vector["signed_receipt"])) == vector["rule"]


def rule_of(raw: bytes) -> str:
    recipient = GatewayId(RECEIPTS["recipient"])
    partner = Partner(
        recipient,
        "示例",
        "sample",
        "",
        PartnerState.ACTIVE,
        "",
        frozenset(),
        keys_of(recipient),
    )
    sent = Sent(
        recipient,
        bytes.fromhex(RECEIPTS["message_id"]),
        bytes.fromhex(RECEIPTS["header_digest"]),
        RECEIPTS["made_at_ms"],
    )
    home = GatewayId(RECEIPTS["sender"])
    try:
        _, checks = receipt_proof(raw, sent, home, partner, RECEIPTS["now_ms"])
        run_checks(checks, SuiteVerifier().verify)
    except Fault as fault:
        return fault.code.value
    return ""


@pytest.mark.parametrize("vector", vectors("statuses"), ids=lambda v: str(v["rule"]))
def test_the_status_of_a_call_names_its_rule(vector: dict[str, Any]) -> None:
    details = bytes.fromhex(vector["details"])
    fault = decode_fault(details)
    assert fault is not None
    assert fault.code == FaultCode(vector["rule"])
    status = status_pb2.Status.FromString(details)
    assert status.code == vector["grpc_status"]
    assert entry(fault.code).title_en in status.message


def test_the_schemas_beside_the_protos_are_those_that_judge() -> None:
    raw = (ROOT / "protos" / "kuayu" / "v1" / "bodies.json").read_text(encoding="utf-8")
    published = json.loads(raw)
    assert {"submitted", "decided", "ping"} <= published.keys()
    for name, schema in published.items():
        assert schema == json.loads(json.dumps(body_schema(Kind[name.upper()])))
        compile_schema(schema)
