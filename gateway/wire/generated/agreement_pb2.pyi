from . import message_pb2 as _message_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AgreementVerdict(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AGREEMENT_VERDICT_UNSPECIFIED: _ClassVar[AgreementVerdict]
    AGREEMENT_VERDICT_ACCEPT: _ClassVar[AgreementVerdict]
    AGREEMENT_VERDICT_REJECT: _ClassVar[AgreementVerdict]
    AGREEMENT_VERDICT_REVOKE: _ClassVar[AgreementVerdict]

class OpenCases(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OPEN_CASES_UNSPECIFIED: _ClassVar[OpenCases]
    OPEN_CASES_CONTINUE: _ClassVar[OpenCases]
    OPEN_CASES_STOP: _ClassVar[OpenCases]
AGREEMENT_VERDICT_UNSPECIFIED: AgreementVerdict
AGREEMENT_VERDICT_ACCEPT: AgreementVerdict
AGREEMENT_VERDICT_REJECT: AgreementVerdict
AGREEMENT_VERDICT_REVOKE: AgreementVerdict
OPEN_CASES_UNSPECIFIED: OpenCases
OPEN_CASES_CONTINUE: OpenCases
OPEN_CASES_STOP: OpenCases

class AgreementAct(_message.Message):
    __slots__ = ("version", "agreement_digest", "party", "verdict", "acted_at_ms", "reason", "open_cases")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    AGREEMENT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    PARTY_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    ACTED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    OPEN_CASES_FIELD_NUMBER: _ClassVar[int]
    version: int
    agreement_digest: bytes
    party: str
    verdict: AgreementVerdict
    acted_at_ms: int
    reason: str
    open_cases: OpenCases
    def __init__(self, version: _Optional[int] = ..., agreement_digest: _Optional[bytes] = ..., party: _Optional[str] = ..., verdict: _Optional[_Union[AgreementVerdict, str]] = ..., acted_at_ms: _Optional[int] = ..., reason: _Optional[str] = ..., open_cases: _Optional[_Union[OpenCases, str]] = ...) -> None: ...

class SignedAgreementAct(_message.Message):
    __slots__ = ("act", "signatures")
    ACT_FIELD_NUMBER: _ClassVar[int]
    SIGNATURES_FIELD_NUMBER: _ClassVar[int]
    act: bytes
    signatures: _containers.RepeatedCompositeFieldContainer[_message_pb2.Signature]
    def __init__(self, act: _Optional[bytes] = ..., signatures: _Optional[_Iterable[_Union[_message_pb2.Signature, _Mapping]]] = ...) -> None: ...
