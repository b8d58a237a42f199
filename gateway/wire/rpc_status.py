"""A fault as a gRPC status: `google.rpc.Status` with `ErrorInfo` whose reason is the rule id."""

from __future__ import annotations

from typing import NamedTuple

from google.protobuf.message import DecodeError
from google.rpc import code_pb2, error_details_pb2, status_pb2

from gateway.kernel.faults import Fault, FaultCode
from gateway.wire.fault_table import entry, texts

DETAILS_KEY = "grpc-status-details-bin"
DOMAIN = "kuayu.v1"
_RULES = frozenset(code.value for code in FaultCode)


class RpcStatus(NamedTuple):
    """Number of the gRPC status code, its message, and the encoded google.rpc.Status."""

    code: int
    message: str
    details: bytes


def encode_fault(fault: Fault) -> RpcStatus:
    """Write a fault for a whole call."""
    row = entry(fault.code)
    zh, en = texts(fault.code, fault.detail)
    code = code_pb2.Code.Value(row.grpc_status)
    status = status_pb2.Status(code=code, message=en)
    status.details.add().Pack(
        error_details_pb2.ErrorInfo(
            reason=fault.code.value,
            domain=DOMAIN,
            metadata={
                "text_zh": zh,
                "text_en": en,
                "retry": "true" if row.retry else "false",
                "retry_after_ms": str(fault.retry_after_ms or row.retry_after_ms),
            },
        ),
        deterministic=True,
    )
    return RpcStatus(code, en, status.SerializeToString(deterministic=True))


def decode_fault(details: bytes) -> Fault | None:
    """Read the fault a partner named; None if it named none we know."""
    status = status_pb2.Status()
    try:
        status.ParseFromString(details)
    except DecodeError:
        return None
    for packed in status.details:
        info = error_details_pb2.ErrorInfo()
        if not packed.Unpack(info) or info.domain != DOMAIN or info.reason not in _RULES:
            continue
        wait = info.metadata.get("retry_after_ms", "0")
        return Fault(FaultCode(info.reason), retry_after_ms=int(wait) if wait.isdigit() else 0)
    return None
