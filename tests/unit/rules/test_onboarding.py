"""Every step of a partner's way, and every one that is none."""

from __future__ import annotations

import pytest

from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.partner_state import PartnerState as S
from gateway.rules.onboarding import PartnerEvent as E
from gateway.rules.onboarding import step

WAYS = {
    (S.DRAFT, E.TEST): S.TESTING,
    (S.SUSPENDED, E.TEST): S.TESTING,
    (S.TESTING, E.ACTIVATE): S.ACTIVE,
    (S.SUSPENDED, E.ACTIVATE): S.ACTIVE,
    (S.TESTING, E.SUSPEND): S.SUSPENDED,
    (S.ACTIVE, E.SUSPEND): S.SUSPENDED,
    (S.TESTING, E.RETIRE): S.RETIRED,
    (S.ACTIVE, E.RETIRE): S.RETIRED,
    (S.SUSPENDED, E.RETIRE): S.RETIRED,
}


@pytest.mark.parametrize("state", S)
@pytest.mark.parametrize("event", E)
def test_a_partner_goes_only_where_a_way_leads(state: S, event: E) -> None:
    if (state, event) in WAYS:
        assert step(state, event) is WAYS[state, event]
        return
    with pytest.raises(Fault) as refused:
        step(state, event)
    assert refused.value.code is FaultCode.PARTNER_STATE


def test_nothing_leads_out_of_retirement() -> None:
    assert not [way for way in WAYS if way[0] is S.RETIRED]
