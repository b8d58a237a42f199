"""Who may be believed: every signature counts, and a batch proves exactly its leaf."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from gateway.kernel.envelope import Signature
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId, KeyId
from gateway.kernel.limits import BATCH_LEAVES_MAX, BATCH_PATH_MAX, SIGNATURES_PER_ENVELOPE_MAX
from gateway.rules.trust import (
    EXCHANGING,
    PartnerState,
    checks_for,
    require_peer,
    require_speaks_for,
    run_checks,
)
from tests.unit.rules.samples.trust import (
    KEY,
    NOW_MS,
    OTHER,
    PARTNER,
    SIGNED,
    right_signature,
    sign,
    sign_batch,
)


def refusal(signatures: Sequence[Signature], signed: bytes = SIGNED) -> FaultCode:
    with pytest.raises(Fault) as raised:
        run_checks(checks_for(PARTNER, signatures, signed, NOW_MS), right_signature)
    return raised.value.code


def test_one_wrong_signature_beside_a_right_one_is_never_passed_over() -> None:
    wrong = Signature(OTHER, b"forged")
    assert refusal([sign(), wrong]) is FaultCode.TRUST_SIGNATURE_INVALID
    assert refusal([wrong, sign()]) is FaultCode.TRUST_SIGNATURE_INVALID


def test_an_unknown_key_beside_a_right_signature_is_never_passed_over() -> None:
    assert refusal([sign(), Signature(KeyId(b"x" * 32), b"")]) is FaultCode.TRUST_KEY_UNKNOWN


def test_one_key_signs_once() -> None:
    assert refusal([sign(), sign()]) is FaultCode.TRUST_SIGNATURE_INVALID


def test_signatures_are_counted_before_they_are_checked() -> None:
    many = [sign()] * (SIGNATURES_PER_ENVELOPE_MAX + 1)
    assert refusal(many) is FaultCode.TRUST_SIGNATURE_INVALID


def test_several_right_signatures_pass() -> None:
    checks = checks_for(PARTNER, [sign(), sign(key_id=OTHER)], SIGNED, NOW_MS)
    assert [suite for suite, *_ in checks] == ["ES256", "EdDSA"]
    run_checks(checks, right_signature)


def test_the_suite_is_the_registered_keys() -> None:
    (check,) = checks_for(PARTNER, [sign_batch()], SIGNED, NOW_MS)
    assert check[:2] == (PARTNER.keys[KEY].suite, PARTNER.keys[KEY].public_key)


def test_a_batch_proves_no_other_message() -> None:
    assert refusal([sign_batch()], b"another message") is FaultCode.TRUST_BATCH_INVALID


def test_a_batch_by_another_key_is_refused() -> None:
    assert refusal([sign_batch(key_id=OTHER)]) is FaultCode.TRUST_BATCH_INVALID


def test_a_batch_head_that_was_not_signed_is_refused() -> None:
    forged = sign_batch()._replace(signature=b"forged")
    assert refusal([forged]) is FaultCode.TRUST_SIGNATURE_INVALID


@pytest.mark.parametrize("size", [0, 1, 2, BATCH_LEAVES_MAX + 1, 2**40])
def test_a_batch_of_another_size_is_refused(size: int) -> None:
    given = sign_batch(leaf=0 if size < 2 else 1)
    assert given.batch is not None
    head = given.batch.head._replace(size=size)
    lied = given._replace(batch=given.batch._replace(head=head))
    assert refusal([lied]) is FaultCode.TRUST_BATCH_INVALID


@pytest.mark.parametrize("length", [0, 1, 3, BATCH_PATH_MAX + 1])
def test_a_path_of_another_length_is_refused(length: int) -> None:
    given = sign_batch()
    assert given.batch is not None
    path = (given.batch.path * length)[:length]
    lied = given._replace(batch=given.batch._replace(path=path))
    assert refusal([lied]) is FaultCode.TRUST_BATCH_INVALID


@pytest.mark.parametrize("state", [s for s in PartnerState if s not in EXCHANGING])
def test_only_a_partner_that_is_active_or_tested_speaks(state: PartnerState) -> None:
    for call in (
        lambda: require_peer(replace(PARTNER, state=state)),
        lambda: require_speaks_for(PARTNER.gateway_id, replace(PARTNER, state=state)),
    ):
        with pytest.raises(Fault) as raised:
            call()
        assert raised.value.code is FaultCode.TRUST_PARTNER_NOT_ACTIVE


def test_the_sender_speaks_for_itself() -> None:
    require_speaks_for(GatewayId("620900"), PARTNER)
