"""What portals and business systems may ask of the gateway: the promises behind the HTTP edge."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from gateway.kernel.envelope import Kind, Mode
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.limits import ITEMS_PAGE_MAX

View = Mapping[str, object]
"""A JSON-ready object: text, numbers, booleans, None, lists and views."""


class Actor(NamedTuple):
    """Who acts: a unit's token. `subject` is a pseudonym within the unit, never a name."""

    unit: str
    subject: str
    capacity: str
    scopes: frozenset[str]


class DeclaredMaterial(NamedTuple):
    """A file that will be uploaded: size in bytes, sha256 of its content (32 bytes)."""

    material_code: str
    name: str
    media_type: str
    size: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class OpenCase:
    """A new case as a portal asks for it. `form` is the item's form as JSON bytes."""

    region: GatewayId
    item_code: str
    item_version: str | None
    mode: Mode
    purpose: str
    form: bytes
    materials: tuple[DeclaredMaterial, ...]
    applicant_number: str = ""
    verified_originals: bool = False
    applicant: bytes = b"{}"
    """JSON: `identity` and `authorisation`, as far as they are known; who, where and when the
    identity was verified is the caller and now, unless it says otherwise."""


class ItemsWish(NamedTuple):
    """Which of the items that may be asked for; None and empty do not narrow."""

    query: str | None = None
    region: GatewayId | None = None
    after: str = ""
    """The cursor of the page before."""
    limit: int = ITEMS_PAGE_MAX


@dataclass(frozen=True, slots=True)
class JointAsk:
    """A joint task (协办任务) as the deciding side's business system asks for it.

    `form_fields` are JSON pointers into the application's form, `materials` codes of its files:
    what of the application is passed on. `due_on` is a civil date; empty: the item's own limit.
    """

    region: GatewayId
    asked_zh: str
    asked_en: str = ""
    due_on: str = ""
    form_fields: tuple[str, ...] = ()
    materials: tuple[str, ...] = ()


class TaskAct(NamedTuple):
    """What the deciding side does: the message kind and its body form as JSON bytes."""

    kind: Kind
    form: bytes


SideAct = TaskAct
"""What the applicant's side does, likewise."""


class Download(NamedTuple):
    """A file on its way to a business system."""

    media_type: str
    name: str
    size: int
    chunks: AsyncIterator[bytes]


class PortalDesk(Protocol):
    """The applicant's side. Every method raises `Fault`; a case of another unit is not found.

    `idempotency` repeats the first answer for the same key and request, and refuses the key with
    another request (`portal.idempotency_reused`).
    """

    async def items(self, actor: Actor, wish: ItemsWish) -> tuple[Sequence[View], str | None]:
        """List what may be asked for, of whom, in which mode, with which material.

        Also the cursor of the next page; None behind the last. A page may hold fewer than asked
        for, even none, although there are more; or, for an item under several agreements, more.
        """
        ...

    async def open_case(self, actor: Actor, wish: OpenCase, idempotency: str | None) -> View:
        """Open a case. It is submitted once every declared material is there: at once if none."""
        ...

    async def add_material(
        self,
        actor: Actor,
        case_id: bytes,
        material_code: str,
        media_type: str,
        size: int,
        chunks: AsyncIterator[bytes],
    ) -> View:
        """Store the next declared file of this code that is not there yet."""
        ...

    async def supplement(
        self,
        actor: Actor,
        case_id: bytes,
        form: bytes | None,
        materials: Sequence[DeclaredMaterial],
        idempotency: str | None,
        *,
        verified_originals: bool = False,
    ) -> View:
        """Answer a request for material; sent once every declared file is there."""
        ...

    async def withdraw(
        self, actor: Actor, case_id: bytes, reason: str, idempotency: str | None
    ) -> View:
        """Ask for the case to be withdrawn (撤回)."""
        ...

    async def confirm_delivered(
        self, actor: Actor, case_id: bytes, method: str, idempotency: str | None
    ) -> View:
        """Say that the result was handed over (送达): `window`, `post` or `online`."""
        ...

    async def act(
        self, actor: Actor, case_id: bytes, act: SideAct, idempotency: str | None
    ) -> View:
        """Say what needs no files: under a delegated right, or after the result (归档, 评价)."""
        ...

    async def cases(self, actor: Actor, limit: int, before: bytes) -> Sequence[View]:
        """List the unit's cases, latest first, with ids below `before` (empty: from the top)."""
        ...

    async def case(self, actor: Actor, case_id: bytes) -> View:
        """Show one case with its history."""
        ...


class TaskDesk(Protocol):
    """The deciding side's business system. Every method raises `Fault`."""

    async def tasks(
        self, actor: Actor, after: int, wait_s: float, limit: int
    ) -> tuple[Sequence[View], int]:
        """Return tasks changed after the cursor and the next cursor; wait if there are none."""
        ...

    async def task(self, actor: Actor, task_id: bytes) -> View:
        """Show one task: form, material, what may be done."""
        ...

    async def act(
        self,
        actor: Actor,
        task_id: bytes,
        act: TaskAct,
        revision: int | None,
        idempotency: str | None,
    ) -> View:
        """Do something; with `revision`, only if the case is still at it (`portal.stale`)."""
        ...

    async def material(self, actor: Actor, task_id: bytes, commitment: bytes) -> Download:
        """Open a file of the case."""
        ...


class JointDesk(Protocol):
    """Joint tasks (多地联办) of the unit's cases that it decides. Every method raises `Fault`."""

    async def ask(
        self, actor: Actor, task_id: bytes, wish: JointAsk, idempotency: str | None
    ) -> View:
        """Ask another region to take part in a case; show the case of the joint task."""
        ...

    async def tasks(self, actor: Actor, task_id: bytes) -> Sequence[View]:
        """List a case's joint tasks, in order of asking."""
        ...

    async def withdraw(
        self, actor: Actor, task_id: bytes, joint_id: bytes, reason: str, idempotency: str | None
    ) -> View:
        """Take a joint task back; it stands until the other side has taken that in."""
        ...


class ClockDesk(Protocol):
    """Deadlines (时限) of both sides' cases. Every method raises `Fault`."""

    async def overdue(self, actor: Actor, limit: int, after: str) -> tuple[Sequence[View], str]:
        """List the unit's overdue cases, the longest first, and the cursor of the next page.

        `after` is such a cursor, empty for the first page; the cursor is empty after the last.
        """
        ...

    async def to_rectify(self, actor: Actor, limit: int) -> Sequence[View]:
        """List cases of the unit's own deciding with bad reviews that wait for their answer."""
        ...

    async def clocks(self, actor: Actor, case_id: bytes) -> View:
        """Show the clocks of one case of the unit, and what they have told."""
        ...
