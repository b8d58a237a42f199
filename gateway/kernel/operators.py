"""Operators (操作员): persons with keys of their own, and what they sign to have something done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.kernel.identifiers import GatewayId, KeyId


class ActStatus(StrEnum):
    """How far an act has come."""

    WAITING = "waiting"  # 待复核: dangerous, a second operator has not agreed yet
    BEGUN = "begun"  # 执行中: kept before it is done; after a crash it may be half done
    DONE = "done"  # 已执行
    REFUSED = "refused"  # 已拒绝: by a rule of what it asks for
    DECLINED = "declined"  # 复核未通过: by the second operator
    EXPIRED = "expired"  # 逾期未复核


class ActEvent(StrEnum):
    """What can happen to it."""

    APPROVE = "approve"
    DECLINE = "decline"
    EXPIRE = "expire"
    FINISH = "finish"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class OperatorAct:
    """What an operator asks for, as it was signed."""

    act_id: bytes
    """UUIDv7 of `acted_at_ms`."""
    gateway_id: GatewayId
    """Where it is to be done; nowhere else."""
    command: str
    arguments: Mapping[str, object]
    acted_at_ms: int


@dataclass(frozen=True, slots=True)
class SignedOperatorAct:
    """An act with its operator's signature over PAE(operator act, `raw`)."""

    raw: bytes
    act: OperatorAct
    key_id: KeyId
    signature: bytes


@dataclass(frozen=True, slots=True)
class Operator:
    """A person who may act. `name` is a pseudonym: messages and logs name it."""

    name: str
    key_id: KeyId
    suite: str
    public_key: bytes
    """SubjectPublicKeyInfo, DER."""
    since_ms: int
    until_ms: int = 0
    """When the operator was removed; 0: may act."""


ADD: Final = "operator-add"
REMOVE: Final = "operator-remove"
APPROVE: Final = "operator-approve"
DECLINE: Final = "operator-decline"
