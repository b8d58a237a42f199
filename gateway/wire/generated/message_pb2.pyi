from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DigestAlgorithm(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DIGEST_ALGORITHM_SHA256: _ClassVar[DigestAlgorithm]
    DIGEST_ALGORITHM_SM3: _ClassVar[DigestAlgorithm]

class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    KIND_UNSPECIFIED: _ClassVar[Kind]
    KIND_SUBMITTED: _ClassVar[Kind]
    KIND_ACKNOWLEDGED: _ClassVar[Kind]
    KIND_MATERIALS_REQUESTED: _ClassVar[Kind]
    KIND_MATERIALS_SUPPLIED: _ClassVar[Kind]
    KIND_ACCEPTED: _ClassVar[Kind]
    KIND_NOT_ACCEPTED: _ClassVar[Kind]
    KIND_CLOCK_SUSPENDED: _ClassVar[Kind]
    KIND_CLOCK_RESUMED: _ClassVar[Kind]
    KIND_JOINT_TASK: _ClassVar[Kind]
    KIND_JOINT_ANSWER: _ClassVar[Kind]
    KIND_DECIDED: _ClassVar[Kind]
    KIND_WITHDRAWN: _ClassVar[Kind]
    KIND_DELIVERED: _ClassVar[Kind]
    KIND_ARCHIVED: _ClassVar[Kind]
    KIND_REVIEWED: _ClassVar[Kind]
    KIND_LICENCE_STATUS_CHANGED: _ClassVar[Kind]
    KIND_LICENCE_QUERY: _ClassVar[Kind]
    KIND_LICENCE_ANSWER: _ClassVar[Kind]
    KIND_CATALOGUE_CHANGED: _ClassVar[Kind]
    KIND_AGREEMENT_PROPOSED: _ClassVar[Kind]
    KIND_AGREEMENT_ACCEPTED: _ClassVar[Kind]
    KIND_AGREEMENT_REJECTED: _ClassVar[Kind]
    KIND_AGREEMENT_REVOKED: _ClassVar[Kind]
    KIND_PARCEL_MOVED: _ClassVar[Kind]
    KIND_KEY_ANNOUNCED: _ClassVar[Kind]
    KIND_PING: _ClassVar[Kind]

class Mode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MODE_UNSPECIFIED: _ClassVar[Mode]
    MODE_ONLINE: _ClassVar[Mode]
    MODE_COLLECT_ON_BEHALF: _ClassVar[Mode]
    MODE_JOINT: _ClassVar[Mode]

class Right(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RIGHT_NONE: _ClassVar[Right]
    RIGHT_ACCEPT: _ClassVar[Right]
    RIGHT_NOTIFY_ONCE: _ClassVar[Right]
    RIGHT_VERIFY_ORIGINALS: _ClassVar[Right]
    RIGHT_DELIVER_RESULT: _ClassVar[Right]

class Strength(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STRENGTH_UNSPECIFIED: _ClassVar[Strength]
    STRENGTH_ASSISTED: _ClassVar[Strength]
    STRENGTH_INTEGRITY_ONLY: _ClassVar[Strength]
    STRENGTH_AUTHENTICATED: _ClassVar[Strength]
    STRENGTH_SIGNED: _ClassVar[Strength]
DIGEST_ALGORITHM_SHA256: DigestAlgorithm
DIGEST_ALGORITHM_SM3: DigestAlgorithm
KIND_UNSPECIFIED: Kind
KIND_SUBMITTED: Kind
KIND_ACKNOWLEDGED: Kind
KIND_MATERIALS_REQUESTED: Kind
KIND_MATERIALS_SUPPLIED: Kind
KIND_ACCEPTED: Kind
KIND_NOT_ACCEPTED: Kind
KIND_CLOCK_SUSPENDED: Kind
KIND_CLOCK_RESUMED: Kind
KIND_JOINT_TASK: Kind
KIND_JOINT_ANSWER: Kind
KIND_DECIDED: Kind
KIND_WITHDRAWN: Kind
KIND_DELIVERED: Kind
KIND_ARCHIVED: Kind
KIND_REVIEWED: Kind
KIND_LICENCE_STATUS_CHANGED: Kind
KIND_LICENCE_QUERY: Kind
KIND_LICENCE_ANSWER: Kind
KIND_CATALOGUE_CHANGED: Kind
KIND_AGREEMENT_PROPOSED: Kind
KIND_AGREEMENT_ACCEPTED: Kind
KIND_AGREEMENT_REJECTED: Kind
KIND_AGREEMENT_REVOKED: Kind
KIND_PARCEL_MOVED: Kind
KIND_KEY_ANNOUNCED: Kind
KIND_PING: Kind
MODE_UNSPECIFIED: Mode
MODE_ONLINE: Mode
MODE_COLLECT_ON_BEHALF: Mode
MODE_JOINT: Mode
RIGHT_NONE: Right
RIGHT_ACCEPT: Right
RIGHT_NOTIFY_ONCE: Right
RIGHT_VERIFY_ORIGINALS: Right
RIGHT_DELIVER_RESULT: Right
STRENGTH_UNSPECIFIED: Strength
STRENGTH_ASSISTED: Strength
STRENGTH_INTEGRITY_ONLY: Strength
STRENGTH_AUTHENTICATED: Strength
STRENGTH_SIGNED: Strength

class Envelope(_message.Message):
    __slots__ = ("header", "salt", "body", "signatures", "attestation")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    SALT_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    SIGNATURES_FIELD_NUMBER: _ClassVar[int]
    ATTESTATION_FIELD_NUMBER: _ClassVar[int]
    header: bytes
    salt: bytes
    body: bytes
    signatures: _containers.RepeatedCompositeFieldContainer[Signature]
    attestation: bytes
    def __init__(self, header: _Optional[bytes] = ..., salt: _Optional[bytes] = ..., body: _Optional[bytes] = ..., signatures: _Optional[_Iterable[_Union[Signature, _Mapping]]] = ..., attestation: _Optional[bytes] = ...) -> None: ...

class Header(_message.Message):
    __slots__ = ("version", "message_id", "sender", "recipient", "sent_at_ms", "expires_at_ms", "case_origin", "case_id", "sequence", "previous_digest", "last_seen_digest", "in_reply_to", "kind", "agreement_digest", "item_code", "item_version", "mode", "delegated_right", "purpose", "acting_unit", "staff_pseudonym", "staff_capacity", "strength", "trace_context", "required_suites", "critical", "body_commitment", "digest_algorithm")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    SENDER_FIELD_NUMBER: _ClassVar[int]
    RECIPIENT_FIELD_NUMBER: _ClassVar[int]
    SENT_AT_MS_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_MS_FIELD_NUMBER: _ClassVar[int]
    CASE_ORIGIN_FIELD_NUMBER: _ClassVar[int]
    CASE_ID_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_DIGEST_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_DIGEST_FIELD_NUMBER: _ClassVar[int]
    IN_REPLY_TO_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    AGREEMENT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    ITEM_CODE_FIELD_NUMBER: _ClassVar[int]
    ITEM_VERSION_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    DELEGATED_RIGHT_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    ACTING_UNIT_FIELD_NUMBER: _ClassVar[int]
    STAFF_PSEUDONYM_FIELD_NUMBER: _ClassVar[int]
    STAFF_CAPACITY_FIELD_NUMBER: _ClassVar[int]
    STRENGTH_FIELD_NUMBER: _ClassVar[int]
    TRACE_CONTEXT_FIELD_NUMBER: _ClassVar[int]
    REQUIRED_SUITES_FIELD_NUMBER: _ClassVar[int]
    CRITICAL_FIELD_NUMBER: _ClassVar[int]
    BODY_COMMITMENT_FIELD_NUMBER: _ClassVar[int]
    DIGEST_ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    version: int
    message_id: bytes
    sender: str
    recipient: str
    sent_at_ms: int
    expires_at_ms: int
    case_origin: str
    case_id: bytes
    sequence: int
    previous_digest: bytes
    last_seen_digest: bytes
    in_reply_to: bytes
    kind: Kind
    agreement_digest: bytes
    item_code: str
    item_version: str
    mode: Mode
    delegated_right: Right
    purpose: str
    acting_unit: str
    staff_pseudonym: str
    staff_capacity: str
    strength: Strength
    trace_context: str
    required_suites: _containers.RepeatedScalarFieldContainer[str]
    critical: _containers.RepeatedScalarFieldContainer[str]
    body_commitment: bytes
    digest_algorithm: DigestAlgorithm
    def __init__(self, version: _Optional[int] = ..., message_id: _Optional[bytes] = ..., sender: _Optional[str] = ..., recipient: _Optional[str] = ..., sent_at_ms: _Optional[int] = ..., expires_at_ms: _Optional[int] = ..., case_origin: _Optional[str] = ..., case_id: _Optional[bytes] = ..., sequence: _Optional[int] = ..., previous_digest: _Optional[bytes] = ..., last_seen_digest: _Optional[bytes] = ..., in_reply_to: _Optional[bytes] = ..., kind: _Optional[_Union[Kind, str]] = ..., agreement_digest: _Optional[bytes] = ..., item_code: _Optional[str] = ..., item_version: _Optional[str] = ..., mode: _Optional[_Union[Mode, str]] = ..., delegated_right: _Optional[_Union[Right, str]] = ..., purpose: _Optional[str] = ..., acting_unit: _Optional[str] = ..., staff_pseudonym: _Optional[str] = ..., staff_capacity: _Optional[str] = ..., strength: _Optional[_Union[Strength, str]] = ..., trace_context: _Optional[str] = ..., required_suites: _Optional[_Iterable[str]] = ..., critical: _Optional[_Iterable[str]] = ..., body_commitment: _Optional[bytes] = ..., digest_algorithm: _Optional[_Union[DigestAlgorithm, str]] = ...) -> None: ...

class Body(_message.Message):
    __slots__ = ("form", "attachments")
    FORM_FIELD_NUMBER: _ClassVar[int]
    ATTACHMENTS_FIELD_NUMBER: _ClassVar[int]
    form: bytes
    attachments: _containers.RepeatedCompositeFieldContainer[Attachment]
    def __init__(self, form: _Optional[bytes] = ..., attachments: _Optional[_Iterable[_Union[Attachment, _Mapping]]] = ...) -> None: ...

class Attachment(_message.Message):
    __slots__ = ("material_code", "name", "media_type", "size", "salt", "commitment")
    MATERIAL_CODE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    SALT_FIELD_NUMBER: _ClassVar[int]
    COMMITMENT_FIELD_NUMBER: _ClassVar[int]
    material_code: str
    name: str
    media_type: str
    size: int
    salt: bytes
    commitment: bytes
    def __init__(self, material_code: _Optional[str] = ..., name: _Optional[str] = ..., media_type: _Optional[str] = ..., size: _Optional[int] = ..., salt: _Optional[bytes] = ..., commitment: _Optional[bytes] = ...) -> None: ...

class Signature(_message.Message):
    __slots__ = ("key_id", "signature", "batch")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    key_id: bytes
    signature: bytes
    batch: BatchProof
    def __init__(self, key_id: _Optional[bytes] = ..., signature: _Optional[bytes] = ..., batch: _Optional[_Union[BatchProof, _Mapping]] = ...) -> None: ...

class BatchProof(_message.Message):
    __slots__ = ("head", "leaf_index", "path")
    HEAD_FIELD_NUMBER: _ClassVar[int]
    LEAF_INDEX_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    head: bytes
    leaf_index: int
    path: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, head: _Optional[bytes] = ..., leaf_index: _Optional[int] = ..., path: _Optional[_Iterable[bytes]] = ...) -> None: ...

class BatchHead(_message.Message):
    __slots__ = ("version", "root", "size", "suite", "key_id")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ROOT_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    SUITE_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    version: int
    root: bytes
    size: int
    suite: str
    key_id: bytes
    def __init__(self, version: _Optional[int] = ..., root: _Optional[bytes] = ..., size: _Optional[int] = ..., suite: _Optional[str] = ..., key_id: _Optional[bytes] = ...) -> None: ...

class Attestation(_message.Message):
    __slots__ = ("version", "partner", "adapter", "received_at_ms", "raw_digest", "strength", "natural_key", "message_id", "header_digest")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PARTNER_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    RAW_DIGEST_FIELD_NUMBER: _ClassVar[int]
    STRENGTH_FIELD_NUMBER: _ClassVar[int]
    NATURAL_KEY_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    HEADER_DIGEST_FIELD_NUMBER: _ClassVar[int]
    version: int
    partner: str
    adapter: str
    received_at_ms: int
    raw_digest: bytes
    strength: Strength
    natural_key: str
    message_id: bytes
    header_digest: bytes
    def __init__(self, version: _Optional[int] = ..., partner: _Optional[str] = ..., adapter: _Optional[str] = ..., received_at_ms: _Optional[int] = ..., raw_digest: _Optional[bytes] = ..., strength: _Optional[_Union[Strength, str]] = ..., natural_key: _Optional[str] = ..., message_id: _Optional[bytes] = ..., header_digest: _Optional[bytes] = ...) -> None: ...

class SignedAttestation(_message.Message):
    __slots__ = ("attestation", "signatures")
    ATTESTATION_FIELD_NUMBER: _ClassVar[int]
    SIGNATURES_FIELD_NUMBER: _ClassVar[int]
    attestation: bytes
    signatures: _containers.RepeatedCompositeFieldContainer[Signature]
    def __init__(self, attestation: _Optional[bytes] = ..., signatures: _Optional[_Iterable[_Union[Signature, _Mapping]]] = ...) -> None: ...
