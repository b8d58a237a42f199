"""Operators' acts as bytes: JSON, signed and kept verbatim.

    {"version": 1, "act": "<UUIDv7>", "gateway": "620900", "command": "agreement-accept",
     "arguments": {...}, "acted_at_ms": 1780000000000}

The signature is over PAE("application/vnd.kuayu.v1.operator-act", these bytes).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId, is_gateway_id, parse_uuid7, uuid_text
from gateway.kernel.limits import OPERATOR_BYTES_MAX
from gateway.kernel.operators import OperatorAct
from gateway.rules.schema.strict_json import parse

_VERSION: Final = 1
_KEYS: Final = frozenset({"version", "act", "gateway", "command", "arguments", "acted_at_ms"})


def encode_operator_act(act: OperatorAct) -> bytes:
    """Write an act as it is to be signed."""
    document: Mapping[str, object] = {
        "version": _VERSION,
        "act": uuid_text(act.act_id),
        "gateway": act.gateway_id,
        "command": act.command,
        "arguments": dict(act.arguments),
        "acted_at_ms": act.acted_at_ms,
    }
    return json.dumps(document, ensure_ascii=False).encode()


def decode_operator_act(raw: bytes) -> OperatorAct:
    """Read an act. Who signed it is *not* checked.

    Raises:
        Fault: `operator.request_invalid`; those of `rules.schema.strict_json.parse`.
    """
    found = parse(raw, bytes_max=OPERATOR_BYTES_MAX)
    if not isinstance(found, dict) or found.keys() != _KEYS or found["version"] != _VERSION:
        raise Fault(FaultCode.OPERATOR_REQUEST_INVALID, "no operator's act of version 1")
    act_id = parse_uuid7(found["act"]) if isinstance(found["act"], str) else None
    gateway, command, arguments = found["gateway"], found["command"], found["arguments"]
    acted_at_ms = found["acted_at_ms"]
    if (
        act_id is None
        or not (isinstance(gateway, str) and is_gateway_id(gateway))
        or not (isinstance(command, str) and isinstance(arguments, dict))
        or not isinstance(acted_at_ms, int)
    ):
        raise Fault(FaultCode.OPERATOR_REQUEST_INVALID, "no operator's act of version 1")
    return OperatorAct(act_id, GatewayId(gateway), command, arguments, acted_at_ms)
