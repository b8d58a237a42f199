"""What came of a run, from what both gateways say of the case; checked before it is believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from gateway.app.demo.registrar import LICENCE_TYPE
from gateway.app.demo.scenarios import Scenario
from gateway.app.demo.story import DemoFailed, View
from gateway.kernel.identifiers import GatewayId
from gateway.rules.schema.formats import is_licence_id


@dataclass(frozen=True)
class Outcome:
    """The result of a run, JSON-ready.

    `ms` of a message is the time from sealing it to holding its receipt; `elapsed_ms` that from the
    first call to the last receipt, without the pauses made for human eyes.
    """

    scenario: str
    case_id: str
    deciding: GatewayId
    """The gateway of the region that decides."""
    state: str
    result: str
    case_numbers: View
    licence: View | None
    answer: str | None
    """What was approved in words, where the item issues no licence."""
    reason: str | None
    instant: View | None
    """What a decision by rule names: rule, version, document, inputs."""
    decided_ms: int
    """From opening the case to holding the decision, by the clock of the applicant's gateway."""
    joint: list[View]
    """In a joint case (多地联办), the answers that the decision names."""
    also: list[View]
    """Further cases of the story: partner, dialect, result, strength of proof."""
    messages: list[View]
    receipts: list[View]
    elapsed_ms: int
    state_dir: str
    portal_url: str
    gateways: Mapping[str, int]
    """Process ids by gateway id."""

    def document(self) -> View:
        """Return it as a JSON object."""
        return asdict(self)


def conclude(
    scenario: Scenario,
    origin: View,
    deciding: View,
    *,
    also: list[View],
    elapsed_ms: int,
    state_dir: str,
    portal_url: str,
    gateways: Mapping[str, int],
) -> Outcome:
    """Put together what both gateways say of the case.

    Raises:
        DemoFailed: they do not agree that it is delivered, with this result and these receipts.
    """
    licence = _agreed(scenario, origin, deciding)
    pairs = _pairs(origin, deciding, scenario.crossing)
    messages = [_message(one, other) for one, other in pairs]
    return Outcome(
        scenario=scenario.name,
        case_id=origin["case_id"],
        deciding=GatewayId(origin["deciding"]),
        state=origin["stage"],
        result=origin["result"],
        case_numbers=origin["case_numbers"],
        licence=licence,
        answer=origin["answer"],
        reason=origin["reason"],
        instant=origin["instant"],
        decided_ms=_decided_ms(origin),
        joint=origin.get("joint", []),
        also=also,
        messages=messages,
        receipts=[_receipt(m) for m in origin["history"]],
        elapsed_ms=elapsed_ms,
        state_dir=state_dir,
        portal_url=portal_url,
        gateways=gateways,
    )


def _agreed(scenario: Scenario, origin: View, deciding: View) -> View | None:
    """Check that both sides say the same of the case, and what the story says; return the licence.

    Raises:
        DemoFailed: they do not.
    """
    for view in (origin, deciding):
        marked = view["attention"] and view["attention"] != scenario.crossing
        if view["stage"] != scenario.stage or marked or view["unconfirmed"]:
            raise DemoFailed(
                f"办件 the case is {view['stage']} at {view['role']}, not {scenario.stage}"
            )
    for key in (
        "case_id",
        "licence",
        "answer",
        "case_numbers",
        "result",
        "agreement",
        "item_version",
    ):
        if origin[key] != deciding[key]:
            raise DemoFailed(f"双方记录不一致 the two sides differ in {key}")
    if origin["result"] != scenario.result:
        raise DemoFailed(f"办结结果 the result is {origin['result']}, not {scenario.result}")
    licence: View | None = origin["licence"]
    if (licence is not None or bool(origin["answer"])) != (scenario.result == "approved"):
        raise DemoFailed("办结结果与证照不符 result and licence, or answer, do not go together")
    if licence is not None and not _is_ours(licence):
        raise DemoFailed("电子证照标识 the e-licence id is not valid")
    return licence


def _is_ours(licence: View) -> bool:
    return licence["licence_type"] == LICENCE_TYPE and is_licence_id(licence["licence_id"])


def _decided_ms(origin: View) -> int:
    """Return the time from opening the case to holding the decision, by the origin's own clock."""
    decided = next(m for m in origin["history"] if m["kind"] == "decided")
    spent = datetime.fromisoformat(decided["recorded_at"]) - datetime.fromisoformat(
        origin["opened_at"]
    )
    return round(spent.total_seconds() * 1000)


def _pairs(origin: View, deciding: View, crossing: str) -> list[tuple[View, View]]:
    """Return each message as both sides hold it, in the order the applicant's side recorded."""
    theirs = {m["message_id"]: m for m in deciding["history"]}
    if theirs.keys() != {m["message_id"] for m in origin["history"]}:
        raise DemoFailed("双方报文不一致 the two sides do not hold the same messages")
    pairs = [(m, theirs[m["message_id"]]) for m in origin["history"]]
    for one, other in pairs:
        if one["header_digest"] != other["header_digest"] or one["receipt"] != other["receipt"]:
            raise DemoFailed(f"双方回执不一致 the two sides differ on message {one['message_id']}")
        receipt = one["receipt"]
        well = receipt and (receipt["outcome"] == "taken_in" or receipt["rule"] == crossing)
        if not well:
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
        "received_at": receipt["received_at"],
    }
