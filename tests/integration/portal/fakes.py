"""Small desks that keep the promises of `gateway.flow.desk`, and what makes tokens for them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt import PyJWS
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from gateway.flow.desk import (
    Actor,
    DeclaredMaterial,
    Download,
    ItemsWish,
    OpenCase,
    SideAct,
    TaskAct,
    View,
)
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import parse_uuid7, uuid7, uuid_text

UNIT = "91620900MA0000000M"  # 示例
OTHER_UNIT = "91620200MA0000000H"  # 示例
ISSUER = "https://login.jiuquan.example"
AUDIENCE = "kuayu-620900"
NOW_MS = 1_622_080_800_000  # 2021-05-27T10:00:00+08:00
NOW_S = NOW_MS // 1000


async def eventually(holds: Callable[[], object]) -> None:
    """Wait until a condition holds; what it depends on lies beyond a socket."""
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - no event crosses the socket
            await asyncio.sleep(0.005)


class FakeClock:
    """A clock that stands where it is put."""

    def __init__(self, now_ms: int = NOW_MS) -> None:
        self.at_ms = now_ms

    def now_ms(self) -> int:
        return self.at_ms

    def monotonic_ms(self) -> int:
        return self.at_ms

    async def sleep_ms(self, ms: int) -> None:
        self.at_ms += ms


class FakeLog:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, object]]] = []

    def event(self, name: str, /, **fields: object) -> None:
        self.events.append((name, fields))

    def names(self) -> list[str]:
        return [name for name, _ in self.events]


EC_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
STRANGER_KEY = ec.generate_private_key(ec.SECP256R1())


def public_jwk(key: ec.EllipticCurvePrivateKey, kid: str, **more: str) -> dict[str, object]:
    jwk: dict[str, object] = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {**jwk, "kid": kid, **more}


def rsa_jwk(key: rsa.RSAPrivateKey, kid: str, **more: str) -> dict[str, object]:
    jwk: dict[str, object] = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {**jwk, "kid": kid, **more}


def public_pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def jwks(*keys: Mapping[str, object]) -> bytes:
    return json.dumps({"keys": list(keys)}).encode()


JWKS = jwks(
    public_jwk(EC_KEY, "ec-1", alg="ES256", use="sig"), rsa_jwk(RSA_KEY, "rsa-1", alg="RS256")
)


def claims(**changes: object) -> dict[str, object]:
    """Claims of a good token; a change to None takes a claim out."""
    good: dict[str, object] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "staff-7",
        "unit": UNIT,
        "scope": "cases:read cases:write tasks:read tasks:act",
        "iat": NOW_S - 60,
        "exp": NOW_S + 3600,
    }
    good.update(changes)
    return {name: value for name, value in good.items() if value is not None}


def token(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey = EC_KEY,
    *,
    alg: str = "ES256",
    headers: Mapping[str, object] | None = None,
    payload: bytes | None = None,
    **changes: object,
) -> str:
    raw = json.dumps(claims(**changes)).encode() if payload is None else payload
    return PyJWS().encode(raw, key, algorithm=alg, headers={"kid": "ec-1", **(headers or {})})


def bearer(**changes: object) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(**changes)}"}  # type: ignore[arg-type]


@dataclass
class FakeCase:
    unit: str
    case_id: bytes
    wish: OpenCase
    files: dict[str, bytes] = field(default_factory=dict)
    revision: int = 1
    last: str = "opened"

    def view(self) -> View:
        return {
            "case_id": uuid_text(self.case_id),
            "stage": "receiving",
            "revision": self.revision,
            "last": self.last,
            "held": sorted(self.files),
        }


class FakeDesk:
    """Cases in memory; an upload counts only when its last byte is there."""

    def __init__(self) -> None:
        self.store: dict[bytes, FakeCase] = {}
        self.answers: dict[tuple[str, str], View] = {}
        self.uploading = asyncio.Event()
        self.broken_uploads = 0
        self.largest_chunk = 0
        self.raises: Exception | None = None
        self.gate: asyncio.Event | None = None
        self.entered = asyncio.Event()
        self.wishes: list[ItemsWish] = []
        self.next_items: str | None = None

    def _own(self, actor: Actor, case_id: bytes) -> FakeCase:
        case = self.store.get(case_id)
        if case is None or case.unit != actor.unit:
            raise Fault(FaultCode.PORTAL_NOT_FOUND)
        return case

    async def items(self, actor: Actor, wish: ItemsWish) -> tuple[Sequence[View], str | None]:
        self.wishes.append(wish)
        self.entered.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.raises is not None:
            raise self.raises
        view = {"item_code": "00013112700402", "region": "620200", "unit": actor.unit}
        return [view], self.next_items

    async def open_case(self, actor: Actor, wish: OpenCase, idempotency: str | None) -> View:
        if idempotency is not None and (actor.unit, idempotency) in self.answers:
            return self.answers[actor.unit, idempotency]
        case_id = uuid7(NOW_MS + len(self.store), sha256(bytes([len(self.store)])).digest())
        case = self.store[case_id] = FakeCase(actor.unit, case_id, wish)
        if idempotency is not None:
            self.answers[actor.unit, idempotency] = case.view()
        return case.view()

    async def add_material(
        self,
        actor: Actor,
        case_id: bytes,
        material_code: str,
        media_type: str,
        size: int,
        chunks: AsyncIterator[bytes],
    ) -> View:
        case = self._own(actor, case_id)
        declared = {m.material_code: m for m in case.wish.materials}.get(material_code)
        if declared is None:
            raise Fault(FaultCode.ATTACHMENT_NOT_DECLARED)
        if declared.media_type != media_type:
            raise Fault(FaultCode.ATTACHMENT_TYPE)
        content = bytearray()
        try:
            async for chunk in chunks:
                self.uploading.set()
                self.largest_chunk = max(self.largest_chunk, len(chunk))
                content += chunk
        except Fault:
            self.broken_uploads += 1
            raise
        if len(content) != size or sha256(content).digest() != declared.sha256:
            raise Fault(FaultCode.ATTACHMENT_DIGEST)
        case.files[material_code] = bytes(content)
        return case.view()

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
        case = self._own(actor, case_id)
        case.last = f"supplement {'-' if form is None else form.decode()} {len(materials)}"
        case.last += " originals seen" if verified_originals else ""
        return case.view()

    async def withdraw(
        self, actor: Actor, case_id: bytes, reason: str, idempotency: str | None
    ) -> View:
        case = self._own(actor, case_id)
        case.last = f"withdraw {reason} {idempotency}"
        return case.view()

    async def confirm_delivered(
        self, actor: Actor, case_id: bytes, method: str, idempotency: str | None
    ) -> View:
        case = self._own(actor, case_id)
        case.last = f"delivered {method}"
        return case.view()

    async def act(
        self, actor: Actor, case_id: bytes, act: SideAct, idempotency: str | None
    ) -> View:
        case = self._own(actor, case_id)
        case.last = f"{act.kind.name.lower()} {act.form.decode()} {idempotency}"
        return case.view()

    async def cases(self, actor: Actor, limit: int, before: bytes) -> Sequence[View]:
        own = [c for c in self.store.values() if c.unit == actor.unit]
        own.sort(key=lambda c: c.case_id, reverse=True)
        return [c.view() for c in own if not before or c.case_id < before][:limit]

    async def case(self, actor: Actor, case_id: bytes) -> View:
        return self._own(actor, case_id).view()


TASK_ID = uuid7(NOW_MS, bytes(10))
FILE = bytes(range(256)) * 4_000
COMMITMENT = sha256(FILE).digest()


class FakeTaskDesk:
    """One task; waits are real waits on `arrived`."""

    def __init__(self) -> None:
        self.arrived = asyncio.Event()
        self.waiting = asyncio.Event()
        self.waits_ended = 0
        self.acts: list[tuple[TaskAct, int | None, str | None]] = []
        self.breaks_after: int | None = None
        self.size = len(FILE)
        self.name = "营业执照 示例.pdf"
        self.media_type = "application/pdf"

    async def tasks(
        self, actor: Actor, after: int, wait_s: float, limit: int
    ) -> tuple[Sequence[View], int]:
        if wait_s > 0 and not self.arrived.is_set():
            self.waiting.set()
            try:
                async with asyncio.timeout(wait_s):
                    await self.arrived.wait()
            except TimeoutError:
                return [], after
            finally:
                self.waits_ended += 1
        if self.arrived.is_set() and after < 7:
            return [{"task_id": uuid_text(TASK_ID), "limit": limit}], 7
        return [], after

    def _own(self, actor: Actor, task_id: bytes) -> None:
        if task_id != TASK_ID or actor.unit != UNIT:
            raise Fault(FaultCode.PORTAL_NOT_FOUND)

    async def task(self, actor: Actor, task_id: bytes) -> View:
        self._own(actor, task_id)
        return {"task_id": uuid_text(task_id), "revision": 3}

    async def act(
        self,
        actor: Actor,
        task_id: bytes,
        act: TaskAct,
        revision: int | None,
        idempotency: str | None,
    ) -> View:
        self._own(actor, task_id)
        if revision is not None and revision != 3:
            raise Fault(FaultCode.PORTAL_STALE)
        self.acts.append((act, revision, idempotency))
        return {"task_id": uuid_text(task_id), "revision": 4}

    async def material(self, actor: Actor, task_id: bytes, commitment: bytes) -> Download:
        self._own(actor, task_id)
        if commitment != COMMITMENT:
            raise Fault(FaultCode.ATTACHMENT_ABSENT)
        return Download(self.media_type, self.name, self.size, self._chunks())

    async def _chunks(self) -> AsyncIterator[bytes]:
        for start in range(0, len(FILE), 65_536):
            if self.breaks_after is not None and start >= self.breaks_after:
                raise Fault(FaultCode.ATTACHMENT_ABSENT)
            yield FILE[start : start + 65_536]


def case_id_of(view: Mapping[str, object]) -> bytes:
    found = parse_uuid7(str(view["case_id"]))
    assert found is not None
    return found


class FakeClockDesk:
    """Overdue cases of each unit, three in all, a page at a time."""

    def __init__(self) -> None:
        self.late: dict[str, list[View]] = {UNIT: [{"case_id": f"late-{n}"} for n in range(3)]}

    async def overdue(self, actor: Actor, limit: int, after: str) -> tuple[Sequence[View], str]:
        if after and not after.isdigit():
            raise Fault(FaultCode.PORTAL_REQUEST_INVALID, "after is no cursor of ours")
        begin = int(after or 0)
        late = self.late.get(actor.unit, [])
        page = late[begin : begin + limit]
        return page, str(begin + limit) if begin + limit < len(late) else ""

    async def to_rectify(self, actor: Actor, limit: int) -> Sequence[View]:
        return [{"case_id": "reviewed", "limit": limit}] if actor.unit == UNIT else []

    async def clocks(self, actor: Actor, case_id: bytes) -> View:
        return {"clocks": [], "held": [], "told": []}
