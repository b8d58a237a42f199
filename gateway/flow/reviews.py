"""Which reviews and answers (评价, 整改反馈) of a case stand, as a commit group has left them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from gateway.flow.committer import Group
from gateway.flow.decisions import settled_history
from gateway.kernel.case import CaseRecord
from gateway.kernel.envelope import Kind, Outcome
from gateway.ports.journal import OutboxStatus, StoredMessage
from gateway.rules.review import to_rectify
from gateway.wire.envelopes import decode_draft, decode_envelope
from gateway.wire.headers import decode_body


def review_body(message: StoredMessage) -> Mapping[str, Any]:
    """Return the body of a stored `reviewed` message."""
    return _read(decode_envelope(message.envelope).body_bytes)


def _read(body_bytes: bytes) -> Mapping[str, Any]:
    document: Mapping[str, Any] = json.loads(decode_body(body_bytes).form)
    return document


def reviews_said(group: Group, case: CaseRecord) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the reviews and answers that stand: taken in by either side, or ours on their way."""
    said = [
        (message.header_digest.hex(), review_body(message))
        for message in settled_history(group, case)
        if message.kind is Kind.REVIEWED and message.outcome is Outcome.TAKEN_IN
    ]
    for one in group.taken:
        received = one.received
        if received.header.kind is Kind.REVIEWED and received.header.case_key == case.key:
            document = one.authorised.conformant.document
            said.append((received.header_digest.hex(), cast("Mapping[str, Any]", document)))
    return said + [
        (entry.header_digest.hex(), _read(decode_draft(entry.draft).body_bytes))
        for entry in group.waiting_of(case.key)
        if entry.kind is Kind.REVIEWED
    ]


def waiting_to_rectify(group: Group, case: CaseRecord) -> Sequence[int]:
    """Return for each message of ours that is on its way what it is to the clocks, in order.

    What an answer has confirmed is not on its way, though its receipt may still come.
    """
    told = case.outstanding
    kinds = ((told.kind,) if told else ()) + case.waiting
    if Kind.REVIEWED not in kinds:
        return (0,) * len(kinds)
    said = reviews_said(group, case)
    return [
        to_rectify(_read(decode_draft(entry.draft).body_bytes), said)
        if entry.kind is Kind.REVIEWED
        else 0
        for entry in group.waiting_of(case.key)
        if entry.status is OutboxStatus.WAITING
        or (told is not None and entry.message_id == told.message_id)
    ]
