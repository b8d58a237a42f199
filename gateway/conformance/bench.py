"""What a run stands on: who we are, who is judged, and the line between."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from gateway.kernel.envelope import (
    AttachmentRef,
    AttachmentState,
    Mode,
    NotTakenIn,
    ReceiptQuery,
)
from gateway.kernel.identifiers import GatewayId, KeyId
from gateway.rules.trust import Partner


class Told(NamedTuple):
    """What a partner's platform, or a person, answered: no receipt of a gateway."""

    outcome: Literal["taken_in", "refused"]
    rule: str = ""
    """What a refusal stands for."""
    text: str = ""
    number: str = ""
    """The partner's own number of the case."""
    raw: bytes = b""
    """Verbatim."""

    @property
    def text_zh(self) -> str:
        """What it said: in one language, whichever."""
        return self.text

    @property
    def text_en(self) -> str:
        """See `text_zh`."""
        return self.text


class Silence(NamedTuple):
    """What a partner that collects says of a message that it does not take in: no receipt."""

    rule: str = ""
    text_zh: str = ""
    text_en: str = ""


Answer = bytes | NotTakenIn | Told | Silence
Judged = Literal["gateway", "collector", "platform", "people"]
"""What a target is: a gateway (`grpc`), one that only calls out, a partner's own platform, or
people (`assisted`)."""
Verify = Callable[[str, bytes, bytes, bytes], bool]
"""(suite, public key, signature, message): whether the signature holds."""


class Signer(Protocol):
    """One private key. `sign` signs the message as it is; it blocks."""

    @property
    def suite(self) -> str:
        """`ES256`, `EdDSA`, ..."""
        ...

    @property
    def key_id(self) -> KeyId:
        """SHA-256 of the public key's SubjectPublicKeyInfo."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Sign `message`."""
        ...


class CallFailed(Exception):
    """The target answered a whole call with a status that is not OK."""

    def __init__(self, status: str, rule: str = "", text_zh: str = "", text_en: str = "") -> None:
        super().__init__(f"{status} {rule}".strip())
        self.status = status
        self.rule = rule
        self.text_zh = text_zh
        self.text_en = text_en


class NoAnswer(Exception):
    """Nothing came back: no connection, or not in time."""


class Unreadable(Exception):
    """Something came back that is no answer to what was asked."""


class Line(Protocol):
    """How a target is reached. A target that speaks something else brings a line of its own.

    Every method MAY raise `NoAnswer`, `CallFailed` and `Unreadable`. A case whose `needs` are not
    among `offers` is not run, and is reported so.
    """

    @property
    def offers(self) -> frozenset[str]:
        """Of: `batches`, `query`, `bytes`, `attachments`, `services`, `tls`, `credentials`,
        `signed_time`.
        """
        ...

    async def deliver(self, envelopes: Sequence[bytes]) -> Sequence[Answer]:
        """Deliver envelopes in one call; as many answers, in the same order."""
        ...

    async def deliver_and_cut(self, envelopes: Sequence[bytes]) -> None:
        """Deliver, and lose the connection before the answer is read."""
        ...

    async def deliver_bytes(self, request: bytes) -> Sequence[Answer]:
        """Deliver a request of any bytes."""
        ...

    async def deliver_anonymously(self, envelopes: Sequence[bytes]) -> Sequence[Answer]:
        """Deliver without proving who we are: over a connection that shows no certificate, or with
        credentials that a platform does not know.
        """
        ...

    async def deliver_stale(self, envelopes: Sequence[bytes]) -> Sequence[Answer]:
        """Deliver as it would have been signed an hour ago, to a platform."""
        ...

    async def query(self, queries: Sequence[ReceiptQuery]) -> Sequence[Answer]:
        """Ask after receipts; as many answers, in the same order."""
        ...

    async def upload(
        self, ref: AttachmentRef, offset: int, chunks: Sequence[tuple[int, bytes]]
    ) -> AttachmentState:
        """Upload chunks, each with the offset it claims."""
        ...

    async def attachment_status(self, ref: AttachmentRef) -> AttachmentState:
        """Ask how much of an attachment is held."""
        ...

    async def serving(self) -> bool:
        """Ask the health service."""
        ...

    async def services(self) -> frozenset[str]:
        """Ask the reflection service."""
        ...

    async def certificate_pin(self) -> bytes:
        """Return SHA-256 of the SubjectPublicKeyInfo that the target's certificate shows."""
        ...


class SampleFile(NamedTuple):
    """A file of a sample application."""

    code: str
    name: str
    media_type: str
    content: bytes


class Sample(NamedTuple):
    """A sample application for an item that is agreed with the target."""

    item_code: str
    item_version: str
    agreement_digest: bytes
    mode: Mode
    purpose: str
    suites: tuple[str, ...]
    document: Mapping[str, object]
    """The body of `submitted`."""
    files: tuple[SampleFile, ...]


class Gap(NamedTuple):
    """An agreed item for which there is no sample, and why."""

    item_code: str
    item_version: str
    why: str


@dataclass(frozen=True)
class Sender:
    """Who we are to the target. The keys beside `signers` need not be there."""

    gateway_id: GatewayId
    unit: str
    signers: tuple[Signer, ...]
    """Ours, registered at the target, first choice first."""
    stranger: Signer
    """A key nobody has registered."""
    expired: Signer | None = None
    """A key registered at the target whose time is over."""
    not_yet_valid: Signer | None = None
    """A key registered at the target whose time has not come."""


@dataclass(frozen=True)
class Target:
    """Who is judged, as our directory knows it."""

    name: str
    address: str
    partner: Partner
    agreements: tuple[bytes, ...]
    """Digests of the agreements in force with it."""
    catalogue_digest: bytes
    """Over what we hold of the items it decides."""
    samples: tuple[Sample, ...]
    gaps: tuple[Gap, ...] = ()
    simulated: bool = False

    @property
    def judged_as(self) -> Judged:
        """What it is judged as."""
        match self.partner.outlet:
            case "grpc":
                return "collector" if self.partner.collects else "gateway"
            case "assisted":
                return "people"
            case _:
                return "platform"


@dataclass(frozen=True)
class Bench:
    """Everything a case may use."""

    sender: Sender
    target: Target
    line: Line
    verify: Verify
    now_ms: Callable[[], int]
    monotonic_ms: Callable[[], int]
    token: Callable[[int], bytes]
    """Random bytes, as many as asked."""
