"""Every rule has a sample that keeps it and one that breaks it."""

from __future__ import annotations

import pytest

from gateway.kernel.faults import Fault, FaultCode
from tests.unit.rules.samples import SAMPLES


@pytest.mark.parametrize("code", SAMPLES, ids=lambda code: code.value)
def test_the_failing_sample_breaks_exactly_its_rule(code: FaultCode) -> None:
    with pytest.raises(Fault) as raised:
        SAMPLES[code].failing()
    assert raised.value.code is code


@pytest.mark.parametrize("code", SAMPLES, ids=lambda code: code.value)
def test_the_passing_sample_breaks_no_rule(code: FaultCode) -> None:
    SAMPLES[code].passing()
