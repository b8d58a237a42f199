"""Trying the next key with every partner before the day it is used (换钥演练)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

from gateway.adapters.pki.key_files import load_signer
from gateway.adapters.pki.suites import FileSigner
from gateway.app import conformance
from gateway.app.config import Config
from gateway.app.onboarding.checks import Check, Light
from gateway.app.own_keys import read_all_signers
from gateway.app.problems import ConfigProblem
from gateway.conformance.bench import Answer, Bench, CallFailed, NoAnswer, Unreadable
from gateway.conformance.expecting import Failed, bound
from gateway.conformance.messages import Made, bind, body_of, ping_header, sign
from gateway.kernel.envelope import Outcome
from gateway.kernel.faults import FaultCode
from gateway.ports.directory import Book
from gateway.rules.trust import EXCHANGING, Partner

_CALL_S = 10.0


def next_key(config: Config, book: Book, now_ms: int, path: Path | None) -> FileSigner:
    """Return the key to be tried: the one named, else the one of `keys.signing` that begins next.

    Raises:
        ConfigProblem: there is none.
        KeyProblem, OSError: it cannot be read.
    """
    if path is not None:
        return load_signer(path, allow_public=config.demo)
    keys = book.home.keys
    signers = read_all_signers(config, book.home, now_ms)
    later = [s for s in signers if keys[s.key_id].not_before_ms > now_ms]
    if not later:
        told = "keys.signing: names no key that is still to begin; name one with --key"
        raise ConfigProblem(config.partners_dir, [told])
    return min(later, key=lambda s: keys[s.key_id].not_before_ms)


async def rehearse(
    config: Config, book: Book, signer: FileSigner, only: str, now_ms: int
) -> AsyncIterator[Check]:
    """Yield, for each gateway among the partners, whether it would believe a key; by a ping.

    Before its time a partner that knows it says so by `trust.key_not_yet_valid`.
    """
    for gateway_id, partner in sorted(book.partners.items()):
        if partner.outlet != "grpc" or partner.state not in EXCHANGING:
            continue
        if only in ("", gateway_id):
            yield await _tried(config, book, partner, signer, now_ms)


async def _tried(
    config: Config, book: Book, partner: Partner, signer: FileSigner, now_ms: int
) -> Check:
    name = f"{partner.gateway_id} {partner.name_zh}"
    if partner.collects:
        return Check(name, Light.NONE, "can only call out; ask its operator for `keys announced`")
    target = conformance.find_target(config, book, partner.gateway_id, conformance.Named(), now_ms)
    line = conformance.line_to(config, target, _CALL_S)
    own = conformance.sender_of(config, book, now_ms, None, None)
    bench = conformance.bench_of(replace(own, signers=(signer,)), target, line)
    made = sign([signer], [bind(bench, ping_header(bench), body_of({}))])[0]
    try:
        (answer,) = await line.deliver([made.raw])
        return _judged(bench, name, made, answer)
    except (NoAnswer, CallFailed, Unreadable, Failed) as problem:
        advice = f"kuayu partner check {partner.gateway_id}"
        return Check(name, Light.RED, f"no answer to a ping: {problem}", advice)
    finally:
        await line.close()


def _judged(bench: Bench, name: str, made: Made, answer: Answer) -> Check:
    if isinstance(answer, bytes):
        if bound(bench, made, answer).outcome is Outcome.TAKEN_IN:
            return Check(name, Light.GREEN, "takes in what it signs now")
        return Check(name, Light.RED, "refuses a ping", "see `kuayu partner check`")
    if answer.rule == FaultCode.TRUST_KEY_NOT_YET_VALID.value:
        return Check(name, Light.GREEN, "knows it, and waits for its day")
    if answer.rule == FaultCode.TRUST_KEY_UNKNOWN.value:
        advice = "kuayu keys announce CERT; there: kuayu keys announced, then confirm"
        return Check(name, Light.RED, "does not know it, or does not believe it yet", advice)
    return Check(name, Light.RED, f"{answer.rule}: {answer.text_en}", "see `kuayu faults`")
