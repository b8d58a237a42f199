"""The outlet that people are: listed once, durable before it is answered, down with the journal."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gateway.adapters.memory.journal import MemoryJournal
from gateway.adapters.outlets.assisted import AssistedOutlet
from gateway.kernel.assisted import WorkStatus
from gateway.kernel.digests import digest
from gateway.kernel.envelope import AttachmentRef, Header, Kind, NotTakenIn, ReceiptQuery
from gateway.kernel.faults import FaultCode
from gateway.kernel.identifiers import GatewayId, MessageId
from gateway.ports.journal import Direction, JournalDown, StoredMessage
from gateway.ports.outlet import Listed, OutletDown
from gateway.wire.envelopes import encode_envelope
from gateway.wire.headers import encode_header
from tests.contract import journal_samples as s
from tests.fakes.clock import FixedClock

CASE = s.key_of(1, s.HOME)


def header(number: int, kind: Kind = Kind.SUBMITTED) -> Header:
    made = Header(
        MessageId(s.id_of(number)),
        s.HOME,
        s.PARTNER,
        s.NOW_MS,
        s.NOW_MS + 1000,
        kind,
        bytes(32),
    )
    if kind is Kind.PING:
        return made
    return made._replace(case_origin=CASE.origin, case_id=CASE.case_id, sequence=1)


def envelope(number: int, kind: Kind = Kind.SUBMITTED) -> bytes:
    return encode_envelope(encode_header(header(number, kind)), bytes(32), b"")


@pytest.fixture
async def journal() -> AsyncIterator[MemoryJournal]:
    made = MemoryJournal()
    case = s.case(1, origin=s.HOME)

    def stored(number: int) -> StoredMessage:
        own = header(number)
        return StoredMessage(
            own.ref,
            digest(encode_header(own)),
            Direction.OUT,
            GatewayId(s.PARTNER),
            CASE,
            Kind.SUBMITTED,
            1,
            s.NOW_MS,
            envelope(number),
        )

    await made.write(lambda tx: tx.seal([stored(1), stored(2)]))
    await made.write(lambda tx: tx.save_cases([case]))
    yield made
    await made.close()


async def test_a_message_delivered_twice_stands_on_the_list_once(journal: MemoryJournal) -> None:
    outlet = AssistedOutlet(journal, FixedClock(s.NOW_MS))
    for _ in range(2):
        answers = await outlet.deliver([envelope(1), envelope(2)], 1.0)
        assert [type(a) for a in answers] == [Listed, Listed]
    items = await journal.read(lambda q: q.work_items(None, done=False, limit=9))
    assert [i.message_id for i in items] == [s.id_of(1), s.id_of(2)]
    assert {(i.unit, i.case_key, i.status) for i in items} == {(s.UNIT, CASE, WorkStatus.LISTED)}
    assert items[0].header_digest == digest(encode_header(header(1)))


async def test_what_belongs_to_no_case_is_not_carried_and_may_come_again(
    journal: MemoryJournal,
) -> None:
    outlet = AssistedOutlet(journal, FixedClock(s.NOW_MS))
    ping, listed = await outlet.deliver([envelope(9, Kind.PING), envelope(1)], 1.0)
    assert isinstance(ping, NotTakenIn) and ping.retry
    assert ping.rule == FaultCode.CASE_KIND_NOT_SERVED
    assert isinstance(listed, Listed)


async def test_a_message_nobody_is_sure_of_is_listed_and_never_burnt(
    journal: MemoryJournal,
) -> None:
    outlet = AssistedOutlet(journal, FixedClock(s.NOW_MS))
    query = ReceiptQuery(MessageId(s.id_of(1)), bytes(32), burn=True)
    (answer,) = await outlet.query_receipts([query], 1.0)
    assert isinstance(answer, Listed)
    assert await journal.read(lambda q: q.work_item(s.id_of(1))) is not None


async def test_without_the_journal_there_is_no_answer(journal: MemoryJournal) -> None:
    outlet = AssistedOutlet(journal, FixedClock(s.NOW_MS))
    await journal.close()
    with pytest.raises(JournalDown):
        await journal.probe()
    with pytest.raises(OutletDown):
        await outlet.deliver([envelope(1)], 1.0)
    with pytest.raises(OutletDown):
        await outlet.query_receipts([ReceiptQuery(MessageId(s.id_of(1)), bytes(32), True)], 1.0)


async def test_every_file_counts_as_there_since_people_print_it_from_our_own_vault(
    journal: MemoryJournal,
) -> None:
    outlet = AssistedOutlet(journal, FixedClock(s.NOW_MS))
    ref = AttachmentRef(CASE, bytes(32), bytes(32), bytes(32), 7, "application/pdf")
    assert (await outlet.attachment_status(ref, 1.0)).complete
