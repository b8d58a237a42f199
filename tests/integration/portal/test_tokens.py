from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from jwt.algorithms import ECAlgorithm

from gateway.edge.portal_http.keys import FixedKeys, JwksInvalid, KeyFile, parse_jwks
from gateway.edge.portal_http.tokens import TokenChecker
from gateway.kernel.faults import Fault
from gateway.kernel.limits import TOKEN_LIFE_S_MAX

from .conftest import ALGORITHMS, World
from .fakes import (
    AUDIENCE,
    EC_KEY,
    ISSUER,
    JWKS,
    NOW_MS,
    NOW_S,
    OTHER_UNIT,
    RSA_KEY,
    STRANGER_KEY,
    UNIT,
    FakeClock,
    FakeLog,
    bearer,
    claims,
    jwks,
    public_jwk,
    public_pem,
    rsa_jwk,
    token,
)


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _hs256(secret: bytes, **header: object) -> str:
    head = _b64(json.dumps({"alg": "HS256", "typ": "JWT", **header}).encode())
    signing_input = f"{head}.{_b64(json.dumps(claims()).encode())}"
    mac = hmac.new(secret, signing_input.encode(), hashlib.sha256).digest()
    return f"{signing_input}.{_b64(mac)}"


def _unsigned(alg: str) -> str:
    head = _b64(json.dumps({"alg": alg, "typ": "JWT", "kid": "ec-1"}).encode())
    return f"{head}.{_b64(json.dumps(claims()).encode())}."


def _tampered() -> str:
    head, _, signature = token().split(".")
    return f"{head}.{_b64(json.dumps(claims(unit=OTHER_UNIT)).encode())}.{signature}"


def _flipped() -> str:
    head, payload, signature = token().split(".")
    return f"{head}.{payload}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"


_STRANGER_JWK = public_jwk(STRANGER_KEY, "ec-1")
_EC_JWK_BYTES = json.dumps(public_jwk(EC_KEY, "ec-1", alg="ES256", use="sig")).encode()

FORGED: dict[str, Callable[[], str]] = {
    "alg_none": lambda: _unsigned("none"),
    "alg_none_in_capitals": lambda: _unsigned("NONE"),
    "hs256_with_the_public_key": lambda: _hs256(public_pem(EC_KEY), kid="ec-1"),
    "hs256_with_the_rsa_public_key": lambda: _hs256(public_pem(RSA_KEY), kid="rsa-1"),
    "hs256_with_the_jwk": lambda: _hs256(_EC_JWK_BYTES, kid="ec-1"),
    "hs256_with_nothing": lambda: _hs256(b"", kid="ec-1"),
    "of_a_stranger": lambda: token(STRANGER_KEY),
    "key_in_the_header": lambda: token(STRANGER_KEY, headers={"jwk": _STRANGER_JWK}),
    "key_by_address": lambda: token(
        STRANGER_KEY, headers={"jku": "https://evil.example/k", "x5u": "https://evil.example/c"}
    ),
    "kid_unknown": lambda: token(headers={"kid": "ec-2"}),
    "kid_a_path": lambda: token(headers={"kid": "../../dev/null"}),
    "alg_of_the_key_not_pinned": lambda: token(RSA_KEY, alg="RS512", headers={"kid": "rsa-1"}),
    "alg_pinned_but_not_the_key_s": lambda: token(RSA_KEY, alg="RS256"),
    "critical_header": lambda: token(headers={"crit": ["b64"], "b64": True}),
    "payload_tampered": _tampered,
    "signature_tampered": _flipped,
    "two_parts": lambda: token().rpartition(".")[0],
    "empty_parts": lambda: "..",
    "not_ascii": lambda: "令牌",
    "too_long": lambda: "A" * 5_000,
    "another_audience": lambda: token(aud="kuayu-620200"),
    "without_audience": lambda: token(aud=None),
    "another_issuer": lambda: token(iss="https://login.evil.example"),
    "not_yet_valid": lambda: token(nbf=NOW_S + 120),
    "issued_in_the_future": lambda: token(iat=NOW_S + 120),
    "issued_in_the_future_with_a_past_nbf": lambda: token(iat=NOW_S + 120, nbf=NOW_S - 60),
    "lives_too_long": lambda: token(iat=NOW_S, exp=NOW_S + TOKEN_LIFE_S_MAX + 1),
    "without_expiry": lambda: token(exp=None),
    "without_issue_time": lambda: token(iat=None),
    "expiry_not_a_number": lambda: token(exp=str(NOW_S + 60)),
    "expiry_a_truth": lambda: token(exp=True),
    "without_unit": lambda: token(unit=None),
    "unit_too_short": lambda: token(unit=UNIT[:17]),
    "unit_with_a_newline": lambda: token(unit=UNIT + "\n"),
    "subject_empty": lambda: token(sub=""),
    "subject_too_long": lambda: token(sub="s" * 129),
    "scope_a_list": lambda: token(scope=["cases:read"]),
    "claims_twice": lambda: token(
        payload=json.dumps(claims()).encode()[:-1] + f', "unit": "{OTHER_UNIT}"}}'.encode()
    ),
    "claims_a_list": lambda: token(payload=b"[]"),
}


@pytest.mark.parametrize("made", FORGED.values(), ids=FORGED.keys())
async def test_a_token_that_is_not_ours_is_refused(world: World, made: Callable[[], str]) -> None:
    headers = {"Authorization": f"Bearer {made()}"}
    async with world.client.get("/v1/items", headers=headers) as answer:
        body = await answer.json(content_type="application/problem+json")
    assert (answer.status, body["rule"]) == (401, "portal.token_invalid")
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


async def test_an_expired_token_is_refused_and_says_so(world: World) -> None:
    headers = bearer(exp=NOW_S - 31)
    async with world.client.get("/v1/items", headers=headers) as answer:
        body = await answer.json(content_type="application/problem+json")
    assert (answer.status, body["rule"]) == (401, "portal.token_expired")


async def test_a_token_that_was_good_is_refused_once_it_has_expired(world: World) -> None:
    headers = bearer(exp=NOW_S + 10)
    async with world.client.get("/v1/items", headers=headers) as answer:
        assert answer.status == 200
    world.clock.at_ms = NOW_MS + 40_000
    async with world.client.get("/v1/items", headers=headers) as answer:
        assert answer.status == 401


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": ""}, {"Authorization": "Basic dTpw"}, {"Authorization": "Bearer "}],
)
async def test_a_request_without_a_token_is_told_to_bring_one(
    world: World, headers: dict[str, str]
) -> None:
    async with world.client.get("/v1/items", headers=headers) as answer:
        body = await answer.json(content_type="application/problem+json")
    assert (answer.status, body["rule"]) == (401, "portal.token_missing")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="kuayu"'


async def test_two_tokens_in_one_request_are_refused(world: World) -> None:
    good = bearer()["Authorization"]
    headers = [("Authorization", good), ("Authorization", good)]
    async with world.client.get("/v1/items", headers=headers) as answer:
        assert answer.status == 401


async def test_a_token_in_the_query_is_not_looked_at(world: World) -> None:
    async with world.client.get("/v1/items", params={"access_token": token()}) as answer:
        assert answer.status == 401


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/v1/items", "cases:write tasks:read tasks:act"),
        ("POST", "/v1/cases", "cases:read tasks:read tasks:act"),
        ("GET", "/v1/tasks", "cases:read cases:write tasks:act"),
        ("POST", "/v1/tasks/x/accept", "cases:read cases:write tasks:read"),
        ("GET", "/v1/items", None),
        ("GET", "/v1/items", "CASES:READ cases:readx"),
    ],
)
async def test_a_token_without_the_scope_is_refused(
    world: World, method: str, path: str, scope: str | None
) -> None:
    async with world.client.request(method, path, headers=bearer(scope=scope)) as answer:
        body = await answer.json(content_type="application/problem+json")
    assert (answer.status, body["rule"]) == (403, "portal.scope_missing")


async def test_tokens_of_every_pinned_algorithm_pass(world: World) -> None:
    for made in (token(), token(RSA_KEY, alg="RS256", headers={"kid": "rsa-1"})):
        headers = {"Authorization": f"bearer {made}"}
        async with world.client.get("/v1/items", headers=headers) as answer:
            assert (await answer.json())["items"][0]["unit"] == UNIT


async def test_one_of_several_audiences_is_enough(world: World) -> None:
    headers = bearer(aud=["another", AUDIENCE])
    async with world.client.get("/v1/items", headers=headers) as answer:
        assert answer.status == 200


def _checker(source: FixedKeys | KeyFile, cache_max: int = 4) -> TokenChecker:
    return TokenChecker(
        source,
        issuer=ISSUER,
        audience=AUDIENCE,
        algorithms=ALGORITHMS,
        clock=FakeClock(),
        cache_max=cache_max,
    )


def _replace(path: Path, raw: bytes) -> None:
    beside = path.with_suffix(".new")
    beside.write_bytes(raw)
    os.replace(beside, path)


def test_a_key_taken_out_of_the_file_ends_its_tokens_at_once(tmp_path: Path) -> None:
    path = tmp_path / "jwks.json"
    path.write_bytes(JWKS)
    checker = _checker(KeyFile(path, ALGORITHMS, FakeLog()))
    good = token()
    assert checker.check(good).unit == UNIT
    _replace(path, jwks(public_jwk(STRANGER_KEY, "ec-1")))
    with pytest.raises(Fault, match="token_invalid"):
        checker.check(good)
    assert checker.check(token(STRANGER_KEY)).unit == UNIT


@pytest.mark.parametrize("broken", [b"", b"{", b"[]", b'{"keys": []}', b'{"keys": [1]}'])
def test_a_broken_key_file_leaves_the_last_good_keys_in_force(
    tmp_path: Path, broken: bytes
) -> None:
    path, log = tmp_path / "jwks.json", FakeLog()
    path.write_bytes(JWKS)
    checker = _checker(KeyFile(path, ALGORITHMS, log))
    _replace(path, broken)
    assert checker.check(token()).unit == UNIT
    assert checker.check(token(sub="staff-8")).subject == "staff-8"
    assert log.names() == ["jwks_kept"]


def test_a_key_file_that_vanishes_leaves_the_last_good_keys_in_force(tmp_path: Path) -> None:
    path, log = tmp_path / "jwks.json", FakeLog()
    path.write_bytes(JWKS)
    checker = _checker(KeyFile(path, ALGORITHMS, log))
    path.unlink()
    assert checker.check(token()).unit == UNIT
    path.write_bytes(jwks(public_jwk(STRANGER_KEY, "ec-1")))
    assert checker.check(token(STRANGER_KEY)).unit == UNIT
    assert log.names() == ["jwks_kept", "jwks_renewed"]


def test_the_cache_of_tokens_is_bounded() -> None:
    checker = _checker(FixedKeys(JWKS, ALGORITHMS), cache_max=2)
    for number in range(5):
        checker.check(token(sub=f"staff-{number}"))
    assert len(checker._cache) == 2


@pytest.mark.parametrize(
    "key",
    [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "a"},
        public_jwk(EC_KEY, "a", alg="ES384"),
        public_jwk(EC_KEY, "a", use="enc"),
        {**ECAlgorithm.to_jwk(EC_KEY, as_dict=True), "kid": "a"},
        {k: v for k, v in public_jwk(EC_KEY, "a").items() if k != "kid"},
        rsa_jwk(RSA_KEY, "a", alg="PS256"),
        rsa_jwk(RSA_KEY, "a", alg="ES256"),
        rsa_jwk(RSA_KEY, "a", alg="HS256"),
        public_jwk(ec.generate_private_key(ec.SECP384R1()), "a"),
    ],
)
def test_a_key_that_cannot_be_meant_is_left_out(key: dict[str, object]) -> None:
    with pytest.raises(JwksInvalid, match="no usable key"):
        parse_jwks(jwks(key), ALGORITHMS)


def test_a_kid_named_twice_is_refused() -> None:
    twice = jwks(public_jwk(EC_KEY, "a"), public_jwk(STRANGER_KEY, "a"))
    with pytest.raises(JwksInvalid, match="twice"):
        parse_jwks(twice, ALGORITHMS)


@pytest.mark.parametrize("algorithms", [set(), {"HS256"}, {"none"}, {"ES256", "HS512"}])
def test_algorithms_with_shared_secrets_cannot_be_configured(algorithms: set[str]) -> None:
    with pytest.raises(JwksInvalid, match="asymmetric"):
        parse_jwks(JWKS, frozenset(algorithms))


def test_an_ed25519_key_can_be_used() -> None:
    raw = ed25519.Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    key = {"kty": "OKP", "crv": "Ed25519", "x": _b64(raw), "kid": "a"}
    assert list(parse_jwks(jwks(key), frozenset({"EdDSA"}))) == ["a"]
