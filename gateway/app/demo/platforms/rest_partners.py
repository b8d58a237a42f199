"""Baoshan's, Zhangjiagang's and Gansu's platforms (simulated 模拟), each with its own scheme."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from secrets import token_hex
from typing import Final, NamedTuple

from gateway.adapters.outlets.rest.schemes.gjzwfwpt import Gjzwfwpt
from gateway.adapters.outlets.rest.schemes.jpaas import Jpaas
from gateway.adapters.outlets.rest.schemes.scheme import Call, Proof
from gateway.adapters.outlets.rest.schemes.x_tif import Wrapping, XTif
from gateway.adapters.pki.sm2 import (
    DEFAULT_USER_ID,
    NoNationalCrypto,
    SystemNationalCrypto,
    sm3,
)
from gateway.app.demo.platforms.office import PlatformStory, write_secret
from gateway.app.demo.platforms.rest import Equipment, RestPlatform, Words
from gateway.app.demo.story import DemoFailed
from gateway.kernel.trees import Tree

_SKEW_MS: Final = 300_000
_US: Final = "kuayu-620900"
_LIFE_S: Final = 600


class DistrictPlatform(RestPlatform):
    """Baoshan's (宝山): a token in the headers, bodies under SM4 and SM2."""

    story = PlatformStory(
        "baoshan",
        "310113",
        "rest",
        "宝山一网通办 x-tif 国密接口",
        "REST, x-tif with SM2 and SM4",
        "00200920100101",
        "household-certificate",
        "household_certificate",
    )
    words = Words(
        "/openapi",
        "pushApply",
        "pushCancel",
        "/head/bizSerialNo",
        "/head/crossCaseNo",
        "/body/itemCode",
        "/code",
        0,
    )
    _wrapping: Wrapping

    def equipped(self, folder: Path) -> Equipment:
        """See `RestPlatform`.

        Raises:
            DemoFailed: there is no SM2 on this system.
        """
        try:
            crypto = SystemNationalCrypto()
        except NoNationalCrypto as problem:
            raise DemoFailed(f"没有国密算法 there is no SM2 here: {problem}") from problem
        (ours, ours_public), (theirs, theirs_public) = crypto.generate(), crypto.generate()
        token, back, sm4 = token_hex(16), token_hex(16), token_hex(16)
        for name, text in (("token", token), ("inbound_token", back), ("sm4", sm4)):
            write_secret(folder, f"secrets/{name}", text.encode())
        write_secret(folder, "secrets/sm2.key.pem", ours)
        (folder / "keys").mkdir(exist_ok=True)
        (folder / "keys" / "sm2.pem").write_bytes(theirs_public)
        self._wrapping = Wrapping(
            crypto,
            crypto.private_key(theirs),
            crypto.public_key(ours_public),
            DEFAULT_USER_ID,
            "raw",
            "sm4-cbc",
            bytes.fromhex(sm4),
            "c1c3c2",
        )
        lines = (
            'path = "/case/{operation}"\nscheme = "x_tif"\n\n[outlet.rest.x_tif]\n'
            f'paas_id = "{_US}"\ntoken_file = "secrets/token"\ninbound_paas_id = "ywtb-310113"\n'
            'inbound_token_file = "secrets/inbound_token"\n\n[outlet.rest.x_tif.wrapping]\n'
            'own_key_file = "secrets/sm2.key.pem"\ntheir_key_file = "keys/sm2.pem"\n'
            'sm4_key_file = "secrets/sm4"'
        )
        return Equipment(lines, XTif("ywtb-310113", back, _US, token, _SKEW_MS, self._wrapping))

    def sealed(self, document: bytes) -> bytes:
        """See `RestPlatform`: answers are wrapped as calls are."""
        timestamp = str(self._clock.now_ms() // 1_000)
        return self._wrapping.wrap(document, timestamp, bytes.fromhex(token_hex(16)))

    def answer(self, number: str) -> Tree:
        """See `RestPlatform`."""
        return {"code": 0, "msg": "成功", "data": {"handleNo": number}}

    def refusal(self, why: str) -> Tree:
        """See `RestPlatform`."""
        return {"code": 500, "msg": why}

    def said(self, case: str, number: str, day: str) -> Sequence[tuple[str, Tree]]:
        """See `RestPlatform`."""
        iso = f"{day[:4]}-{day[4:6]}-{day[6:]}"
        bodies: tuple[tuple[str, Tree], ...] = (
            ("pushStatus", {"bizStatus": "11", "handleNo": number}),
            ("pushStatus", {"bizStatus": "12", "bizDate": iso, "promiseDays": 3}),
            (
                "pushResult",
                {"handleResult": "10", "resultNo": number, "resultText": "户籍证明已开具（示例）"},
            ),
        )
        return [
            (o, {"head": {"bizSerialNo": f"BS-{case[-12:]}-{at}", "crossCaseNo": case}, "body": b})
            for at, (o, b) in enumerate(bodies, start=1)
        ]


class CityPlatform(RestPlatform):
    """Zhangjiagang's (张家港): an HMAC whose secret is fetched first."""

    story = PlatformStory(
        "zhangjiagang",
        "320582",
        "rest",
        "张家港 gjzwfwpt 接口",
        "REST, gjzwfwpt with a secret in two steps",
        "00201430300101",
        "social-security-card",
        "social_security_card",
        "online",
    )
    words = Words("/gateway", "tjsqxx", "cxsq", "/bwbh", "/kyyjh", "/sxbm", "/code", "200")
    _founding: Gjzwfwpt
    _passing = ""

    def equipped(self, folder: Path) -> Equipment:
        """See `RestPlatform`."""
        lasting, back = token_hex(16), token_hex(16)
        self._passing = token_hex(16)
        write_secret(folder, "secrets/app_secret", lasting.encode())
        write_secret(folder, "secrets/inbound_secret", back.encode())
        ids = ("zjg-320582", "kuayu-callback", back.encode(), _US, "zjg-case-exchange")
        self._founding = Gjzwfwpt(*ids, lasting.encode(), "sid_rid_rtime", _SKEW_MS)
        lines = (
            'path = "/{operation}"\nscheme = "gjzwfwpt"\n\n[outlet.rest.gjzwfwpt]\n'
            f'rid = "{_US}"\nsid = "zjg-case-exchange"\nsecret_file = "secrets/app_secret"\n'
            'inbound_rid = "zjg-320582"\ninbound_sid = "kuayu-callback"\n'
            'inbound_secret_file = "secrets/inbound_secret"\nrenewal = { path = "/secret" }'
        )
        return Equipment(lines, _TwoSteps(self._founding, self._passing.encode()))

    def opened(self, path: str, document: Tree) -> Tree | None:
        """See `RestPlatform`: hands the passing secret to who has the lasting one."""
        if not path.endswith("/secret"):
            return None
        return {"code": "200", "data": {"secret": self._passing, "expires": _LIFE_S}}

    def answer(self, number: str) -> Tree:
        """See `RestPlatform`."""
        return {"code": "200", "message": "成功", "data": {"sljbh": number}}

    def refusal(self, why: str) -> Tree:
        """See `RestPlatform`."""
        return {"code": "400", "message": why}

    def said(self, case: str, number: str, day: str) -> Sequence[tuple[str, Tree]]:
        """See `RestPlatform`."""
        words: tuple[tuple[str, Tree], ...] = (
            ("tsblgc", {"blzt": "SJ", "sljbh": number}),
            ("tsblgc", {"blzt": "SL", "bljrq": day, "cnts": 5}),
            ("tsbljg", {"bljg": 1, "jgwh": number, "jgnr": "社会保障卡已制发（示例）"}),
            ("tjlqxx", {"lqfs": "2", "bljrq": day}),
        )
        return [
            (operation, {"bwbh": f"ZJG-{case[-12:]}-{at}", "kyyjh": case, **told})
            for at, (operation, told) in enumerate(words, start=1)
        ]


class _TwoSteps(NamedTuple):
    """Implements `Scheme`: the lasting secret opens `/secret` only, the passing one the rest."""

    founding: Gjzwfwpt
    passing: bytes

    def sign(self, call: Call, now_ms: int, nonce: str) -> Call:
        return self.founding.sign(call, now_ms, nonce)

    def verify(self, call: Call, now_ms: int) -> Proof:
        if call.url.endswith("/secret"):
            return self.founding.verify(call, now_ms)
        return replace(self.founding, inbound_secret=self.passing).verify(call, now_ms)

    def open_answer(self, body: bytes, now_ms: int) -> Proof:
        return self.founding.open_answer(body, now_ms)


class ProvincePlatform(RestPlatform):
    """Gansu's (甘肃): form fields under a digest that needs no key."""

    story = PlatformStory(
        "gansu",
        "620000",
        "rest",
        "甘肃 jpaas 接口",
        "REST, jpaas, without any key",
        "00203660100101",
        "medical-elsewhere",
        "medical_elsewhere",
        "online",
        "decided",
    )
    words = Words(
        "/jpaas-gateway",
        "case_push",
        "case_cancel",
        "/requestNo",
        "/outCaseId",
        "/taskCode",
        "/success",
        True,
    )

    def equipped(self, folder: Path) -> Equipment:
        """See `RestPlatform`."""
        lines = (
            'path = "/interface"\nscheme = "jpaas"\n\n[outlet.rest.jpaas]\n'
            f'app_id = "{_US}"\ninbound_app_id = "gszwfw"'
        )
        return Equipment(lines, Jpaas("gszwfw", _US, "1", "1.0", _SKEW_MS, sm3))

    def answer(self, number: str) -> Tree:
        """See `RestPlatform`."""
        return {"code": "000000", "message": "成功", "data": {"acceptNo": number}}

    def refusal(self, why: str) -> Tree:
        """See `RestPlatform`."""
        return {"code": "100001", "message": why}

    def said(self, case: str, number: str, day: str) -> Sequence[tuple[str, Tree]]:
        """See `RestPlatform`."""
        iso = f"{day[:4]}-{day[4:6]}-{day[6:]}"
        words: tuple[tuple[str, Tree], ...] = (
            ("case_node", {"node": "RECEIVE", "acceptNo": number}),
            ("case_node", {"node": "ACCEPT", "opDate": iso, "limitDays": 2}),
            ("case_result", {"result": "Y", "resultDesc": "异地就医已备案（示例）"}),
        )
        return [
            (operation, {"requestNo": f"GS-{case[-12:]}-{at}", "outCaseId": case, **told})
            for at, (operation, told) in enumerate(words, start=1)
        ]
