"""Answers against what a case expects of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import unescape
from typing import Final

from gateway.conformance.bench import Answer, Bench, CallFailed, Silence, Told
from gateway.conformance.messages import Made
from gateway.conformance.steps import CallExpectation, Expectation
from gateway.kernel.digests import TYPE_RECEIPT, pae
from gateway.kernel.envelope import Outcome, Receipt, SignedReceipt
from gateway.kernel.faults import Fault, FaultCode
from gateway.rules.trust import checks_for, run_checks
from gateway.wire.headers import decode_body
from gateway.wire.receipts import decode_signed_receipt

_OUTCOMES: Final = {
    Outcome.TAKEN_IN: "taken_in",
    Outcome.REFUSED: "refused",
    Outcome.VOID: "void",
}
_RULES: Final = frozenset(code.value for code in FaultCode)


class Failed(Exception):
    """The target did not do what the case asks."""


def receipt_of(bench: Bench, raw: bytes) -> Receipt:
    """Return a receipt that the target's registered key signed.

    Raises:
        Failed: it cannot be read, or is not the target's.
    """
    signed = _decoded(raw)
    try:
        verify_receipt(bench, signed)
    except Fault as fault:
        raise Failed(f"the receipt is not proven to be the target's: {fault.code.value}") from fault
    return signed.receipt


def _decoded(raw: bytes) -> SignedReceipt:
    try:
        signed = decode_signed_receipt(raw)
    except Fault as fault:
        raise Failed(f"the receipt cannot be read: {fault}") from fault
    if signed.attestation:
        raise Failed("the receipt has an attestation, which only an adapter of our own may add")
    return signed


def verify_receipt(bench: Bench, signed: SignedReceipt) -> None:
    """Check a receipt's signatures, by keys registered at the time it names.

    Raises:
        Fault: those of `checks_for` and `run_checks`.
    """
    message = pae(TYPE_RECEIPT, signed.receipt_bytes)
    at_ms = signed.receipt.received_at_ms
    run_checks(checks_for(bench.target.partner, signed.signatures, message, at_ms), bench.verify)


def bound(bench: Bench, made: Made, raw: bytes) -> Receipt:
    """Return a receipt that is the target's, and about this very message.

    Raises:
        Failed: it is another's, or about another message.
    """
    receipt = receipt_of(bench, raw)
    wanted = {
        "sender": (receipt.sender, made.header.sender),
        "recipient": (receipt.recipient, bench.target.partner.gateway_id),
        "message_id": (receipt.message_id, made.header.message_id),
        "header_digest": (receipt.header_digest, made.header_digest),
    }
    apart = [name for name, (found, right) in wanted.items() if found != right]
    if apart:
        raise Failed(f"the receipt is about another message: {', '.join(apart)}")
    return receipt


def judge(
    bench: Bench, made: Made, answer: Answer, expect: Expectation, saved: dict[str, Answer]
) -> str:
    """Judge one answer; return what was seen, in a few words.

    Raises:
        Failed: saying what was expected and what came.
    """
    if isinstance(answer, bytes):
        receipt = bound(bench, made, answer)
        outcome, rule = _OUTCOMES[receipt.outcome], receipt.rule
        if outcome == "taken_in" and rule:
            raise Failed(f"a receipt that says taken_in names a rule: {rule}")
        _require_recent(bench, receipt, expect)
    elif isinstance(answer, Told):
        outcome, rule = answer.outcome, answer.rule
        if expect.shows_form:
            require_shown(made, answer.raw)
    elif isinstance(answer, Silence):
        outcome, rule = "not_taken_in", ""
    else:
        outcome, rule = "not_taken_in", answer.rule
        if expect.retry is not None and outcome in expect.outcome and answer.retry != expect.retry:
            raise Failed(f"not taken in, with retry = {answer.retry}; expected {expect.retry}")
        wanted = expect.expected_sequence
        if wanted is not None and answer.expected_sequence != wanted:
            raise Failed(f"expected_sequence is {answer.expected_sequence}, not {wanted}")
    seen = f"{outcome} {rule}".strip()
    if outcome not in expect.outcome:
        raise Failed(f"expected {' or '.join(expect.outcome)}; got {seen}")
    silent = isinstance(answer, Silence)  # and so names no rule
    if expect.rules and outcome != "taken_in" and not silent and rule not in expect.rules:
        raise Failed(f"expected the rule {' or '.join(expect.rules)}; got {rule or 'none'}")
    _require_same(answer, expect, saved)
    if expect.save is not None:
        saved[expect.save] = answer
    return seen


def _require_recent(bench: Bench, receipt: Receipt, expect: Expectation) -> None:
    if expect.received_within_ms is None:
        return
    apart_ms = receipt.received_at_ms - bench.now_ms()
    if abs(apart_ms) > expect.received_within_ms:
        raise Failed(f"received_at lies {apart_ms} ms from our clock")


def _require_same(answer: Answer, expect: Expectation, saved: dict[str, Answer]) -> None:
    if expect.same_as is not None and answer != saved[expect.same_as]:
        raise Failed(f"other bytes than the answer before ({expect.same_as})")
    if expect.number_as is not None:
        before = saved[expect.number_as]
        if isinstance(before, Told) and isinstance(answer, Told) and before.number != answer.number:
            raise Failed(f"another case number than the answer before ({expect.number_as})")
    if expect.agrees_with is not None:
        before = saved[expect.agrees_with]
        if isinstance(before, bytes) and isinstance(answer, bytes) and before != answer:
            raise Failed(f"another receipt than the one before ({expect.agrees_with})")


def require_shown(made: Made, page: bytes) -> None:
    """Check that every value of a message's form, and every file, stands on a printed page.

    Raises:
        Failed: naming the first field that does not.
    """
    shown = unescape(page.decode())
    body = decode_body(made.body_bytes)
    for field, value in _leaves("", json.loads(body.form)["form"]):
        if value not in shown:
            raise Failed(f"the page does not show {field}")
    for attachment in body.attachments:
        if attachment.name not in shown:
            raise Failed(f"the page does not name the file of material {attachment.material_code}")


def _leaves(at: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(f"{at}/{name}", inner)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _leaves(f"{at}/{place}", inner)
    elif isinstance(value, str):
        yield at, value
    else:
        yield at, json.dumps(value)


def judge_call(failed: CallFailed, expect: CallExpectation) -> str:
    """Judge how a whole call failed; return what was seen.

    Raises:
        Failed: another rule or status.
    """
    if expect.rules and failed.rule not in expect.rules:
        raise Failed(f"expected the rule {' or '.join(expect.rules)}; got {failed.rule or 'none'}")
    if expect.statuses and failed.status not in expect.statuses:
        raise Failed(f"expected {' or '.join(expect.statuses)}; got {failed.status}")
    return f"call failed {failed}"


class Worded:
    """How a refusal is worded, whichever way it came."""

    def __init__(self, rule: str, text_zh: str, text_en: str) -> None:
        self.rule, self.text_zh, self.text_en = rule, text_zh, text_en


def require_quality(said: Worded, about: str, personal: tuple[str, ...]) -> None:
    """Check a refusal's wording.

    Raises:
        Failed: no rule of the table, a text missing, or personal data in a text.
    """
    texts = said.text_zh + said.text_en
    if about == "rule" and said.rule not in _RULES:
        raise Failed(f"the rule {said.rule[:64]!r} is not in the table of docs/faults.md")
    if about == "texts":
        if not _has_chinese(said.text_zh):
            raise Failed("the refusal has no text in Chinese")
        if not said.text_en.strip() or _has_chinese(said.text_en.partition(":")[0]):
            raise Failed("the refusal has no text in English")
    if about == "personal_data" and any(data in texts for data in personal):
        raise Failed("the refusal repeats personal data of the form")


def _has_chinese(text: str) -> bool:
    return any("\u4e00" <= c <= "\u9fff" for c in text)
