"""Every rule has a sample that keeps it and one that breaks it."""

from __future__ import annotations

import pytest

from gateway.kernel.faults import Fault, FaultCode
from tests.unit.rules.samples import SAMPLES

SHOWN_ELSEWHERE = {
    FaultCode.TRUST_BODY_MISMATCH: "flow and acceptance: the intake compares salt and body",
    FaultCode.TRUST_ATTESTATION_INVALID: "flow: the intake compares attestation and header",
    FaultCode.DELIVERY_ID_REUSED: "flow and acceptance: it needs what the journal holds",
    FaultCode.DELIVERY_LAST_SEEN_UNKNOWN: "flow: it needs what the journal holds",
    FaultCode.DELIVERY_JOURNAL_DOWN: "flow: the committer's journal fails",
    FaultCode.DELIVERY_SIGNER_DOWN: "flow: the committer's signer fails",
    FaultCode.DELIVERY_STOPPING: "flow: the committer is stopping",
    FaultCode.AGREEMENT_UNKNOWN: "flow and acceptance: it needs the book",
    FaultCode.CASE_UNKNOWN: "flow: it needs what the journal holds",
    FaultCode.CASE_NOT_PARTY: "flow and acceptance: it needs what the journal holds",
    FaultCode.CASE_FROZEN_DIFFERS: "flow: it needs what the case froze",
}
FAMILIES = ("schema.", "catalogue.", "agreement.", "case.", "trust.", "delivery.", "assisted.")


@pytest.mark.parametrize("code", SAMPLES, ids=lambda code: code.value)
def test_the_failing_sample_breaks_exactly_its_rule(code: FaultCode) -> None:
    with pytest.raises(Fault) as raised:
        SAMPLES[code].failing()
    assert raised.value.code is code


@pytest.mark.parametrize("code", SAMPLES, ids=lambda code: code.value)
def test_the_passing_sample_breaks_no_rule(code: FaultCode) -> None:
    SAMPLES[code].passing()


def test_every_rule_of_the_pure_families_has_its_samples() -> None:
    wanted = {code for code in FaultCode if code.value.startswith(FAMILIES)}
    assert wanted - set(SAMPLES) == set(SHOWN_ELSEWHERE)
