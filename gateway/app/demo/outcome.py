"""What came of a run, from what both gateways say of the case; checked before it is believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import NamedTuple

from gateway.app.demo.registrar import LICENCE_TYPE
from gateway.app.demo.story import DemoFailed, View
from gateway.rules.schema.formats import is_licence_id


class Ending(NamedTuple):
    """How a story must end at both sides; `refusals` are rules its messages may be refused by."""

    result: str
    refusals: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Outcome:
    """The result of a run, JSON-ready.

    `ms` of a message is the time from sealing it to holding its receipt; `elapsed_ms` that from the
    first call to the last receipt, without the pauses made for human eyes.
    """

    case_id: str
    state: str
    case_numbers: View
    licence: View | None
    messages: list[View]
    receipts: list[View]
    elapsed_ms: int
    state_dir: str
    portal_url: str
    gateways: Mapping[str, int]
    """Process ids by gateway id."""
    scenario: str
    result: str
    """`approved` or `refused`."""

    def document(self) -> View:
        """Return it as a JSON object."""
        return asdict(self)


def conclude(
    origin: View,
    deciding: View,
    ending: Ending,
    *,
    scenario: str,
    elapsed_ms: int,
    state_dir: str,
    portal_url: str,
    gateways: Mapping[str, int],
) -> Outcome:
    """Put together what both gateways say of the case.

    Raises:
        DemoFailed: they do not agree on the story's ending, with these receipts.
    """
    for view in (origin, deciding):
        well = not view["attention"] or view["attention"] in ending.refusals
        if view["stage"] != "delivered" or not well or view["unconfirmed"]:
            raise DemoFailed(f"办件 the case is {view['stage']} at {view['role']}, not delivered")
        if view["result"] != ending.result:
            raise DemoFailed(f"办结 the result is {view['result']}, not {ending.result}")
    for key in ("case_id", "licence", "case_numbers", "result", "agreement", "item_version"):
        if origin[key] != deciding[key]:
            raise DemoFailed(f"双方记录不一致 the two sides differ in {key}")
    licence: View | None = origin["licence"] or None
    if (licence is not None) is not (ending.result == "approved"):
        raise DemoFailed("证照 the licence does not go with the result")
    if licence and (
        licence["licence_type"] != LICENCE_TYPE or not is_licence_id(licence["licence_id"])
    ):
        raise DemoFailed("电子证照标识 the e-licence id is not valid")
    messages = [_message(one, other) for one, other in _pairs(origin, deciding, ending)]
    return Outcome(
        case_id=origin["case_id"],
        state=origin["stage"],
        case_numbers=origin["case_numbers"],
        licence=licence,
        messages=messages,
        receipts=[_receipt(m) for m in origin["history"]],
        elapsed_ms=elapsed_ms,
        state_dir=state_dir,
        portal_url=portal_url,
        gateways=gateways,
        scenario=scenario,
        result=ending.result,
    )


def _pairs(origin: View, deciding: View, ending: Ending) -> list[tuple[View, View]]:
    """Return each message as both sides hold it, in the order the applicant's side recorded."""
    theirs = {m["message_id"]: m for m in deciding["history"]}
    if theirs.keys() != {m["message_id"] for m in origin["history"]}:
        raise DemoFailed("双方报文不一致 the two sides do not hold the same messages")
    pairs = [(m, theirs[m["message_id"]]) for m in origin["history"]]
    for one, other in pairs:
        if one["header_digest"] != other["header_digest"] or one["receipt"] != other["receipt"]:
            raise DemoFailed(f"双方回执不一致 the two sides differ on message {one['message_id']}")
        receipt = one["receipt"]
        if receipt is None or (
            receipt["outcome"] != "taken_in" and receipt["rule"] not in ending.refusals
        ):
            raise DemoFailed(f"未被接收 message {one['message_id']} was not taken in")
    return pairs


def _message(one: View, other: View) -> View:
    sent = one if one["direction"] == "out" else other
    return {
        "kind": sent["kind"],
        "sender": sent["sender"],
        "recipient": sent["recipient"],
        "message_id": sent["message_id"],
        "sequence": sent["sequence"],
        "receipt": sent["receipt"]["outcome"],
        "ms": sent["waited_ms"],
    }


def _receipt(message: View) -> View:
    """Show a receipt; the recipient of the message signed it."""
    receipt = message["receipt"]
    return {
        "message_id": message["message_id"],
        "signed_by": message["recipient"],
        "outcome": receipt["outcome"],
        "rule": receipt["rule"],
        "received_at": receipt["received_at"],
    }
