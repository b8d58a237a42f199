"""The applicant's side: cases opened, files gathered, messages said (收件, 提交, 补正, 撤回)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence

from gateway.flow.casefile import CaseWork, answer_given, own_case, own_message, request_digest
from gateway.flow.committer import Committer, Group
from gateway.flow.desk import Actor, DeclaredMaterial, ItemsWish, OpenCase, SideAct, View
from gateway.flow.effects import case_number
from gateway.flow.item_search import items_page
from gateway.flow.item_views import item_note
from gateway.flow.items import choose_agreement
from gateway.flow.joint_views import joint_part
from gateway.flow.origin_words import applicant_stated, origin_body
from gateway.flow.outbound import drop_prepared, expected_stage, prepare, prepared, say
from gateway.flow.views import case_view, full_view, reviews_view
from gateway.kernel.case import CaseRecord, CaseRole, Stage
from gateway.kernel.digests import commitment
from gateway.kernel.envelope import Attachment, Body, Kind, Right
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import CaseId, CaseKey, Digest, uuid7
from gateway.kernel.instants import china_day
from gateway.kernel.limits import ATTACHMENT_BYTES_MAX, CASE_ATTACHMENT_BYTES_MAX, SALT_BYTES
from gateway.ports.clock import Clock, Entropy
from gateway.ports.directory import Directory
from gateway.ports.journal import Journal, Material, Snapshot
from gateway.ports.vault import Vault, VaultScope
from gateway.rules import catalogue
from gateway.rules.applicant import require_identified
from gateway.rules.arrivals import DIALECTS
from gateway.rules.casework import right_needed, step
from gateway.rules.schema import require_body
from gateway.rules.schema.strict_json import parse
from gateway.rules.trust import require_active
from gateway.wire.envelopes import Draft, decode_draft
from gateway.wire.headers import decode_body, encode_body


class Submission:
    """Implements `PortalDesk` on the journal."""

    def __init__(
        self,
        committer: Committer,
        journal: Journal,
        vault: Vault,
        directory: Directory,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._committer = committer
        self._journal = journal
        self._vault = vault
        self._directory = directory
        self._clock = clock
        self._entropy = entropy

    async def items(self, actor: Actor, wish: ItemsWish) -> tuple[Sequence[View], str | None]:
        """List what the agreements in force allow to be asked for."""
        return items_page(self._directory.current(), self._clock.now_ms(), wish)

    async def open_case(self, actor: Actor, wish: OpenCase, idempotency: str | None) -> View:
        """Open a case under the agreement and item version of this moment."""
        request = request_digest("open_case", wish)
        if (before := await self._answered(actor, request, idempotency)) is not None:
            return before
        book, now_ms = self._directory.current(), self._clock.now_ms()
        item = catalogue.find_item(book.catalogue, wish.region, wish.item_code)
        version = (
            catalogue.current_version(item, now_ms)
            if wish.item_version is None
            else catalogue.version_of(item, wish.item_version)
        )
        require_active(book.partners.get(wish.region))
        catalogue.require_in_scope(item, book.home.gateway_id)
        catalogue.require_current(version, now_ms)
        form = parse(wish.form)
        relied_on = set(catalogue.licences_named(version, form).values())
        right = Right.VERIFY_ORIGINALS if wish.verified_originals else Right.NONE
        agreement = choose_agreement(book, wish, version.version, right, now_ms, relied_on)
        catalogue.require_mode(item, wish.mode)
        catalogue.require_materials(version, [_planned(m) for m in wish.materials], form)
        _require_sizes(wish.materials)
        stated = applicant_stated(actor, wish.applicant, now_ms)
        document = {"applicant_number": wish.applicant_number, "form": form, **stated}
        require_body(Kind.SUBMITTED, document, item_schema=version.form_schema, schemas=book.forms)
        codes = {m.material_code for m in wish.materials}
        require_identified(wish.mode, document, codes, china_day(now_ms))
        key = CaseKey(book.home.gateway_id, CaseId(uuid7(now_ms, self._entropy.token(10))))

        def change(group: Group, _none: CaseRecord | None) -> CaseRecord:
            number = wish.applicant_number or case_number(
                group, book.home.unit + item.implementation_code[18:], now_ms
            )
            case = CaseRecord(
                key=key,
                role=CaseRole.ORIGIN,
                counterpart=wish.region,
                unit=actor.unit,
                stage=Stage.RECEIVING,
                item_code=wish.item_code,
                item_version=version.version,
                mode=wish.mode,
                agreement_digest=agreement.digest,
                purpose=wish.purpose,
                opened_at_ms=now_ms,
                changed_at_ms=now_ms,
                applicant_number=number,
                form=_json({**document, "applicant_number": number}),
            )
            if book.partners[wish.region].outlet in DIALECTS:  # it may speak before it answers
                group.tx.name_case(wish.region, number, key)
            draft = own_message(book, actor, case, Kind.SUBMITTED, Body(case.form), right)
            return self._gather(group, case, draft, 0, wish.materials)

        return await self._do(actor, None, change, request, idempotency)

    async def add_material(
        self,
        actor: Actor,
        case_id: bytes,
        material_code: str,
        media_type: str,
        size: int,
        chunks: AsyncIterator[bytes],
    ) -> View:
        """Store a declared file; the last one sends the message that waits for it."""
        book = self._directory.current()
        key = CaseKey(book.home.gateway_id, CaseId(case_id))
        case, declared = await self._journal.read(
            lambda s: (s.cases([key]).get(key), s.materials(key))
        )
        case = own_case(case, actor.unit, CaseRole.ORIGIN)
        wanted = _next_declared(declared, material_code)
        if media_type != wanted.media_type:
            raise Fault(FaultCode.ATTACHMENT_TYPE, f"declared {wanted.media_type}")
        if size != wanted.size:
            raise Fault(FaultCode.ATTACHMENT_SIZE, f"declared {wanted.size}")
        stored = await self._vault.put(
            VaultScope(case.counterpart, key), wanted.salt, chunks, size=size, sha256=wanted.sha256
        )

        def change(group: Group, current: CaseRecord | None) -> CaseRecord:
            assert current is not None
            held = wanted._replace(commitment=stored.commitment)
            declared = _declared(group, key)
            if held.batch != max(m.batch for m in declared):
                raise Fault(FaultCode.ATTACHMENT_NOT_DECLARED, "replaced by a later list")
            batch = [
                held if m.position == held.position else m
                for m in declared
                if m.batch == held.batch
            ]
            entry = prepared(group, current)
            if entry is None:
                raise Fault(FaultCode.ATTACHMENT_NOT_DECLARED, material_code)
            step(expected_stage(current), entry.kind)  # the case may have gone on meanwhile
            group.materials.append(held)
            if not all(m.commitment for m in batch):
                return current
            draft = decode_draft(entry.draft)
            body = Body(decode_body(draft.body_bytes).form, tuple(map(_attachment, batch)))
            group.drop_outbox(entry.draft_id)
            return say(group, current, Draft(draft.header, encode_body(body)))

        return await self._do(actor, key, change, b"", None)

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
        """Answer a request for material (补正)."""
        right = Right.VERIFY_ORIGINALS if verified_originals else Right.NONE
        book = self._directory.current()
        _require_sizes(materials)
        content = {} if form is None else {"form": parse(form)}

        def change(group: Group, case: CaseRecord | None) -> CaseRecord:
            assert case is not None
            item = catalogue.find_item(book.catalogue, case.counterpart, case.item_code)
            version = catalogue.version_of(item, case.item_version)
            catalogue.require_listed(version, [_planned(m) for m in materials])
            catalogue.licences_named(version, content.get("form"))
            body = Body(_json(content))
            draft = own_message(book, actor, case, Kind.MATERIALS_SUPPLIED, body, right)
            earlier = _declared(group, case.key)
            batch = 1 + max((m.batch for m in earlier), default=0)
            return self._gather(group, case, draft, batch, materials)

        request = request_digest("supplement", case_id, form, tuple(materials), verified_originals)
        return await self._do(actor, self._key(case_id), change, request, idempotency)

    async def withdraw(
        self, actor: Actor, case_id: bytes, reason: str, idempotency: str | None
    ) -> View:
        """Ask for withdrawal; before anything was sent it is done at once."""
        book = self._directory.current()

        def change(group: Group, case: CaseRecord | None) -> CaseRecord:
            assert case is not None
            if case.stage is Stage.RECEIVING:
                drop_prepared(group, case)
                return case._replace(stage=step(case.stage, Kind.WITHDRAWN))
            body = Body(_json({"reason_zh": reason} if reason else {}))
            return say(group, case, own_message(book, actor, case, Kind.WITHDRAWN, body))

        request = request_digest("withdraw", case_id, reason)
        return await self._do(actor, self._key(case_id), change, request, idempotency)

    async def confirm_delivered(
        self, actor: Actor, case_id: bytes, method: str, idempotency: str | None
    ) -> View:
        """Say that the result was handed over, under the delegated right to do so."""
        book, today = self._directory.current(), china_day(self._clock.now_ms())

        def change(group: Group, case: CaseRecord | None) -> CaseRecord:
            assert case is not None
            given: dict[str, object] = {"method": method, "delivered_on": today}
            body = origin_body(group, book, case, Kind.DELIVERED, given)
            right = Right.DELIVER_RESULT
            return say(group, case, own_message(book, actor, case, Kind.DELIVERED, body, right))

        request = request_digest("delivered", case_id, method)
        return await self._do(actor, self._key(case_id), change, request, idempotency)

    async def act(
        self, actor: Actor, case_id: bytes, act: SideAct, idempotency: str | None
    ) -> View:
        """Say what needs no files, under the delegated right that the kind needs."""
        book, given = self._directory.current(), parse(act.form)
        right = right_needed(CaseRole.ORIGIN, act.kind) or Right.NONE

        def change(group: Group, case: CaseRecord | None) -> CaseRecord:
            assert case is not None
            document = given if isinstance(given, dict) else {}
            body = origin_body(group, book, case, act.kind, document)
            return say(group, case, own_message(book, actor, case, act.kind, body, right))

        request = request_digest("origin_act", case_id, act)
        return await self._do(actor, self._key(case_id), change, request, idempotency)

    async def cases(self, actor: Actor, limit: int, before: bytes) -> Sequence[View]:
        """List the unit's cases, latest first."""
        home = self._directory.current().home.gateway_id
        found = await self._journal.read(
            lambda s: s.cases_of(actor.unit, limit=limit, before=before)
        )
        return [case_view(case, home) for case in found]

    async def case(self, actor: Actor, case_id: bytes) -> View:
        """Show one case with its history, in whichever role the unit has it."""
        home = self._directory.current().home.gateway_id

        def query(s: Snapshot) -> dict[str, object]:
            found = [c for c in s.cases_by_id(case_id) if c.unit == actor.unit]
            if not found:
                raise Fault(FaultCode.PORTAL_NOT_FOUND)
            # A partner may have used our id for a case of its own: ours comes first.
            case = min(found, key=lambda c: (c.key.origin != home, c.opened_at_ms))
            key = case.key
            view = full_view(case, home, s.history(key), s.outbox(key), s.materials(key))
            listed = item_note(s.item_list, case, home)
            said = reviews_view(s.history(key))
            return {**view, **joint_part(s, case), "item_list": listed, "reviews": said}

        return await self._journal.read(query)

    async def _answered(self, actor: Actor, request: bytes, idempotency: str | None) -> View | None:
        """Return the answer given before, whatever agreement or catalogue say by now.

        Raises:
            Fault: `portal.idempotency_reused`.
        """
        if idempotency is None:
            return None
        unit, key = actor.unit, idempotency
        return answer_given(await self._journal.read(lambda s: s.remembered(unit, key)), request)

    def _key(self, case_id: bytes) -> CaseKey:
        return CaseKey(self._directory.current().home.gateway_id, CaseId(case_id))

    def _gather(
        self,
        group: Group,
        case: CaseRecord,
        draft: Draft,
        batch: int,
        materials: Sequence[DeclaredMaterial],
    ) -> CaseRecord:
        """Send the draft if no files belong to it; else keep it until they are here."""
        drop_prepared(group, case)
        if not materials:
            return say(group, case, draft)
        for position, m in enumerate(materials):
            salt = self._entropy.token(SALT_BYTES)
            group.materials.append(
                Material(
                    case.key,
                    batch,
                    position,
                    m.material_code,
                    m.name,
                    m.media_type,
                    m.size,
                    m.sha256,
                    salt,
                )
            )
        prepare(group, case, draft)
        return case

    async def _do(
        self,
        actor: Actor,
        key: CaseKey | None,
        change: Callable[[Group, CaseRecord | None], CaseRecord],
        request: bytes,
        idempotency: str | None,
    ) -> View:
        work = CaseWork(
            self._directory.current(),
            actor,
            key,
            change,
            request,
            idempotency,
            CaseRole.ORIGIN if key is not None else None,
        )
        await self._committer.submit(work)
        return work.view


def _json(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _declared(group: Group, key: CaseKey) -> list[Material]:
    """Return a case's declared files as this group has left them, by batch and position."""
    found = {(m.batch, m.position): m for m in group.tx.materials(key)}
    found.update({(m.batch, m.position): m for m in group.materials if m.case_key == key})
    return [found[place] for place in sorted(found)]


def _planned(material: DeclaredMaterial) -> Attachment:
    return Attachment(
        material.material_code,
        material.name,
        material.media_type,
        material.size,
        b"",
        Digest(commitment(b"", material.sha256)),
    )


def _attachment(material: Material) -> Attachment:
    return Attachment(
        material.material_code,
        material.name,
        material.media_type,
        material.size,
        material.salt,
        Digest(material.commitment),
    )


def _require_sizes(materials: Sequence[DeclaredMaterial]) -> None:
    for material in materials:
        if material.size > ATTACHMENT_BYTES_MAX:
            raise Fault(FaultCode.LIMIT_ATTACHMENT_BYTES, material.material_code)
    if sum(material.size for material in materials) > CASE_ATTACHMENT_BYTES_MAX:
        raise Fault(FaultCode.LIMIT_QUOTA, f"a case holds {CASE_ATTACHMENT_BYTES_MAX} bytes")


def _next_declared(declared: Sequence[Material], material_code: str) -> Material:
    latest = max((m.batch for m in declared), default=0)
    for material in declared:
        open_ = material.batch == latest and not material.commitment
        if open_ and material.material_code == material_code:
            return material
    raise Fault(FaultCode.ATTACHMENT_NOT_DECLARED, material_code[:64])
