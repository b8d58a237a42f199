"""The step `make`: a message as a case words it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from gateway.conformance.bench import Bench, Sample, Signer
from gateway.conformance.messages import (
    File,
    Made,
    application_document,
    application_header,
    bind,
    body_of,
    following_header,
    new_id,
    ping_header,
    sign,
    signers_for,
)
from gateway.conformance.steps import HeaderChange, Make
from gateway.conformance.tampering import ENCODINGS
from gateway.kernel.envelope import Header, Kind
from gateway.kernel.identifiers import GatewayId, uuid7

PERSONAL: Final = ("示例张三", "13800001234")
"""An invented person's data, put into forms that must be refused."""
_MARK: Final = "，".join(PERSONAL)


def made_of(
    bench: Bench, step: Make, known: Mapping[str, Made], sample: Sample | None, files: list[File]
) -> list[Made]:
    """Return the messages of one step, signed."""
    bound = [_bound(bench, step, known, sample, files) for _ in range(step.count)]
    signers = _signers(bench, step, bound[0].header)
    return sign(signers, bound) if signers else bound


def _bound(
    bench: Bench, step: Make, known: Mapping[str, Made], sample: Sample | None, files: list[File]
) -> Made:
    header, body = _right(bench, step, known, sample, files)
    header = _changed(bench, header, step.header)
    if step.same_id_as is not None:
        before = known[step.same_id_as].header
        header = header._replace(
            message_id=before.message_id,
            sent_at_ms=before.sent_at_ms,
            expires_at_ms=before.expires_at_ms,
        )
    made = bind(bench, header, body)
    if step.encoding is None:
        return made
    return made._replace(header_bytes=ENCODINGS[step.encoding](made.header, made.header_bytes))


def _right(
    bench: Bench, step: Make, known: Mapping[str, Made], sample: Sample | None, files: list[File]
) -> tuple[Header, bytes]:
    """Return a right header, and the body that the step asks for."""
    attachments = [f.attachment for f in files]
    document: dict[str, object] = {}
    if step.base == "ping":
        header = ping_header(bench)
    elif step.base == "application":
        assert sample is not None, "a case that makes applications needs a sample"
        header = application_header(bench, sample)
        if files:
            header = header._replace(case_id=files[0].ref.case_key.case_id)
        document = dict(application_document(bench, sample))
        if step.marked:
            document["form"] = _marked(document.get("form"))
    else:
        assert step.follows is not None, "checked by the case's reader"
        kind = Kind.WITHDRAWN if step.kind is None else Kind[step.kind.upper()]
        header = following_header(bench, known[step.follows], kind)
        document = {"reason_zh": "符合性测试结束（示例）"}  # of a withdrawal; a word brings its own
    return header, body_of(_content(step, document), attachments)


def _content(step: Make, document: dict[str, object]) -> object:
    if step.body_hex is not None:
        return bytes.fromhex(step.body_hex)
    if step.json_body is not None:
        return step.json_body.encode()
    if step.json_depth is not None:
        return b'{"a":' + b"[" * step.json_depth + b"]" * step.json_depth + b"}"
    if step.padding_bytes:
        return {"padding": "0" * step.padding_bytes}
    return document


def _marked(form: object) -> object:
    """Return a form whose texts are an invented person's data."""
    if isinstance(form, dict):
        return {name: _marked(value) for name, value in form.items()}
    if isinstance(form, list):
        return [_marked(value) for value in form]
    return _MARK if isinstance(form, str) else form


def _changed(bench: Bench, header: Header, change: HeaderChange) -> Header:
    given = change.model_dump(exclude_none=True, exclude_unset=True)
    plain: dict[str, object] = {
        name: given[name]
        for name in ("version", "item_code", "item_version", "purpose", "sequence", "trace_context")
        if name in given
    }
    for name in ("sender", "recipient"):
        if name in given:
            plain[name] = GatewayId(given[name])
    for name in ("required_suites", "critical"):
        if name in given:
            plain[name] = tuple(given[name])
    if change.agreement_digest is not None:
        plain["agreement_digest"] = bytes.fromhex(change.agreement_digest)
    if change.sequence == 1:
        plain["previous_digest"] = b""
    if change.fresh_case:
        plain["case_id"] = uuid7(header.sent_at_ms, bench.token(10))
    return _timed(bench, header._replace(**plain), change)  # type: ignore[arg-type]


def _timed(bench: Bench, header: Header, change: HeaderChange) -> Header:
    if not (change.sent_at_offset_ms or change.id_offset_ms or change.expires_after_ms is not None):
        return header
    sent = header.sent_at_ms + change.sent_at_offset_ms
    life = header.expires_at_ms - header.sent_at_ms
    return header._replace(
        message_id=new_id(bench, sent + change.id_offset_ms),
        sent_at_ms=sent,
        expires_at_ms=sent + (life if change.expires_after_ms is None else change.expires_after_ms),
    )


def _signers(bench: Bench, step: Make, header: Header) -> Sequence[Signer]:
    sender = bench.sender
    if step.signed_by == "nobody":
        return ()
    if step.signed_by == "stranger":
        return (sender.stranger,)
    if step.signed_by == "ours":
        return signers_for(bench, header.required_suites)
    other = sender.expired if step.signed_by == "expired" else sender.not_yet_valid
    assert other is not None, "a case that needs such a key says so in `needs`"
    return (other,)
