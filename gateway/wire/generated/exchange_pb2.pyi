from . import receipt_pb2 as _receipt_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DeliverRequest(_message.Message):
    __slots__ = ("envelopes",)
    ENVELOPES_FIELD_NUMBER: _ClassVar[int]
    envelopes: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, envelopes: _Optional[_Iterable[bytes]] = ...) -> None: ...

class DeliverResponse(_message.Message):
    __slots__ = ("deliveries",)
    DELIVERIES_FIELD_NUMBER: _ClassVar[int]
    deliveries: _containers.RepeatedCompositeFieldContainer[Delivery]
    def __init__(self, deliveries: _Optional[_Iterable[_Union[Delivery, _Mapping]]] = ...) -> None: ...

class Delivery(_message.Message):
    __slots__ = ("signed_receipt", "not_taken_in")
    SIGNED_RECEIPT_FIELD_NUMBER: _ClassVar[int]
    NOT_TAKEN_IN_FIELD_NUMBER: _ClassVar[int]
    signed_receipt: bytes
    not_taken_in: _receipt_pb2.NotTakenIn
    def __init__(self, signed_receipt: _Optional[bytes] = ..., not_taken_in: _Optional[_Union[_receipt_pb2.NotTakenIn, _Mapping]] = ...) -> None: ...

class ReceiptQuery(_message.Message):
    __slots__ = ("message_id", "header_digest", "burn")
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    HEADER_DIGEST_FIELD_NUMBER: _ClassVar[int]
    BURN_FIELD_NUMBER: _ClassVar[int]
    message_id: bytes
    header_digest: bytes
    burn: bool
    def __init__(self, message_id: _Optional[bytes] = ..., header_digest: _Optional[bytes] = ..., burn: _Optional[bool] = ...) -> None: ...

class QueryReceiptsRequest(_message.Message):
    __slots__ = ("queries",)
    QUERIES_FIELD_NUMBER: _ClassVar[int]
    queries: _containers.RepeatedCompositeFieldContainer[ReceiptQuery]
    def __init__(self, queries: _Optional[_Iterable[_Union[ReceiptQuery, _Mapping]]] = ...) -> None: ...

class QueryReceiptsResponse(_message.Message):
    __slots__ = ("deliveries",)
    DELIVERIES_FIELD_NUMBER: _ClassVar[int]
    deliveries: _containers.RepeatedCompositeFieldContainer[Delivery]
    def __init__(self, deliveries: _Optional[_Iterable[_Union[Delivery, _Mapping]]] = ...) -> None: ...

class CollectRequest(_message.Message):
    __slots__ = ("signed_receipts", "envelopes_max", "wait_ms_max")
    SIGNED_RECEIPTS_FIELD_NUMBER: _ClassVar[int]
    ENVELOPES_MAX_FIELD_NUMBER: _ClassVar[int]
    WAIT_MS_MAX_FIELD_NUMBER: _ClassVar[int]
    signed_receipts: _containers.RepeatedScalarFieldContainer[bytes]
    envelopes_max: int
    wait_ms_max: int
    def __init__(self, signed_receipts: _Optional[_Iterable[bytes]] = ..., envelopes_max: _Optional[int] = ..., wait_ms_max: _Optional[int] = ...) -> None: ...

class CollectResponse(_message.Message):
    __slots__ = ("envelopes", "receipts", "lease_ms")
    ENVELOPES_FIELD_NUMBER: _ClassVar[int]
    RECEIPTS_FIELD_NUMBER: _ClassVar[int]
    LEASE_MS_FIELD_NUMBER: _ClassVar[int]
    envelopes: _containers.RepeatedScalarFieldContainer[bytes]
    receipts: _containers.RepeatedCompositeFieldContainer[ReceiptAnswer]
    lease_ms: int
    def __init__(self, envelopes: _Optional[_Iterable[bytes]] = ..., receipts: _Optional[_Iterable[_Union[ReceiptAnswer, _Mapping]]] = ..., lease_ms: _Optional[int] = ...) -> None: ...

class ReceiptAnswer(_message.Message):
    __slots__ = ("rule", "text_zh", "text_en", "retry")
    RULE_FIELD_NUMBER: _ClassVar[int]
    TEXT_ZH_FIELD_NUMBER: _ClassVar[int]
    TEXT_EN_FIELD_NUMBER: _ClassVar[int]
    RETRY_FIELD_NUMBER: _ClassVar[int]
    rule: str
    text_zh: str
    text_en: str
    retry: bool
    def __init__(self, rule: _Optional[str] = ..., text_zh: _Optional[str] = ..., text_en: _Optional[str] = ..., retry: _Optional[bool] = ...) -> None: ...

class FetchAttachmentRequest(_message.Message):
    __slots__ = ("attachment", "offset")
    ATTACHMENT_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    attachment: AttachmentRef
    offset: int
    def __init__(self, attachment: _Optional[_Union[AttachmentRef, _Mapping]] = ..., offset: _Optional[int] = ...) -> None: ...

class AttachmentRef(_message.Message):
    __slots__ = ("case_origin", "case_id", "agreement_digest", "salt", "commitment", "size", "media_type")
    CASE_ORIGIN_FIELD_NUMBER: _ClassVar[int]
    CASE_ID_FIELD_NUMBER: _ClassVar[int]
    AGREEMENT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    SALT_FIELD_NUMBER: _ClassVar[int]
    COMMITMENT_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    case_origin: str
    case_id: bytes
    agreement_digest: bytes
    salt: bytes
    commitment: bytes
    size: int
    media_type: str
    def __init__(self, case_origin: _Optional[str] = ..., case_id: _Optional[bytes] = ..., agreement_digest: _Optional[bytes] = ..., salt: _Optional[bytes] = ..., commitment: _Optional[bytes] = ..., size: _Optional[int] = ..., media_type: _Optional[str] = ...) -> None: ...

class AttachmentChunk(_message.Message):
    __slots__ = ("open", "data", "offset")
    OPEN_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    open: AttachmentRef
    data: bytes
    offset: int
    def __init__(self, open: _Optional[_Union[AttachmentRef, _Mapping]] = ..., data: _Optional[bytes] = ..., offset: _Optional[int] = ...) -> None: ...

class AttachmentState(_message.Message):
    __slots__ = ("held", "complete")
    HELD_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    held: int
    complete: bool
    def __init__(self, held: _Optional[int] = ..., complete: _Optional[bool] = ...) -> None: ...
