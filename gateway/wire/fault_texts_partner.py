"""What is said of each broken rule of partners' own platforms (对方平台)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.kernel.faults import FaultCode as F
from gateway.wire.fault_texts import Texts

PARTNER: Final[Mapping[F, Texts]] = {
    F.PARTNER_ENCODING_INVALID: Texts(
        "文字编码与约定不符",
        "The text is not in the agreed encoding",
        "请按约定的编码(UTF-8 或 GB18030)重新生成后发送。",
        "Write it in the agreed encoding (UTF-8 or GB18030) and send it again.",
    ),
    F.PARTNER_DOCUMENT_UNREADABLE: Texts(
        "文件或报文无法读取",
        "The file or document cannot be read",
        "请检查格式是否完整、有无外部实体或被截断后重新发送。",
        "Check that it is whole and well formed, without entities, and send it again.",
    ),
    F.PARTNER_UNSIGNED: Texts(
        "请求缺少约定的签名字段",
        "The request lacks what the agreed scheme signs with",
        "请按约定的签名规则补齐请求头或字段后重新发送。",
        "Add every header or field of the agreed signing scheme and send it again.",
    ),
    F.PARTNER_SIGNATURE_INVALID: Texts(
        "请求签名或密文验证不通过",
        "The signature or the encrypted body of the request does not verify",
        "请核对密钥、字段顺序、用户标识和签名格式；两端须一致。",
        "Compare secret, order of fields, user id and signature form with the other side.",
    ),
    F.PARTNER_CLOCK_SKEW: Texts(
        "请求时间超出允许偏差",
        "The time of the request is too far from ours",
        "请校准时钟(NTP)并用当前时间重新签名后发送。",
        "Set the clock by NTP, sign with the present time and send it again.",
    ),
    F.PARTNER_NONCE_REPLAYED: Texts(
        "请求中的随机数已使用过",
        "The nonce of the request was used before",
        "请用新的随机数和时间戳重新签名后发送；业务编号不变不会重复办理。",
        "Sign again with a new nonce and time; the same business number has no second effect.",
    ),
    F.PARTNER_NUMBER_REUSED: Texts(
        "对方业务编号已用于另一内容",
        "The partner's own number was used before for other content",
        "请换用新的业务编号；原内容如需更正，请按更正办理。",
        "Send it under a new number; what was said before is corrected by a correction.",
    ),
    F.PARTNER_CASE_UNNAMED: Texts(
        "来件未指明本网关已知的办件",
        "What came names no case that this gateway knows with the partner",
        "请核对办件编号字段及其映射；对应办件到达后可重新处理。",
        "Check the field of the case's number and its mapping; replay it once the case is here.",
    ),
    F.PARTNER_OUT_OF_ORDER: Texts(
        "来件早于其前一步骤到达，先予留存",
        "It came before the step that goes before it, and is kept until then",
        "前一步骤到达后自动处理；一天内未到则按当时阶段处理。",
        "It is taken up by itself once that step is here; after a day it is judged as it stands.",
    ),
    F.PARTNER_REFUSED: Texts(
        "对方平台拒绝接收",
        "The partner's platform refused the message",
        "请按对方给出的说明更正后重新提交。",
        "Correct what the partner's words name, and send a new message.",
    ),
    F.PARTNER_ARRIVAL_SETTLED: Texts(
        "来件已有结论，不能再这样处理",
        "What came has met its end, or is in no state for this",
        "请用 `kuayu quarantine show` 查看其状态。",
        "See its state with `kuayu quarantine show`.",
    ),
}
