from . import message_pb2 as _message_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_UNSPECIFIED: _ClassVar[Outcome]
    OUTCOME_TAKEN_IN: _ClassVar[Outcome]
    OUTCOME_REFUSED: _ClassVar[Outcome]
    OUTCOME_VOID: _ClassVar[Outcome]
OUTCOME_UNSPECIFIED: Outcome
OUTCOME_TAKEN_IN: Outcome
OUTCOME_REFUSED: Outcome
OUTCOME_VOID: Outcome

class Receipt(_message.Message):
    __slots__ = ("version", "sender", "recipient", "message_id", "header_digest", "received_at_ms", "outcome", "rule", "text_zh", "text_en")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SENDER_FIELD_NUMBER: _ClassVar[int]
    RECIPIENT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    HEADER_DIGEST_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    TEXT_ZH_FIELD_NUMBER: _ClassVar[int]
    TEXT_EN_FIELD_NUMBER: _ClassVar[int]
    version: int
    sender: str
    recipient: str
    message_id: bytes
    header_digest: bytes
    received_at_ms: int
    outcome: Outcome
    rule: str
    text_zh: str
    text_en: str
    def __init__(self, version: _Optional[int] = ..., sender: _Optional[str] = ..., recipient: _Optional[str] = ..., message_id: _Optional[bytes] = ..., header_digest: _Optional[bytes] = ..., received_at_ms: _Optional[int] = ..., outcome: _Optional[_Union[Outcome, str]] = ..., rule: _Optional[str] = ..., text_zh: _Optional[str] = ..., text_en: _Optional[str] = ...) -> None: ...

class SignedReceipt(_message.Message):
    __slots__ = ("receipt", "signatures", "attestation")
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    SIGNATURES_FIELD_NUMBER: _ClassVar[int]
    ATTESTATION_FIELD_NUMBER: _ClassVar[int]
    receipt: bytes
    signatures: _containers.RepeatedCompositeFieldContainer[_message_pb2.Signature]
    attestation: bytes
    def __init__(self, receipt: _Optional[bytes] = ..., signatures: _Optional[_Iterable[_Union[_message_pb2.Signature, _Mapping]]] = ..., attestation: _Optional[bytes] = ...) -> None: ...

class NotTakenIn(_message.Message):
    __slots__ = ("rule", "text_zh", "text_en", "retry", "retry_after_ms", "expected_sequence")
    RULE_FIELD_NUMBER: _ClassVar[int]
    TEXT_ZH_FIELD_NUMBER: _ClassVar[int]
    TEXT_EN_FIELD_NUMBER: _ClassVar[int]
    RETRY_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_MS_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    rule: str
    text_zh: str
    text_en: str
    retry: bool
    retry_after_ms: int
    expected_sequence: int
    def __init__(self, rule: _Optional[str] = ..., text_zh: _Optional[str] = ..., text_en: _Optional[str] = ..., retry: _Optional[bool] = ..., retry_after_ms: _Optional[int] = ..., expected_sequence: _Optional[int] = ...) -> None: ...
