"""Signing schemes: the public vectors, and what each refuses."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.adapters.outlets.rest.schemes import gjzwfwpt, jpaas, x_bg_hmac, x_tif
from gateway.adapters.outlets.rest.schemes.gjzwfwpt import Gjzwfwpt
from gateway.adapters.outlets.rest.schemes.http_signatures import HttpSignatures
from gateway.adapters.outlets.rest.schemes.jpaas import Jpaas
from gateway.adapters.outlets.rest.schemes.scheme import Call, Scheme
from gateway.adapters.outlets.rest.schemes.x_bg_hmac import XBgHmac
from gateway.adapters.outlets.rest.schemes.x_tif import Wrapping, XTif
from gateway.adapters.pki.sm2 import SystemNationalCrypto, sm3
from gateway.kernel.envelope import Strength
from gateway.kernel.faults import Fault, FaultCode

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[3] / "vectors" / "partner_signing.json").read_text("utf-8")
)
SM2_PEM = subprocess.run(
    ["openssl", "genpkey", "-algorithm", "SM2"], check=True, capture_output=True
).stdout
NOW_MS = 1_780_000_000_000
SKEW_MS = 300_000
BODY = '{"xm":"示例㛃𬭊"}'.encode()
CALL = Call(
    "POST",
    "https://platform.example/api/push?b=2&a=1",
    "push",
    {"content-type": "application/json"},
    BODY,
)


def refusal(scheme: Scheme, call: Call, now_ms: int = NOW_MS) -> FaultCode:
    with pytest.raises(Fault) as refused:
        scheme.verify(call, now_ms)
    return refused.value.code


def _gjzwfwpt() -> Gjzwfwpt:
    return Gjzwfwpt("r", "s", b"key", "r", "s", b"key", "sid_rid_rtime", SKEW_MS)


def _jpaas() -> Jpaas:
    return Jpaas("app", "app", "1", "1.0", SKEW_MS, sm3)


def _x_tif() -> XTif:
    return XTif("paas", "token", "paas", "token", SKEW_MS)


def _wrapped() -> XTif:
    crypto = SystemNationalCrypto()
    key = crypto.private_key(SM2_PEM)
    wrapping = Wrapping(
        crypto, key, key, b"1234567812345678", "raw", "sm4-cbc", bytes(range(16)), "c1c3c2"
    )
    return XTif("paas", "token", "paas", "token", SKEW_MS, wrapping)


def _x_bg_hmac() -> XBgHmac:
    return XBgHmac("ak", b"sk", "ak", b"sk", 90_000)


def _ed25519() -> HttpSignatures:
    key = Ed25519PrivateKey.generate()
    return HttpSignatures("ed25519", "k1", key, "k1", key.public_key(), SKEW_MS, "kuayu")


def _p256() -> HttpSignatures:
    key = generate_private_key(SECP256R1())
    return HttpSignatures("ecdsa-p256-sha256", "k1", key, "k1", key.public_key(), SKEW_MS, "kuayu")


def _hmac() -> HttpSignatures:
    return HttpSignatures("hmac-sha256", "k1", b"s" * 32, "k1", b"s" * 32, SKEW_MS, "kuayu")


SCHEMES: dict[str, tuple[Callable[[], Scheme], Strength, bool]] = {
    "gjzwfwpt": (_gjzwfwpt, Strength.AUTHENTICATED, False),
    "jpaas": (_jpaas, Strength.INTEGRITY_ONLY, True),
    "x_tif": (_x_tif, Strength.AUTHENTICATED, False),
    "x_tif wrapped": (_wrapped, Strength.SIGNED, True),
    "x_bg_hmac": (_x_bg_hmac, Strength.AUTHENTICATED, False),
    "ed25519": (_ed25519, Strength.SIGNED, True),
    "ecdsa": (_p256, Strength.SIGNED, True),
    "hmac": (_hmac, Strength.AUTHENTICATED, True),
}
"""Each with how far it proves, and whether it sees a changed body."""


@pytest.fixture(params=SCHEMES)
def named(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_what_is_signed_is_proven_so_far_and_once(named: str) -> None:
    make, strength, _ = SCHEMES[named]
    scheme = make()
    proof = scheme.verify(scheme.sign(CALL, NOW_MS, "00ff" * 8), NOW_MS + 1_000)
    assert (proof.strength, proof.body) == (strength, BODY)
    assert proof.nonce and proof.nonce_until_ms >= NOW_MS + 90_000 - 1_000
    again = scheme.verify(scheme.sign(CALL, NOW_MS, "00ff" * 8), NOW_MS)
    other = scheme.verify(scheme.sign(CALL, NOW_MS + 2_000, "ff00" * 8), NOW_MS)
    assert other.nonce != again.nonce


def test_unsigned_is_refused_by_its_own_rule(named: str) -> None:
    scheme = SCHEMES[named][0]()
    assert refusal(scheme, CALL) in (
        FaultCode.PARTNER_UNSIGNED,
        FaultCode.PARTNER_DOCUMENT_UNREADABLE,
    )


def test_a_clock_too_far_off_is_refused_by_its_own_rule(named: str) -> None:
    scheme = SCHEMES[named][0]()
    signed = scheme.sign(CALL, NOW_MS, "00ff" * 8)
    for off in (-SKEW_MS - 2_000, SKEW_MS + 2_000):
        assert refusal(scheme, signed, NOW_MS - off) is FaultCode.PARTNER_CLOCK_SKEW


def test_every_changed_header_that_signs_is_refused(named: str) -> None:
    scheme = SCHEMES[named][0]()
    signed = scheme.sign(CALL, NOW_MS, "00ff" * 8)
    added = set(signed.headers) - set(CALL.headers)
    if not added:
        assert named == "jpaas"
    for name in added - {"x-bg-hmac-algorithm"}:
        value = signed.headers[name]
        changed = value[:-2] + ("AA" if value[-2:] != "AA" else "BB")
        assert refusal(scheme, signed._replace(headers={**signed.headers, name: changed})) in (
            FaultCode.PARTNER_SIGNATURE_INVALID,
            FaultCode.PARTNER_UNSIGNED,
        )
        left = {n: v for n, v in signed.headers.items() if n != name}
        assert refusal(scheme, signed._replace(headers=left)) is FaultCode.PARTNER_UNSIGNED


def test_a_changed_body_is_seen_where_it_is_signed(named: str) -> None:
    make, _, seen = SCHEMES[named]
    scheme = make()
    signed = scheme.sign(CALL, NOW_MS, "00ff" * 8)
    middle = len(signed.body) // 2
    changed = signed.body[:middle] + b"A" + signed.body[middle + 1 :]
    if changed == signed.body:
        changed = signed.body[:middle] + b"B" + signed.body[middle + 1 :]
    forged = signed._replace(body=changed)
    if not seen:
        assert scheme.verify(forged, NOW_MS).strength is Strength.AUTHENTICATED
        return
    assert refusal(scheme, forged) in (
        FaultCode.PARTNER_SIGNATURE_INVALID,
        FaultCode.PARTNER_UNSIGNED,
        FaultCode.PARTNER_DOCUMENT_UNREADABLE,
        FaultCode.SCHEMA_JSON_INVALID,
        FaultCode.PARTNER_ENCODING_INVALID,
    )


@pytest.mark.parametrize("name", ["x_bg_hmac", "ed25519", "hmac"])
def test_another_method_or_target_is_refused_where_it_is_signed(name: str) -> None:
    scheme = SCHEMES[name][0]()
    signed = scheme.sign(CALL, NOW_MS, "00ff" * 8)
    for other in (
        signed._replace(method="PUT"),
        signed._replace(url=CALL.url.replace("push", "pull")),
        signed._replace(url=CALL.url + "&c=3"),
    ):
        assert refusal(scheme, other) is FaultCode.PARTNER_SIGNATURE_INVALID


def test_a_signature_for_another_host_or_application_is_refused() -> None:
    scheme = _ed25519()
    signed = scheme.sign(CALL, NOW_MS, "00ff" * 8)
    other = signed._replace(url=CALL.url.replace("platform", "another"))
    assert refusal(scheme, other) is FaultCode.PARTNER_SIGNATURE_INVALID
    tagged = replace(scheme, tag="other").sign(CALL, NOW_MS, "00ff" * 8)
    assert refusal(scheme, tagged) is FaultCode.PARTNER_SIGNATURE_INVALID


def test_the_public_vectors_hold() -> None:
    g = VECTORS["gjzwfwpt"]
    for order in ("sid_rid_rtime", "rid_sid_rtime"):
        made = gjzwfwpt.signature(g["sid"], g["rid"], g["rtime"], g["secret"].encode(), order)
        assert made == g[f"sign_{order}"]
    j = VECTORS["jpaas"]
    assert jpaas.signature(j, sm3) == j["sign"]
    x = VECTORS["x-tif"]
    assert x_tif.signature(x["timestamp"], x["token"], x["nonce"]) == x["signature"]
    b = VECTORS["x-bg-hmac"]
    asked = (b["method"], b["uri"], b["query"], b["access_key"], b["date"])
    assert x_bg_hmac.signature(*asked, b["secret"].encode()) == b["signature"]


def test_a_body_wrapped_by_another_key_opens_to_nobody() -> None:
    scheme = _wrapped()
    assert scheme.wrapping is not None
    other = replace(scheme, wrapping=replace(scheme.wrapping, sm4_key=bytes(16)))
    signed = other.sign(CALL, NOW_MS, "00ff" * 8)
    assert refusal(scheme, signed) is FaultCode.PARTNER_SIGNATURE_INVALID
    user = replace(scheme, wrapping=replace(scheme.wrapping, user_id=b"another"))
    assert refusal(scheme, user.sign(CALL, NOW_MS, "00ff" * 8)) is (
        FaultCode.PARTNER_SIGNATURE_INVALID
    )
    bare = _x_tif().sign(CALL, NOW_MS, "00ff" * 8)
    assert refusal(scheme, bare) is FaultCode.PARTNER_UNSIGNED


@pytest.mark.parametrize("order", ["c1c3c2", "c1c2c3", "der"])
def test_a_body_under_sm2_alone_opens_in_its_own_order(order: Any) -> None:
    scheme = _wrapped()
    assert scheme.wrapping is not None
    wrapping = replace(scheme.wrapping, cipher="sm2", sm4_key=b"", order=order)
    scheme = replace(scheme, wrapping=wrapping)
    proof = scheme.verify(scheme.sign(CALL, NOW_MS, "00ff" * 8), NOW_MS)
    assert (proof.body, proof.strength) == (BODY, Strength.SIGNED)
    answer = scheme.sign(CALL, NOW_MS, "00ff" * 8).body
    told = scheme.open_answer(answer, NOW_MS)
    assert (told.body, told.strength) == (BODY, Strength.SIGNED)


def test_an_answer_that_was_signed_long_ago_answers_nothing_now() -> None:
    scheme = _wrapped()
    answer = scheme.sign(CALL, NOW_MS, "00ff" * 8).body
    fresh = scheme.open_answer(answer, NOW_MS)
    assert fresh.nonce == scheme.open_answer(answer, NOW_MS + 1_000).nonce != ""
    for later_ms in (-400_000, 400_000):
        with pytest.raises(Fault) as refused:
            scheme.open_answer(answer, NOW_MS + later_ms)
        assert refused.value.code is FaultCode.PARTNER_CLOCK_SKEW


def test_a_signed_body_counts_once_whatever_path_and_nonce_it_comes_with() -> None:
    scheme = _wrapped()
    said = scheme.sign(CALL, NOW_MS, "00ff" * 8)
    moved = _x_tif().sign(said._replace(url=said.url + "/other"), NOW_MS, "11ee" * 8)
    first, second = (scheme.verify(call, NOW_MS) for call in (said, moved))
    assert first.nonce == second.nonce
