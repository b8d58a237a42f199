"""A case as one side keeps it."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple, assert_never

from gateway.kernel.envelope import Kind, Mode
from gateway.kernel.identifiers import CaseKey, GatewayId


class CaseRole(StrEnum):
    """What a gateway is in a case."""

    ORIGIN = "origin"  # 申请地
    DECIDING = "deciding"  # 办理地
    ASKING = "asking"  # 主办地: the deciding gateway, in a joint task (协办任务) that it gave
    PARTICIPATING = "participating"  # 协办地

    @property
    def orders(self) -> bool:
        """Whether this side's order of messages is the case's order: its word counts at once."""
        return self in (CaseRole.DECIDING, CaseRole.PARTICIPATING)

    @property
    def counterpart(self) -> CaseRole:
        """What the other gateway is in the same case."""
        match self:
            case CaseRole.ORIGIN:
                return CaseRole.DECIDING
            case CaseRole.DECIDING:
                return CaseRole.ORIGIN
            case CaseRole.ASKING:
                return CaseRole.PARTICIPATING
            case CaseRole.PARTICIPATING:
                return CaseRole.ASKING
            case _ as never:
                assert_never(never)


class Stage(StrEnum):
    """How far a case has come."""

    RECEIVING = "receiving"  # 收件: the origin still gathers material; the other side knows nothing
    SUBMITTED = "submitted"  # 提交
    ACKNOWLEDGED = "acknowledged"  # 签收
    MATERIALS_REQUESTED = "materials_requested"  # 补正
    MATERIALS_SUPPLIED = "materials_supplied"  # 补交
    ACCEPTED = "accepted"  # 受理
    SUSPENDED = "suspended"  # 特别程序: accepted, and the clock stands still
    DECIDED = "decided"  # 办结
    DELIVERED = "delivered"  # 送达
    ARCHIVED = "archived"  # 归档
    REFUSED_AT_INTAKE = "refused_at_intake"  # 退件
    NOT_ACCEPTED = "not_accepted"  # 不予受理
    WITHDRAWN = "withdrawn"  # 撤回
    ASKED = "asked"  # 已请协办: a joint task lies with the participating place
    ANSWERED = "answered"  # 已答复: it gave its verdict


CLOSED: Final = frozenset(
    {
        Stage.DELIVERED,
        Stage.ARCHIVED,
        Stage.REFUSED_AT_INTAKE,
        Stage.NOT_ACCEPTED,
        Stage.WITHDRAWN,
        Stage.ANSWERED,
    }
)
"""Nobody's turn. Only a corrected result leads out of one, and only out of `delivered`."""


AWAITS_US: Final = frozenset(
    {
        (CaseRole.DECIDING, Stage.SUBMITTED),
        (CaseRole.DECIDING, Stage.ACKNOWLEDGED),
        (CaseRole.DECIDING, Stage.MATERIALS_SUPPLIED),
        (CaseRole.DECIDING, Stage.ACCEPTED),
        (CaseRole.DECIDING, Stage.SUSPENDED),
        (CaseRole.PARTICIPATING, Stage.ASKED),
    }
)
"""Roles and stages in which the next step is ours: what a business system's task list holds."""
OPENING: Final = frozenset({Kind.SUBMITTED, Kind.JOINT_TASK})
"""Kinds that open a case: they count at once where they are said."""


class Chain(NamedTuple):
    """The last header taken in, in one direction of a case: sequence number and digest."""

    sequence: int = 0
    digest: bytes = b""


class Outstanding(NamedTuple):
    """Our own message in this case that is sealed and not yet known to be taken in."""

    kind: Kind
    message_id: bytes
    sequence: int
    header_digest: bytes


class CaseRecord(NamedTuple):
    """One side's view of a case with one counterpart. Immutable: each step makes the next.

    `stage` is the agreed stage: the deciding side's own messages count at once, the origin's when
    the deciding side is known to have taken them in.
    """

    key: CaseKey
    role: CaseRole
    counterpart: GatewayId
    unit: str
    """Credit code of our own unit whose tokens see the case."""
    stage: Stage
    item_code: str
    item_version: str
    mode: Mode
    agreement_digest: bytes
    purpose: str
    opened_at_ms: int
    changed_at_ms: int
    sent: Chain = Chain()
    received: Chain = Chain()
    outstanding: Outstanding | None = None
    waiting: tuple[Kind, ...] = ()
    """Kinds of our own drafts queued behind `outstanding`, in order."""
    applicant_number: str = ""
    """办件编号 of the applicant's side."""
    handling_number: str = ""
    """办件编号 of the deciding side."""
    result: str = ""
    """`approved` or `refused` once decided; `agree` or `disagree` once a joint task is answered."""
    form: bytes = b""
    """The form as submitted (with later supplements in their own messages), or the joint task."""
    outcome: bytes = b""
    """Body form of the message that decided or closed the case: licence, reasons."""
    attention: str = ""
    """What a person must look at: the rule id by which a message of ours was refused or dropped,
    or `not_delivered:` and why."""
    revision: int = 0
    """Grows by one with every change at this side."""
