"""What the assisted desk promises the HTTP edge: a work list, and two people for each answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from gateway.flow.desk import Actor, Download, View
from gateway.kernel.assisted import HandoverMethod
from gateway.kernel.envelope import Kind
from gateway.kernel.identifiers import GatewayId


class Handover(NamedTuple):
    """How the partner was told. `received_by` is a post or a counter, never a name."""

    method: HandoverMethod
    received_by: str
    at_ms: int | None
    """None: now."""
    already_decided: bool
    """The partner says that it decided before it heard of the withdrawal."""
    raw: bytes
    """What the operator sent, verbatim."""


class TypedFile(NamedTuple):
    """A scan of what the partner wrote, as the typed answer names it. `size` in bytes."""

    commitment: bytes
    """SHA-256 over its salt and content, as it lies in the vault."""
    media_type: str
    size: int

    def view(self) -> dict[str, object]:
        """Write it as the typed answer does."""
        return {
            "commitment": self.commitment.hex(),
            "media_type": self.media_type,
            "size": self.size,
        }


class TypedOutcome(NamedTuple):
    """The partner's answer as one person reads it from paper or hears it."""

    region: GatewayId
    case_number: str
    """Ours, as it stands on the sheet: that the answer is typed under the right one."""
    kind: Kind
    number: str
    """The partner's own number of the answer."""
    content: Mapping[str, object]
    """Body form of the message's kind."""
    files: Sequence[TypedFile]
    """Scans it was read from, uploaded before."""
    raw: bytes


class Confirmation(NamedTuple):
    """The key fields as another person reads them."""

    fields: Mapping[str, str]
    files: Sequence[bytes]
    """Commitments of the scans that this person has looked at."""
    raw: bytes


class AssistedDesk(Protocol):
    """Every method raises `Fault`; an item of another unit is not found."""

    async def work(self, actor: Actor, done: bool, limit: int, after: bytes) -> Sequence[View]:
        """List the unit's items, oldest first, with ids above `after`."""
        ...

    async def item(self, actor: Actor, work_id: bytes) -> View:
        """Show one item with what was typed for it. Values that wait for a second reader stay
        hidden."""
        ...

    async def sheet(self, actor: Actor, work_id: bytes) -> View:
        """Return what the printed sheet holds."""
        ...

    async def material(self, actor: Actor, work_id: bytes, commitment: bytes) -> Download:
        """Open a file that goes with the sheet, to be printed."""
        ...

    async def add_file(
        self,
        actor: Actor,
        work_id: bytes,
        media_type: str,
        size: int,
        sha256: bytes,
        chunks: AsyncIterator[bytes],
    ) -> View:
        """Keep a scan of what the partner wrote; a typed answer names it by what is returned."""
        ...

    async def file(self, actor: Actor, work_id: bytes, commitment: bytes) -> Download:
        """Open a scan that an answer typed for this item names."""
        ...

    async def handed_over(self, actor: Actor, work_id: bytes, told: Handover) -> View:
        """Note that the partner was told: the message has its attested receipt. Once."""
        ...

    async def outcome(self, actor: Actor, work_id: bytes, typed: TypedOutcome) -> View:
        """Keep what one person typed; the same typed twice is one."""
        ...

    async def confirm(self, actor: Actor, work_id: bytes, given: Confirmation) -> View:
        """Compare what another person read; if it is the same, take the answer in."""
        ...
