"""What is said of each broken rule on a partner's way from draft to active (接入)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.kernel.faults import FaultCode as F
from gateway.wire.fault_texts import Texts

ONBOARDING: Final[Mapping[F, Texts]] = {
    F.KEY_ANNOUNCEMENT_INVALID: Texts(
        "预告的证书无法使用",
        "The announced certificate cannot be used",
        "请核对证书是否属于发送方网关、是否已过期、用途是否正确后重新预告。",
        "Check that it names the sending gateway, has not expired and is for the use it names.",
    ),
    F.PARTNER_STATE: Texts(
        "伙伴当前状态不能这样变更",
        "A partner in this state cannot go there",
        "顺序为 草稿→测试→启用→暂停→停用；kuayu partner list 可查看当前状态。",
        "The way is draft, testing, active, suspended, retired; see `kuayu partner list`.",
    ),
    F.PARTNER_NOT_CONFORMANT: Texts(
        "没有有效的符合性测试合格记录",
        "There is no fresh pass of the conformance kit",
        "请执行 kuayu conformance run 并通过后再启用；确需例外须两名操作员并说明理由。",
        "Run `kuayu conformance run` and pass; `--override` takes two operators and a reason.",
    ),
    F.PARTNER_ENTRY_TAKEN: Texts(
        "该伙伴已有登记",
        "The partner has an entry already",
        "已有的登记不会被覆盖；变更请改其文件后执行 kuayu partner reload，放弃草稿请删除其文件夹。",
        "It is not written over: change its files, then `kuayu partner reload`; or remove a draft.",
    ),
    F.PARTNER_ENTRY_INVALID: Texts(
        "伙伴登记无法使用",
        "The partner's entry cannot be used",
        "请执行 kuayu partner check 查看每一处问题；状态保持不变。",
        "Run `kuayu partner check`, which names everything; the state stays as it was.",
    ),
}
