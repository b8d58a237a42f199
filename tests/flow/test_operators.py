"""What operators sign: believed, kept, done once; what is dangerous waits for a second person."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

import pytest

from gateway.adapters.memory.journal import MemoryJournal
from gateway.adapters.pki.suites import SuiteVerifier, suite_of_public
from gateway.app.operators import prove
from gateway.flow.desk import View
from gateway.flow.operator_desk import OperatorDesk
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId, parse_uuid7
from gateway.kernel.limits import OPERATOR_ACT_AGE_MS_MAX, OPERATOR_ACT_WAITS_MS_MAX
from gateway.kernel.operators import ActStatus
from gateway.ports.journal_operators import StoredOperatorAct
from gateway.wire.operator_acts import decode_operator_act
from tests.fakes.clock import FixedClock
from tests.support.operators import HOME, Person, Signed
from tests.support.world import QuietLog

NOW_MS = 1_780_000_000_000


class Office:
    """A desk, the people around it, and what was done."""

    def __init__(self) -> None:
        self.clock = FixedClock(NOW_MS - 2)
        self.journal = MemoryJournal()
        self.desk = OperatorDesk(
            self.journal, HOME, SuiteVerifier(), suite_of_public, self.clock, QuietLog()
        )
        self.done: list[tuple[str, str]] = []
        self.breaks: Exception | None = None
        self.senseless: Fault | None = None
        self.wang, self.li, self.zhao = Person("wang"), Person("li"), Person("zhao")

    async def perform(self, operator: str, command: str, arguments: Mapping[str, object]) -> View:
        if self.breaks is not None:
            raise self.breaks
        self.done.append((operator, command))
        return {"said": arguments.get("partner", "")}

    async def act(self, signed: Signed) -> View:
        return await self.desk.act(*signed, self.perform, self.require)

    async def require(self, command: str, arguments: Mapping[str, object]) -> None:
        if self.senseless is not None:
            raise self.senseless

    async def refused(self, signed: Signed) -> FaultCode:
        with pytest.raises(Fault) as raised:
            await self.act(signed)
        return raised.value.code

    async def kept(self, act: object) -> StoredOperatorAct:
        act_id = parse_uuid7(str(act))
        assert act_id is not None
        found = await self.journal.read(lambda s: s.operator_act(act_id))
        assert found is not None
        return found

    def agrees(self, who: Person, raw: bytes, act: object, command: str = "approve") -> Signed:
        digest = sha256(raw).hexdigest()
        return who.asks(f"operator-{command}", self.clock.now_ms(), act=act, digest=digest)


@pytest.fixture
async def office() -> Office:
    """Return an office where Wang and Li may act."""
    made = Office()
    for person in (made.wang, made.li):
        await made.act(made.wang.adds(person, made.clock.now_ms()))
        made.clock.advance(1)
    made.clock.advance(NOW_MS - made.clock.now_ms())
    return made


async def test_before_anybody_was_added_nothing_is_done_for_a_stranger() -> None:
    empty = Office()
    asked = empty.wang.asks("partner-suspend", NOW_MS, partner="620200")
    assert await empty.refused(asked) is FaultCode.OPERATOR_UNKNOWN
    another = empty.wang.adds(empty.li, NOW_MS)
    assert await empty.refused(another) is FaultCode.OPERATOR_UNKNOWN, "the first adds itself"
    assert empty.done == []


async def test_a_stranger_a_broken_signature_and_other_bytes_are_refused(office: Office) -> None:
    stranger = office.zhao.asks("partner-suspend", NOW_MS, partner="620200")
    assert await office.refused(stranger) is FaultCode.OPERATOR_UNKNOWN
    raw, key_id, signature = office.wang.asks("partner-suspend", NOW_MS, partner="620200")
    for bad in (signature[:-1] + bytes([signature[-1] ^ 1]), b"", office.li.sign_raw(raw)):
        assert await office.refused((raw, key_id, bad)) is FaultCode.OPERATOR_SIGNATURE_INVALID
    other = raw.replace(b"620200", b"620600")
    refused = await office.refused((other, key_id, signature))
    assert refused is FaultCode.OPERATOR_SIGNATURE_INVALID
    assert office.done == []


async def test_an_act_for_another_gateway_or_time_is_refused(office: Office) -> None:
    elsewhere = office.wang.asks("partner-suspend", NOW_MS, GatewayId("620200"), partner="1")
    assert await office.refused(elsewhere) is FaultCode.OPERATOR_ACT_STALE
    for off in (OPERATOR_ACT_AGE_MS_MAX + 1, -OPERATOR_ACT_AGE_MS_MAX - 1):
        late = office.wang.asks("partner-suspend", NOW_MS + off, partner="620200")
        assert await office.refused(late) is FaultCode.OPERATOR_ACT_STALE
    assert office.done == []


async def test_the_same_act_again_is_done_once(office: Office) -> None:
    signed = office.wang.asks("partner-suspend", NOW_MS, partner="620200")
    first = await office.act(signed)
    again = await office.act(signed)
    assert office.done == [("wang", "partner-suspend")]
    assert (first["act_status"], again["act_status"], again["again"]) == ("done", "done", True)


async def test_what_is_dangerous_waits_and_the_same_person_cannot_agree(office: Office) -> None:
    signed = office.wang.asks("agreement-revoke", NOW_MS, agreement="ab")
    waits = await office.act(signed)
    assert office.done == []
    own = office.agrees(office.wang, signed[0], waits["waiting"])
    assert await office.refused(own) is FaultCode.OPERATOR_SAME_PERSON
    other = office.agrees(office.li, signed[0] + b" ", waits["waiting"])
    assert await office.refused(other) is FaultCode.OPERATOR_REQUEST_INVALID, "of other bytes"
    stranger = office.agrees(office.zhao, signed[0], waits["waiting"])
    assert await office.refused(stranger) is FaultCode.OPERATOR_UNKNOWN
    assert office.done == []
    done = await office.act(office.agrees(office.li, signed[0], waits["waiting"]))
    assert office.done == [("wang+li", "agreement-revoke")]
    assert (await office.kept(done["act"])).status is ActStatus.DONE
    twice = office.agrees(office.li, signed[0], waits["waiting"])
    assert await office.refused(twice) is FaultCode.OPERATOR_ACT_SETTLED
    assert len(office.done) == 1


async def test_what_could_not_be_done_anyway_is_put_to_nobody(office: Office) -> None:
    office.senseless = Fault(FaultCode.OPERATOR_NOT_FOUND)
    asked = office.wang.asks("partner-retire", NOW_MS, partner="620999", reason="示例")
    assert await office.refused(asked) is FaultCode.OPERATOR_NOT_FOUND
    waiting = ActStatus.WAITING
    assert not await office.journal.read(lambda s: s.operator_acts(limit=9, status=waiting))
    office.senseless = None
    assert "waiting" in await office.act(asked), "nothing was kept of the first try"


async def test_the_same_is_asked_for_once_until_it_is_settled_or_too_old(office: Office) -> None:
    def retires(who: Person, partner: str, reason: str) -> Signed:
        return who.asks("partner-retire", office.clock.now_ms(), partner=partner, reason=reason)

    first = retires(office.wang, "620200", "示例")
    waits = await office.act(first)
    for again in (retires(office.wang, "620200", "示例"), retires(office.li, "620200", "另一")):
        assert await office.refused(again) is FaultCode.OPERATOR_ACT_WAITS
    await office.act(retires(office.wang, "620600", "示例"))
    own = office.agrees(office.wang, first[0], waits["waiting"], "decline")
    assert (await office.act(own))["act_status"] == "declined"
    assert "waiting" in await office.act(retires(office.wang, "620200", "示例"))
    office.clock.advance(OPERATOR_ACT_WAITS_MS_MAX + 1)
    assert "waiting" in await office.act(retires(office.li, "620200", "示例"))


async def test_who_was_removed_meanwhile_is_not_agreed_with(office: Office) -> None:
    added = office.wang.adds(office.zhao, NOW_MS)
    waits = await office.act(added)
    await office.act(office.agrees(office.li, added[0], waits["waiting"]))
    asked = office.zhao.asks("agreement-revoke", NOW_MS, agreement="ab")
    revoke = await office.act(asked)
    removal = office.wang.asks("operator-remove", NOW_MS, name="zhao", reason="示例")
    gone = await office.act(removal)
    await office.act(office.agrees(office.li, removal[0], gone["waiting"]))
    agreed = office.agrees(office.li, asked[0], revoke["waiting"])
    assert await office.refused(agreed) is FaultCode.OPERATOR_UNKNOWN
    anew = office.zhao.asks("partner-suspend", NOW_MS, partner="620200")
    assert await office.refused(anew) is FaultCode.OPERATOR_UNKNOWN
    assert office.done == []
    taken = await office.act(office.agrees(office.li, asked[0], revoke["waiting"], "decline"))
    assert taken["act_status"] == "declined"


async def test_one_name_is_added_once_though_two_acts_wait(office: Office) -> None:
    other = Person("zhao")
    first, second = office.wang.adds(office.zhao, NOW_MS), office.wang.adds(other, NOW_MS)
    one, two = await office.act(first), await office.act(second)
    await office.act(office.agrees(office.li, first[0], one["waiting"]))
    late = office.agrees(office.li, second[0], two["waiting"])
    assert await office.refused(late) is FaultCode.OPERATOR_NAME_TAKEN


async def test_nobody_agrees_after_a_day(office: Office) -> None:
    signed = office.wang.asks("agreement-revoke", NOW_MS, agreement="ab")
    waits = await office.act(signed)
    office.clock.advance(OPERATOR_ACT_WAITS_MS_MAX + 1)
    late = office.agrees(office.li, signed[0], waits["waiting"])
    assert await office.refused(late) is FaultCode.OPERATOR_ACT_STALE
    assert (await office.kept(waits["waiting"])).status is ActStatus.EXPIRED
    assert office.done == []


async def test_the_last_operator_stays_and_a_key_that_is_none_is_not_added(office: Office) -> None:
    removal = office.wang.asks("operator-remove", NOW_MS, name="li", reason="示例")
    gone = await office.act(removal)
    await office.act(office.agrees(office.li, removal[0], gone["waiting"]))
    last = office.wang.asks("operator-remove", NOW_MS, name="wang", reason="示例")
    assert await office.refused(last) is FaultCode.OPERATOR_LAST
    for key in ("00" * 44, "zz", office.zhao.signer.public_key.hex() + "00"):
        signed = office.wang.asks(
            "operator-add", NOW_MS, name="zhao", suite="EdDSA", public_key=key
        )
        assert await office.refused(signed) is FaultCode.OPERATOR_REQUEST_INVALID


async def test_what_a_rule_refuses_is_kept_as_refused_and_what_breaks_stays_begun(
    office: Office,
) -> None:
    office.breaks = Fault(FaultCode.AGREEMENT_UNKNOWN)
    ruled = office.wang.asks("agreement-accept", NOW_MS, agreement="ab")
    assert await office.refused(ruled) is FaultCode.AGREEMENT_UNKNOWN
    office.breaks = RuntimeError("示例")
    broken = office.wang.asks("agreement-accept", NOW_MS, agreement="cd")
    with pytest.raises(RuntimeError):
        await office.act(broken)
    newest = await office.journal.read(lambda s: s.operator_acts(limit=2))
    assert {(a.status, a.rule) for a in newest} == {
        (ActStatus.REFUSED, "agreement.unknown"),
        (ActStatus.BEGUN, ""),
    }


async def test_every_kept_act_is_proven_and_a_changed_one_is_found(office: Office) -> None:
    await office.act(office.wang.asks("partner-suspend", NOW_MS, partner="620200"))
    proof = await office.journal.read(lambda s: prove(s, HOME, lambda _: None))
    assert (proof.acts, proof.problems) == (3, [])
    (last,) = await office.journal.read(lambda s: s.operator_acts(limit=1))
    forged = last._replace(raw=last.raw.replace(b"620200", b"620600"))
    await office.journal.write(lambda tx: tx.save_operator_act(forged))
    proof = await office.journal.read(lambda s: prove(s, HOME, lambda _: None))
    assert len(proof.problems) == 1


async def test_who_agreed_to_go_is_proven_and_what_it_signs_later_is_not(office: Office) -> None:
    signed = office.li.asks("operator-remove", NOW_MS, name="wang", reason="示例")
    waits = await office.act(signed)
    office.clock.advance(2 * OPERATOR_ACT_AGE_MS_MAX)
    between = office.wang.asks("partner-suspend", office.clock.now_ms(), partner="620200")
    await office.act(between)
    await office.act(office.agrees(office.wang, signed[0], waits["waiting"]))
    proof = await office.journal.read(lambda s: prove(s, HOME, lambda _: None))
    assert (proof.acts, proof.problems) == (5, [])

    office.clock.advance(2 * OPERATOR_ACT_AGE_MS_MAX)
    last = office.li.asks("partner-suspend", office.clock.now_ms(), partner="620200")
    shown = await office.act(last)
    raw, key_id, signature = office.wang.asks(
        "partner-suspend", office.clock.now_ms(), partner="620200"
    )
    act_id = decode_operator_act(raw).act_id
    forged = (await office.kept(shown["act"]))._replace(
        act_id=act_id, key_id=key_id, raw=raw, signature=signature
    )
    await office.journal.write(lambda tx: tx.save_operator_act(forged))
    proof = await office.journal.read(lambda s: prove(s, HOME, lambda _: None))
    assert [p.partition(": ")[2] for p in proof.problems] == ["wang could not act at that time"]
