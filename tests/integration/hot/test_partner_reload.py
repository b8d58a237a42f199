"""Partners added, changed and suspended while the gateway serves, over real sockets."""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections.abc import AsyncIterator, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.pki.issuing import Authority, issue_signing
from gateway.adapters.system.clock import SystemClock
from gateway.app.demo.platforms.files import FileExchange
from gateway.app.demo.platforms.office import adopted, connect
from gateway.app.provision import Site, adopt, make_site
from gateway.app.wiring import Seams
from gateway.kernel.envelope import ReceiptQuery
from gateway.kernel.faults import FaultCode as F
from gateway.ports.outlet import Outlet
from tests.integration.assisted.desks import JINCHANG, Desk
from tests.integration.cli.console import kuayu, served
from tests.integration.exchange.outcomes import taken_in
from tests.integration.exchange.worlds import World, exchange_world, own_channel
from tests.support.peer import CallRefused
from tests.support.world import (
    JIUQUAN,
    PARTNERS,
    PDF,
    QUERY,
    Node,
    make_pair,
    run_nodes,
    sample_form,
    site_at,
)

from .reloads import asked, ended, reload, rewrite, set_state, tasks, until

WISH = {
    "region": "620200",
    "item_code": QUERY,
    "mode": "online",
    "purpose": "enterprise-information-query",
    "form": sample_form("enterprise_query"),
    "materials": [],
}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with exchange_world(tmp_path) as made:
        yield made


def entry_of(world: World, name: str) -> Path:
    return world.node.site.root / "partners" / name


def nothing_but(**expected: object) -> dict[str, object]:
    heads = ("added", "changed", "activated", "suspended", "gone", "broken", "problems")
    return {"taken": True, **{head: [] for head in heads}, **expected}


def told(view: dict[str, Any]) -> dict[str, object]:
    about = {"unchanged", "own_changed", "running", "act", "act_status", "command", "operator"}
    return {k: v for k, v in view.items() if k not in {*about, "subject"}}


# --- what cannot be taken -------------------------------------------------------------------------
@pytest.mark.parametrize("harm", ["not toml", "no key", "another id"])
async def test_a_folder_that_is_broken_keeps_the_last_good_entry_and_is_told(
    world: World, harm: str
) -> None:
    folder = entry_of(world, "zhangye")
    rewrite(entry_of(world, "jiuquan"), r"^simulated = true", "simulated = false")
    match harm:
        case "not toml":
            (folder / "partner.toml").write_bytes(b"\xff = [")
        case "no key":
            for key in (folder / "keys").glob("signing*"):
                key.unlink()
        case "another id":
            rewrite(folder, r'^gateway_id = "620700"', 'gateway_id = "620900"')
    view = await reload(world.node)
    broken = {(b["gateway_id"], b["kept"]) for b in view["broken"]}
    if harm == "another id":
        assert broken == {("620900", True)}, "two folders that claim one id are broken both"
        assert view["gone"] == []
        await taken_in(world, world.jiuquan.ping())
        await taken_in(world, world.zhangye.ping(), by=world.zhangye)
        return
    assert broken == {("620700", True)}
    assert (view["changed"], view["gone"]) == (["620900"], [])
    assert all("zhangye" in p or "620700" in p for b in view["broken"] for p in b["problems"])
    await taken_in(world, world.zhangye.ping(), by=world.zhangye)
    await taken_in(world, world.zhangye.submission(), by=world.zhangye)
    again = own_channel(world.zhangye.site, world.jiuquan.to, world.node.running.exchange_port)
    await taken_in_by(world, again)
    await again.channel.close()


async def taken_in_by(world: World, line: Any) -> None:
    (answer,) = await world.zhangye.with_line(line).deliver(world.zhangye.ping())
    assert isinstance(answer, bytes)


async def test_what_only_the_journal_holds_is_no_change_of_the_files(tmp_path: Path) -> None:
    """An announced key stands beside an entry's own: reading the same files again is no news."""
    sites = make_pair(tmp_path)
    async with run_nodes(sites) as (jiuquan, jiayuguan):
        keys, now_ms = sites[0].root / "keys", SystemClock().now_ms()
        authority = Authority(
            (keys / "authorities.pem").read_bytes(), (keys / "authority.key.pem").read_bytes()
        )
        home = jiuquan.running.directory.current().home
        issued = issue_signing(
            authority,
            home.gateway_id,
            "EdDSA",
            common_name="示例 next",
            not_before_ms=now_ms,
            not_after_ms=now_ms + 86_400_000,
        )
        pem = issued.certificate.decode()
        await asked(jiuquan.config, "key-announce", use="signing", certificate=pem, partner="")

        async def believed() -> bool:
            known = jiayuguan.running.directory.current().partners[home.gateway_id].keys
            return len(known) == len(home.keys) + 1

        await until(believed)
        view = await reload(jiayuguan)
        assert (told(view), view["own_changed"]) == (nothing_but(), False)
        assert await believed()


async def test_our_own_folder_being_broken_changes_nothing(world: World) -> None:
    (entry_of(world, "jiayuguan") / "partner.toml").write_bytes(b"[")
    set_state(entry_of(world, "zhangye"), "suspended")
    before = world.node.running.directory.current()
    view = await reload(world.node)
    assert view["taken"] is False
    assert any("not TOML" in line for line in view["problems"])
    assert world.node.running.directory.current() is before
    await taken_in(world, world.zhangye.ping(), by=world.zhangye)


async def test_a_key_we_sign_with_is_not_taken_away_without_a_restart(world: World) -> None:
    own = entry_of(world, "jiayuguan")
    rewrite(own, r"^adapter_certificates = .*", "adapter_certificates = []")
    view = await reload(world.node)
    assert view["taken"] is False
    assert "restart" in view["problems"][0]


async def test_a_partner_without_keys_needs_an_adapter_key_from_the_start(tmp_path: Path) -> None:
    site = site_at(tmp_path, JIUQUAN)
    make_site(site, SystemClock().now_ms(), demo=True)
    configured = site.config.read_text()
    site.config.write_text(
        "\n".join(line for line in configured.splitlines() if "adapter_es256" not in line)
    )
    async with run_nodes([site]) as (node,):
        site.config.write_text(configured)
        adopt(site, PARTNERS / "jinchang", SystemClock().now_ms())
        view = await reload(node)
        (broken,) = view["broken"]
        assert (broken["gateway_id"], broken["kept"]) == (JINCHANG, False)
        assert "keys.adapter" in broken["problems"][0]
        assert view["added"] == []


# --- added ----------------------------------------------------------------------------------------
async def test_a_gateway_added_while_we_serve_gets_a_message_and_is_heard(tmp_path: Path) -> None:
    jq_site, jyg_site = make_pair(tmp_path)
    known = jq_site.root / "partners" / "jiayuguan"
    aside = tmp_path / "aside"
    shutil.move(known, aside)
    async with run_nodes((jq_site, jyg_site)) as (jq, jyg):
        refused = await jq.call("POST", "/v1/cases", json_body=WISH)
        assert "case_id" not in refused
        shutil.move(aside, known)
        assert told(await reload(jq)) == nothing_but(added=["620200"])
        case = await jq.call("POST", "/v1/cases", json_body=WISH, wanted=201)
        found = await jyg.call("GET", "/v1/tasks?wait_s=20", wanted=200)
        assert [task["case_id"] for task in tasks_of(found)] == [case["case_id"]]
        # Its authority was unknown when our listener began.
        await jyg.call("POST", f"/v1/tasks/{case['case_id']}/acknowledge")
        await stage(jq, case["case_id"], "acknowledged")


def tasks_of(view: dict[str, object]) -> list[dict[str, object]]:
    found = view["tasks"]
    assert isinstance(found, list)
    return found


async def stage(node: Node, case_id: object, wanted: str) -> None:
    async def reached() -> bool:
        return (await node.call("GET", f"/v1/cases/{case_id}", wanted=200))["stage"] == wanted

    await until(reached)


async def test_a_partner_without_a_system_added_while_we_serve_has_its_work_list(
    tmp_path: Path,
) -> None:
    site = site_at(tmp_path, JIUQUAN)
    make_site(site, SystemClock().now_ms(), demo=True)
    async with run_nodes([site]) as (node,):
        adopt(site, PARTNERS / "jinchang", SystemClock().now_ms())
        assert told(await reload(node)) == nothing_but(added=[JINCHANG])
        desk = Desk(node)
        case_id = await desk.open_case()
        listed: list[dict[str, object]] = []

        async def is_listed() -> bool:
            listed[:] = (await desk.good("GET", "/v1/assisted/work"))["work"]
            return bool(listed)

        await until(is_listed)
        assert [task["case_id"] for task in listed] == [case_id]


async def test_a_platform_added_while_we_serve_is_pushed_to_and_polled_and_then_let_go(
    tmp_path: Path,
) -> None:
    clock = SystemClock()
    site = site_at(tmp_path, JIUQUAN)
    make_site(site, clock.now_ms(), demo=True)
    platform = FileExchange(clock, tmp_path / "wuwei")
    async with run_nodes([site]) as (node,):
        folder = adopted(site, platform.story, clock.now_ms())
        async with platform.running(site) as lines:
            connect(site, platform.story, lines)
            assert told(await reload(node)) == nothing_but(added=["620600"])
            first = await submit_to_wuwei(node, platform)
            await stage(node, first, "decided")
            rewrite(folder, r"^poll_s = .*", "poll_s = 0.2")
            assert told(await reload(node)) == nothing_but(changed=["620600"])
            second = await submit_to_wuwei(node, platform)
            await stage(node, second, "decided")
            assert tasks("arrivals-620600") == ["arrivals-620600"]
            set_state(folder, "suspended")
            assert told(await reload(node)) == nothing_but(suspended=["620600"])
            await until(ended("arrivals-620600", "lane-620600"))
            set_state(folder, "active")
            assert told(await reload(node)) == nothing_but(activated=["620600"])
            third = await submit_to_wuwei(node, platform)
            await stage(node, third, "decided")


async def submit_to_wuwei(node: Node, platform: FileExchange) -> object:
    story = platform.story
    wish = {
        "region": story.region,
        "item_code": story.item,
        "mode": story.mode,
        "purpose": story.purpose,
        "identity": {"method": "in_person_id_card"},
        "form": story.form(),
        "materials": [
            {
                "material_code": code,
                "name": f"{code}.pdf",
                "media_type": "application/pdf",
                "size": len(PDF),
                "sha256": sha256(PDF).hexdigest(),
            }
            for code in story.files()
        ],
    }
    case_id = (await node.call("POST", "/v1/cases", json_body=wish, wanted=201))["case_id"]
    for code in story.files():
        path = f"/v1/cases/{case_id}/materials?material={code}"
        sent = {"Content-Type": "application/pdf"}
        await node.call("POST", path, data=PDF, headers=sent, wanted=200)
    return case_id


# --- suspended ------------------------------------------------------------------------------------
class Held:
    """An outlet whose deliveries wait until they are let go."""

    def __init__(self, inner: Outlet) -> None:
        self._inner = inner
        self.batch_max = inner.batch_max
        self.query_receipts = inner.query_receipts
        self.attachment_status, self.upload = inner.attachment_status, inner.upload
        self.arrived, self.go = asyncio.Event(), asyncio.Event()
        self.closed_after = ""

    async def deliver(self, envelopes: Sequence[bytes], timeout_s: float) -> Sequence[Any]:
        self.arrived.set()
        await self.go.wait()
        assert not self.closed_after, "the line was taken from under a call"
        return await self._inner.deliver(envelopes, timeout_s)

    async def close(self) -> None:
        self.closed_after = "closed"
        await self._inner.close()


async def test_a_suspended_partner_is_refused_by_rule_and_its_lane_ends_after_its_calls(
    tmp_path: Path,
) -> None:
    made: list[Held] = []

    def hold(outlet: Outlet) -> Outlet:
        made.append(Held(outlet))
        return made[-1]

    sites = make_pair(tmp_path)
    async with run_nodes(sites[1:]) as (jyg,), run_nodes(sites[:1], Seams(outlet=hold)) as (jq,):
        case = await jq.call("POST", "/v1/cases", json_body=WISH, wanted=201)
        await asyncio.wait_for(made[0].arrived.wait(), 30)
        set_state(sites[0].root / "partners" / "jiayuguan", "suspended")
        assert told(await reload(jq)) == nothing_but(suspended=["620200"])
        assert made[0].closed_after == "", "a call is under way"
        line = own_channel(sites[1], sites[0], jq.running.exchange_port)
        with pytest.raises(CallRefused) as refused:
            await line.query([ReceiptQuery(case_ref(case), b"d" * 32, False)])
        assert refused.value.refusal.rule is F.TRUST_PARTNER_NOT_ACTIVE
        await line.channel.close()
        made[0].go.set()
        await until(ended("lane-620200"))
        assert made[0].closed_after == "closed"
        shown = await jq.call("GET", f"/v1/cases/{case['case_id']}", wanted=200)
        assert not shown["unconfirmed"], "the call under way was settled"
        assert tasks_of(await jyg.call("GET", "/v1/tasks", wanted=200))


def case_ref(case: dict[str, object]) -> Any:
    return bytes.fromhex(str(case["case_id"]).replace("-", ""))


async def test_what_waits_for_a_suspended_partner_stays_and_leaves_once_it_is_active_again(
    tmp_path: Path,
) -> None:
    sites = make_pair(tmp_path)
    folder = sites[0].root / "partners" / "jiayuguan"
    jyg_port_taken_later = run_nodes(sites[1:])
    async with run_nodes(sites[:1]) as (jq,):
        case = await jq.call("POST", "/v1/cases", json_body=WISH, wanted=201)
        set_state(folder, "suspended")
        await reload(jq)
        await until(ended("lane-620200"))
        async with jyg_port_taken_later as (jyg,):
            set_state(folder, "active")
            assert told(await reload(jq)) == nothing_but(activated=["620200"])
            found = await jyg.call("GET", "/v1/tasks?wait_s=20", wanted=200)
            assert [task["case_id"] for task in tasks_of(found)] == [case["case_id"]]


async def test_a_partner_whose_folder_went_is_unknown_and_one_that_came_back_is_not(
    world: World, tmp_path: Path
) -> None:
    await taken_in(world, world.zhangye.ping(), by=world.zhangye)
    shutil.move(entry_of(world, "zhangye"), tmp_path / "gone")
    assert told(await reload(world.node)) == nothing_but(gone=["620700"])
    with pytest.raises(CallRefused) as refused:
        await world.zhangye.deliver(world.zhangye.ping())
    assert refused.value.refusal.rule is F.TRUST_PEER_UNKNOWN, "its connection stands"
    fresh = own_channel(world.zhangye.site, world.jiuquan.to, world.node.running.exchange_port)
    with pytest.raises(CallRefused) as no_line:
        await world.zhangye.with_line(fresh).deliver(world.zhangye.ping())
    assert no_line.value.refusal.rule is None, "its authority is not trusted any more"
    await fresh.channel.close()
    shutil.move(tmp_path / "gone", entry_of(world, "zhangye"))
    assert told(await reload(world.node)) == nothing_but(added=["620700"])
    await taken_in(world, world.zhangye.ping(), by=world.zhangye)


# --- under load -----------------------------------------------------------------------------------
async def test_no_request_of_another_partner_fails_while_folders_are_read_twenty_times(
    world: World, tmp_path: Path
) -> None:
    done = asyncio.Event()
    port, to = world.node.running.exchange_port, world.jiuquan.to
    counts = {"kept": 0, "fresh": 0}

    async def on_one_line() -> None:
        while not done.is_set():
            (answer,) = await world.jiuquan.deliver(world.jiuquan.submission())
            world.jiuquan.verified(bytes_of(answer))
            counts["kept"] += 1

    async def on_fresh_lines() -> None:
        while not done.is_set():
            line = own_channel(world.jiuquan.site, to, port)
            (answer,) = await world.jiuquan.with_line(line).deliver(world.jiuquan.ping())
            world.jiuquan.verified(bytes_of(answer))
            await line.channel.close()
            counts["fresh"] += 1

    async def further(before: dict[str, int]) -> bool:
        return all(counts[name] > count for name, count in before.items())

    zhangye, aside = entry_of(world, "zhangye"), tmp_path / "aside"
    async with asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(on_one_line(), name="load")
        group.create_task(on_fresh_lines(), name="load")
        seen = []
        for number in range(20):
            match number % 4:
                case 0:
                    shutil.move(zhangye, aside)
                case 1:
                    shutil.move(aside, zhangye)
                case 2:
                    set_state(zhangye, "suspended")
                case _:
                    set_state(zhangye, "active")
            before = dict(counts)
            view = await reload(world.node)
            seen += [h for h in ("added", "gone", "suspended", "activated") if view[h]]
            await until(partial(further, before))
        done.set()
    assert seen == ["gone", "added", "suspended", "activated"] * 5
    await taken_in(world, world.zhangye.ping(), by=world.zhangye)


def bytes_of(answer: object) -> bytes:
    assert isinstance(answer, bytes), answer
    return answer


# --- how it is asked for --------------------------------------------------------------------------
@pytest.fixture
def pair(tmp_path: Path) -> tuple[Site, Site]:
    return make_pair(tmp_path)


def test_a_hang_up_signal_reads_the_folders_and_ends_nothing(pair: tuple[Site, Site]) -> None:
    site = pair[0]
    with served(site.config) as gateway:
        set_state(site.root / "partners" / "jiayuguan", "suspended")
        gateway.process.send_signal(signal.SIGHUP)
        while "partners_taken" not in gateway.log_text():
            assert gateway.process.poll() is None
        done = kuayu("partner", "reload", "--config", site.config)
        assert (done.returncode, "nothing changed" in done.stdout) == (0, True)
        set_state(site.root / "partners" / "jiayuguan", "active")
        done = kuayu("partner", "reload", "--config", site.config)
        assert (done.returncode, "activated: 620200" in done.stdout) == (0, True)
        (site.root / "partners" / "jiayuguan" / "partner.toml").write_text("[")
        done = kuayu("partner", "reload", "--config", site.config)
        assert done.returncode == 1
        assert "keeps the entry it had" in done.stderr
        assert gateway.stop() == 0


def test_beside_a_stopped_gateway_it_says_what_the_next_start_will_read(
    pair: tuple[Site, Site],
) -> None:
    done = kuayu("partner", "reload", "--config", pair[0].config)
    assert (done.returncode, "read at the next start" in done.stdout) == (0, True)
    (pair[0].root / "partners" / "jiayuguan" / "partner.toml").write_text("[")
    done = kuayu("partner", "reload", "--config", pair[0].config)
    assert done.returncode == 1
    assert "is not served" in done.stderr
