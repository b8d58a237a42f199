"""What every journal keeps of agreements."""

from __future__ import annotations

import pytest

from gateway.kernel.digests import digest
from gateway.kernel.identifiers import GatewayId
from gateway.ports.journal import Journal, Transaction
from gateway.ports.journal_agreements import (
    DroppedAgreement,
    SettledNotice,
    StoredAct,
    StoredAgreement,
    StoredNotice,
)

JIUQUAN, JIAYUGUAN, WUWEI = GatewayId("620900"), GatewayId("620200"), GatewayId("620600")
CONTENT = "version = 1  # 示例".encode()
DIGEST = digest(CONTENT)
AGREEMENT = StoredAgreement(DIGEST, JIUQUAN, JIAYUGUAN, 1_000, CONTENT)
ACCEPTED = StoredAct(DIGEST, JIUQUAN, 1, 1_000, b"signed by jiuquan")
REVOKED = StoredAct(DIGEST, JIUQUAN, 3, 3_000, b"revoked by jiuquan")
THEIRS = StoredAct(DIGEST, JIAYUGUAN, 1, 2_000, b"signed by jiayuguan")


async def test_a_write_that_fails_leaves_no_agreement_and_no_act(journal: Journal) -> None:
    def fail(tx: Transaction) -> None:
        tx.put_agreement(AGREEMENT)
        tx.put_act(ACCEPTED)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await journal.write(fail)
    assert await journal.read(lambda s: s.agreements()) == []
    assert await journal.read(lambda s: s.agreement(DIGEST)) is None
    assert await journal.read(lambda s: s.agreement_acts(DIGEST)) == []


async def test_the_same_digest_and_the_same_verdict_keep_what_came_first(
    journal: Journal,
) -> None:
    await journal.write(lambda tx: tx.put_agreement(AGREEMENT))
    await journal.write(lambda tx: tx.put_act(ACCEPTED))
    await journal.write(lambda tx: tx.put_agreement(AGREEMENT._replace(recorded_at_ms=9)))
    await journal.write(lambda tx: tx.put_act(ACCEPTED._replace(signed=b"again")))
    found = await journal.read(lambda s: s.agreement(DIGEST))
    assert found == AGREEMENT._replace(acts=(ACCEPTED,))


async def test_agreements_come_in_the_order_of_recording_and_their_acts_by_party(
    journal: Journal,
) -> None:
    other = b"another"
    later = StoredAgreement(digest(other), WUWEI, WUWEI, 2_000, other)

    def write(tx: Transaction) -> None:
        for act in (REVOKED, THEIRS, ACCEPTED):
            tx.put_act(act)
        tx.put_agreement(later)
        tx.put_agreement(AGREEMENT)

    await journal.write(write)
    whole = AGREEMENT._replace(acts=(THEIRS, ACCEPTED, REVOKED))
    assert await journal.read(lambda s: s.agreements()) == [whole, later]
    assert await journal.read(lambda s: s.agreements_proposed_by(WUWEI)) == 1
    assert await journal.read(lambda s: s.agreements_proposed_by(JIAYUGUAN)) == 0, "we proposed"


async def test_acts_on_an_agreement_that_stands_in_a_file_are_kept(journal: Journal) -> None:
    await journal.write(lambda tx: tx.put_act(REVOKED))
    assert await journal.read(lambda s: s.agreements()) == []
    assert await journal.read(lambda s: s.agreement_acts(DIGEST)) == [REVOKED]


async def test_content_that_was_let_go_of_leaves_its_acts_and_may_come_again(
    journal: Journal,
) -> None:
    await journal.write(lambda tx: tx.put_agreement(AGREEMENT))
    await journal.write(lambda tx: tx.put_act(ACCEPTED))
    assert await journal.read(lambda s: s.agreement_dropped(DIGEST)) is None
    dropped = DroppedAgreement(DIGEST, "operator-1", 5_000)
    for _ in range(2):
        await journal.write(lambda tx: tx.drop_agreement(dropped))
    assert await journal.read(lambda s: s.agreement(DIGEST)) is None
    assert await journal.read(lambda s: s.agreement_acts(DIGEST)) == [ACCEPTED]
    assert await journal.read(lambda s: s.agreement_dropped(DIGEST)) == dropped
    await journal.write(lambda tx: tx.put_agreement(AGREEMENT))
    assert await journal.read(lambda s: s.agreement_dropped(DIGEST)) is None
    found = await journal.read(lambda s: s.agreement(DIGEST))
    assert found == AGREEMENT._replace(acts=(ACCEPTED,))


async def test_a_notice_is_kept_until_it_is_settled_and_said_again(journal: Journal) -> None:
    said = StoredNotice(DIGEST, JIAYUGUAN, 20, b"draft 1", 1_000)
    other = StoredNotice(DIGEST, WUWEI, 20, b"draft 2", 900)

    def write(tx: Transaction) -> None:
        for notice in (said, other):
            tx.put_notice(notice)

    await journal.write(write)
    assert await journal.read(lambda s: s.notices()) == [other, said]
    settled = SettledNotice(
        b"draft 1", 2, 2_000, "agreement.act_invalid", "不成立", "does not hold"
    )
    await journal.write(lambda tx: tx.settle_notice(settled))
    await journal.write(lambda tx: tx.settle_notice(settled._replace(draft_id=b"no such")))
    refused = said._replace(
        outcome=2,
        settled_at_ms=2_000,
        rule="agreement.act_invalid",
        text_zh="不成立",
        text_en="does not hold",
    )
    assert await journal.read(lambda s: s.notices()) == [other, refused]
    again = said._replace(draft_id=b"draft 3", said_at_ms=3_000)
    await journal.write(lambda tx: tx.put_notice(again))
    assert await journal.read(lambda s: s.notices()) == [other, again]
