"""Material that a submission names: missing, absent, another's."""

from __future__ import annotations

import pytest

from gateway.kernel.envelope import Attachment
from gateway.kernel.faults import FaultCode as F
from gateway.kernel.identifiers import Digest, uuid_text
from tests.support.peer import Peer, Sealed, attachment_of
from tests.support.world import PDF, sample_files, sample_form

from .outcomes import is_not_taken_in, not_taken_in, refused, taken_in
from .worlds import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

REQUIRED = ("01", "02", "03", "04", "05")


async def uploaded(peer: Peer, case_id: bytes) -> list[Attachment]:
    """Bring the required files of a founding case."""
    return [
        await peer.attach(case_id, code, content)
        for code, content in sample_files(REQUIRED).items()
    ]


def founding(peer: Peer, case_id: bytes, attachments: list[Attachment]) -> Sealed:
    header = peer.branch_header(case_id=case_id)
    return peer.seal(header, peer.submitted_body(sample_form(), attachments))


async def test_missing_material_is_refused_by_its_code(world: World) -> None:
    peer = world.jiuquan
    case_id = peer.new_id()
    attachments = await uploaded(peer, case_id)
    some = founding(peer, case_id, attachments[:3])
    receipt = await refused(world, some, F.CATALOGUE_MATERIAL_MISSING)
    assert receipt.text_en.endswith("04,05")
    assert world.journal.case(some.header) is None
    await refused(world, founding(peer, case_id, []), F.CATALOGUE_MATERIAL_MISSING)
    await taken_in(world, founding(peer, case_id, attachments))


async def test_material_that_is_not_listed_is_refused(world: World) -> None:
    peer = world.jiuquan
    case_id = peer.new_id()
    attachments = await uploaded(peer, case_id)
    more = await peer.attach(case_id, "99", PDF + b"99")
    sealed = founding(peer, case_id, [*attachments, more])
    await refused(world, sealed, F.CATALOGUE_MATERIAL_UNKNOWN)


async def test_material_of_another_type_is_refused(world: World) -> None:
    peer = world.jiuquan
    case_id = peer.new_id()
    attachments = await uploaded(peer, case_id)
    attachments[0] = attachments[0]._replace(media_type="text/html")
    await refused(world, founding(peer, case_id, attachments), F.CATALOGUE_MATERIAL_TYPE)


async def test_more_copies_than_allowed_are_not_taken_in(world: World) -> None:
    peer = world.jiuquan
    case_id = peer.new_id()
    attachments = await uploaded(peer, case_id)
    sealed = founding(peer, case_id, [attachments[0], *attachments])
    await not_taken_in(world, sealed, F.LIMIT_ATTACHMENTS)


async def test_a_file_that_was_never_uploaded_is_waited_for(world: World) -> None:
    peer = world.jiuquan
    case_id = peer.new_id()
    attachments = await uploaded(peer, case_id)
    content = PDF + b"later"
    ref = peer.ref(case_id, content)
    attachments[3] = attachment_of(ref, "04")
    sealed = founding(peer, case_id, attachments)
    said = await not_taken_in(world, sealed, F.ATTACHMENT_ABSENT, retry=True)
    assert said.text_en.endswith("04")
    assert (await peer.line.upload(ref, content)).complete
    await taken_in(world, sealed)


async def test_a_file_that_is_half_uploaded_is_waited_for(world: World) -> None:
    peer = world.jiuquan
    case_id = peer.new_id()
    attachments = await uploaded(peer, case_id)
    content = PDF + b"half" * 100
    ref = peer.ref(case_id, content)
    assert not (await peer.line.upload(ref, content[:50])).complete
    attachments[3] = attachment_of(ref, "04")
    sealed = founding(peer, case_id, attachments)
    await not_taken_in(world, sealed, F.ATTACHMENT_ABSENT, retry=True)
    assert (await peer.line.upload(ref, content, offset=50)).complete
    await taken_in(world, sealed)


async def test_a_file_named_by_another_digest_is_not_there(world: World) -> None:
    peer = world.jiuquan
    case_id = peer.new_id()
    attachments = await uploaded(peer, case_id)
    attachments[0] = attachments[0]._replace(commitment=Digest(b"\1" * 32))
    await not_taken_in(world, founding(peer, case_id, attachments), F.ATTACHMENT_ABSENT)


async def test_a_file_of_another_case_is_not_there(world: World) -> None:
    peer = world.jiuquan
    case_id = peer.new_id()
    attachments = await uploaded(peer, peer.new_id())
    await not_taken_in(world, founding(peer, case_id, attachments), F.ATTACHMENT_ABSENT)


async def test_a_file_of_another_partners_case_is_not_there(world: World) -> None:
    """Zhangye saw a commitment of Jiuquan's; it gets neither the file nor a sign that it is."""
    peer = world.jiuquan
    case_id = peer.new_id()
    attachments = await uploaded(peer, case_id)
    await taken_in(world, founding(peer, case_id, attachments))
    spy = world.zhangye
    for held in (attachments, [a._replace(commitment=Digest(b"\1" * 32)) for a in attachments]):
        sealed = founding(spy, case_id, held)
        said = await not_taken_in(world, sealed, F.ATTACHMENT_ABSENT, over=spy)
        assert said.text_en.endswith("01,02,03,04,05")


async def test_one_message_without_its_file_does_not_hold_up_its_neighbours(world: World) -> None:
    peer = world.jiuquan
    case_id = peer.new_id()
    attachments = await uploaded(peer, case_id)
    absent = attachments[0]._replace(commitment=Digest(b"\1" * 32))
    good = founding(peer, case_id, attachments)
    bad = founding(peer, peer.new_id(), [absent])
    other = peer.submission()
    answers = await peer.deliver(bad, good, bad, other)
    is_not_taken_in(answers[0], F.ATTACHMENT_ABSENT)
    is_not_taken_in(answers[2], F.ATTACHMENT_ABSENT)
    assert world.journal.stage(good.header) == world.journal.stage(other.header) == "submitted"
    assert world.journal.holds(bad.header) == {}


async def test_a_file_comes_to_the_desk_byte_for_byte(world: World) -> None:
    peer = world.jiuquan
    case_id = peer.new_id()
    attachments = await uploaded(peer, case_id)
    content = PDF + bytes(range(256)) * 5_000
    ref = peer.ref(case_id, content)
    assert (await peer.line.upload(ref, content)).complete
    attachments[2] = attachment_of(ref, "03", "章程㛃𬭊.pdf")
    await taken_in(world, founding(peer, case_id, attachments))
    url = f"{world.node.url}/v1/tasks/{uuid_text(case_id)}/materials/{ref.commitment.hex()}"
    headers = {"Authorization": f"Bearer {world.node.token()}"}
    async with world.node.http.get(url, headers=headers) as response:
        assert response.status == 200
        assert await response.read() == content


@pytest.mark.parametrize("more", [-1, 1, 2**62])
async def test_a_file_of_another_size_than_named_is_refused(world: World, more: int) -> None:
    peer = world.jiuquan
    case_id = peer.new_id()
    attachments = await uploaded(peer, case_id)
    right = attachments[2]
    attachments[2] = right._replace(size=right.size + more)
    receipt = await refused(world, founding(peer, case_id, attachments), F.ATTACHMENT_SIZE)
    assert receipt.text_en.endswith("03")


async def test_a_file_listed_with_another_salt_than_it_was_sent_with_is_refused(
    world: World,
) -> None:
    peer = world.jiuquan
    case_id = peer.new_id()
    attachments = await uploaded(peer, case_id)
    right = attachments[2]
    attachments[2] = right._replace(salt=bytes(32))
    receipt = await refused(world, founding(peer, case_id, attachments), F.ATTACHMENT_SALT)
    assert receipt.text_en.endswith("03")
    attachments[2] = right
    await taken_in(world, founding(peer, case_id, attachments))
