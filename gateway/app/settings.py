"""What a gateway can be told, setting by setting."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo
from pydantic.fields import FieldInfo

from gateway.kernel.identifiers import is_gateway_id
from gateway.kernel.limits import SIGNATURES_PER_ENVELOPE_MAX
from gateway.rules.schema.formats import is_uscc

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?\Z")
Algorithm = Literal[
    "ES256", "ES384", "ES512", "EdDSA", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"
]  # HS* would let who can check a token make one; `none` is no signature
Level = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


Item = TypeVar("Item")


class HostPort(NamedTuple):
    """Where to listen; port 0 is any free one."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def parse_host_port(text: str) -> HostPort | None:
    """Read `host:port`, `[IPv6]:port`; None if it is neither. Names are not looked up."""
    host, colon, port = text.rpartition(":")
    if not colon or not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65_535:
        return None
    if host.startswith("[") and host.endswith("]"):
        try:
            return HostPort(str(ipaddress.IPv6Address(host[1:-1])), int(port))
        except ValueError:
            return None
    return HostPort(host, int(port)) if _HOST.match(host) else None


def _gateway_id(text: str) -> str:
    if not is_gateway_id(text):
        raise ValueError("is not a six-digit region code (行政区划代码)")
    return text


def _unit(text: str) -> str:
    if not is_uscc(text):
        raise ValueError("is not a unified social credit code (统一社会信用代码)")
    return text


def _listen(text: str) -> str:
    if parse_host_port(text) is None:
        raise ValueError("is not host:port")
    return text


def _context(info: ValidationInfo) -> Mapping[str, Any]:
    context: Mapping[str, Any] | None = info.context
    assert context is not None, "given by load_config"
    return context


def _placed(path: Path, info: ValidationInfo) -> Path:
    if path == Path() or "\0" in str(path):
        raise ValueError("is not a path")
    return Path(os.path.normpath(_context(info)["base"] / path))


def _file(path: Path, info: ValidationInfo) -> Path:
    placed = _placed(path, info)
    if _context(info)["files"] and not placed.is_file():
        raise ValueError(f"there is no file {placed}")
    if _context(info)["files"] and not os.access(placed, os.R_OK):
        raise ValueError(f"the file {placed} cannot be read by this user")
    return placed


def _folder(path: Path, info: ValidationInfo) -> Path:
    placed = _placed(path, info)
    if _context(info)["files"] and not placed.is_dir():
        raise ValueError(f"there is no folder {placed}")
    return placed


def _some(items: tuple[Item, ...]) -> tuple[Item, ...]:
    # A bound of pydantic's own would also count items that are told as wrong already.
    if not items:
        raise ValueError("is empty")
    return items


Name = Annotated[str, Field(min_length=1, max_length=128)]
Place = Annotated[Path, AfterValidator(_placed)]
File = Annotated[Path, AfterValidator(_file)]
Listen = Annotated[str, AfterValidator(_listen)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Listening(_Table):
    @property
    def address(self) -> HostPort:
        """`listen` in its parts."""
        parsed = parse_host_port(self.listen)  # type: ignore[attr-defined]
        assert parsed is not None, "validated"
        return parsed

    @property
    def host(self) -> str:
        """The host of `listen`, IPv6 without brackets."""
        return self.address.host

    @property
    def port(self) -> int:
        """The port of `listen`; 0 is any free one."""
        return self.address.port


class JournalConfig(_Table):
    """Where messages and cases are kept."""

    path: Place = Field(description="file of the journal; default <state_dir>/journal.sqlite3")


class VaultConfig(_Table):
    """Where attachments are kept."""

    path: Place = Field(description="folder of attachments; default <state_dir>/vault")


class KeysConfig(_Table):
    """What messages are signed with."""

    signing: Annotated[tuple[File, ...], AfterValidator(_some)] = Field(
        max_length=SIGNATURES_PER_ENVELOPE_MAX,
        description="a list of private signing keys (PEM), one per suite, first choice first",
    )
    adapter: File | None = Field(
        default=None,
        description="private key (PEM) that attests what partners said that do not sign; needed "
        "where partners/ has one that is assisted or runs a platform of its own",
    )


class TransportConfig(_Table):
    """How partners know this gateway's connections, and it theirs."""

    certificate: File = Field(description="certificate chain for partner connections (PEM)")
    key: File = Field(description="private key of that certificate (PEM)")
    authorities: File = Field(description="authorities this gateway's own certificate is under")


class ExchangeConfig(_Listening):
    """The door for partners. Always mutual TLS."""

    listen: Listen = Field(description="host:port for partners' gateways, as in 0.0.0.0:7443")


class PortalConfig(_Listening):
    """The door for portals and business systems."""

    listen: Listen = Field(
        description="host:port for portals and business systems, as in 127.0.0.1:7080; "
        "beyond loopback only with portal.certificate and portal.key"
    )
    certificate: File | None = Field(
        default=None, description="certificate chain of the portal (PEM)"
    )
    key: File | None = Field(default=None, description="private key of that certificate (PEM)")
    jwks: File = Field(description="key set (JWKS) that tokens are checked with")
    issuer: Name = Field(description="`iss` of the tokens that are taken")
    audience: Name = Field(description="`aud` they must name; default urn:kuayu:gateway:<id>")
    algorithms: Annotated[tuple[Algorithm, ...], AfterValidator(_some)] = Field(
        default=("ES256", "EdDSA"),
        description="a list of signature algorithms of tokens, asymmetric ones only",
    )


class CallbacksConfig(_Table):
    """The door that partners' own platforms call back at."""

    listen: Listen | None = Field(
        default=None,
        description="host:port for partners' own platforms to call back at, as in 0.0.0.0:7480; "
        "needed where a partner's adapter has callbacks",
    )
    certificate: File | None = Field(
        default=None, description="certificate chain of that door (PEM)"
    )
    key: File | None = Field(default=None, description="private key of that certificate (PEM)")


class OperatorConfig(_Table):
    """The door for operators on this machine."""

    socket: Place = Field(
        description="Unix socket for operators' commands; default <state_dir>/operator.sock"
    )
    key: Place | None = Field(
        default=None,
        description="an operator's own private key (PEM), read by commands that are signed; "
        "each person sets KUAYU_OPERATOR__KEY to theirs",
    )


class LogConfig(_Table):
    """What operators see."""

    level: Level = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR")
    format: Literal["auto", "json", "pretty"] = Field(
        default="auto", description="json, pretty, or auto: pretty on a terminal"
    )


class Config(_Table):
    """Everything a gateway is told at its start. Paths are absolute."""

    gateway_id: Annotated[str, AfterValidator(_gateway_id)] = Field(
        description='six-digit region code in quotes, as in "620900"'
    )
    name_zh: Name = Field(description="the gateway's name in Chinese")
    name_en: Name = Field(description="the gateway's name in English")
    unit: Annotated[str, AfterValidator(_unit)] = Field(
        description="credit code of the office that answers for the gateway, 18 characters"
    )
    demo: bool = Field(
        default=False,
        description="true or false: whether example certificates are taken, on loopback only",
    )
    state_dir: Place = Field(
        default=Path("state"), validate_default=True, description="folder for state"
    )
    partners_dir: Annotated[Path, AfterValidator(_folder)] = Field(
        default=Path("partners"), validate_default=True, description="folder of partners' entries"
    )
    calendar: Place = Field(
        default=Path("calendar.toml"),
        validate_default=True,
        description="the operator's file of published holidays (节假日安排); need not be there",
    )
    uvloop: bool = Field(
        default=True, description="true or false: whether the faster event loop is used"
    )
    journal: JournalConfig
    vault: VaultConfig
    keys: KeysConfig
    transport: TransportConfig
    exchange: ExchangeConfig
    portal: PortalConfig
    callbacks: CallbacksConfig = CallbacksConfig()
    operator: OperatorConfig
    log: LogConfig = LogConfig()


def _fields(model: type[BaseModel] = Config, prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Yield every setting under its dotted key."""
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _fields(inner, f"{name}.")
        else:
            yield prefix + name, field


SETTINGS: Final[Mapping[str, FieldInfo]] = dict(_fields())
"""Every setting by its dotted key."""
