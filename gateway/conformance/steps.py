"""The words of a case: steps that an operator can write without code."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from gateway.conformance.tampering import ALTERATIONS, ENCODINGS
from gateway.kernel.envelope import Kind
from gateway.kernel.faults import FaultCode

Outcome = Literal["taken_in", "refused", "void", "not_taken_in"]
Signing = Literal["ours", "stranger", "expired", "not_yet_valid", "nobody"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Reference = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.(\*|[0-9]+))?$")]
KINDS = tuple(kind.name.lower() for kind in Kind)
_RULES = frozenset(code.value for code in FaultCode)


class _Words(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _known(rules: list[str]) -> list[str]:
    unknown = [rule for rule in rules if rule not in _RULES]
    if unknown:
        raise ValueError(f"no such rule: {', '.join(unknown)}; `kuayu faults` lists them")
    return rules


class Expectation(_Words):
    """What must come back for one message.

    A receipt is always checked: signed by the target's registered key, and about this message.
    """

    outcome: list[Outcome] = Field(min_length=1)
    rules: list[str] = []
    """Any of them; empty: no rule is looked for."""
    retry: bool | None = None
    """Of "not taken in": whether it says that the same bytes may come again."""
    expected_sequence: int | None = None
    same_as: Name | None = None
    """The very bytes of an answer saved before."""
    agrees_with: Name | None = None
    """The very bytes of an answer saved before, if both are receipts."""
    number_as: Name | None = None
    """The partner's case number of an answer saved before, where a platform answers."""
    shows_form: bool = False
    """Of a printed sheet: that it shows every value of the form, and names every file."""
    received_within_ms: int | None = Field(default=None, ge=0)
    """How far `received_at` may lie from our clock."""
    save: Name | None = None

    _rules = field_validator("rules")(_known)


class CallExpectation(_Words):
    """What must come back if the whole call is to fail; empty `rules`: any."""

    rules: list[str] = []
    statuses: list[str] = []
    """Names of gRPC status codes, as in `UNAVAILABLE`; empty: any that is not OK."""
    save: Name | None = None

    _rules = field_validator("rules")(_known)


class HeaderChange(_Words):
    """Fields of the header that differ from a right one. Offsets are in ms."""

    version: int | None = None
    sender: str | None = None
    recipient: str | None = None
    sent_at_offset_ms: int = 0
    """Moves `sent_at` and the time in the id together."""
    expires_after_ms: int | None = None
    """`expires_at` after `sent_at`."""
    id_offset_ms: int = 0
    """Moves the time in the id away from `sent_at`."""
    item_code: str | None = None
    item_version: str | None = None
    purpose: str | None = None
    agreement_digest: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    sequence: int | None = None
    fresh_case: bool = False
    """Another case id than that of the message it follows."""
    trace_context: str | None = None
    required_suites: list[str] | None = None
    critical: list[str] | None = None


class Make(_Words):
    """Make a message and sign it."""

    do: Literal["make"]
    name: Name
    base: Literal["ping", "application", "withdrawn", "word"]
    kind: Literal[KINDS] | None = None  # type: ignore[valid-type]
    """What a `word` says; its form is `json_body`."""
    follows: Name | None = None
    """The message of the same case before this one; `withdrawn` and `word` need it."""
    count: int = Field(default=1, ge=1, le=512)
    """Above 1: so many messages `name.0`, `name.1`, ..., signed in one batch."""
    header: HeaderChange = HeaderChange()
    same_id_as: Name | None = None
    encoding: Literal[tuple(ENCODINGS)] | None = None  # type: ignore[valid-type]
    """What is done to the header's encoding before it is signed."""
    json_body: str | None = None
    """The form's JSON as it stands here."""
    json_depth: int | None = Field(default=None, ge=1, le=1000)
    """A form of so many nested lists."""
    body_hex: Annotated[str, Field(pattern="^([0-9a-f]{2})*$")] | None = None
    """The form's bytes, in hex."""
    padding_bytes: int = Field(default=0, ge=0, le=32_000_000)
    """A form with so many bytes of padding."""
    marked: bool = False
    """The form's texts become an invented person's data, which nothing may echo."""
    files: list[Reference] | Literal["sample"] = []
    """Attachments: names of `file` steps, or `sample`: upload and name those of the sample."""
    signed_by: Signing = "ours"


class Alter(_Words):
    """Change a signed message."""

    do: Literal["alter"]
    name: Name
    source: Reference = Field(alias="from")
    change: Literal[tuple(ALTERATIONS)]  # type: ignore[valid-type]


class Deliver(_Words):
    """Deliver messages in one call."""

    do: Literal["deliver"]
    messages: list[Reference] = Field(min_length=1, max_length=600)
    """`name.*` stands for all of a batch."""
    instead: dict[str, Reference] = {}
    """Another message at a place, counted from 0."""
    over: Literal["line", "cut", "anonymous", "stale"] = "line"
    """`stale`: to a platform, signed an hour ago."""
    expect: Expectation | None = None
    """Of every message."""
    expect_at: dict[str, Expectation] = {}
    """Of the message at a place, counted from 0."""
    call: CallExpectation | None = None
    """The whole call must fail."""


class DeliverBytes(_Words):
    """Send a delivery that is none; the whole call must fail."""

    do: Literal["deliver_bytes"]
    hex: Annotated[str, Field(pattern="^([0-9a-f]{2})*$")] = ""
    zeros: int = Field(default=0, ge=0, le=32_000_000)
    """So many bytes more."""
    call: CallExpectation


class Query(_Words):
    """Ask after receipts, by id and header digest."""

    do: Literal["query"]
    messages: list[Reference] = Field(min_length=1, max_length=600)
    burn: bool = False
    expect: Expectation | None = None
    call: CallExpectation | None = None


class FileStep(_Words):
    """Make a file for the case of a message to come."""

    do: Literal["file"]
    name: Name
    size: int = Field(ge=0, le=1_000_000)
    announced_size: int | None = None
    """What is said of its size, if not the truth."""
    content: Literal["true", "damaged"] = "true"
    """`damaged`: other bytes than those announced are sent."""
    agreement: Literal["sample", "unknown"] = "sample"


class Upload(_Words):
    """Upload a file, or a part of it."""

    do: Literal["upload"]
    file: Name
    offset: int = 0
    length: int | None = None
    """None: to its end."""
    claimed_offset: int | None = None
    """The offset the data says it has, if not the true one."""
    more: int = Field(default=0, ge=0, le=65_536)
    """Bytes sent behind its end."""
    held: int | None = None
    complete: bool | None = None
    call: CallExpectation | None = None


class Status(_Words):
    """Ask how much of a file is held."""

    do: Literal["status"]
    file: Name
    held: int
    complete: bool


class Quality(_Words):
    """Judge how refusals are worded: a known rule, Chinese and English, nothing personal."""

    do: Literal["quality"]
    answers: list[Name] = Field(min_length=1)
    about: Literal["rule", "texts", "personal_data"]


class TamperReceipt(_Words):
    """Change each byte of a receipt in turn: none may verify any more."""

    do: Literal["tamper_receipt"]
    answer: Name


class Ask(_Words):
    """Ask a service beside the exchange."""

    do: Literal["ask"]
    service: Literal["health", "reflection", "certificate"]


Step = Annotated[
    Make
    | Alter
    | Deliver
    | DeliverBytes
    | Query
    | FileStep
    | Upload
    | Status
    | Quality
    | TamperReceipt
    | Ask,
    Field(discriminator="do"),
]
