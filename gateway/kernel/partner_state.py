"""Where a partner stands with us."""

from __future__ import annotations

from enum import StrEnum


class PartnerState(StrEnum):
    """Where a partner stands (伙伴状态): only an active one is applied to."""

    DRAFT = "draft"
    TESTING = "testing"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    RETIRED = "retired"
