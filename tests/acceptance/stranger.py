"""A platform (simulated 模拟) whose every name is new, and the operator who adds it by files."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from gateway.adapters.outlets.rest.schemes.http_signatures import HttpSignatures
from gateway.adapters.outlets.rest.schemes.scheme import Call, Scheme
from gateway.adapters.outlets.rest.schemes.x_bg_hmac import XBgHmac
from gateway.adapters.system.clock import SystemClock
from gateway.kernel.faults import Fault
from tests.integration.cli.console import Served, kuayu, served
from tests.simulators.http_platform import HttpPlatform, http_platform
from tests.simulators.tls import Authority, make_authority, server_tls
from tests.support.world import free_port

REGION, UNIT = "620500", "11620500MB0000000B"
ITEM = "00099999900201"
PDF = "%PDF-1.4\n% 示例\n".encode()


TABLE = """version = 1
documents = "json"
losses = [
    { ours = "/form/reason_zh", because = "示例" },
    { ours = "/form/reason_code", because = "示例" },
    { ours = "/form/reason_en", because = "示例" },
]

[tables.kind]
small = "K-01"
large = "K-02"

[tables.result]
approved = "Y"
refused = "N"

[sets]
file = [
    { ours = "/code", theirs = "/<file code>" },
    { ours = "/name", theirs = "/<file name>" },
    { ours = "/media_type", theirs = "/<file type>" },
    { ours = "/content", theirs = "/<file content>", as = "base64" },
    { ours = "/content", theirs = "/<file digest>", as = "digest", algorithm = "sm3" },
]

[[messages]]
kind = "submitted"
direction = "out"
operation = "<apply>"
rows = [
    { ours = "/case/id", theirs = "/<number>" },
    { ours = "/message/item_code", theirs = "/<item>" },
    { ours = "/case/applicant_number", theirs = "/<ours>" },
    { ours = "/form/<our name>", theirs = "/<box>/<their name>" },
    { ours = "/form/<our day>", theirs = "/<box>/<their day>", as = "date", format = "yyyyMMdd" },
    { ours = "/form/<our region>", theirs = "/<box>/<their region>", as = "region" },
    { ours = "/form/<our kind>", theirs = "/<box>/<their kind>", as = "code", table = "kind" },
    { ours = "/identity", theirs = "/<identity>", as = "as_is", optional = true },
    { ours = "/authorisation", theirs = "/<agent>", as = "as_is", optional = true },
    { ours = "/materials", theirs = "/<files>", as = "each", rows = "file", optional = true },
    { ours = "/message/item_version", theirs = "/<item version>" },
    { ours = "/message/mode", theirs = "/<mode>" },
    { ours = "/message/purpose", theirs = "/<purpose>" },
]

[[messages]]
kind = "withdrawn"
direction = "out"
operation = "<withdraw>"
rows = [{ ours = "/case/id", theirs = "/<number>" }]

[[messages]]
kind = "acknowledged"
direction = "in"
operation = "<status>"
when = { at = "/<state>", is = ["S1"] }
rows = [
    { ours = "/message/number", theirs = "/<entry>" },
    { ours = "/case/id", theirs = "/<number>" },
]

[[messages]]
kind = "accepted"
direction = "in"
operation = "<status>"
when = { at = "/<state>", is = ["S2"] }
rows = [
    { ours = "/message/number", theirs = "/<entry>" },
    { ours = "/case/id", theirs = "/<number>" },
    { ours = "/form/accepted_on", theirs = "/<day>", as = "date", format = "yyyyMMdd" },
]

[[messages]]
kind = "decided"
direction = "in"
operation = "<status>"
when = { at = "/<state>", is = ["S9"] }
rows = [
    { ours = "/message/number", theirs = "/<entry>" },
    { ours = "/case/id", theirs = "/<number>" },
    { ours = "/form/result", theirs = "/<result>", as = "code", table = "result" },
    { ours = "/form/answer_zh", theirs = "/<text>", optional = true },
]

[answers]
at = "/<code>"
ok = ["A1"]
text = "/<why>"
number = "/<theirs>"
otherwise = "partner.refused"

[says]
ok = [{ theirs = "/<code>", value = "A1" }]
refused = [{ theirs = "/<code>", value = "E500" }]
retry = [{ theirs = "/<code>", value = "E503" }]
"""
"""Their words and ours; `<…>` stands for a name that is drawn."""


class Words:
    """Names as this run draws them: the same key, the same name."""

    def __init__(self) -> None:
        self._drawn: dict[str, str] = {}

    def __call__(self, key: str) -> str:
        return self._drawn.setdefault(key, f"x{secrets.token_hex(4)}")


class Signing(NamedTuple):
    """How calls to the platform are proven: what the operator writes, and who judges there."""

    scheme: str
    settings: str
    files: dict[str, bytes]
    judge: Scheme


def by_hmac() -> Signing:
    """HMAC over method, path and date, by a secret both have."""
    secret = secrets.token_hex(16).encode()
    settings = """access_key = "kuayu-620900"
secret_file = "secrets/hmac\""""
    judge = XBgHmac("platform", b"", "kuayu-620900", secret, 90_000)
    return Signing("x_bg_hmac", settings, {"secrets/hmac": secret}, judge)


def by_http_signatures() -> Signing:
    """RFC 9421, by a key of ours whose public half the platform has, and the other way round."""
    ours, theirs = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    settings = """key_id = "kuayu-620900"
key_file = "secrets/http.key.pem"
their_key_id = "platform-1"
their_key_file = "keys/platform.pem\""""
    form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    files = {
        "secrets/http.key.pem": ours.private_bytes(*form),
        "keys/platform.pem": theirs.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        ),
    }
    known = ("kuayu-620900", ours.public_key(), 90_000, "kuayu")
    judge = HttpSignatures("ed25519", "platform-1", theirs, *known)
    return Signing("http_signatures", settings, files, judge)


class Stranger:
    """A platform whose interface nobody has seen: it keeps what it is sent, and is polled."""

    def __init__(self, words: Words, judge: Scheme) -> None:
        self.words = words
        self.cases: dict[str, dict[str, Any]] = {}
        self.waiting: dict[str, dict[str, Any]] = {}
        self.is_down = False
        self.turned_away = 0
        self._scheme = judge

    async def answer(self, request: web.Request) -> web.StreamResponse:
        w, body = self.words, await request.read()
        if self.is_down:
            self.turned_away += 1
            return web.Response(status=503)
        headers = {name.lower(): value for name, value in request.headers.items()}
        call = Call("POST", str(request.url), "", headers, body)
        try:
            self._scheme.verify(call, SystemClock().now_ms())
        except Fault:
            return web.json_response({w("code"): "E401"}, status=401)
        told = json.loads(body)
        match request.path.rpartition("/")[2]:
            case name if name == w("apply"):
                return web.json_response(self._applied(told))
            case name if name == w("withdraw"):
                known = told[w("number")] in self.cases
                return web.json_response({w("code"): "A1" if known else "E404"})
            case name if name == w("news"):
                return web.json_response({w("list"): list(self.waiting.values())})
            case name if name == w("heard"):
                self.waiting.pop(told[w("entry")], None)
                return web.json_response({w("code"): "A1"})
        return web.json_response({w("code"): "E404"}, status=404)

    def _applied(self, told: dict[str, Any]) -> dict[str, Any]:
        w = self.words
        if told[w("item")] != f"{ITEM}":
            return {w("code"): "E422", w("why"): "没有该事项（示例）"}
        self.cases[told[w("number")]] = told
        return {w("code"): "A1", w("theirs"): f"某受〔示例〕{told[w('number')][-6:]}"}

    def say(self, number: str, status: str, **more: object) -> None:
        w, entry = self.words, secrets.token_hex(8)
        self.waiting[entry] = {
            w("entry"): entry,
            w("what"): w("status"),
            w("number"): number,
            w("state"): status,
            **{w(name): value for name, value in more.items()},
        }


def write_folder(folder: Path, w: Words, url: str, authority: str, signing: Signing) -> None:
    """Do what an operator does with an editor: manifest, table, item, agreement, secret."""
    manifest = (folder / "partner.toml").read_text("utf-8").partition("[outlet]")[0]
    (folder / "partner.toml").write_text(
        f"""{manifest}
[outlet]
kind = "rest"

[outlet.rest]
url = "{url}"
path = "/in/{{operation}}"
scheme = "{signing.scheme}"
calls_back = false

[outlet.rest.poll]
path = "/in/{w("news")}"
list_at = "/{w("list")}"
operation_at = "/{w("what")}"
id_at = "/{w("entry")}"
acknowledge_path = "/in/{w("heard")}"
every_s = 0.2

[outlet.rest.{signing.scheme}]
{signing.settings}
""",
        "utf-8",
    )
    (folder / "keys").mkdir()
    (folder / "keys" / "authorities.pem").write_text(authority, "utf-8")
    (folder / "secrets").mkdir(mode=0o700)
    for name, content in signing.files.items():
        (folder / name).touch(mode=0o600)
        (folder / name).write_bytes(content)
    item = folder / "items" / ITEM
    item.mkdir(parents=True)
    item.joinpath("item.toml").write_text(
        f"""code = "{ITEM}"
name_zh = "无人见过的事项（示例）"
name_en = "An item nobody has seen (sample)"
unit = "{UNIT}"
implementation_code = "{UNIT}3000999999002"
modes = ["collect_on_behalf"]
promised_days = 5
statutory_days = 20
licence_type = ""

[[versions]]
version = "1"
valid_from = 2021-05-27T00:00:00+08:00
form_schema = "form.v1.schema.json"
materials = [
    {{ code = "01", name_zh = "申请书", name_en = "Application", required = true, copies_max = 1,\
 media_types = ["application/pdf"], forms = ["original"] }},
]
""",
        "utf-8",
    )
    fields = {
        w("our name"): {"type": "string", "minLength": 1, "maxLength": 60},
        w("our day"): {"type": "string", "format": "date"},
        w("our region"): {"type": "string", "format": "region"},
        w("our kind"): {"enum": ["small", "large"]},
    }
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": fields,
        "required": list(fields),
        "additionalProperties": False,
    }
    item.joinpath("form.v1.schema.json").write_text(json.dumps(schema), "utf-8")
    (folder / "agreement.toml").write_text(
        f"""version = 1
name = "酒泉市与某市合作协议（示例）"
parties = ["620900", "{REGION}"]
not_before = 2021-05-27T00:00:00+08:00
not_after = 2036-05-26T23:59:59.999+08:00
required_suites = []
strength_min = "authenticated"
confidentiality = "仅限办理本协议所列事项使用。"
onward_sharing = false

[[grants]]
items = [{{ code = "{ITEM}", versions = ["1"] }}]
origins = ["620900"]
deciding = ["{REGION}"]
modes = ["collect_on_behalf"]
rights = ["deliver_result"]
licence_types = []
purposes = ["sample-application"]
""",
        "utf-8",
    )
    table = re.sub("<([^<>]+)>", lambda name: w(name[1]), TABLE)
    (folder / "mapping.toml").write_text(table, "utf-8")


class Operator:
    """Runs commands in the gateway's folder, as written in docs/onboarding.md."""

    def __init__(self, root: Path) -> None:
        self.root = root

    async def run(self, *arguments: str, code: int = 0, key: str = "") -> str:
        env = {"KUAYU_OPERATOR__KEY": key} if key else None
        done = await asyncio.to_thread(kuayu, *arguments, cwd=self.root, env=env)
        assert done.returncode == code, f"{arguments}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    async def refused(self, *arguments: str) -> str:
        """Run what must be refused; return what it tells."""
        done = await asyncio.to_thread(kuayu, *arguments, cwd=self.root)
        assert done.returncode == 1, f"{arguments}\n{done.stdout}\n{done.stderr}"
        return done.stderr + done.stdout


async def until(look: Callable[[], Any], wanted: Callable[[Any], bool]) -> Any:
    async with asyncio.timeout(30):
        while True:
            if wanted(found := await look()):
                return found
            await asyncio.sleep(0.05)


async def onboarded(
    operator: Operator, w: Words, there: HttpPlatform, authority: Authority, signing: Signing
) -> None:
    """From nothing to live; the gateway runs meanwhile, and is not restarted."""
    await operator.run(
        *("partner", "new", REGION, "--folder", "nowhere", "--outlet", "rest", "--simulated"),
        *("--name-zh", "某市（示例）", "--name-en", "Nowhere (sample)", "--unit", UNIT),
    )
    folder = operator.root / "partners" / "nowhere"
    write_folder(folder, w, there.url, authority.pem.decode(), signing)
    report = await operator.run("mapping", "check", "nowhere")
    assert "accepted" in report
    await operator.run("assisted", "accept", "nowhere")
    await operator.run("agreement", "accept", "nowhere")
    refused = await asyncio.to_thread(kuayu, "partner", "activate", "nowhere", cwd=operator.root)
    assert refused.returncode == 1
    assert "partner." in refused.stderr
    judged = await operator.run("conformance", "run", "nowhere")
    assert "platform.unproven" in judged
    await operator.run("partner", "check", "nowhere")
    await operator.run("partner", "test", "nowhere")
    await operator.run("partner", "activate", "nowhere")


class Live(NamedTuple):
    """A gateway that runs and a platform that was added to it."""

    gateway: Served
    operator: Operator
    platform: Stranger
    http: aiohttp.ClientSession

    async def case(self, case_id: str) -> Any:
        async with self.http.get(f"/v1/cases/{case_id}") as answer:
            return await answer.json()

    async def opened(self) -> tuple[str, str]:
        """Open a case; return our id of it, and the number it has at the platform."""
        w, before = self.platform.words, set(self.platform.cases)
        wish = {
            "region": REGION,
            "item_code": ITEM,
            "mode": "collect_on_behalf",
            "purpose": "sample-application",
            "identity": {"method": "in_person_id_card"},
            "form": {
                w("our name"): "示例甲㛃",
                w("our day"): "2026-06-01",
                w("our region"): "620902",
                w("our kind"): "large",
            },
            "materials": [
                {
                    "material_code": "01",
                    "name": "01_示例.pdf",
                    "media_type": "application/pdf",
                    "size": len(PDF),
                    "sha256": sha256(PDF).hexdigest(),
                }
            ],
        }
        key = {"Idempotency-Key": secrets.token_hex(8)}
        async with self.http.post("/v1/cases", json=wish, headers=key) as answer:
            opened = await answer.json()
            assert answer.status == 201, opened
            case_id = str(opened["case_id"])
        async with self.http.post(
            f"/v1/cases/{case_id}/materials?material=01",
            data=PDF,
            headers={"Content-Type": "application/pdf", **key},
        ) as answer:
            assert answer.status == 200, await answer.text()

        async def new() -> set[str]:
            return set(self.platform.cases) - before

        (number,) = await until(new, bool)
        return case_id, number


@asynccontextmanager
async def live(tmp_path: Path, signing: Signing | None = None) -> AsyncIterator[Live]:
    """Set a gateway up, run it, and add a platform to it meanwhile; it must end well."""
    words, signing, authority = Words(), signing or by_hmac(), make_authority()
    platform = Stranger(words, signing.judge)
    root = tmp_path / "jiuquan"
    operator = Operator(root)
    made = kuayu(
        *("init", "--state", str(root), "--id", "620900"),
        *("--name-zh", "酒泉市（示例）", "--name-en", "Jiuquan (sample)"),
        *("--unit", "11620900MB00000000"),
        *("--exchange", f"127.0.0.1:{free_port()}", "--portal", f"127.0.0.1:{free_port()}"),
    )
    assert made.returncode == 0, made.stderr
    async with http_platform(platform.answer, server_tls(authority, tmp_path)) as there:
        with served(root / "kuayu.toml") as gateway:
            await onboarded(operator, words, there, authority, signing)
            token = (await operator.run("token", "issue")).strip()
            headers = {"Authorization": f"Bearer {token}"}
            async with aiohttp.ClientSession(gateway.url, headers=headers) as http:
                yield Live(gateway, operator, platform, http)
            assert gateway.stop() == 0
