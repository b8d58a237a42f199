"""What is said of each broken rule of carriage: bytes, bounds, trust, delivery, attachments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from gateway.kernel.faults import FaultCode as F


class Texts(NamedTuple):
    """A title and what to do about it, in both languages."""

    title_zh: str
    title_en: str
    advice_zh: str
    advice_en: str


_SAME_ZH = "请修正报文的编码实现，原字节重发结果相同。"
_SAME_EN = "Correct the encoder; the same bytes meet the same answer."
_NEW_ZH = "请更正后以新的报文标识重新发送。"
_NEW_EN = "Correct it and send it under a new message id."
_LATER_ZH = "无需改动，稍后按原样重发。"
_LATER_EN = "Change nothing; send the same bytes again later."
_SMALLER_ZH = "请减小后重试，各项上限见接口说明。"
_SMALLER_EN = "Make it smaller; the bounds are in the description of the wire."
_KEYS_ZH = "请与对方运维人员核对登记的证书和密钥。"
_KEYS_EN = "Compare the registered certificates and keys with the other side's operator."
_FILE_ZH = "请核对文件后重新上传。"
_FILE_EN = "Check the file and upload it again."

CARRIAGE: Final[Mapping[F, Texts]] = {
    F.WIRE_UNPARSEABLE: Texts("报文无法解析", "The bytes cannot be parsed", _SAME_ZH, _SAME_EN),
    F.WIRE_NOT_MINIMAL: Texts(
        "报文编码不是唯一的最简形式", "The encoding is not the minimal one", _SAME_ZH, _SAME_EN
    ),
    F.WIRE_UNKNOWN_FIELD: Texts(
        "报文含有未定义的字段", "There is a field that is not defined", _SAME_ZH, _SAME_EN
    ),
    F.WIRE_VERSION_UNSUPPORTED: Texts(
        "协议版本不受支持",
        "The version of the protocol is not supported",
        "请改用双方都支持的协议版本，以新的报文标识发送。",
        "Use a version that both sides support, under a new message id.",
    ),
    F.WIRE_FIELD_INVALID: Texts(
        "报文头字段不符合规定", "A field of the header breaks its rule", _NEW_ZH, _NEW_EN
    ),
    F.WIRE_CRITICAL_UNKNOWN: Texts(
        "报文要求本网关不支持的扩展",
        "The message demands an extension that is not supported here",
        "请去掉该扩展，或与对方商定启用后，以新的报文标识发送。",
        "Leave the extension out, or agree on it first; then send under a new message id.",
    ),
    F.WIRE_DIGEST_UNSUPPORTED: Texts(
        "摘要算法不受支持",
        "The digest algorithm is not supported",
        "请改用 SHA-256，以新的报文标识发送。",
        "Use SHA-256, under a new message id.",
    ),
    F.WIRE_ATTESTATION_NOT_LOCAL: Texts(
        "不接受外来的适配器证明",
        "An attestation is never accepted from a peer",
        "适配器证明只在本网关内部使用，请以登记密钥签名后发送。",
        "Attestations are for the gateway that makes them; sign with your registered key.",
    ),
    F.LIMIT_CALL_BYTES: Texts(
        "单次调用数据过大",
        "The call is too large",
        "请把报文分成几次调用发送。",
        "Spread the envelopes over several calls.",
    ),
    F.LIMIT_ENVELOPE_BYTES: Texts(
        "单个报文过大",
        "The envelope is too large",
        "文件请作为附件上传，不要放入表单。",
        "Let files travel as attachments, not inside the form.",
    ),
    F.LIMIT_ENVELOPES_PER_CALL: Texts(
        "单次调用的报文数超限",
        "There are too many envelopes in the call, or none",
        "每次调用请发送 1 至 256 个报文。",
        "Send 1 to 256 envelopes in a call.",
    ),
    F.LIMIT_ATTACHMENTS: Texts(
        "附件数量超限", "There are too many attachments", _SMALLER_ZH, _SMALLER_EN
    ),
    F.LIMIT_ATTACHMENT_BYTES: Texts(
        "附件过大", "The attachment is too large", _SMALLER_ZH, _SMALLER_EN
    ),
    F.LIMIT_QUOTA: Texts(
        "附件存储配额已用完",
        "The quota for attachments is used up",
        "请先完成或撤回已上传材料的办件，再继续上传。",
        "Submit or withdraw the cases that files were uploaded for, then go on.",
    ),
    F.LIMIT_RATE: Texts(
        "请求过于频繁",
        "Requests come too fast",
        "请按提示的等待时间放慢后重发。",
        "Wait as long as the answer says, then send again more slowly.",
    ),
    F.LIMIT_PARTNER_RATE: Texts(
        "报文数量超过约定速率",
        "More messages than agreed come from this partner",
        "请按提示的等待时间放慢后重发；如需提高，请与对方商定 limits.messages_per_s。",
        "Wait as the answer says, then send more slowly; for more, agree on limits.messages_per_s.",
    ),
    F.LIMIT_OVERLOADED: Texts(
        "网关繁忙", "The gateway has as much as it can take", _LATER_ZH, _LATER_EN
    ),
    F.TRUST_PEER_UNKNOWN: Texts(
        "连接方未登记",
        "The peer of this connection is not registered",
        "请把传输证书的指纹提供给对方登记。",
        "Have the pin of your transport certificate registered by the other side.",
    ),
    F.TRUST_PARTNER_NOT_ACTIVE: Texts(
        "合作方未处于启用状态",
        "The partner is not active",
        "请由双方运维人员确认合作状态，启用后按原样重发。",
        "Have the operators of both sides activate the partner, then send the same bytes again.",
    ),
    F.TRUST_PEER_NOT_SENDER: Texts(
        "连接方无权代发件方发送",
        "The peer may not speak for the sender",
        "请由发件方本身或其登记的中继网关发送。",
        "Let the sender itself, or a relay in its directory entry, deliver the message.",
    ),
    F.TRUST_UNSIGNED: Texts(
        "报文没有签名",
        "The message is not signed",
        "请以登记密钥签名后发送。",
        "Sign it with a registered key.",
    ),
    F.TRUST_KEY_UNKNOWN: Texts("签名密钥未登记", "The key is not registered", _KEYS_ZH, _KEYS_EN),
    F.TRUST_KEY_EXPIRED: Texts(
        "签名密钥已过期",
        "The key has expired",
        "请以有效的登记密钥重新签名。",
        "Sign again with a registered key that is valid.",
    ),
    F.TRUST_KEY_NOT_YET_VALID: Texts(
        "签名密钥尚未生效", "The key is not valid yet", _LATER_ZH, _LATER_EN
    ),
    F.TRUST_SIGNATURE_INVALID: Texts(
        "签名验证不通过", "A signature does not verify", _KEYS_ZH, _KEYS_EN
    ),
    F.TRUST_BATCH_INVALID: Texts(
        "批量签名证明无效",
        "The proof of the batch signature does not hold",
        "请检查批次根与路径的计算是否符合 RFC 6962。",
        "Check that root and path are made as RFC 6962 says.",
    ),
    F.TRUST_SUITE_MISMATCH: Texts(
        "算法套件与登记密钥不符", "The suite is not that of the registered key", _KEYS_ZH, _KEYS_EN
    ),
    F.TRUST_SUITE_UNKNOWN: Texts(
        "算法套件不受支持",
        "The suite is not supported",
        "请改用协议中双方都支持的算法套件。",
        "Use a suite that both sides support under the agreement.",
    ),
    F.TRUST_SUITE_MISSING: Texts(
        "缺少报文头要求的签名",
        "A signature that the header demands is missing",
        "请补上要求的各套件签名后发送。",
        "Add a signature of each suite that the header names.",
    ),
    F.TRUST_BODY_MISMATCH: Texts(
        "正文与签名的承诺值不符",
        "The body is not what was signed",
        "正文或盐值在途中改变，请用原报文重发。",
        "Body or salt were changed on the way; send the original again.",
    ),
    F.TRUST_ATTESTATION_INVALID: Texts(
        "适配器证明与报文不符",
        "The adapter's attestation is not of this message",
        "请由本网关适配器重新生成证明；仅无系统的伙伴使用证明。",
        "Have the gateway's adapter attest it anew; only partners without a system are attested.",
    ),
    F.DELIVERY_WRONG_RECIPIENT: Texts(
        "报文不是发给本网关的", "The message is for another gateway", _NEW_ZH, _NEW_EN
    ),
    F.DELIVERY_ID_REUSED: Texts(
        "报文标识已用于另一报文",
        "The message id belongs to another message",
        "原报文不受影响；请为本报文换用新的标识。",
        "The first message stands; give this one an id of its own.",
    ),
    F.DELIVERY_ID_TIME: Texts(
        "报文标识的时间与发送时间不一致",
        "The time in the message id is not the time of sending",
        "请在封装报文时生成标识，以新的标识发送。",
        "Draw the id when the message is sealed, and send under a new one.",
    ),
    F.DELIVERY_EXPIRED: Texts(
        "报文已过有效期",
        "The message has expired",
        "请核对时钟，以新的标识和有效期发送。",
        "Check the clocks; send under a new id with a new time of expiry.",
    ),
    F.DELIVERY_IN_FUTURE: Texts(
        "报文的发送时间晚于当前时间",
        "The message is from the future",
        "请校准时钟（允许偏差 5 分钟），以新的标识发送。",
        "Set the clock (5 minutes are allowed) and send under a new id.",
    ),
    F.DELIVERY_LIFE_TOO_LONG: Texts(
        "报文有效期过长",
        "The message lives too long",
        "有效期不得超过 30 天，请以新的标识发送。",
        "It may live 30 days at most; send under a new id.",
    ),
    F.DELIVERY_CHAIN_GAP: Texts(
        "前面的报文尚未到达",
        "An earlier message of this case is not here yet",
        "请先发送所缺序号的报文，再按原样重发本报文。",
        "Send the message with the expected sequence number first, then this one again.",
    ),
    F.DELIVERY_SEQUENCE_USED: Texts(
        "序号已被使用",
        "The sequence number is used already",
        "请按回执核对已收报文，以下一序号和新的标识发送。",
        "Compare with the receipts; send under a new id with the next sequence number.",
    ),
    F.DELIVERY_PREVIOUS_MISMATCH: Texts(
        "前一报文的摘要不符",
        "The digest of the previous message differs",
        "请按回执核对已收报文，以正确的前一摘要和新的标识发送。",
        "Compare with the receipts; send under a new id with the right previous digest.",
    ),
    F.DELIVERY_LAST_SEEN_UNKNOWN: Texts(
        "所称最近收到的报文并非本网关所发",
        "The message last seen was never sent from here",
        "请核对收件记录，以新的标识发送。",
        "Check what was received, and send under a new id.",
    ),
    F.DELIVERY_JOURNAL_DOWN: Texts(
        "办件日志暂不可写", "The journal cannot be written now", _LATER_ZH, _LATER_EN
    ),
    F.DELIVERY_SIGNER_DOWN: Texts(
        "签名服务暂不可用", "The signer does not answer now", _LATER_ZH, _LATER_EN
    ),
    F.DELIVERY_NOT_COLLECTED: Texts(
        "发给该网关的报文由本网关投递，不能自行领取",
        "Messages for this gateway are delivered to it, not collected by it",
        "如只能主动呼出，请对方运维在 partner.toml 中设置 [outlet.grpc] collects = true。",
        "If you can only call out, ask the operator for [outlet.grpc] collects = true.",
    ),
    F.DELIVERY_STOPPING: Texts("网关正在停机", "The gateway is stopping", _LATER_ZH, _LATER_EN),
    F.RECEIPT_NOT_KNOWN: Texts(
        "没有该报文的回执",
        "There is no receipt for this message",
        "请重发原报文，或查询时要求作废该标识。",
        "Send the message again, or ask with `burn` to have its id voided.",
    ),
    F.RECEIPT_INVALID: Texts(
        "回执无效",
        "The receipt does not hold",
        "回执与所发报文不对应或签名不成立，请与对方运维人员核对。",
        "It is not bound to what was sent, or not signed; ask the other side's operator.",
    ),
    F.ATTACHMENT_ABSENT: Texts(
        "附件尚未上传完整",
        "An attachment is not here in full",
        "请先上传所列附件，再按原样重发报文。",
        "Upload the attachments named, then send the same bytes again.",
    ),
    F.ATTACHMENT_DIGEST: Texts(
        "附件内容与声明的摘要不符",
        "The content is not what its digest says",
        _FILE_ZH,
        _FILE_EN,
    ),
    F.ATTACHMENT_SIZE: Texts(
        "附件大小与声明不符", "The size is not as declared", _FILE_ZH, _FILE_EN
    ),
    F.ATTACHMENT_SALT: Texts(
        "附件清单中的盐值与上传时不符",
        "The salt in the attachment list is not the one the file was sent with",
        "请以上传时的盐值列入清单后重新发送。",
        "List the file with the salt it was uploaded with and send the message anew.",
    ),
    F.ATTACHMENT_OFFSET: Texts(
        "续传位置不符",
        "The upload does not go on where it stopped",
        "请查询已收字节数，从该处续传。",
        "Ask how much is held and go on from there.",
    ),
    F.ATTACHMENT_NOT_DECLARED: Texts(
        "该附件未作声明",
        "The attachment was not declared",
        "请先在办件中声明该材料，再上传文件。",
        "Declare the material with the case before its file is uploaded.",
    ),
    F.ATTACHMENT_TYPE: Texts(
        "附件类型与声明不符", "The media type is not as declared", _FILE_ZH, _FILE_EN
    ),
}
"""Faults of carriage."""
