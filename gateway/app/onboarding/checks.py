"""Whether a partner, as its folder says, can be worked with now: red, yellow, green, what to do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from gateway.adapters.pki.certificates import CertificateProblem, load_certificates
from gateway.adapters.pki.suites import SuiteVerifier
from gateway.app import conformance
from gateway.app.config import Config
from gateway.app.conformance_samples import agreements_in_force
from gateway.app.onboarding.folders import Entry
from gateway.app.openable import open_beside
from gateway.app.own_keys import read_signers
from gateway.app.partners import load_book
from gateway.app.problems import ConfigProblem
from gateway.app.settings import parse_host_port
from gateway.conformance.bench import Bench, CallFailed, NoAnswer, Unreadable
from gateway.conformance.expecting import Failed, bound
from gateway.conformance.messages import bind, body_of, ping_header, sign, signers_for
from gateway.kernel.envelope import Outcome
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.instants import from_datetime
from gateway.kernel.limits import SKEW_MS_MAX
from gateway.ports.directory import Book
from gateway.rules.arrivals import DIALECTS
from gateway.rules.trust import EXCHANGING, Partner

CONNECT_S = 5.0
_SOON_DAYS = 30
_SKEW_SEEN_MS = 30_000
_DAY_MS = 86_400_000
_MAPPED, _SEED = 20, 1  # documents an item, enough to meet every optional field


class Light(StrEnum):
    """How a check ended."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"
    NONE = "none"  # does not apply, or what it needs was red


class Check(NamedTuple):
    """One thing that was looked at. `advice` says what to do; empty if green."""

    name: str
    light: Light
    told: str
    advice: str = ""


def book_with(config: Config, entry: Entry) -> tuple[Book | None, list[Check]]:
    """Read the directory as if the partner were past draft."""
    home = GatewayId(config.gateway_id)
    try:
        book = load_book(config.partners_dir, home, SuiteVerifier(), demo=config.demo, drafts=True)
    except ConfigProblem as problem:
        return None, [_red("entry 登记", line, "fix our own folder") for line in problem.messages]
    wrong = [p for b in book.broken if b.folder == entry.folder.name for p in b.problems]
    if wrong:
        return None, [_red("entry 登记", line, "change the file it names") for line in wrong]
    return book, [_green("entry 登记", f"{entry.folder} can be read")]


async def check_partner(
    config: Config, book: Book, partner: Partner, at_ms: int
) -> AsyncIterator[Check]:
    """Yield each check as it is done; nothing is written at the partner but a ping."""
    yield _state(partner)
    yield _agreement(config, book, partner, at_ms)
    yield _catalogue(config, book, partner, at_ms)
    if partner.outlet == "grpc":
        for each in _dates(partner, at_ms):
            yield each
        yield _suites(config, book, partner, at_ms)
        async for each in _over_the_wire(config, book, partner, at_ms):
            yield each
    elif partner.outlet in DIALECTS:
        yield await asyncio.to_thread(_mapping, partner)
        for each in await asyncio.to_thread(_adapter, config, partner):
            yield each
        yield await _platform(partner)
    else:
        yield Check("address 地址", Light.NONE, "assisted: people carry what is said")


def _green(name: str, told: str) -> Check:
    return Check(name, Light.GREEN, told)


def _red(name: str, told: str, advice: str) -> Check:
    return Check(name, Light.RED, told, advice)


def _state(partner: Partner) -> Check:
    name, state = "state 状态", partner.state.value
    if partner.state in EXCHANGING:
        return _green(name, state)
    advice = {
        "retired": "retired is final",
        "suspended": f"kuayu partner activate {partner.gateway_id}",
    }.get(state, f"kuayu partner test {partner.gateway_id}")
    return Check(name, Light.YELLOW, state, advice)


def _agreement(config: Config, book: Book, partner: Partner, at_ms: int) -> Check:
    name = "agreement 协议"
    found = agreements_in_force(book, partner.gateway_id, at_ms)
    if found:
        return _green(name, ", ".join(a.name for a in found))
    if book.agreements_with(partner.gateway_id):
        return _red(name, "none is in force", "see `kuayu agreement list` for what is missing")
    if partner.outlet == "grpc":
        advice = "`kuayu agreement propose`, or put agreement.toml beside"
    else:
        folder = f"{config.partners_dir / book.folders[partner.gateway_id]}"
        advice = (
            f"put agreement.toml into {folder}; `kuayu assisted accept {partner.gateway_id}`, "
            f"`kuayu agreement accept {folder}`"
        )
    return _red(name, "there is none", advice)


def _catalogue(config: Config, book: Book, partner: Partner, at_ms: int) -> Check:
    """Compare what agreements name with what both sides list."""
    name, missing, count = "items 事项", [], 0
    for agreement in agreements_in_force(book, partner.gateway_id, at_ms):
        for grant in agreement.grants:
            for code, versions in grant.items.items():
                for region in grant.deciding & {partner.gateway_id, book.home.gateway_id}:
                    item = book.catalogue.get((region, code))
                    count += 1
                    if item is None:
                        missing.append(f"{region} {code}")
                    else:
                        missing += [
                            f"{region} {code} v{v}" for v in versions - item.versions.keys()
                        ]
    if missing:
        told = f"agreed and not listed: {', '.join(sorted(missing)[:5])}"
        return _red(name, told, "put the items into items/, or wait for the partner's list")
    if not count:
        return Check(name, Light.NONE, "nothing is agreed")
    return _green(name, f"{count} agreed and listed")


def _dates(partner: Partner, at_ms: int) -> list[Check]:
    """Look at how long the partner's certificates last."""
    checks = []
    valid = [k for k in partner.keys.values() if k.not_before_ms <= at_ms <= k.not_after_ms]
    last_ms = max((k.not_after_ms for k in valid), default=0)
    checks.append(_lasting("signing keys 签名证书", last_ms, at_ms))
    try:
        authorities = load_certificates(partner.authorities)
        until_ms = min(from_datetime(c.not_valid_after_utc) for c in authorities)
        checks.append(_lasting("authorities 颁发机构", until_ms, at_ms))
    except CertificateProblem as problem:
        checks.append(_red("authorities 颁发机构", str(problem), "ask the partner for theirs"))
    return checks


def _lasting(name: str, until_ms: int, at_ms: int) -> Check:
    days = (until_ms - at_ms) // _DAY_MS
    if until_ms <= at_ms:
        return _red(name, "none is valid now", "ask the partner for a new one, compare by phone")
    if days < _SOON_DAYS:
        return Check(name, Light.YELLOW, f"{days} days left", "ask the partner for its next one")
    return _green(name, f"{days} days left")


def _suites(config: Config, book: Book, partner: Partner, at_ms: int) -> Check:
    name = "suites 算法套件"
    theirs = {k.suite for k in partner.keys.values() if k.not_before_ms <= at_ms <= k.not_after_ms}
    ours = {s.suite for s in read_signers(config, book.home, at_ms)}
    agreements = agreements_in_force(book, partner.gateway_id, at_ms)
    wanted = {suite for a in agreements for suite in a.required_suites}
    if lost := wanted - theirs:
        return _red(name, f"the partner has no {', '.join(sorted(lost))}", "ask for such a key")
    if lost := wanted - ours:
        return _red(name, f"we have no {', '.join(sorted(lost))}", "add a key to keys.signing")
    return _green(name, f"ours {', '.join(sorted(ours))}; theirs {', '.join(sorted(theirs))}")


async def _over_the_wire(
    config: Config, book: Book, partner: Partner, at_ms: int
) -> AsyncIterator[Check]:
    if partner.collects:
        how = f"only calls out; `kuayu conformance run {partner.gateway_id} --listen HOST:PORT`"
        yield Check("address 地址", Light.NONE, f"{how} hears it")
        return
    address = parse_host_port(partner.address)
    if address is None:
        yield _red("address 地址", f"{partner.address!r} is no host:port", "set `address`")
        return
    reached = await _reach(address.host, address.port)
    yield reached
    if reached.light is Light.RED:
        return
    target = conformance.find_target(config, book, partner.gateway_id, conformance.Named(), at_ms)
    line = conformance.line_to(config, target, 10.0)
    bench = conformance.bench_of(
        conformance.sender_of(config, book, at_ms, None, None), target, line
    )
    try:
        shown = await _tls(bench)
        yield shown
        if shown.light is not Light.RED:
            async for each in _ping(bench):
                yield each
    finally:
        await line.close()


async def _reach(host: str, port: int) -> Check:
    name = "address 地址"
    try:
        async with asyncio.timeout(CONNECT_S):
            _, writer = await asyncio.open_connection(host, port)
        writer.close()
    except (OSError, TimeoutError) as problem:
        why = getattr(problem, "strerror", None) or type(problem).__name__
        advice = "check address, firewall and that the partner's system runs"
        return _red(name, f"{host}:{port} cannot be reached: {why}", advice)
    return _green(name, f"{host}:{port} answers")


async def _tls(bench: Bench) -> Check:
    """See that the certificate shown chains to the registered authorities, and is a pinned one."""
    name, partner = "tls 传输证书", bench.target.partner
    try:
        pin = await bench.line.certificate_pin()
    except (NoAnswer, CallFailed, Unreadable) as problem:
        advice = "compare authorities and server_name with the partner"
        return _red(name, f"no TLS connection: {problem}", advice)
    if partner.transport_pins and pin not in partner.transport_pins:
        told = f"shows {pin.hex()[:16]}…, which is not among transport_pins"
        return Check(name, Light.YELLOW, told, "compare by telephone; add its pin if it is theirs")
    return _green(name, f"shows {pin.hex()[:16]}…")


async def _ping(bench: Bench) -> AsyncIterator[Check]:
    """Send one ping: that it is receipted shows keys on both sides; when, shows the clocks."""
    header = ping_header(bench)
    made = sign(signers_for(bench, ()), [bind(bench, header, body_of({}))])[0]
    sent_ms, begun = bench.now_ms(), bench.monotonic_ms()
    try:
        (answer,) = await bench.line.deliver([made.raw])
    except (NoAnswer, CallFailed, Unreadable) as problem:
        advice = "the partner must know our certificate, and list us as testing or active"
        yield _red("ping 连通", f"{problem}", advice)
        return
    took_ms = bench.monotonic_ms() - begun
    if not isinstance(answer, bytes):
        yield _red("ping 连通", f"not taken in: {answer.rule}", answer.text_en)
        return
    try:
        receipt = bound(bench, made, answer)
    except Failed as problem:
        yield _red("ping 连通", str(problem), "compare signing certificates by telephone")
        return
    if receipt.outcome is not Outcome.TAKEN_IN:
        yield _red("ping 连通", f"refused: {receipt.rule}", receipt.text_en)
        return
    yield _green("ping 连通", f"receipted in {took_ms} ms")
    yield _skew(receipt.received_at_ms - (sent_ms + took_ms // 2))


def _skew(skew_ms: int) -> Check:
    name, told = "clocks 时钟", f"theirs is {skew_ms:+d} ms from ours"
    if abs(skew_ms) > SKEW_MS_MAX:
        return _red(name, told, "messages are refused; set up NTP on both sides")
    if abs(skew_ms) > _SKEW_SEEN_MS:
        return Check(name, Light.YELLOW, told, "set up NTP on both sides")
    return _green(name, told)


def _mapping(partner: Partner) -> Check:
    from gateway.app.mapping.report import check_mapping

    name = "mapping 映射"
    assert partner.platform is not None, "a dialect has a platform"
    advice = f"kuayu mapping check {partner.gateway_id}"
    try:
        report = check_mapping(Path(partner.platform.folder), documents=_MAPPED, seed=_SEED)
    except ConfigProblem as problem:
        return _red(name, problem.messages[0], advice)
    if not report.is_good:
        bad = sum(not c.is_good for c in report.checked)
        return _red(name, f"{bad} of {len(report.checked)} messages lose something", advice)
    return _green(name, f"{len(report.checked)} messages go there and back")


def _adapter(config: Config, partner: Partner) -> list[Check]:
    """See that the adapter opens with the secrets there are, and that something can come in."""
    name, inward = "adapter 适配器", "incoming 来件"
    try:
        opened = open_beside(partner, demo=config.demo)
    except ConfigProblem as problem:
        return [_red(name, problem.messages[0], "`outlet` in partner.toml names its files")]
    found = [_green(name, "opens, with its secrets")]
    if opened.handler is not None and config.callbacks.listen is None:
        advice = "set callbacks.listen in kuayu.toml and restart, or calls_back = false and a poll"
        return [*found, _red(inward, "it calls back, and there is no door for that", advice)]
    if opened.handler is None and opened.listen is None:
        advice = "set `poll`, or `calls_back = true` with the `inbound_…` of its scheme"
        return [*found, _red(inward, "neither polled nor called back: nothing ever comes", advice)]
    return [*found, _green(inward, "called back" if opened.handler is not None else "polled")]


async def _platform(partner: Partner) -> Check:
    """See that something answers where the platform is said to be."""
    assert partner.platform is not None, "a dialect has a platform"
    place = _place(partner.platform.settings)
    if place is None:
        return Check("address 地址", Light.NONE, "`kuayu conformance run` reaches it")
    return await _reach(*place)


def _place(settings: Mapping[str, Any]) -> tuple[str, int] | None:
    for value in (settings.get(name) for name in ("url", "base_url")):
        parts = urlsplit(value) if isinstance(value, str) else None
        if parts is not None and parts.hostname:
            return parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
    host, port = settings.get("host"), settings.get("port", 22)
    return (host, port) if isinstance(host, str) and isinstance(port, int) else None
