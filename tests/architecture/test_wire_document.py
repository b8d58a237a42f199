"""What `docs/wire.md` names is there: rules, bounds, types, methods, kinds, files."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from gateway.kernel import digests, limits
from gateway.kernel.envelope import CASELESS, Kind
from gateway.kernel.faults import FaultCode
from gateway.wire.fault_table import entry
from gateway.wire.generated import exchange_pb2

ROOT = Path(__file__).resolve().parent.parent.parent
DOCUMENT = (ROOT / "docs" / "wire.md").read_text(encoding="utf-8")
AREAS = {code.value.partition(".")[0] for code in FaultCode}
NAMED = re.findall(r"`([a-z_]+)\.([a-z0-9_]+)`", DOCUMENT)


def test_every_rule_it_names_is_one() -> None:
    rules = {f"{area}.{name}" for area, name in NAMED if area in AREAS}
    assert len(rules) > 60
    assert rules - {code.value for code in FaultCode} == set()


def test_every_rule_about_bytes_trust_and_carriage_is_named() -> None:
    """What a partner's engineer can break without a portal or an operator's file."""
    attested = {"trust.attestation_invalid"}
    areas = ("wire.", "trust.", "delivery.", "receipt.", "limit.")
    wanted = {c.value for c in FaultCode if c.value.startswith(areas)} - attested
    assert wanted - {f"{area}.{name}" for area, name in NAMED} == set()


BOUNDS = {
    "header": limits.HEADER_BYTES_MAX,
    "body": limits.BODY_BYTES_MAX,
    "envelope": limits.ENVELOPE_BYTES_MAX,
    "form": limits.FORM_BYTES_MAX,
    "queries": limits.QUERIES_BYTES_MAX,
    "attachment": limits.ATTACHMENT_BYTES_MAX,
    "chunk": limits.ATTACHMENT_CHUNK_BYTES_MAX,
    "case": limits.CASE_ATTACHMENT_BYTES_MAX,
    "skew": limits.SKEW_MS_MAX,
    "id": limits.ID_TIME_MS_MAX,
    "wait": limits.COLLECT_WAIT_MS_MAX,
    "staged": limits.PARTNER_STAGED_CASES_MAX,
}


@pytest.mark.parametrize("name", BOUNDS)
def test_a_bound_it_names_is_the_one_that_is_kept(name: str) -> None:
    assert f"{BOUNDS[name]:,}" in DOCUMENT


@pytest.mark.parametrize(
    ("sentence", "value"),
    [
        ("1 to {} encoded `Envelope`", limits.ENVELOPES_PER_CALL_MAX),
        ("1 ≤ head.size ≤ {}", limits.BATCH_LEAVES_MAX),
        ("at most {} hashes of 32 bytes", limits.BATCH_PATH_MAX),
        ("`signatures` | 1 to {}, each", limits.SIGNATURES_PER_ENVELOPE_MAX),
        ("more than {} levels", limits.JSON_DEPTH_MAX),
        ("Texts have at most {} characters", limits.HEADER_TEXT_CHARS_MAX),
        ("one partner {} calls", limits.PARTNER_CALLS_MAX),
        ("calls and {} uploads", limits.PARTNER_UPLOADS_MAX),
        ("At most {} calls of a partner at a time", limits.COLLECTS_PER_PARTNER_MAX),
        ("At most {} such calls", limits.GUEST_CALLS_MAX),
        ("`envelopes_max` | 0 to {};", limits.ENVELOPES_PER_CALL_MAX),
    ],
)
def test_a_number_in_a_sentence_is_the_one_that_is_kept(sentence: str, value: int) -> None:
    assert sentence.format(value) in DOCUMENT


def test_every_type_that_is_signed_is_named() -> None:
    kinds = {v.decode() for n, v in vars(digests).items() if n.startswith("TYPE_")}
    shown = {k for k in kinds if k in DOCUMENT or "…" + k.rpartition(".")[2] in DOCUMENT}
    assert shown == kinds


def test_every_method_and_every_caseless_kind_is_named() -> None:
    service = exchange_pb2.DESCRIPTOR.services_by_name["Exchange"]
    assert [m.name for m in service.methods if f"`{m.name}" not in DOCUMENT] == []
    for kind in CASELESS:
        short = kind.name.removeprefix("AGREEMENT")
        assert f"`{kind.name}`" in DOCUMENT or f"`{short}`" in DOCUMENT


def test_every_kind_with_a_body_is_in_its_table() -> None:
    bodies = json.loads((ROOT / "protos/kuayu/v1/bodies.json").read_text(encoding="utf-8"))
    assert bodies.keys() <= {kind.name.lower() for kind in Kind}
    missing = [k for k in bodies if f"`{k}`" not in DOCUMENT and not k.startswith("agreement_")]
    assert missing == []


def test_every_file_it_links_to_is_there() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", DOCUMENT)
    assert [link for link in links if not (ROOT / "docs" / link).resolve().exists()] == []


def test_what_it_says_of_retrying_agrees_with_the_table() -> None:
    assert entry(FaultCode.TRUST_KEY_UNKNOWN).retry
    assert entry(FaultCode.DELIVERY_CHAIN_GAP).outcome_class == "not_taken_in"
    assert entry(FaultCode.DELIVERY_SEQUENCE_USED).outcome_class == "refused"
    assert entry(FaultCode.DELIVERY_PREVIOUS_MISMATCH).outcome_class == "refused"
