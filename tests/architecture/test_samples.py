"""Every rule of the fault table has a sample that keeps it and one that breaks it.

Rules over values: `tests/unit/rules/samples`. Rules of a gateway in trouble: `tests/flow/samples`.
Rules seen over a socket: `tests/integration/samples`. Each registry is run by the test beside it.
"""

from gateway.kernel.faults import FaultCode
from tests.flow.samples import SAMPLES as IN_TROUBLE
from tests.integration.samples import SAMPLES as LIVE
from tests.unit.rules.samples import SAMPLES as PURE


def test_every_rule_has_its_pair_of_samples_in_one_registry() -> None:
    registered = [*PURE, *IN_TROUBLE, *LIVE]
    assert sorted(registered) == sorted(FaultCode)
