"""Joint tasks over the socket: a participating gateway that hears anything, and the whole story."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway.adapters.system.clock import SystemClock
from gateway.kernel.digests import digest
from gateway.kernel.envelope import Attachment, Kind, Mode, NotTakenIn, Outcome, Right
from gateway.kernel.faults import FaultCode as F
from gateway.kernel.identifiers import parse_uuid7, uuid_text
from tests.support.joint import (
    AGREE,
    APPLIED,
    APPROVED,
    BAOSHAN,
    DISAGREE,
    MOVE,
    REFUSED,
    TASKED,
    ZHANGJIAGANG,
    make_trio,
    move_form,
)
from tests.support.peer import Peer, Sealed, body_of
from tests.support.world import JIUQUAN, PDF, Node, run_nodes, sample_files, site_at

from .worlds import own_channel

PARENT = {
    "origin": "620900",
    "case_id": "01900000-0000-7000-8000-000000000000",
    "submission": "ab" * 32,
    "agreement": "cd" * 32,
}
TASK: dict[str, Any] = {
    "parent": PARENT,
    "asked": {"zh": "请核验迁出户口（示例）"},
    "due_on": "2026-06-08",
    "answer_days": 5,
    "form_fields": ["/mover/name"],
    "form": {"mover": {"name": "示例甲㛃"}},
}


@dataclass
class Bench:
    """Baoshan's gateway runs; Zhangjiagang, who asks, is played by the test."""

    node: Node
    asking: Peer

    def task(
        self, document: object = None, files: tuple[Attachment, ...] = (), **changes: object
    ) -> Sealed:
        header = self.asking.header(Kind.JOINT_TASK)._replace(
            item_code=MOVE, mode=Mode.JOINT, purpose="household-move"
        )
        header = header._replace(**changes)  # type: ignore[arg-type]
        return self.asking.seal(header, body_of(TASK if document is None else document, files))

    async def rule(self, sealed: Sealed) -> str:
        """Deliver a message; return the rule that its answer names, empty if it was taken in."""
        (answer,) = await self.asking.deliver(sealed)
        if isinstance(answer, NotTakenIn):
            return answer.rule
        receipt = self.asking.checked(answer, sealed)
        assert (receipt.outcome is Outcome.REFUSED) is bool(receipt.rule)
        return receipt.rule


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    root, clock = tmp_path_factory.mktemp("bench"), SystemClock()
    _, zhangjiagang, baoshan = make_trio(root, clock.now_ms(), site_at)
    async with AsyncExitStack() as stack:
        (node,) = await stack.enter_async_context(run_nodes([baoshan]))
        line = own_channel(zhangjiagang, baoshan, node.running.exchange_port)
        stack.push_async_callback(line.channel.close)
        yield Bench(node, Peer(zhangjiagang, baoshan, digest(TASKED), clock, line))


pytestmark = pytest.mark.asyncio(loop_scope="module")

BAD_HEADERS: dict[str, tuple[dict[str, object], F]] = {
    "mode": ({"mode": Mode.ONLINE}, F.AGREEMENT_MODE_UNLISTED),
    "purpose": ({"purpose": "branch-registration"}, F.AGREEMENT_PURPOSE_UNLISTED),
    "item": ({"item_code": "00070920200302"}, F.AGREEMENT_ITEM_UNLISTED),
    "version": ({"item_version": "9"}, F.AGREEMENT_VERSION_UNLISTED),
    "origin": ({"case_origin": "620900"}, F.CASE_NOT_PARTY),
    "right": ({"delegated_right": Right.ACCEPT}, F.CASE_ROLE),
    "agreement": ({"agreement_digest": b"\1" * 32}, F.AGREEMENT_UNKNOWN),
    "gap": (
        {"sequence": 2, "previous_digest": b"\1" * 32},
        F.DELIVERY_CHAIN_GAP,
    ),
    "application": ({"kind": Kind.SUBMITTED}, F.AGREEMENT_DIRECTION),
}


@pytest.mark.parametrize("name", BAD_HEADERS)
async def test_a_task_that_the_agreement_does_not_allow_is_refused(bench: Bench, name: str) -> None:
    changes, rule = BAD_HEADERS[name]
    assert await bench.rule(bench.task(TASK, (), **changes)) == rule


BAD_BODIES: dict[str, tuple[dict[str, object], F]] = {
    "parent": ({"parent": None}, F.SCHEMA_FORM_INVALID),
    "no words": ({"asked": {}}, F.SCHEMA_FORM_INVALID),
    "more than named": ({"form": {"mover": {"name": "甲", "phone": "1"}}}, F.SCHEMA_FORM_INVALID),
    "less than named": ({"form": {}}, F.SCHEMA_FORM_INVALID),
    "own case": ({"parent": {**PARENT, "origin": "320582"}}, F.CASE_NOT_PARTY),
}


@pytest.mark.parametrize("name", BAD_BODIES)
async def test_a_task_that_does_not_say_of_what_and_how_much_is_refused(
    bench: Bench, name: str
) -> None:
    changes, rule = BAD_BODIES[name]
    assert await bench.rule(bench.task({**TASK, **changes})) == rule


async def test_a_file_that_is_not_on_the_items_list_is_refused(bench: Bench) -> None:
    sealed = bench.task()
    file = await bench.asking.attach(sealed.header.case_id, "99", PDF)
    again = bench.task(files=(file,), case_id=sealed.header.case_id)
    assert await bench.rule(again) == F.CATALOGUE_MATERIAL_UNKNOWN


async def test_a_file_that_is_named_and_not_there_is_waited_for(bench: Bench) -> None:
    sealed = bench.task()
    ref = bench.asking.ref(sealed.header.case_id, PDF + b"absent")
    file = Attachment("01", "01.pdf", ref.media_type, ref.size, ref.salt, ref.commitment)  # type: ignore[arg-type]
    again = bench.task(files=(file,), case_id=sealed.header.case_id)
    assert await bench.rule(again) == F.ATTACHMENT_ABSENT


@pytest.mark.parametrize(
    ("kind", "document"),
    [
        (Kind.JOINT_ANSWER, AGREE),
        (Kind.DECIDED, APPROVED),
        (Kind.MATERIALS_SUPPLIED, {}),
        (Kind.ACKNOWLEDGED, {}),
        (Kind.REVIEWED, None),
    ],
)
async def test_the_asking_side_may_only_take_its_task_back(
    bench: Bench, kind: Kind, document: object
) -> None:
    first = bench.task()
    assert await bench.rule(first) == ""
    wanted = {F.CASE_ROLE, F.SCHEMA_FORM_INVALID}
    assert await bench.rule(bench.asking.next(first, kind, document)) in wanted


async def test_a_second_task_in_one_case_is_refused(bench: Bench) -> None:
    first = bench.task()
    assert await bench.rule(first) == ""
    again = bench.asking.next(first, Kind.JOINT_TASK, TASK)
    assert await bench.rule(again) == F.CASE_STAGE


async def test_an_application_cannot_slip_into_a_task(bench: Bench) -> None:
    first = bench.task()
    assert await bench.rule(first) == ""
    forged = bench.asking.next(first, Kind.SUBMITTED, {"applicant_number": "", "form": move_form()})
    assert await bench.rule(forged) == F.AGREEMENT_DIRECTION


async def test_a_withdrawal_after_the_answer_is_refused_and_the_answer_stands(
    bench: Bench,
) -> None:
    first = bench.task()
    assert await bench.rule(first) == ""
    task = f"/v1/tasks/{uuid_text(first.header.case_id)}"
    await bench.node.call("POST", f"{task}/answer", json_body=DISAGREE, wanted=200)
    late = bench.asking.next(first, Kind.WITHDRAWN)
    assert await bench.rule(late) == F.CASE_ALREADY_ANSWERED
    view = await bench.node.call("GET", task, wanted=200)
    assert (view["stage"], view["verdict"]) == ("answered", "disagree")


async def test_an_answer_is_given_once_and_a_no_needs_grounds(bench: Bench) -> None:
    first = bench.task()
    assert await bench.rule(first) == ""
    task = f"/v1/tasks/{uuid_text(first.header.case_id)}"
    for body, status, rule in (
        ({"verdict": "disagree"}, 422, F.SCHEMA_FORM_INVALID),
        ({"verdict": "perhaps"}, 422, F.SCHEMA_FORM_INVALID),
    ):
        said = await bench.node.call("POST", f"{task}/answer", json_body=body, wanted=status)
        assert said["rule"] == rule
    await bench.node.call("POST", f"{task}/answer", json_body=AGREE, wanted=200)
    said = await bench.node.call("POST", f"{task}/answer", json_body=AGREE, wanted=409)
    assert said["rule"] == F.CASE_CLOSED


async def until(node: Node, path: str, **wanted: object) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while True:
            view = await node.call("GET", path)
            if all(view.get(name) == value for name, value in wanted.items()):
                return view
            await asyncio.sleep(0.02)


async def agreed(office: Node, path: str) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while True:
            listed: dict[str, Any] = await office.call("GET", path, wanted=200)
            (one,) = listed["joint_tasks"]
            if one["state"] == "agreed":
                found: dict[str, Any] = one
                return found
            await asyncio.sleep(0.02)


async def opened(window: Node, office: Node) -> str:
    """Open a case of 户口迁移 over HTTP, and accept it."""
    files = sample_files(("01",))
    wish = {
        "region": ZHANGJIAGANG.gateway_id,
        "item_code": MOVE,
        "mode": "joint",
        "purpose": "household-move",
        "form": move_form(),
        "materials": [
            {
                "material_code": code,
                "name": f"{code}.pdf",
                "media_type": "application/pdf",
                "size": len(content),
                "sha256": digest(content).hex(),
            }
            for code, content in files.items()
        ],
        "verified_originals": True,
    }
    case_id = str((await window.call("POST", "/v1/cases", json_body=wish, wanted=201))["case_id"])
    for code, content in files.items():
        path = f"/v1/cases/{case_id}/materials?material={code}"
        await window.call(
            "POST", path, data=content, headers={"Content-Type": "application/pdf"}, wanted=200
        )
    task = f"/v1/tasks/{case_id}"
    await until(office, task, stage="submitted")
    await office.call("POST", f"{task}/acknowledge", json_body={}, wanted=200)
    accepted = {"accepted_on": "2026-06-01"}
    await office.call("POST", f"{task}/accept", json_body=accepted, wanted=200)
    return case_id


async def test_three_gateways_move_a_household_over_sockets_and_http(tmp_path: Path) -> None:
    sites = make_trio(tmp_path, SystemClock().now_ms(), site_at)
    async with run_nodes(sites) as (window, office, verifier):
        case_id = await opened(window, office)
        task = f"/v1/tasks/{case_id}"
        wish = {
            "region": BAOSHAN.gateway_id,
            "asked": {"zh": "请核验迁出户口（示例）"},
            "form_fields": ["/mover/name", "/from_address"],
            "materials": ["01"],
        }
        for wrong, rule in (
            ({**wish, "form_fields": ["/spouse"]}, F.AGREEMENT_ONWARD_UNLISTED),
            ({**wish, "region": "620900"}, F.AGREEMENT_DIRECTION),
            ({**wish, "due_on": "2026-02-30"}, F.PORTAL_REQUEST_INVALID),
            ({**wish, "form_fields": ["mover"]}, F.PORTAL_REQUEST_INVALID),
        ):
            said = await office.call("POST", f"{task}/joint-tasks", json_body=wrong)
            assert said["rule"] == rule
        key = {"Idempotency-Key": "ask-1"}
        for _ in range(2):
            asked = await office.call(
                "POST", f"{task}/joint-tasks", json_body=wish, headers=key, wanted=201
            )
        said = await office.call("POST", f"{task}/decide", json_body=APPROVED, wanted=409)
        assert said["rule"] == F.CASE_JOINT_OPEN
        theirs = f"/v1/tasks/{asked['case_id']}"
        seen = await until(verifier, theirs, stage="asked")
        assert set(seen["form"]) == {"mover", "from_address"}
        (material,) = seen["materials"]
        async with verifier.http.get(
            f"{verifier.url}{theirs}/materials/{material['commitment']}",
            headers={"Authorization": f"Bearer {verifier.token()}"},
        ) as response:
            assert await response.read() == sample_files(("01",))["01"]
        stranger = await verifier.call("GET", theirs, unit="11620900MB0000000X", wanted=404)
        assert stranger["rule"] == F.PORTAL_NOT_FOUND
        await verifier.call("POST", f"{theirs}/answer", json_body=AGREE, wanted=200)
        one = await agreed(office, f"{task}/joint-tasks")
        late = f"{task}/joint-tasks/{asked['case_id']}/withdraw"
        said = await office.call("POST", late, json_body={"reason": "示例"}, wanted=409)
        assert said["rule"] == F.CASE_ALREADY_ANSWERED
        await office.call("POST", f"{task}/decide", json_body=APPROVED, wanted=200)
        view = await until(window, f"/v1/cases/{case_id}", stage="decided")
        assert view["joint"] == [{"region": "310113", "verdict": "agree", "answer": one["answer"]}]


async def test_a_task_taken_back_over_http_leaves_the_case_unasked(tmp_path: Path) -> None:
    sites = make_trio(tmp_path, SystemClock().now_ms(), site_at)
    async with run_nodes(sites) as (window, office, verifier):
        case_id = await opened(window, office)
        task = f"/v1/tasks/{case_id}"
        wish = {"region": BAOSHAN.gateway_id, "asked": {"zh": "请核验（示例）"}}
        asked = await office.call("POST", f"{task}/joint-tasks", json_body=wish, wanted=201)
        theirs = f"/v1/tasks/{asked['case_id']}"
        await until(verifier, theirs, stage="asked")
        back = f"{task}/joint-tasks/{asked['case_id']}/withdraw"
        await office.call("POST", back, json_body={"reason": "示例"}, wanted=200)
        await until(verifier, theirs, stage="withdrawn")
        said = await verifier.call("POST", f"{theirs}/answer", json_body=AGREE, wanted=409)
        assert said["rule"] == F.CASE_CLOSED
        await until(office, f"/v1/cases/{asked['case_id']}", stage="withdrawn")
        said = await office.call("POST", f"{task}/decide", json_body=APPROVED, wanted=409)
        assert said["rule"] == F.CASE_JOINT_UNASKED
        await office.call("POST", f"{task}/decide", json_body=REFUSED, wanted=200)


NAMED = {"region": "310113", "verdict": "agree", "answer": "ab" * 32}


@pytest.mark.parametrize(
    "joint",
    [
        None,
        [],
        [{"region": "310113", "verdict": "silent", "due_on": "2026-06-08"}],
        [NAMED, {**NAMED, "verdict": "disagree"}],
    ],
    ids=["absent", "empty", "silent", "against"],
)
async def test_the_window_refuses_an_approval_that_rests_on_no_agreement(
    tmp_path: Path, joint: object
) -> None:
    """Jiuquan's gateway runs; the deciding side is played by the test, and forges."""
    clock = SystemClock()
    jiuquan, zhangjiagang, _ = make_trio(tmp_path, clock.now_ms(), site_at)
    async with run_nodes([jiuquan]) as (window,):
        wish = {
            "region": ZHANGJIAGANG.gateway_id,
            "item_code": MOVE,
            "mode": "joint",
            "purpose": "household-move",
            "form": move_form(),
            "materials": [
                {
                    "material_code": "01",
                    "name": "01.pdf",
                    "media_type": "application/pdf",
                    "size": len(PDF),
                    "sha256": digest(PDF).hex(),
                }
            ],
        }
        case_id = str(
            (await window.call("POST", "/v1/cases", json_body=wish, wanted=201))["case_id"]
        )
        path = f"/v1/cases/{case_id}/materials?material=01"
        typed = {"Content-Type": "application/pdf"}
        await window.call("POST", path, data=PDF, headers=typed, wanted=200)
        line = own_channel(zhangjiagang, jiuquan, window.running.exchange_port)
        peer = Peer(zhangjiagang, jiuquan, digest(APPLIED), clock, line)
        bench = Bench(window, peer)
        raw = parse_uuid7(case_id)
        assert raw is not None
        header = peer.header(Kind.ACKNOWLEDGED)._replace(
            case_origin=JIUQUAN.gateway_id,
            case_id=raw,
            item_code=MOVE,
            mode=Mode.JOINT,
            purpose="household-move",
        )
        first = peer.seal(header, body_of({}))
        second = peer.next(first, Kind.ACCEPTED, {"accepted_on": "2026-06-01"})
        assert [await bench.rule(m) for m in (first, second)] == ["", ""]
        forged = APPROVED if joint is None else {**APPROVED, "joint": joint}
        said = await bench.rule(peer.next(second, Kind.DECIDED, forged))
        assert said == F.CASE_JOINT_UNNAMED
        honest = peer.next(second, Kind.DECIDED, {**APPROVED, "joint": [NAMED]})
        assert await bench.rule(honest) == ""
        await line.channel.close()
