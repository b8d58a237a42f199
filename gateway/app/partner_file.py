"""What `partner.toml` holds, checked as one document."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from gateway.kernel.assisted import ADAPTER
from gateway.kernel.limits import (
    CALLER_NETWORKS_MAX,
    DELIVER_TIMEOUT_S,
    GRPC_STREAMS_MAX,
    LANE_CALLS_MAX,
    PARTNER_CALLS_MAX,
    PARTNER_LANE_CALLS_MAX,
    PARTNER_MESSAGES_BURST,
    PARTNER_MESSAGES_BURST_MAX,
    PARTNER_MESSAGES_PER_S,
    PARTNER_MESSAGES_PER_S_MAX,
    PARTNER_UPLOADS_MAX,
)
from gateway.rules.arrivals import ATTESTED, DIALECTS
from gateway.rules.trust import PartnerState


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Grpc(_Strict):
    collects: bool = False


class _Outlet(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)

    kind: Literal["grpc", "assisted", "rest", "soap", "staging_table", "file_drop"]
    grpc: _Grpc | None = None

    @model_validator(mode="after")
    def _has_its_own_table_only(self) -> _Outlet:
        if self.grpc is not None and self.kind != "grpc":
            raise ValueError(f"outlet.grpc: is not read by a {self.kind} outlet; remove it")
        for name, given in (self.model_extra or {}).items():
            if name != self.kind or self.kind not in DIALECTS or not isinstance(given, dict):
                raise ValueError(f"outlet.{name}: is not read by a {self.kind} outlet; remove it")
        return self

    @property
    def collects(self) -> bool:
        """Whether the partner fetches its messages instead of being dialled."""
        return self.grpc is not None and self.grpc.collects

    @property
    def settings(self) -> Mapping[str, object]:
        """What the dialect's own table holds."""
        found = (self.model_extra or {}).get(self.kind, {})
        assert isinstance(found, dict), "validated"
        return found


class _Limits(_Strict):
    calls_max: int = Field(default=PARTNER_CALLS_MAX, ge=1, le=GRPC_STREAMS_MAX)
    uploads_max: int = Field(default=PARTNER_UPLOADS_MAX, ge=1, le=GRPC_STREAMS_MAX)
    messages_per_s: int = Field(default=PARTNER_MESSAGES_PER_S, ge=1, le=PARTNER_MESSAGES_PER_S_MAX)
    messages_burst: int = Field(default=PARTNER_MESSAGES_BURST, ge=1, le=PARTNER_MESSAGES_BURST_MAX)
    lane_calls_max: int = Field(default=LANE_CALLS_MAX, ge=1, le=PARTNER_LANE_CALLS_MAX)
    answer_s_max: float = Field(default=DELIVER_TIMEOUT_S, ge=1, le=DELIVER_TIMEOUT_S)
    callers: tuple[str, ...] = Field(default=(), max_length=CALLER_NETWORKS_MAX)

    @field_validator("callers")
    @classmethod
    def _are_networks(cls, callers: tuple[str, ...]) -> tuple[str, ...]:
        for network in callers:
            try:
                ip_network(network)
            except ValueError as wrong:
                raise ValueError(f"{network!r} is no network such as 203.0.113.0/24") from wrong
        return callers


class _Identity(_Strict):
    transport_pins: list[str] = Field(default_factory=list)
    signing_certificates: list[str] = Field(default_factory=list)
    authorities: str = "keys/authorities.pem"
    relays: list[str] = Field(default_factory=list)
    adapter_certificates: list[str] = Field(default_factory=list)


class PartnerFile(_Strict):
    """What `partner.toml` holds."""

    gateway_id: str = Field(pattern=r"^[1-9][0-9]{5}$")
    name_zh: str = Field(min_length=1)
    name_en: str = Field(min_length=1)
    unit: str = Field(min_length=18, max_length=18)
    state: PartnerState
    address: str = ""
    server_name: str = ""
    simulated: bool = False
    outlet: _Outlet
    limits: _Limits = _Limits()
    identity: _Identity = _Identity()

    @model_validator(mode="after")
    def _has_what_its_outlet_needs(self) -> PartnerFile:
        """Nobody but our adapter speaks for a partner without keys: what could is refused."""
        who = self.identity
        given = {
            "address": self.address,
            "server_name": self.server_name,
            "identity.transport_pins": who.transport_pins,
            "identity.signing_certificates": who.signing_certificates,
            "identity.relays": who.relays,
            "identity.adapter_certificates": who.adapter_certificates,
        }
        if self.outlet.kind in ATTESTED and any(given.values()):
            names = ", ".join(name for name, value in given.items() if value)
            what = "has no system" if self.outlet.kind == ADAPTER else "is known to its adapter"
            kind = self.outlet.kind
            raise ValueError(f"a partner with outlet.kind = {kind!r} {what}; remove {names}")
        return self
