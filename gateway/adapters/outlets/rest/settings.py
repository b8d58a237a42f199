"""What `[outlet.rest]` holds."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gateway.adapters.outlets.https import is_plain_loopback

Skew = Annotated[float, Field(gt=0, le=3_600)]
_POINTER = r"^(/[^/]+)*$"


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Renewal(_Table):
    """Where a short-lived secret is had for a long-lived one (两步取密)."""

    path: str = Field(pattern=r"^/")
    secret_at: str = Field(default="/data/secret", pattern=_POINTER)
    """Where the answer holds the secret."""
    seconds_at: str = Field(default="/data/expires", pattern=_POINTER)
    """Where it holds for how many seconds it is good."""


class GjzwfwptSettings(_Table):
    """Headers and an HMAC over them. Ids and secrets are theirs of us, and ours of them."""

    rid: str
    sid: str
    secret_file: str
    inbound_rid: str = ""
    inbound_sid: str = ""
    inbound_secret_file: str | None = None
    order: Literal["sid_rid_rtime", "rid_sid_rtime"] = "sid_rid_rtime"
    renewal: Renewal | None = None
    """Where `secret_file` only fetches the secret that signs."""
    skew_s_max: Skew = 300.0


class JpaasSettings(_Table):
    """Form fields and a digest without a key: integrity only."""

    app_id: str
    inbound_app_id: str = ""
    origin: str = "1"
    version: str = "1.0"
    skew_s_max: Skew = 300.0


class WrappingSettings(_Table):
    """SM4 and SM2 around bodies."""

    own_key_file: str
    their_key_file: str
    user_id: str = "1234567812345678"
    signature_form: Literal["der", "raw"] = "raw"
    cipher: Literal["sm4-cbc", "sm2"] = "sm4-cbc"
    sm4_key_file: str | None = None
    """32 hex digits."""
    sm2_order: Literal["c1c3c2", "c1c2c3", "der"] = "c1c3c2"

    @model_validator(mode="after")
    def _has_its_key(self) -> WrappingSettings:
        if (self.cipher == "sm4-cbc") != (self.sm4_key_file is not None):
            raise ValueError("sm4_key_file goes with cipher = 'sm4-cbc', and only with it")
        return self


class XTifSettings(_Table):
    """Headers around a token, and bodies under SM4 and SM2 if `wrapping` is set."""

    paas_id: str
    token_file: str
    inbound_paas_id: str = ""
    inbound_token_file: str | None = None
    wrapping: WrappingSettings | None = None
    skew_s_max: Skew = 300.0


class XBgHmacSettings(_Table):
    """An HMAC over method, path, query and date."""

    access_key: str
    secret_file: str
    inbound_access_key: str = ""
    inbound_secret_file: str | None = None
    skew_s_max: Annotated[float, Field(gt=0, le=90)] = 90.0


class HttpSignaturesSettings(_Table):
    """RFC 9421 with Content-Digest."""

    algorithm: Literal["ed25519", "ecdsa-p256-sha256", "hmac-sha256"] = "ed25519"
    key_id: str
    key_file: str
    """Private key (PEM); under hmac-sha256 a secret."""
    their_key_id: str
    their_key_file: str
    """Public key (PEM); under hmac-sha256 a secret."""
    inbound_url: str | None = None
    """Where we are called back, as the partner signs it: scheme, host and port."""
    tag: str = "kuayu"
    skew_s_max: Skew = 300.0


class PollSettings(_Table):
    """How what is new there is fetched, where the partner does not call back."""

    path: str = Field(pattern=r"^/")
    list_at: str = Field(default="/data", pattern=_POINTER)
    operation_at: str = Field(default="/operation", pattern=_POINTER)
    """Of each entry: what it is. An entry is handed over whole."""
    acknowledge_path: str | None = Field(default=None, pattern=r"^/")
    """Where an entry that was taken over is said to be; it comes again until then."""
    id_at: str = Field(default="/id", pattern=_POINTER)
    every_s: float = Field(default=30.0, gt=0, le=3_600)


class RestSettings(_Table):
    """Where the platform is, and how calls are signed. Times in seconds."""

    url: str
    """Base of its interface, https only (http on loopback in demo mode)."""
    path: str = Field(default="/{operation}", pattern=r"^/")
    """Of a push, below `url`; `{operation}` is put in."""
    authorities: str = "keys/authorities.pem"
    """File of the authorities that its certificate chains to."""
    server_name: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None
    timeout_s: float = Field(default=15.0, gt=0, le=120)
    scheme: Literal["gjzwfwpt", "jpaas", "x_tif", "x_bg_hmac", "http_signatures"]
    calls_back: bool = True
    """Whether it calls us back under the same scheme."""
    poll: PollSettings | None = None
    gjzwfwpt: GjzwfwptSettings | None = None
    jpaas: JpaasSettings | None = None
    x_tif: XTifSettings | None = None
    x_bg_hmac: XBgHmacSettings | None = None
    http_signatures: HttpSignaturesSettings | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> RestSettings:
        if not self.url.startswith("https://") and not is_plain_loopback(self.url):
            raise ValueError("url: https only, or http on loopback in demo mode")
        if (self.client_certificate is None) != (self.client_key is None):
            raise ValueError("client_certificate and client_key go together")
        names = ("gjzwfwpt", "jpaas", "x_tif", "x_bg_hmac", "http_signatures")
        given = [name for name in names if getattr(self, name) is not None]
        if given != [self.scheme]:
            raise ValueError(f"scheme {self.scheme}: set the table {self.scheme}, and no other")
        return self
