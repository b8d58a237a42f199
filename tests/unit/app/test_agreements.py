"""Agreements from files: the shipped ones, and everything that must not be read as one."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from gateway.app.agreements import parse_agreement
from gateway.app.problems import ConfigProblem
from gateway.kernel.envelope import Mode, Right, Strength
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.rules.agreement import Exchange, require_in_force, require_permitted

PARTNERS = Path(__file__).parents[3] / "partners"
SHIPPED = (PARTNERS / "jiayuguan" / "agreement.toml").read_bytes()
JIUQUAN, JIAYUGUAN = GatewayId("620900"), GatewayId("620200")
BRANCH, QUERY = "00013112700402", "00013112700701"


def wish(origin: GatewayId, deciding: GatewayId, right: Right = Right.NONE) -> Exchange:
    mode = Mode.COLLECT_ON_BEHALF
    return Exchange(origin, deciding, BRANCH, "2", mode, "branch-registration", right)


def query(origin: GatewayId, deciding: GatewayId) -> Exchange:
    return Exchange(origin, deciding, QUERY, "1", Mode.ONLINE, "enterprise-information-query")


def changed(old: str, new: str) -> bytes:
    text = SHIPPED.decode()
    assert old in text
    return text.replace(old, new, 1).encode()


def test_both_parties_hold_the_same_bytes() -> None:
    assert (PARTNERS / "jiuquan" / "agreement.toml").read_bytes() == SHIPPED


def test_the_address_is_the_digest_of_the_bytes() -> None:
    assert parse_agreement(SHIPPED).digest == sha256(SHIPPED).digest()
    assert parse_agreement(SHIPPED + b"\n").digest != parse_agreement(SHIPPED).digest


def test_the_shipped_agreement_says_what_it_means() -> None:
    agreement = parse_agreement(SHIPPED)
    assert agreement.parties == {JIUQUAN, JIAYUGUAN}
    assert agreement.required_suites == ("ES256",)
    assert agreement.strength_min is Strength.SIGNED
    assert not agreement.onward_sharing
    require_permitted(agreement, wish(JIUQUAN, JIAYUGUAN, Right.VERIFY_ORIGINALS))
    require_permitted(agreement, wish(JIUQUAN, JIAYUGUAN, Right.DELIVER_RESULT))
    require_permitted(agreement, query(JIUQUAN, JIAYUGUAN))
    require_permitted(agreement, query(JIAYUGUAN, JIUQUAN))


@pytest.mark.parametrize("right", [Right.ACCEPT, Right.NOTIFY_ONCE])
def test_accepting_stays_with_the_deciding_side(right: Right) -> None:
    with pytest.raises(Fault) as raised:
        require_permitted(parse_agreement(SHIPPED), wish(JIUQUAN, JIAYUGUAN, right))
    assert raised.value.code is FaultCode.AGREEMENT_RIGHT_NOT_DELEGATED


def test_branches_are_registered_in_one_direction_only() -> None:
    with pytest.raises(Fault) as raised:
        require_permitted(parse_agreement(SHIPPED), wish(JIAYUGUAN, JIUQUAN))
    assert raised.value.code is FaultCode.AGREEMENT_DIRECTION


def test_a_file_alone_puts_nothing_in_force() -> None:
    agreement = parse_agreement(SHIPPED)
    with pytest.raises(Fault) as raised:
        require_in_force(agreement, agreement.not_before_ms)
    assert raised.value.code is FaultCode.AGREEMENT_NOT_ACCEPTED


def test_the_template_is_an_agreement() -> None:
    parse_agreement((PARTNERS / "_template" / "agreement.toml").read_bytes())


@pytest.mark.parametrize(
    ("raw", "names"),
    [
        (b"version = ", "not TOML"),
        (b"\xff", "not TOML"),
        (b"", "parties"),
        (changed("version = 1", "version = 2"), "version"),
        (changed("version = 1", "version = 1\nsurprise = 1"), "surprise"),
        (changed("[[grants]]\n", "[[grants]]\nsurprise = 1\n"), "surprise"),
        (changed("T00:00:00+08:00", "T00:00:00"), "not_before"),
        (changed("2036-05-26", "2020-05-26"), "not_after"),
        (changed('["620900", "620200"]', '["620900"]'), "parties"),
        (changed('["620900", "620200"]', '["620900", "620900"]'), "stands twice"),
        (changed('["620900", "620200"]', '["620900", "620201x"]'), "parties"),
        (changed('origins = ["620900"]', 'origins = ["620600"]'), "620600 is not a party"),
        (changed('"collect_on_behalf"', '"by_pigeon"'), "modes"),
        (changed('"deliver_result"', '"decide"'), "rights"),
        (changed('["ES256"]', "[1]"), "required_suites"),
        (changed('strength_min = "signed"', 'strength_min = "hearsay"'), "strength_min"),
        (changed("onward_sharing = false", 'onward_sharing = "no"'), "onward_sharing"),
        (changed('versions = ["1", "2"]', "versions = []"), "versions"),
        (changed("rights", 'participating = ["620600"]\nrights'), "620600 is not a party"),
        (changed("rights", 'participating = ["620900"]\nrights'), "modes does not list joint"),
        (changed("rights", "onward = { to = [] }\nrights"), "onward_sharing is false"),
        (changed("rights", 'onward = { to = ["x"] }\nrights'), "onward"),
        (changed("rights", 'onward = { to = [], form_fields = ["a"] }\nrights'), "form_fields"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_is_no_agreement_is_named_with_its_error(raw: bytes, names: str) -> None:
    with pytest.raises(ConfigProblem) as raised:
        parse_agreement(raw, Path("somewhere.toml"))
    assert names in str(raised.value)
    assert raised.value.path == Path("somewhere.toml")


def test_every_error_of_a_file_is_named_at_once() -> None:
    raw = changed('strength_min = "signed"', 'strength_min = "x"').replace(b"false", b"2")
    with pytest.raises(ConfigProblem) as raised:
        parse_agreement(raw)
    assert len(raised.value.messages) == 2
