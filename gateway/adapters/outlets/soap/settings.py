"""What `[outlet.soap]` holds."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gateway.adapters.outlets.https import is_plain_loopback

_NAME = r"^[A-Za-z_][A-Za-z0-9_.-]{0,63}$"


class SoapSettings(BaseModel):
    """Where the service is, and how its operations are called. Times in seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str
    """Of the service, https only (http on loopback in demo mode)."""
    namespace: str = Field(min_length=1)
    authorities: str = "keys/authorities.pem"
    """File of the authorities that its certificate chains to."""
    server_name: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None
    licence_file: str
    """File of the licence (授权码) that each of our calls names."""
    inbound_licence_file: str | None = None
    """File of the licence that the partner's calls back at us name; absent: it does not call."""
    inbound_pins: tuple[str, ...] = ()
    """SHA-256 (hex) of the keys of certificates that may call back; empty: none is asked for."""
    licence: str = Field(default="licence", pattern=_NAME)
    information: str = Field(default="information", pattern=_NAME)
    """Names of the two parameters."""
    bare_number_at: str = Field(default="/code", pattern=r"^(/[A-Za-z_][A-Za-z0-9_.-]*)+$")
    """Where an answer that is a bare number, as these services give of errors, is put."""
    timeout_s: float = Field(default=15.0, gt=0, le=120)

    @model_validator(mode="after")
    def _is_whole(self) -> SoapSettings:
        if not self.url.startswith("https://") and not is_plain_loopback(self.url):
            raise ValueError("url: https only, or http on loopback in demo mode")
        if (self.client_certificate is None) != (self.client_key is None):
            raise ValueError("client_certificate and client_key go together")
        return self
