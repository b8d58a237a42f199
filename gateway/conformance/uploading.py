"""The steps about attachments."""

from __future__ import annotations

from gateway.conformance.bench import Bench, CallFailed, Sample
from gateway.conformance.expecting import Failed, judge_call
from gateway.conformance.messages import File, make_file
from gateway.conformance.steps import FileStep, Status, Upload
from gateway.conformance.tampering import flipped
from gateway.kernel.envelope import AttachmentState
from gateway.kernel.identifiers import uuid7
from gateway.kernel.limits import ATTACHMENT_CHUNK_BYTES

_MEDIA = "application/pdf"
_HEAD = "%PDF-1.4\n% 示例 conformance\n".encode()


def file_of(
    bench: Bench, step: FileStep, sample: Sample, case_id: bytes | None
) -> tuple[File, list[bytes]]:
    """Return a file for a case to come, and the bytes that are sent for it."""
    content = (_HEAD + bench.token(step.size))[: step.size]
    own = uuid7(bench.now_ms(), bench.token(10)) if case_id is None else case_id
    code = sample.files[0].code if sample.files else "01"
    file = make_file(bench, sample, own, code, _MEDIA, content)
    if step.announced_size is not None:
        file = file._replace(ref=file.ref._replace(size=step.announced_size))
    if step.agreement == "unknown":
        file = file._replace(ref=file.ref._replace(agreement_digest=bench.token(32)))
    sent = flipped(content, -1) if step.content == "damaged" else content
    return file, [sent]


async def sample_files(bench: Bench, sample: Sample) -> list[File]:
    """Upload the files of a sample to a case of their own.

    Raises:
        Failed: one is not held whole in the end.
    """
    case_id = uuid7(bench.now_ms(), bench.token(10))
    files = [
        make_file(bench, sample, case_id, f.code, f.media_type, f.content) for f in sample.files
    ]
    for file in files:
        state = await bench.line.upload(file.ref, 0, _chunks(file.content, 0))
        if state != AttachmentState(len(file.content), True):
            raise Failed(f"material {file.attachment.material_code} was uploaded and is not held")
    return files


async def upload(bench: Bench, step: Upload, file: File, content: bytes) -> str:
    """Upload a file, or a part of it; return what was seen.

    Raises:
        Failed: another state, or another refusal, than the case expects.
    """
    end = len(content) if step.length is None else step.offset + step.length
    part = content[step.offset : end]
    at = step.offset if step.claimed_offset is None else step.claimed_offset
    chunks = _chunks(part, at)
    if step.more:
        chunks.append((at + len(part), b"\0" * step.more))
    try:
        state = await bench.line.upload(file.ref, step.offset, chunks)
    except CallFailed as failed:
        if step.call is None:
            raise
        return judge_call(failed, step.call)
    if step.call is not None:
        raise Failed("the upload was taken; it must fail")
    return _require_state(state, step.held, step.complete)


async def status(bench: Bench, step: Status, file: File) -> str:
    """Ask how much is held; return what was seen.

    Raises:
        Failed: it is something else than the case expects.
    """
    state = await bench.line.attachment_status(file.ref)
    return _require_state(state, step.held, step.complete)


def _require_state(state: AttachmentState, held: int | None, complete: bool | None) -> str:
    seen = f"held {state.held}, {'complete' if state.complete else 'not complete'}"
    if held is not None and state.held != held:
        raise Failed(f"expected {held} bytes to be held; got {seen}")
    if complete is not None and state.complete != complete:
        raise Failed(f"expected complete = {complete}; got {seen}")
    return seen


def _chunks(content: bytes, offset: int) -> list[tuple[int, bytes]]:
    starts = range(0, len(content), ATTACHMENT_CHUNK_BYTES)
    return [(offset + a, content[a : a + ATTACHMENT_CHUNK_BYTES]) for a in starts]
