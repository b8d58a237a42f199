"""What `[outlet.file_drop]` holds."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from gateway.adapters.outlets.documents import Encoding, Format


def _folder(text: str) -> str:
    parts = text.split("/")
    if not text or ".." in parts or any(not p.isprintable() for p in parts):
        raise ValueError("is no folder, or climbs out of one (..)")
    return text.rstrip("/") or "/"


def _pattern(text: str) -> str:
    try:
        groups = re.compile(text).groupindex
    except re.error as wrong:
        raise ValueError(f"is no regular expression: {wrong}") from None
    if "operation" not in groups:
        raise ValueError("has no group (?P<operation>...)")
    return text


Folder = Annotated[str, AfterValidator(_folder)]


class FileDropSettings(BaseModel):
    """Where the files lie, and how they are named and written. Times in seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(min_length=1)
    port: int = Field(default=22, ge=1, le=65_535)
    username: str = Field(min_length=1)
    host_keys: str = Field(default="keys/host_keys")
    """File of the server's public keys, one a line as in authorized_keys; nothing else is it."""
    client_key: str | None = None
    """File of our private key; or else `password_file`."""
    password_file: str | None = None
    format: Format = "xml"
    encoding: Encoding = "utf-8"
    out: Folder = "to_partner"
    """Where we write; the partner's results on it come to `in`."""
    incoming: Folder = Field(default="from_partner", alias="in")
    done: Folder = "from_partner/done"
    """Where what we have read is moved."""
    refused: Folder = "from_partner/refused"
    """Where what cannot be read is moved."""
    results: Folder = "to_partner"
    """Where we write our results on the partner's files."""
    pattern: Annotated[str, AfterValidator(_pattern)] = (
        r"(?P<operation>[A-Za-z][A-Za-z0-9]*)_[0-9]{8}_[A-Za-z0-9-]+"
    )
    """Of the partner's file names, without the ending."""
    ready: Literal["renamed", "stable"] = "renamed"
    """`renamed`: a name without `.tmp` is whole; `stable`: a size that stands still between two
    looks is."""
    poll_s: float = Field(default=10.0, gt=0, le=3_600)
    timeout_s: float = Field(default=20.0, gt=0, le=300)

    @model_validator(mode="after")
    def _has_one_way_in(self) -> FileDropSettings:
        if (self.client_key is None) == (self.password_file is None):
            raise ValueError("needs client_key or password_file, one of them")
        return self
