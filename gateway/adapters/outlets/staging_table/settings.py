"""What `[outlet.staging_table]` holds."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_DRIVERS: Final = ("postgresql+psycopg", "sqlite")


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError("is no name of a table or column")
    return text


Name = Annotated[str, AfterValidator(_name)]


class Flags(BaseModel):
    """What the flag column (REC_FLAG) says, as text."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    new: str = "0"
    """Written, not read yet."""
    taken: str = "1"
    """Read and taken over."""
    refused: str = "2"
    """Read and refused; the reason stands in the error column."""
    error: str = "3"
    """Could not be processed now: whoever wrote the row lays it down again."""

    @model_validator(mode="after")
    def _differ(self) -> Flags:
        if len({self.new, self.taken, self.refused, self.error}) < 4:
            raise ValueError("two flags are the same")
        return self


class Children(BaseModel):
    """A table whose rows belong to a row of another: materials, family members."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    of: Name
    table: Name
    parent: Name
    """Its column that holds the key of the row it belongs to."""
    order: Name
    """Its column that puts them in order."""
    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}$")
    """Under this name the rows stand in the document, as a list."""


class StagingTableSettings(BaseModel):
    """Which database, and how its tables are read. Times in seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str
    """As SQLAlchemy writes it, without a password."""
    password_file: str | None = None
    schema_name: Name | None = Field(default=None, alias="schema")
    incoming: tuple[Name, ...] = Field(alias="in", min_length=1)
    """Tables the partner writes."""
    out: tuple[Name, ...] = Field(min_length=1)
    """Tables we write."""
    key: Name = "id"
    flag: Name = "rec_flag"
    version: Name | None = "version"
    inserted: Name | None = "inserttime"
    error: Name | None = "rec_msg"
    flags: Flags = Flags()
    children: tuple[Children, ...] = ()
    poll_s: float = Field(default=5.0, gt=0, le=3_600)
    timeout_s: float = Field(default=15.0, gt=0, le=300)

    @model_validator(mode="after")
    def _is_proven(self) -> StagingTableSettings:
        """A database over a network is known by its certificate; a password stands in no URL."""
        try:
            url = make_url(self.url)
        except ArgumentError:
            raise ValueError("url is no database URL") from None
        if url.drivername not in _DRIVERS:
            raise ValueError(f"url: one of {', '.join(_DRIVERS)}")
        if url.password is not None:
            raise ValueError("url holds a password; put it into a file and set password_file")
        checked = url.query.get("sslmode") == "verify-full"
        if url.drivername != "sqlite" and not checked and not _is_loopback(url.host or ""):
            raise ValueError("url: needs ?sslmode=verify-full&sslrootcert=... beyond this machine")
        return self


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
