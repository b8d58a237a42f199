"""Steps follow one another; this case needs calls that do not."""

from __future__ import annotations

import asyncio

from gateway.conformance.bench import Bench
from gateway.conformance.expecting import Failed, judge
from gateway.conformance.messages import bind, body_of, ping_header, sign
from gateway.conformance.steps import Expectation

_CALLS = 8


async def judge_case(bench: Bench) -> None:
    """Deliver one message by several calls at the same time.

    Raises:
        Failed: the answers are not one receipt.
    """
    (made,) = sign(bench.sender.signers[:1], [bind(bench, ping_header(bench), body_of({}))])
    answers = await asyncio.gather(*(bench.line.deliver([made.raw]) for _ in range(_CALLS)))
    if any(len(answer) != 1 for answer in answers):
        raise Failed("other than one answer to one message")
    for (answer,) in answers:
        judge(bench, made, answer, Expectation(outcome=["taken_in"]), {})
    if len({answer for (answer,) in answers}) != 1:
        raise Failed("the calls met different receipts")
