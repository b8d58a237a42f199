"""What a message is once its bytes are read: header, body, signatures, receipt."""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple

from gateway.kernel.identifiers import CaseKey, Digest, GatewayId, KeyId, MessageId, MessageRef


class Kind(IntEnum):
    """What a message says. Numbers are those of the wire."""

    SUBMITTED = 1  # 提交
    ACKNOWLEDGED = 2  # 签收
    MATERIALS_REQUESTED = 3  # 补正
    MATERIALS_SUPPLIED = 4  # 补交
    ACCEPTED = 5  # 受理
    NOT_ACCEPTED = 6  # 不予受理
    CLOCK_SUSPENDED = 7  # 特别程序开始
    CLOCK_RESUMED = 8  # 特别程序结束
    JOINT_TASK = 9  # 多地联办任务
    JOINT_ANSWER = 10  # 多地联办答复
    DECIDED = 11  # 办结
    WITHDRAWN = 12  # 撤回
    DELIVERED = 13  # 送达
    ARCHIVED = 14  # 归档
    REVIEWED = 15  # 评价
    LICENCE_STATUS_CHANGED = 16
    LICENCE_QUERY = 17
    LICENCE_ANSWER = 18
    CATALOGUE_CHANGED = 19
    AGREEMENT_PROPOSED = 20
    AGREEMENT_ACCEPTED = 21
    AGREEMENT_REJECTED = 22
    AGREEMENT_REVOKED = 23
    PARCEL_MOVED = 24
    KEY_ANNOUNCED = 25
    PING = 26


CASELESS: Final = frozenset(
    {
        Kind.LICENCE_STATUS_CHANGED,
        Kind.LICENCE_QUERY,
        Kind.LICENCE_ANSWER,
        Kind.CATALOGUE_CHANGED,
        Kind.AGREEMENT_PROPOSED,
        Kind.AGREEMENT_ACCEPTED,
        Kind.AGREEMENT_REJECTED,
        Kind.AGREEMENT_REVOKED,
        Kind.KEY_ANNOUNCED,
        Kind.PING,
    }
)
"""Kinds that belong to no case: no case key, no sequence, no previous digest."""


class Mode(IntEnum):
    """The three modes of 国办发〔2020〕35号."""

    ONLINE = 1  # 全程网办
    COLLECT_ON_BEHALF = 2  # 异地代收代办
    JOINT = 3  # 多地联办


class Right(IntEnum):
    """What the deciding place may delegate to the place of application."""

    NONE = 0
    ACCEPT = 1  # 收件受理权
    NOTIFY_ONCE = 2  # 一次性告知权
    VERIFY_ORIGINALS = 3  # 原件核验权
    DELIVER_RESULT = 4  # 审批结果送达权


class Strength(IntEnum):
    """How strongly the sender of a message is proven; a greater number is stronger."""

    ASSISTED = 1
    INTEGRITY_ONLY = 2
    AUTHENTICATED = 3
    SIGNED = 4


class Outcome(IntEnum):
    """The final outcomes of a delivery; "not taken in" is the absence of one."""

    TAKEN_IN = 1
    REFUSED = 2
    VOID = 3


class DigestAlgorithm(IntEnum):
    """Of commitments. Header digests and batch trees are SHA-256 in v1."""

    SHA256 = 0
    SM3 = 1


class Header(NamedTuple):
    """The signed header; see `protos/kuayu/v1/message.proto` for each field.

    Empty bytes or text stand for an absent field. Times are Unix ms.
    """

    message_id: MessageId
    sender: GatewayId
    recipient: GatewayId
    sent_at_ms: int
    expires_at_ms: int
    kind: Kind
    body_commitment: bytes
    case_origin: GatewayId = GatewayId("")
    case_id: bytes = b""
    sequence: int = 0
    previous_digest: bytes = b""
    last_seen_digest: bytes = b""
    in_reply_to: bytes = b""
    agreement_digest: bytes = b""
    item_code: str = ""
    item_version: str = ""
    mode: Mode | None = None
    delegated_right: Right = Right.NONE
    purpose: str = ""
    acting_unit: str = ""
    staff_pseudonym: str = ""
    staff_capacity: str = ""
    strength: Strength | None = None
    trace_context: str = ""
    required_suites: tuple[str, ...] = ()
    critical: tuple[str, ...] = ()
    digest_algorithm: DigestAlgorithm = DigestAlgorithm.SHA256
    version: int = 1

    @property
    def ref(self) -> MessageRef:
        """The message's name."""
        return MessageRef(self.sender, self.message_id)

    @property
    def case_key(self) -> CaseKey:
        """The case's name; meaningless for a caseless kind."""
        return CaseKey(self.case_origin, self.case_id)  # type: ignore[arg-type]


class Attachment(NamedTuple):
    """One file of a message: `commitment` = SHA-256(salt ‖ content); `size` in bytes."""

    material_code: str
    name: str
    media_type: str
    size: int
    salt: bytes
    commitment: Digest


class Body(NamedTuple):
    """A form as JSON bytes, verbatim, and the list of attachments."""

    form: bytes
    attachments: tuple[Attachment, ...] = ()


class BatchHead(NamedTuple):
    """The root over a batch of signed inputs."""

    root: bytes
    size: int
    suite: str
    key_id: KeyId


class BatchProof(NamedTuple):
    """Where a signed input stands in a batch; `head_bytes` are what the signature covers."""

    head_bytes: bytes
    head: BatchHead
    leaf_index: int
    path: tuple[bytes, ...]


class Signature(NamedTuple):
    """A signature by the registered key `key_id`, alone or over a batch."""

    key_id: KeyId
    signature: bytes
    batch: BatchProof | None = None


class Receipt(NamedTuple):
    """What the recipient says of a message; see `protos/kuayu/v1/receipt.proto`."""

    sender: GatewayId
    recipient: GatewayId
    message_id: MessageId
    header_digest: bytes
    received_at_ms: int
    outcome: Outcome
    rule: str = ""
    text_zh: str = ""
    text_en: str = ""
    version: int = 1


class SignedReceipt(NamedTuple):
    """A receipt with its bytes and signatures, before they are checked."""

    receipt_bytes: bytes
    receipt: Receipt
    signatures: tuple[Signature, ...]
    attestation: bytes = b""
    """Encoded SignedAttestation of our own adapter; a partner's receipt has none."""


class NotTakenIn(NamedTuple):
    """Nothing was stored; `retry` says whether the same bytes can meet another answer."""

    rule: str
    text_zh: str = ""
    text_en: str = ""
    retry: bool = False
    retry_after_ms: int = 0
    expected_sequence: int = 0


class ReceiptQuery(NamedTuple):
    """A sender's question after a message whose answer it lost."""

    message_id: MessageId
    header_digest: bytes
    burn: bool


class AttachmentRef(NamedTuple):
    """An attachment on its way, scoped to (partner, case)."""

    case_key: CaseKey
    agreement_digest: bytes
    salt: bytes
    commitment: bytes
    size: int
    media_type: str


class AttachmentState(NamedTuple):
    """How much of an attachment is held, in bytes."""

    held: int
    complete: bool
