"""Lines by which the conformance kit reaches partners without a gateway: platforms, and people."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from gateway.adapters.outlets.dialect import (
    CaseNumbers,
    Speaker,
    in_our_words,
    material_of,
)
from gateway.adapters.pki.strange_secrets import strange
from gateway.adapters.system.clock import SystemClock
from gateway.app.dialects.opening import Opened
from gateway.app.mapping.loading import load_translation
from gateway.app.openable import open_beside
from gateway.conformance.bench import Answer, CallFailed, NoAnswer, Told, Unreadable
from gateway.edge.portal_http.sheet import render_sheet
from gateway.flow.assisted_views import sheet_view
from gateway.kernel.assisted import WorkStatus
from gateway.kernel.case import CaseRecord, CaseRole, Stage
from gateway.kernel.envelope import (
    AttachmentRef,
    AttachmentState,
    Header,
    Kind,
    NotTakenIn,
    ReceiptQuery,
)
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import MessageRef, uuid_text
from gateway.kernel.trees import Tree, Value
from gateway.ports.assisted import WorkItem
from gateway.ports.clock import Clock
from gateway.ports.directory import Book
from gateway.ports.journal import Direction, StoredMessage
from gateway.ports.outlet import Answered, Listed, OutletDown
from gateway.rules.trust import Partner
from gateway.wire.envelopes import Envelope, decode_envelope
from gateway.wire.headers import decode_body

_LOOK_S: Final = 0.2
_BEHIND_MS: Final = 3_600_000
_SAID: Final = ("http_4", "http_5", "answer_", "soap_fault", "secret_refused", "partner.")
"""How reasons begin that a platform gave by answering, other than its silence."""


class NotOurs:
    """What a line does not do; cases that need it say so, and are not run."""

    async def deliver_and_cut(self, envelopes: Sequence[bytes]) -> None:
        """See `Line`."""
        raise Unreadable("no such call here")

    async def deliver_stale(self, envelopes: Sequence[bytes]) -> Sequence[Answer]:
        """See `Line`."""
        raise Unreadable("no such call here")

    async def deliver_bytes(self, request: bytes) -> Sequence[Answer]:
        """See `Line`."""
        raise Unreadable("no such call here")

    async def query(self, queries: Sequence[ReceiptQuery]) -> Sequence[Answer]:
        """See `Line`."""
        raise Unreadable("no such call here")

    async def attachment_status(self, ref: AttachmentRef) -> AttachmentState:
        """See `Line`."""
        raise Unreadable("no such call here")

    async def serving(self) -> bool:
        """See `Line`."""
        raise Unreadable("no such call here")

    async def services(self) -> frozenset[str]:
        """See `Line`."""
        raise Unreadable("no such call here")

    async def certificate_pin(self) -> bytes:
        """See `Line`."""
        raise Unreadable("shows no certificate of its own")


@dataclass
class Files:
    """Files of cases, kept until the message that names them is said."""

    held: dict[bytes, bytes] = field(default_factory=dict)

    def take(self, ref: AttachmentRef, chunks: Sequence[tuple[int, bytes]]) -> AttachmentState:
        """Add what is uploaded; the file is whole when it is as large as announced."""
        content = self.held.get(ref.commitment, b"") + b"".join(part for _, part in chunks)
        self.held[ref.commitment] = content
        return AttachmentState(len(content), complete=len(content) == ref.size)


class _Behind(SystemClock):
    """A clock that is an hour behind."""

    def now_ms(self) -> int:
        """See `Clock`."""
        return super().now_ms() - _BEHIND_MS


class PlatformLine(NotOurs):
    """Implements `Line` for a partner's own platform: its adapter, opened as the gateway would.

    Nothing that the platform says by itself is taken away: the gateway may be at work meanwhile.
    """

    def __init__(self, partner: Partner, timeout_s: float, *, demo: bool) -> None:
        assert partner.platform is not None, "a partner with a dialect has a platform"
        self._partner = partner
        self._timeout_s = timeout_s
        self._demo = demo
        self._folder = Path(partner.platform.folder)
        self._secrets = _secrets(self._folder, partner.platform.settings)
        self._translation = load_translation(self._folder)
        self._own = self._opened(self._folder)
        self._numbers: dict[bytes, CaseNumbers] = {}
        self._files = Files()
        self._silent: OutletDown | None = None

    def _opened(self, folder: Path, clock: Clock | None = None) -> Opened:
        return open_beside(self._partner, demo=self._demo, folder=folder, clock=clock)

    @property
    def offers(self) -> frozenset[str]:
        """See `Line`."""
        found = {"attachments", *(["credentials"] if self._secrets else [])}
        return frozenset(found | {"signed_time"} if self._partner.outlet == "rest" else found)

    async def deliver(self, envelopes: Sequence[bytes]) -> Sequence[Answer]:
        """See `Line`: each message is a push of its own."""
        return [await self._say(self._own, decode_envelope(raw)) for raw in envelopes]

    async def deliver_anonymously(self, envelopes: Sequence[bytes]) -> Sequence[Answer]:
        """See `Line`: with secrets of the same shape that the platform does not know."""
        with TemporaryDirectory(prefix="kuayu-") as place:
            copy = _strange_folder(self._folder, Path(place) / "partner", self._secrets)
            return await self._denied_all(self._opened(copy), envelopes)

    async def deliver_stale(self, envelopes: Sequence[bytes]) -> Sequence[Answer]:
        """See `Line`: by an adapter whose clock is an hour behind."""
        return await self._denied_all(self._opened(self._folder, _Behind()), envelopes)

    async def _denied_all(self, stranger: Opened, envelopes: Sequence[bytes]) -> Sequence[Answer]:
        try:
            return [await self._denied(stranger, decode_envelope(raw)) for raw in envelopes]
        finally:
            await stranger.dialect.close()

    async def _denied(self, stranger: Opened, message: Envelope) -> Answer:
        try:
            return await self._say(stranger, message)
        except (CallFailed, NoAnswer) as refused:
            return NotTakenIn(FaultCode.PARTNER_REFUSED.value, text_en=str(refused))

    async def upload(
        self, ref: AttachmentRef, offset: int, chunks: Sequence[tuple[int, bytes]]
    ) -> AttachmentState:
        """See `Line`: files go inside the documents."""
        return self._files.take(ref, chunks)

    async def close(self) -> None:
        """Let go of connections."""
        await self._own.dialect.close()

    async def _say(self, opened: Opened, message: Envelope) -> Answer:
        header = message.header
        if header.kind is Kind.PING:  # asked after a silence only: nothing is written for it
            if self._silent is not None:
                raise NoAnswer(self._silent.reason)
            return NotTakenIn(FaultCode.CASE_KIND_NOT_SERVED.value)
        speaker = Speaker(opened.dialect, self._translation)
        number = header.message_id
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await speaker.say(self._ours(message), uuid_text(number), self._timeout_s)
                if isinstance(answer, Listed):
                    answer = await _awaited(opened, speaker, number)
        except Fault as fault:
            return Told("refused", fault.code.value, fault.detail)
        except (OutletDown, TimeoutError) as down:
            self._silent = down if isinstance(down, OutletDown) else OutletDown("no answer in time")
            if self._silent.reason.startswith(_SAID):
                raise CallFailed(self._silent.reason) from down
            raise NoAnswer(self._silent.reason) from down
        self._silent = None
        return self._told(header, answer)

    def _told(self, header: Header, answer: NotTakenIn | Answered) -> Answer:
        if isinstance(answer, NotTakenIn):
            return answer
        if answer.refused_by is not None:
            return Told("refused", answer.refused_by.value, answer.text, raw=answer.raw)
        known = self._numbers[header.case_id]
        self._numbers[header.case_id] = known._replace(handling=answer.number or known.handling)
        return Told("taken_in", number=answer.number, raw=answer.raw)

    def _ours(self, message: Envelope) -> Tree:
        header, body = message.header, decode_body(message.body_bytes)
        form: Value = json.loads(body.form)
        if isinstance(form, dict) and header.kind is Kind.SUBMITTED:
            self._numbers[header.case_id] = CaseNumbers(str(form.get("applicant_number", "")))
        numbers = self._numbers.setdefault(header.case_id, CaseNumbers())
        materials = [material_of(a, self._files.held[a.commitment]) for a in body.attachments]
        return in_our_words(header, form, numbers, materials)


async def _awaited(opened: Opened, speaker: Speaker, number: bytes) -> NotTakenIn | Answered:
    """Look until the partner has answered what lies ready for it."""
    assert opened.peek is not None, "who lays things ready can be looked at"
    while True:
        found = await opened.peek(number)
        if found is not None:
            return speaker.read(found)
        await asyncio.sleep(_LOOK_S)


def _secrets(folder: Path, settings: Mapping[str, object]) -> list[Path]:
    """Return the files, relative to a partner's folder, that prove us to it.

    Not the key behind a client certificate: no other goes with it.
    """
    fixed = settings.get("client_key") if "client_certificate" in settings else None
    files = sorted(path for path in folder.glob("secrets/*") if path.is_file())
    return [path for path in (f.relative_to(folder) for f in files) if str(path) != fixed]


def _strange_folder(folder: Path, copy: Path, secrets: Sequence[Path]) -> Path:
    """Copy a partner's folder, each secret replaced by another of its shape; none is copied."""
    ours = [path.name for path in secrets]
    leave = shutil.ignore_patterns("items", "vectors", "acts", *ours)
    shutil.copytree(folder, copy, ignore=leave)
    for path in secrets:
        (copy / path).touch(mode=0o600)
        (copy / path).write_bytes(strange((folder / path).read_bytes()))
    return copy


class PeopleLine(NotOurs):
    """Implements `Line` for a partner that people carry papers to: what it meets is the sheet."""

    offers: Final = frozenset({"attachments"})

    def __init__(self, book: Book) -> None:
        self._book = book
        self._files = Files()

    async def deliver(self, envelopes: Sequence[bytes]) -> Sequence[Answer]:
        """See `Line`: print the sheet of each message."""
        return [self._sheet(raw) for raw in envelopes]

    async def deliver_anonymously(self, envelopes: Sequence[bytes]) -> Sequence[Answer]:
        """See `Line`: people prove themselves at the counter, not here."""
        raise Unreadable("no such call here")

    async def upload(
        self, ref: AttachmentRef, offset: int, chunks: Sequence[tuple[int, bytes]]
    ) -> AttachmentState:
        """See `Line`."""
        return self._files.take(ref, chunks)

    async def close(self) -> None:
        """See `PlatformLine`: there is nothing to let go of."""

    def _sheet(self, raw: bytes) -> Answer:
        message = decode_envelope(raw)
        header = message.header
        if header.kind is Kind.PING:
            return NotTakenIn(FaultCode.CASE_KIND_NOT_SERVED.value)
        item, case, stored = _as_kept(raw, header)
        page = render_sheet(sheet_view(item, case, stored, self._book))
        return Told("taken_in", raw=page.encode())


def _as_kept(raw: bytes, header: Header) -> tuple[WorkItem, CaseRecord, StoredMessage]:
    """Return a message as the journal and the work list would hold it."""
    assert header.mode is not None, "a message of a case has a mode"
    key, at_ms, partner = header.case_key, header.sent_at_ms, header.recipient
    body = decode_body(decode_envelope(raw).body_bytes)
    number = str(json.loads(body.form).get("applicant_number", ""))
    item = WorkItem(
        header.message_id,
        partner,
        header.acting_unit,
        key,
        header.kind,
        b"",
        at_ms,
        WorkStatus.LISTED,
    )
    case = CaseRecord(
        key,
        CaseRole.ORIGIN,
        partner,
        header.acting_unit,
        Stage.SUBMITTED,
        header.item_code,
        header.item_version,
        header.mode,
        header.agreement_digest,
        header.purpose,
        at_ms,
        at_ms,
        applicant_number=number,
    )
    ref = MessageRef(header.sender, header.message_id)
    stored = StoredMessage(
        ref, b"", Direction.OUT, partner, key, header.kind, header.sequence, at_ms, raw
    )
    return item, case, stored
