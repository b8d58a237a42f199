"""What a sample over a running gateway is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from gateway.kernel.envelope import NotTakenIn
from tests.integration.exchange.worlds import World
from tests.support.peer import CallRefused, Peer, Sealed

Ask = Callable[[World], Awaitable[str]]
"""Does something at a gateway and returns the rule id that the caller sees; empty if none."""


class LiveSample(NamedTuple):
    """One thing done that keeps a rule and one, as like it as can be, that breaks it."""

    passing: Ask
    failing: Ask


async def said_of(world: World, sealed: Sealed, by: Peer | None = None) -> str:
    """Deliver a message and return the rule its outcome names."""
    peer = by or world.jiuquan
    (answer,) = await peer.deliver(sealed)
    if isinstance(answer, NotTakenIn):
        return answer.rule
    return peer.checked(answer, sealed).rule


async def said_of_call(made: Awaitable[object]) -> str:
    """Make a call and return the rule its status names."""
    try:
        await made
    except CallRefused as refused:
        rule = refused.refusal.rule
        return rule.value if rule is not None else "no rule"
    return ""
