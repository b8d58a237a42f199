"""Partners without a system (人工协办): what a sheet and a typed outcome can be."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

ADAPTER: Final = "assisted"
"""Name of the outlet and of the adapter in attestations."""


class WorkStatus(StrEnum):
    """How far a message of ours has come with a partner that has no system."""

    LISTED = "listed"  # 待转交: on the work list, nobody has told the partner yet
    HANDED_OVER = "handed_over"  # 已转交: a person told the partner, its answer is awaited
    DONE = "done"  # 已办结: nothing more is expected for it


class HandoverMethod(StrEnum):
    """How a sheet reached the partner."""

    PHONE = "phone"  # 电话
    FAX = "fax"  # 传真
    POST = "post"  # 邮寄
    COURIER = "courier"  # 专人送达
    IN_PERSON = "in_person"  # 当面


class TypingStatus(StrEnum):
    """How far an outcome that a person typed has come."""

    TYPED = "typed"  # 已录入: waits for another person
    REPLACED = "replaced"  # 已更正: its typist typed another one
    MISMATCHED = "mismatched"  # 复核不符: void, to be typed again
    CONFIRMED = "confirmed"  # 已复核: attested, on its way through the intake
    TAKEN_IN = "taken_in"  # 已收存
    REFUSED = "refused"  # 已拒收


class TypingEvent(StrEnum):
    """What can happen to a typed outcome."""

    TYPE = "type"
    REPLACE = "replace"
    MISMATCH = "mismatch"
    CONFIRM = "confirm"
    TAKE_IN = "take_in"
    REFUSE = "refuse"


OPEN: Final = frozenset({TypingStatus.TYPED, TypingStatus.CONFIRMED})
"""A case has at most one typed outcome in these."""
