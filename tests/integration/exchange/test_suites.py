"""An agreement that demands two signatures: none may be stripped."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from gateway.kernel.envelope import Kind
from gateway.kernel.faults import FaultCode as F
from tests.support.peer import body_of
from tests.support.world import agreement_bytes

from .outcomes import not_taken_in, refused, taken_in
from .test_tampering import flipped
from .worlds import World, exchange_world

pytestmark = pytest.mark.asyncio(loop_scope="module")

BOTH = ("ES256", "EdDSA")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """Jiuquan's agreement demands ES256 and EdDSA; Zhangye's ES256 only."""
    content = agreement_bytes().replace(b'["ES256"]', b'["ES256", "EdDSA"]')
    root = tmp_path_factory.mktemp("world")
    async with exchange_world(root, content=content, suites=BOTH) as made:
        made.zhangye.suites = ("ES256",)
        yield made


@pytest.mark.parametrize("stripped", [0, 1])
async def test_a_message_with_one_signature_stripped_is_not_taken_in(
    world: World, stripped: int
) -> None:
    genuine = world.jiuquan.submission()
    assert len(genuine.signatures) == 2
    left = genuine._replace(signatures=(genuine.signatures[1 - stripped],))
    await not_taken_in(world, left, F.TRUST_SUITE_MISSING, retry=False)
    await taken_in(world, genuine)


@pytest.mark.parametrize("at", [0, 1])
async def test_every_signature_must_hold(world: World, at: int) -> None:
    genuine = world.jiuquan.submission()
    given = list(genuine.signatures)
    given[at] = given[at]._replace(signature=flipped(given[at].signature, -1))
    forged = genuine._replace(signatures=tuple(given))
    await not_taken_in(world, forged, F.TRUST_SIGNATURE_INVALID)
    await taken_in(world, genuine)


async def test_one_key_twice_is_not_two_signatures(world: World) -> None:
    genuine = world.jiuquan.submission()
    forged = genuine._replace(signatures=(genuine.signatures[0],) * 2)
    await not_taken_in(world, forged, F.TRUST_SIGNATURE_INVALID)


async def test_signatures_swapped_between_keys_are_not_believed(world: World) -> None:
    genuine = world.jiuquan.submission()
    one, two = genuine.signatures
    swapped = (one._replace(key_id=two.key_id), two._replace(key_id=one.key_id))
    await not_taken_in(world, genuine._replace(signatures=swapped), F.TRUST_SIGNATURE_INVALID)


@pytest.mark.parametrize("named", [(), ("ES256",), ("EdDSA",), ("EdDSA", "ES256")])
async def test_a_header_that_demands_less_than_the_agreement_is_refused(
    world: World, named: tuple[str, ...]
) -> None:
    sealed = world.jiuquan.submission(required_suites=named)
    await refused(world, sealed, F.AGREEMENT_SUITES_DIFFER)


async def test_a_later_message_needs_both_signatures_too(world: World) -> None:
    peer = world.jiuquan
    first = peer.submission()
    await taken_in(world, first)
    weak = peer.next(first, Kind.WITHDRAWN, required_suites=("ES256",))
    await refused(world, weak, F.AGREEMENT_SUITES_DIFFER)
    second = peer.next(first, Kind.WITHDRAWN)
    left = second._replace(signatures=second.signatures[:1])
    await not_taken_in(world, left, F.TRUST_SUITE_MISSING)
    await taken_in(world, second)


async def test_two_batch_signatures_stand_on_every_message_of_a_batch(world: World) -> None:
    peer = world.jiuquan
    body = peer.submission().body_bytes
    batch = peer.sign(*(peer.commit(peer.header(), body) for _ in range(5)))
    mixed = batch[0]._replace(signatures=(batch[0].signatures[0], batch[1].signatures[1]))
    await not_taken_in(world, mixed, F.TRUST_BATCH_INVALID)
    for sealed in batch:
        await taken_in(world, sealed)


async def test_a_message_may_carry_more_signatures_than_are_demanded(world: World) -> None:
    peer = world.zhangye
    one = peer.submission()
    peer.suites = BOTH
    more = peer.seal(peer.header()._replace(required_suites=("ES256",)), one.body_bytes)
    peer.suites = ("ES256",)
    assert (len(one.signatures), len(more.signatures)) == (1, 2)
    await taken_in(world, one, by=peer)
    await taken_in(world, more, by=peer)


async def test_a_ping_needs_what_its_own_header_names(world: World) -> None:
    peer = world.jiuquan
    header = peer.header(Kind.PING)._replace(required_suites=BOTH)
    genuine = peer.seal(header, body_of({}))
    left = genuine._replace(signatures=genuine.signatures[1:])
    await not_taken_in(world, left, F.TRUST_SUITE_MISSING)
    await taken_in(world, genuine)
