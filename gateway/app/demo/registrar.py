"""The simulated registrar of Jiayuguan: works through its own gateway's task interface only."""

from __future__ import annotations

from typing import Final

from stdnum.iso7064 import mod_37_36

from gateway.app.demo.documents import PREMISES, SEAL
from gateway.app.demo.office import LONG_POLL_S, Office
from gateway.app.demo.story import JIAYUGUAN, Act, DemoFailed, View
from gateway.kernel.digests import commitment
from gateway.kernel.identifiers import parse_uuid7, uuid7_unix_ms
from gateway.kernel.instants import to_iso

LICENCE_TYPE: Final = "11100000MB0143028R001"
"""营业执照."""
_ROOT: Final = "1.2.156.3005.2"
_BRANCH_CODE: Final = "91620200MA0000000H"
"""Invented: the organisation digit inside is deliberately wrong."""

REQUEST: Final[View] = {
    "notice": {
        "zh": "营业场所使用证明缺少出租方签章，请一次性补正。",
        "en": "The proof of premises lacks the landlord's seal.",
    },
    "materials": [{"code": PREMISES, "reason": "缺少出租方签章"}],
}


class Registrar:
    """A business system: takes tasks, looks at forms and files, and says what follows.

    Cases opened before `since_ms`, of a run that was interrupted, are left in the task list.
    """

    def __init__(self, office: Office, since_ms: int) -> None:
        self._since_ms = since_ms
        self._office = office
        self._stage = office.stage

    async def run(self) -> None:
        """Handle tasks until cancelled.

        Raises:
            DemoFailed: a file is not what was announced, or the gateway says no.
        """
        cursor = 0
        while True:
            path = f"/v1/tasks?after={cursor}&wait_s={LONG_POLL_S}"
            answer = await self._office.get(path)
            cursor = answer["cursor"]
            for task in answer["tasks"]:
                if self._is_new(task["task_id"]):
                    await self._handle(task["task_id"])

    def _is_new(self, task_id: str) -> bool:
        raw = parse_uuid7(task_id)
        return raw is not None and uuid7_unix_ms(raw) >= self._since_ms

    async def _handle(self, task_id: str) -> None:
        task = await self._office.get(f"/v1/tasks/{task_id}")
        match task["stage"]:
            case "submitted":
                await self._say(task, "acknowledge", "acknowledged", {})
                await self._review(task_id)
            case "acknowledged" | "materials_supplied":
                await self._review(task_id)
            case "accepted":
                await self._decide(task_id)

    async def _review(self, task_id: str) -> None:
        """Look at the files; ask for what is wrong, or accept and decide."""
        task = await self._office.get(f"/v1/tasks/{task_id}")
        sealed = await self._check_files(task)
        if not sealed:
            await self._say(task, "request-materials", "materials_requested", REQUEST)
            return
        body = {"accepted_on": self._today(), "promised_days": 1}
        await self._say(task, "accept", "accepted", body)
        await self._decide(task_id)

    async def _check_files(self, task: View) -> bool:
        """Check every file's size and digest; tell whether the proof of premises is sealed."""
        sealed = False
        async with self._stage.turn():
            began = self._stage.clock.monotonic_ms()
            for material in task["materials"]:
                content = await self._download(task["task_id"], material)
                if material["material_code"] == PREMISES:
                    sealed = SEAL.encode() in content  # the latest copy counts
            count = len(task["materials"])
            zh = "齐全" if sealed else f"{PREMISES} 缺少出租方签章"
            en = "complete" if sealed else "no landlord's seal"
            self._tell(f"下载审查 {count} 份材料，摘要相符：{zh}", f"digests match; {en}", began)
        return sealed

    async def _download(self, task_id: str, material: View) -> bytes:
        named: str = material["commitment"]
        content = await self._office.raw("GET", f"/v1/tasks/{task_id}/materials/{named}")
        found = commitment(bytes.fromhex(material["salt"]), content).hex()
        if len(content) != material["size"] or found != named:
            raise DemoFailed(
                f"材料 material {material['material_code']} 与声明不符 is not as declared"
            )
        return content

    async def _decide(self, task_id: str) -> None:
        task = await self._office.get(f"/v1/tasks/{task_id}")
        licence = make_licence(task["form"], task["case_numbers"]["handling"], self._today())
        await self._say(task, "decide", "decided", {**self._approval(task), "licence": licence})

    def _approval(self, task: View) -> View:
        number = f"（嘉）登字〔{self._today()[:4]}〕第 {_serial(task)} 号（示例）"
        return {"result": "approved", "decision_number": number}

    async def _say(self, task: View, act: str, kind: str, body: View) -> None:
        """Do an act and wait for the receipt of the message that follows from it."""
        async with self._stage.turn():
            await self._office.post(f"/v1/tasks/{task['task_id']}/{act}", body)
            await self._office.crossed(task["case_id"], kind)

    def _tell(self, zh: str, en: str, began_ms: int) -> None:
        ms = self._stage.clock.monotonic_ms() - began_ms
        self._stage.teller.act(Act(self._office.id, zh, en, ms))

    def _today(self) -> str:
        return to_iso(self._stage.clock.now_ms())[:10]


class RefusingRegistrar(Registrar):
    """Finds the material complete in number and the application not grantable."""

    async def _review(self, task_id: str) -> None:
        task = await self._office.get(f"/v1/tasks/{task_id}")
        await self._check_files(task)
        body = {"accepted_on": self._today(), "promised_days": 1}
        await self._say(task, "accept", "accepted", body)
        await self._decide(task_id)

    async def _decide(self, task_id: str) -> None:
        task = await self._office.get(f"/v1/tasks/{task_id}")
        await self._say(task, "decide", "decided", {"result": "refused", "reason_zh": REFUSAL})


REFUSAL: Final = "营业场所使用证明缺少出租方签章，不符合登记条件，不予登记（示例）"


def _serial(task: View) -> str:
    number: str = task["case_numbers"]["handling"]
    return f"{int(number[-4:]):06d}"


def licence_id(serial: str) -> str:
    """Return the e-licence id (电子证照标识, GB/T 36904) of a business licence we issue."""
    parts = [LICENCE_TYPE, JIAYUGUAN.unit, serial, "001"]
    check = mod_37_36.calc_check_digit("".join(parts))
    return ".".join([_ROOT, *parts, check])


def make_licence(form: View, handling_number: str, today: str) -> View:
    """Return the face of the branch's licence from the form, dated `today` (YYYY-MM-DD).

    `handling_number` is our 办件编号: its date and serial make the licence's serial.
    """
    serial = handling_number[-12:-4] + f"{int(handling_number[-4:]):06d}"
    return {
        "licence_type": LICENCE_TYPE,
        "licence_id": licence_id(serial),
        "uniscid": _BRANCH_CODE,
        "entname": form["branch_name"],
        "enttypeCn": "有限责任公司分公司（示例）",
        "name": form["responsible_person"]["name"],
        "opscope": form["business_scope"],
        "dom": form["premises_address"],
        "estdate": today,
        "opfrom": form.get("business_term_from", today),
        "regorgCn": "嘉峪关市市场监督管理局（示例）",
        "apprdate": today,
    }
