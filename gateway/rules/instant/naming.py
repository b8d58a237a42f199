"""Whether a decision that says it was made by a rule names what the rule looked at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from gateway.kernel.faults import Fault, FaultCode
from gateway.rules.instant.judging import inputs_digest, look_up

CAPACITY: Final = "rule"
"""In what capacity a rule speaks, in the header of each message it says."""


def require_inputs(decision: object, capacity: str, form: object) -> None:
    """Check the `instant` part of a decision against the form that was submitted.

    `decision` is a valid body of a decision; one without `instant` is a person's and passes.
    `capacity` is the header's. `form` is the parsed form, None if it is not held any more: then
    the inputs are *not* checked. Nor is that the rule exists, or would decide so: the rule's
    document is the deciding side's, and kept there as evidence.

    Raises:
        Fault: `case.instant_differs`.
    """
    found = decision.get("instant") if isinstance(decision, dict) else None
    if found is None:
        return
    said = cast("Mapping[str, object]", found)
    if capacity != CAPACITY:
        raise Fault(FaultCode.CASE_INSTANT_DIFFERS, f"said in the capacity {capacity[:64]}")
    if form is None:
        return
    pointers = cast("list[str]", said["inputs"])
    inputs = [(pointer, look_up(form, pointer)) for pointer in pointers]
    absent = [pointer for pointer, value in inputs if value is None]
    if absent:
        raise Fault(FaultCode.CASE_INSTANT_DIFFERS, f"{absent[0]} is not in the form")
    if inputs_digest(inputs).hex() != said["inputs_digest"]:
        raise Fault(FaultCode.CASE_INSTANT_DIFFERS, "inputs_digest is not that of the form")
