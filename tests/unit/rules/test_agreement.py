"""Agreements: deny by default, and one paragraph allows the whole or nothing."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.kernel.envelope import Right
from gateway.kernel.faults import Fault, FaultCode
from gateway.rules.agreement import (
    Act,
    Agreement,
    Exchange,
    Grant,
    Verdict,
    index,
    require_in_force,
    require_permitted,
    require_proof,
)
from tests.unit.rules.samples.agreement import (
    ACCEPTED,
    AGREEMENT,
    CODE,
    GRANT,
    JIAYUGUAN,
    JIUQUAN,
    LICENCE,
    NOON_MS,
    PURPOSE,
    STRANGER,
    WISH,
    with_acts,
)


def granting(*grants: Grant) -> Agreement:
    return index(replace(AGREEMENT, grants=grants))


def refusal(agreement: Agreement) -> FaultCode:
    with pytest.raises(Fault) as raised:
        require_permitted(agreement, WISH)
    return raised.value.code


JOINT_ONLY = ("participating", "onward")
"""What says nothing of an application, only of joint tasks; see `test_agreement_joint`."""


@pytest.mark.parametrize("name", [f.name for f in fields(Grant) if f.name not in JOINT_ONLY])
def test_a_paragraph_with_any_list_empty_allows_nothing(name: str) -> None:
    empty: dict[str, Any] = {name: {} if name == "items" else frozenset()}
    assert refusal(granting(replace(GRANT, **empty))).value.startswith("agreement.")


def test_no_paragraph_allows_nothing() -> None:
    assert refusal(granting()) is FaultCode.AGREEMENT_ITEM_UNLISTED


def test_two_paragraphs_never_allow_together_what_neither_allows() -> None:
    without_right = replace(GRANT, rights=frozenset())
    without_licence = replace(GRANT, licence_types=frozenset())
    assert refusal(granting(without_right, without_licence)) is FaultCode.AGREEMENT_ITEM_UNLISTED


def test_a_paragraph_naming_a_stranger_grants_the_stranger_nothing() -> None:
    agreement = granting(replace(GRANT, origins=frozenset({STRANGER, JIUQUAN})))
    require_permitted(agreement, WISH)
    with pytest.raises(Fault) as raised:
        require_permitted(agreement, replace(WISH, origin=STRANGER))
    assert raised.value.code is FaultCode.AGREEMENT_DIRECTION


def test_nobody_decides_on_its_own_application() -> None:
    both = frozenset({JIUQUAN, JIAYUGUAN})
    agreement = granting(replace(GRANT, origins=both, deciding=both))
    with pytest.raises(Fault):
        require_permitted(agreement, replace(WISH, deciding=JIUQUAN))


def test_a_wish_without_right_or_licence_needs_neither() -> None:
    bare = replace(GRANT, rights=frozenset(), licence_types=frozenset())
    require_permitted(granting(bare), replace(WISH, right=Right.NONE, licence_type=""))


@pytest.mark.parametrize("verdict", [Verdict.REJECT, Verdict.REVOKE])
@pytest.mark.parametrize("party", [JIUQUAN, JIAYUGUAN])
def test_one_party_alone_ends_an_agreement(verdict: Verdict, party: str) -> None:
    act = Act(party, verdict, NOON_MS)  # type: ignore[arg-type]
    for acts in ((act, *ACCEPTED), (*ACCEPTED, act)):
        with pytest.raises(Fault) as raised:
            require_in_force(with_acts(*acts), NOON_MS)
        assert raised.value.code is FaultCode.AGREEMENT_REVOKED


def test_a_strangers_acceptance_counts_for_nobody() -> None:
    with pytest.raises(Fault) as raised:
        require_in_force(with_acts(ACCEPTED[0], Act(STRANGER, Verdict.ACCEPT, 1)), NOON_MS)
    assert raised.value.code is FaultCode.AGREEMENT_NOT_ACCEPTED


def test_an_agreement_with_oneself_is_never_in_force() -> None:
    alone = replace(AGREEMENT, parties=frozenset({JIUQUAN}))
    with pytest.raises(Fault) as raised:
        require_in_force(alone, NOON_MS)
    assert raised.value.code is FaultCode.AGREEMENT_NOT_ACCEPTED


def test_a_message_without_strength_proves_nothing() -> None:
    with pytest.raises(Fault) as raised:
        require_proof(AGREEMENT, None, ("ES256",))
    assert raised.value.code is FaultCode.AGREEMENT_STRENGTH_TOO_WEAK


@given(
    st.builds(
        replace,
        st.just(WISH),
        item_code=st.sampled_from([CODE, "x"]),
        item_version=st.sampled_from(["2", "1"]),
        purpose=st.sampled_from([PURPOSE, ""]),
        licence_type=st.sampled_from([LICENCE, "", "x"]),
        right=st.sampled_from(Right),
    )
)
def test_a_wish_is_allowed_only_if_the_paragraph_names_all_of_it(wish: Exchange) -> None:
    allowed = (
        wish.item_code in GRANT.items
        and wish.item_version == "2"
        and wish.purpose in GRANT.purposes
        and (wish.right is Right.NONE or wish.right in GRANT.rights)
        and (not wish.licence_type or wish.licence_type in GRANT.licence_types)
    )
    if allowed:
        require_permitted(AGREEMENT, wish)
    else:
        with pytest.raises(Fault):
            require_permitted(AGREEMENT, wish)
