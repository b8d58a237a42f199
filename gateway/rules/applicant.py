"""Who applies, as far as it was verified (身份核验), and who applies for whom (帮办代办)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import cast

from gateway.kernel.envelope import Mode
from gateway.kernel.faults import Fault, FaultCode


def require_identified(
    mode: Mode, document: object, material_codes: Collection[str], today: str
) -> None:
    """Check what a submission says of its applicant's identity and of an agent's authorisation.

    `document` is a valid body of a submission, `today` the civil date as `2021-05-27`. A window
    that collects on behalf of another place verifies the identity (国办发〔2020〕35号); online, the
    portal may leave it to the deciding side. That the verification took place, and what the
    authorisation document says, are *not* checked.

    Raises:
        Fault: `case.identity_required`, `case.authorisation_missing`, `case.authorisation_ended`.
    """
    said = cast("Mapping[str, Mapping[str, str]]", document)
    if mode is Mode.COLLECT_ON_BEHALF and "identity" not in said:
        raise Fault(FaultCode.CASE_IDENTITY_REQUIRED)
    authorisation = said.get("authorisation")
    if authorisation is None:
        if said.get("identity", {}).get("method") == "agent":
            raise Fault(FaultCode.CASE_AUTHORISATION_MISSING, "/authorisation")
        return
    if authorisation["material_code"] not in material_codes:
        raise Fault(FaultCode.CASE_AUTHORISATION_MISSING, authorisation["material_code"])
    if authorisation["valid_until"] < today:
        raise Fault(FaultCode.CASE_AUTHORISATION_ENDED, authorisation["valid_until"])
