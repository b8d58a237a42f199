"""What is said of each broken rule of operators' acts (操作员)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.kernel.faults import FaultCode as F
from gateway.wire.fault_texts import Texts

OPERATOR: Final[Mapping[F, Texts]] = {
    F.OPERATOR_TOO_MANY: Texts(
        "操作员数量已达上限",
        "There are as many operators as there may be",
        "操作员名称不得重复使用；如确需更多，请提高上限。",
        "Names are used once; ask for a higher bound if so many persons act here.",
    ),
    F.OPERATOR_NOT_FOUND: Texts(
        "本网关没有这一项",
        "This gateway has nothing of that name",
        "可用 kuayu partner list、lane list、quarantine list、agreement list 等命令查看已有各项。",
        "`kuayu partner list`, `lane list`, `quarantine list`, `agreement list` tell what is here.",
    ),
    F.OPERATOR_REQUEST_INVALID: Texts(
        "命令内容不符合要求",
        "The command cannot be understood as given",
        "请按括号内的提示更正后重新执行；--help 附有示例。",
        "Mend what the brackets name and run it again; --help shows examples.",
    ),
    F.OPERATOR_UNSIGNED: Texts(
        "该操作须由操作员签名",
        "This is signed by an operator, or not done",
        "请设置 KUAYU_OPERATOR__KEY 或配置 operator.key 为本人私钥文件后重试。",
        "Set KUAYU_OPERATOR__KEY, or operator.key in the configuration, to your own key's file.",
    ),
    F.OPERATOR_UNKNOWN: Texts(
        "未登记的操作员",
        "No operator of this gateway",
        "请由现有操作员执行 kuayu operator add；kuayu operator list 可查看名单。",
        "Have an operator run `kuayu operator add`; `kuayu operator list` names who may act.",
    ),
    F.OPERATOR_SIGNATURE_INVALID: Texts(
        "操作签名验证不通过",
        "The signature of the act does not verify",
        "请核对所用私钥与登记的公钥是否一致。",
        "Check that the key is the one that was registered for you.",
    ),
    F.OPERATOR_ACT_STALE: Texts(
        "操作已过时或不属于本网关",
        "The act was signed at another time, or for another gateway",
        "请核对两端时钟后重新执行；原操作不会生效。",
        "Compare the clocks and run the command again; the old act has no effect.",
    ),
    F.OPERATOR_ACT_SETTLED: Texts(
        "该操作已有结果",
        "The act is settled already",
        "用 kuayu operator acts 查看其结果；如仍需要，请重新发起。",
        "See what became of it by `kuayu operator acts`; ask anew if it is still wanted.",
    ),
    F.OPERATOR_ACT_WAITS: Texts(
        "同一操作已在等待复核",
        "The same act waits for a second operator already",
        "请由另一名操作员复核或拒绝已有的那一项，无须重复发起。",
        "Have it approved or declined by another operator; it need not be asked for twice.",
    ),
    F.OPERATOR_SAME_PERSON: Texts(
        "须由另一名操作员复核",
        "Another operator must agree",
        "请由发起人以外的操作员执行 kuayu operator approve。",
        "Have somebody else run `kuayu operator approve`.",
    ),
    F.OPERATOR_NAME_TAKEN: Texts(
        "操作员名称或公钥已登记过",
        "The name or key of an operator was used before",
        "名称和公钥只用一次，以便留痕可查；请换用新的名称和密钥。",
        "Names and keys are used once, so that acts stay provable; choose another, with a new key.",
    ),
    F.OPERATOR_LAST: Texts(
        "不能移除最后一名操作员",
        "The last operator cannot be removed",
        "请先登记另一名操作员。",
        "Add somebody else first.",
    ),
}
