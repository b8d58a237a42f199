"""What is said of each broken rule of the business: forms, items, agreements, cases, portals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.kernel.faults import FaultCode as F
from gateway.wire.fault_texts import Texts

_JSON_ZH = "请修正生成表单的程序后重新提交。"
_JSON_EN = "Correct the program that writes the form, and submit again."
_LIST_ZH = "请按办理地的材料清单核对后重新提交。"
_LIST_EN = "Compare with the deciding place's list of materials, and submit again."
_VERSION_ZH = "请查询事项清单，按现行版本重新填报。"
_VERSION_EN = "Fetch the list of items and fill in the current version."
_GRANT_ZH = "请查看双方协议，改用已列明的内容，或先修订协议。"
_GRANT_EN = "Use what the agreement lists, or have the agreement amended first."
_FORCE_ZH = "请由双方主管部门确认协议状态，或改用有效的协议。"
_FORCE_EN = "Have both offices settle the agreement, or use one that is in force."
_STATE_ZH = "请查看办件当前状态和回执后再操作。"
_STATE_EN = "Look at the case's stage and receipts first."
_LOGIN_ZH = "请重新取得令牌后再试。"
_LOGIN_EN = "Get a new token and try again."
_ASK_ZH = "请按接口说明修正请求。"
_ASK_EN = "Correct the request as the interface description says."

CASEWORK: Final[Mapping[F, Texts]] = {
    F.SCHEMA_JSON_INVALID: Texts("表单不是有效的 JSON", "The form is not JSON", _JSON_ZH, _JSON_EN),
    F.SCHEMA_JSON_DUPLICATE_KEY: Texts(
        "表单中有重复的键", "The form has a key twice", _JSON_ZH, _JSON_EN
    ),
    F.SCHEMA_JSON_NUMBER: Texts(
        "表单中的数字不能准确表示",
        "A number in the form cannot be kept exactly",
        "请把过大的数字改为文本，不使用 NaN 或无穷大。",
        "Write large numbers as text; NaN and infinity are no JSON.",
    ),
    F.SCHEMA_JSON_DEPTH: Texts("表单嵌套过深", "The form is nested too deeply", _JSON_ZH, _JSON_EN),
    F.SCHEMA_JSON_ENCODING: Texts(
        "表单不是有效的 UTF-8 编码", "The form is not valid UTF-8", _JSON_ZH, _JSON_EN
    ),
    F.SCHEMA_FORM_INVALID: Texts(
        "表单填写不符合要求",
        "The form does not follow its schema",
        "请按所列各处更正后重新提交。",
        "Correct the places listed, and submit again.",
    ),
    F.CATALOGUE_ITEM_UNKNOWN: Texts(
        "事项尚未收录",
        "The item is not in the catalogue here yet",
        "请联系办理地更新事项清单，之后按原样重发。",
        "Have the deciding place update its catalogue, then send the same bytes again.",
    ),
    F.CATALOGUE_VERSION_UNKNOWN: Texts(
        "事项版本尚未收录",
        "The version of the item is not in the catalogue here yet",
        "请联系办理地更新事项清单，之后按原样重发。",
        "Have the deciding place update its catalogue, then send the same bytes again.",
    ),
    F.CATALOGUE_VERSION_SUPERSEDED: Texts(
        "事项版本已被替代", "The version of the item is superseded", _VERSION_ZH, _VERSION_EN
    ),
    F.CATALOGUE_VERSION_NOT_YET: Texts(
        "事项版本尚未启用", "The version of the item is not in use yet", _VERSION_ZH, _VERSION_EN
    ),
    F.CATALOGUE_MATERIAL_MISSING: Texts(
        "缺少必需的材料", "Required material is missing", _LIST_ZH, _LIST_EN
    ),
    F.CATALOGUE_MATERIAL_UNKNOWN: Texts(
        "材料不在清单之内", "The material is not on the list", _LIST_ZH, _LIST_EN
    ),
    F.CATALOGUE_MATERIAL_TYPE: Texts(
        "材料的文件类型不被接受", "The material's file type is not accepted", _LIST_ZH, _LIST_EN
    ),
    F.CATALOGUE_LICENCE_UNFIT: Texts(
        "电子证照的类型不能代替该材料",
        "An e-licence of this type does not stand for the material",
        "请填写清单所列类型的电子证照标识，或改交文件。",
        "Name an e-licence of a type the list accepts, or hand in a file instead.",
    ),
    F.CATALOGUE_OUT_OF_SCOPE: Texts(
        "申请地不在事项的通办范围内",
        "The item is not handled for applications from this region",
        "请查看事项的通办范围，改在办理地或范围内的窗口申请。",
        "See the item's scope; apply at the deciding place or at a window within the scope.",
    ),
    F.CATALOGUE_MODE_UNLISTED: Texts(
        "事项不以该通办模式办理",
        "The item is not handled in this mode",
        "请查看事项列明的通办模式，改选其中之一。",
        "See the modes the item lists and choose one of them.",
    ),
    F.AGREEMENT_UNKNOWN: Texts(
        "协议尚未收录",
        "The agreement is not known here yet",
        "请由双方核对协议文件的摘要，收录后按原样重发。",
        "Compare the digest of the agreement's file on both sides, then send the same bytes again.",
    ),
    F.AGREEMENT_NOT_PARTY: Texts(
        "不是该协议的当事方", "A gateway is not a party of the agreement", _FORCE_ZH, _FORCE_EN
    ),
    F.AGREEMENT_NOT_ACCEPTED: Texts(
        "协议尚未经各方接受",
        "The agreement is not accepted by every party",
        _FORCE_ZH,
        _FORCE_EN,
    ),
    F.AGREEMENT_REVOKED: Texts(
        "协议已被拒绝或撤销", "The agreement is rejected or revoked", _FORCE_ZH, _FORCE_EN
    ),
    F.AGREEMENT_ENDED: Texts("协议已到期", "The agreement has ended", _FORCE_ZH, _FORCE_EN),
    F.AGREEMENT_NOT_YET: Texts("协议尚未生效", "The agreement has not begun", _FORCE_ZH, _FORCE_EN),
    F.AGREEMENT_ITEM_UNLISTED: Texts(
        "协议未列明该事项或证照类型",
        "The agreement does not list the item or type of licence",
        _GRANT_ZH,
        _GRANT_EN,
    ),
    F.AGREEMENT_VERSION_UNLISTED: Texts(
        "协议未列明该事项版本",
        "The agreement does not list this version of the item",
        _GRANT_ZH,
        _GRANT_EN,
    ),
    F.AGREEMENT_DIRECTION: Texts(
        "协议不允许该申请地与办理地的方向",
        "The agreement does not allow the item in this direction",
        _GRANT_ZH,
        _GRANT_EN,
    ),
    F.AGREEMENT_MODE_UNLISTED: Texts(
        "协议未列明该通办模式", "The agreement does not list the mode", _GRANT_ZH, _GRANT_EN
    ),
    F.AGREEMENT_RIGHT_NOT_DELEGATED: Texts(
        "协议未委托该项权限", "The agreement does not delegate the right", _GRANT_ZH, _GRANT_EN
    ),
    F.AGREEMENT_PURPOSE_UNLISTED: Texts(
        "协议未列明该用途", "The agreement does not list the purpose", _GRANT_ZH, _GRANT_EN
    ),
    F.AGREEMENT_STRENGTH_TOO_WEAK: Texts(
        "证明强度低于协议要求",
        "The proof is weaker than the agreement demands",
        "请改用协议要求的签名方式。",
        "Use the kind of proof that the agreement demands.",
    ),
    F.AGREEMENT_SUITES_DIFFER: Texts(
        "报文头所列套件与协议不一致",
        "The header does not name the suites that the agreement demands",
        "请按协议所列算法套件，依原顺序写入报文头。",
        "Name the agreement's suites in the header, in its order.",
    ),
    F.AGREEMENT_CONTENT_INVALID: Texts(
        "协议内容无法读取",
        "The agreement's content cannot be read",
        "请按协议文件格式改正后重新提出。",
        "Correct the agreement file and propose it anew.",
    ),
    F.AGREEMENT_ACT_INVALID: Texts(
        "协议签署无效",
        "The signed verdict on the agreement does not hold",
        "请由本方以有效密钥重新签署后发送。",
        "Have the party sign its verdict again with a valid key, and send that.",
    ),
    F.AGREEMENT_ACT_OUT_OF_ORDER: Texts(
        "该方此前的表态不允许此项操作",
        "What the party said before does not allow this verdict",
        "请查看协议签署情况：未接受的不能撤销，已表态的请另提新协议。",
        "Look at the agreement's acts: only what was accepted can be revoked; else propose anew.",
    ),
    F.CASE_UNKNOWN: Texts(
        "没有该办件", "The case is not known", "请先提交办件。", "Submit the case first."
    ),
    F.CASE_NOT_PARTY: Texts(
        "不是该办件的当事方",
        "The sender is not a party of this case",
        "请核对办件标识；他方的办件不可操作。",
        "Check the case id; a case of others cannot be touched.",
    ),
    F.CASE_ROLE: Texts(
        "该方无权发送此类报文",
        "This side may not send this kind of message",
        "请由申请地或办理地中有权的一方发送。",
        "Let the side that has the power send it.",
    ),
    F.CASE_STAGE: Texts(
        "办件当前阶段不能进行该操作",
        "The message does not follow at this stage of the case",
        _STATE_ZH,
        _STATE_EN,
    ),
    F.CASE_CLOSED: Texts("办件已结束", "The case is closed", _STATE_ZH, _STATE_EN),
    F.CASE_SUSPENDED: Texts(
        "特别程序进行中，不能作出决定",
        "A special procedure is under way: nothing can be decided",
        "请先结束特别程序，再作出决定。",
        "Resume the case, then decide.",
    ),
    F.CASE_ALREADY_DECIDED: Texts(
        "办件已办结",
        "The case is decided already",
        "撤回未生效，以办理地的决定为准。",
        "The withdrawal has no effect; the decision stands.",
    ),
    F.CASE_REVIEW_UNKNOWN: Texts(
        "未找到所答复的评价",
        "The case has no review of that digest",
        "请按办件中列出的评价摘要（digest）答复。",
        "Answer a review that the case lists, by its `digest`.",
    ),
    F.CASE_REVIEWS_FULL: Texts(
        "该办件的评价已达上限",
        "The case has as many reviews as one may have",
        "请核对是否重复提交评价。",
        "See whether reviews are being sent again and again.",
    ),
    F.CASE_REVIEW_ANSWERED: Texts(
        "该评价已答复",
        "The review has been answered already",
        "一条评价只答复一次；如有补充，请另行联系申请人。",
        "A review is answered once.",
    ),
    F.CASE_CORRECTION_UNNAMED: Texts(
        "再次作出决定而未指明所更正的决定",
        "A further decision does not name the one it corrects",
        "已上传的结果不得悄然撤换；如有错误，请以 corrects 写明原决定并说明理由。",
        "A result is never replaced silently: name the old decision in `corrects`, with a reason.",
    ),
    F.CASE_DECISION_DIFFERS: Texts(
        "所指的决定不是现行有效的决定",
        "The decision that is named is not the one that stands",
        "请刷新办件，以现行决定为准，再行办理。",
        "Load the case again and go on from the decision that stands now.",
    ),
    F.CASE_INSTANT_DIFFERS: Texts(
        "秒批决定所列的依据与所提交的表单不符，或并非由规则作出",
        "A decision by rule does not name what was submitted, or no rule said it",
        "请核对 instant 所列字段及其摘要；人工作出的决定不带 instant。",
        "Check the fields and the digest under `instant`; a person's decision carries none.",
    ),
    F.CASE_FROZEN_DIFFERS: Texts(
        "协议、事项、版本、模式或用途与首次提交时不同",
        "Agreement, item, version, mode or purpose differ from what the case froze",
        "请沿用办件首个报文所列的内容。",
        "Name what the first message of the case named.",
    ),
    F.CASE_KIND_NOT_SERVED: Texts(
        "本网关尚不办理此类报文",
        "This kind of message is not served here",
        "请与对方商定其他办理方式。",
        "Agree on another way with the other side.",
    ),
    F.CASE_RIGHT_REQUIRED: Texts(
        "须载明所行使的委托权限",
        "The delegated right that is exercised must be named",
        "请在报文头写明相应的委托权限，以新的标识发送。",
        "Name the right in the header, and send under a new message id.",
    ),
    F.ASSISTED_WRONG_CASE: Texts(
        "录入内容不属于该协办单",
        "What was typed belongs to another sheet",
        "请核对协办单上的对方地区和办件编号，找到对应的协办单后再录入。",
        "Compare the partner's region and our case number with the sheet, and type under that one.",
    ),
    F.ASSISTED_NOT_HANDED_OVER: Texts(
        "协办单尚未登记转交",
        "The sheet is not yet noted as handed over",
        "请先登记协办单何时以何种方式转交对方，再录入结果。",
        "Note first when and how the sheet was handed over, then type the outcome.",
    ),
    F.ASSISTED_AWAITS_CONFIRMATION: Texts(
        "该办件已有录入结果等待复核",
        "An outcome typed for this case waits to be confirmed",
        "请由另一名工作人员先复核已录入的结果，或由原录入人更正。",
        "Have another person confirm it first, or its typist correct it.",
    ),
    F.ASSISTED_NOTHING_TYPED: Texts(
        "没有等待复核的录入结果",
        "No typed outcome waits to be confirmed here",
        "请先由一名工作人员录入对方的结果。",
        "Have one person type the partner's answer first.",
    ),
    F.ASSISTED_SAME_PERSON: Texts(
        "录入人不得复核自己录入的结果",
        "Whoever typed the outcome may not confirm it",
        "请由另一名工作人员复核。",
        "Have another person confirm it.",
    ),
    F.ASSISTED_MISMATCH: Texts(
        "复核内容与录入内容不一致",
        "What was confirmed is not what was typed",
        "录入已作废，请对照原件重新录入并复核。",
        "What was typed is void; type and confirm it again from the original.",
    ),
    F.CASE_IDENTITY_REQUIRED: Texts(
        "代收代办须载明申请人身份核验情况",
        "How the applicant's identity was verified must be stated",
        "请核验申请人身份，写明核验方式、单位和时间，再行提交。",
        "Verify the identity; state how, by which unit and when; then submit.",
    ),
    F.CASE_AUTHORISATION_MISSING: Texts(
        "代办缺少授权委托书",
        "The agent's authorisation is not among the materials",
        "请写明授权内容，并随件附上授权委托书。",
        "State the authorisation, and attach its document to the submission.",
    ),
    F.CASE_AUTHORISATION_ENDED: Texts(
        "授权委托已过有效期",
        "The agent's authorisation has ended",
        "请由申请人重新授权后再行提交。",
        "Have the applicant authorise the agent anew, then submit.",
    ),
    F.PORTAL_TOKEN_MISSING: Texts("未提供令牌", "There is no token", _LOGIN_ZH, _LOGIN_EN),
    F.PORTAL_TOKEN_INVALID: Texts("令牌无效", "The token is not valid", _LOGIN_ZH, _LOGIN_EN),
    F.PORTAL_TOKEN_EXPIRED: Texts("令牌已过期", "The token has expired", _LOGIN_ZH, _LOGIN_EN),
    F.PORTAL_SCOPE_MISSING: Texts(
        "令牌没有所需的权限范围",
        "The token lacks the scope that is needed",
        "请由管理员为该系统授予所需的权限范围。",
        "Have the administrator grant the scope to this system.",
    ),
    F.PORTAL_NOT_FOUND: Texts(
        "没有找到",
        "Nothing of this name is here",
        "请核对地址和标识；不属于查询者的办件不可见。",
        "Check address and id; cases of other units are not to be seen.",
    ),
    F.PORTAL_REQUEST_INVALID: Texts("请求不符合规定", "The request is not valid", _ASK_ZH, _ASK_EN),
    F.PORTAL_METHOD: Texts(
        "该地址不支持此请求方法", "The method is not served at this address", _ASK_ZH, _ASK_EN
    ),
    F.PORTAL_MEDIA_TYPE: Texts(
        "不支持该内容类型", "The media type of the request is not served", _ASK_ZH, _ASK_EN
    ),
    F.PORTAL_TOO_LARGE: Texts("请求内容过大", "The request is too large", _ASK_ZH, _ASK_EN),
    F.PORTAL_TOO_SLOW: Texts(
        "请求内容到达过慢",
        "The request came too slowly",
        "请检查网络后重试。",
        "Check the network and try again.",
    ),
    F.PORTAL_IDEMPOTENCY_REUSED: Texts(
        "幂等键已用于另一请求",
        "The idempotency key belongs to another request",
        "请为不同的请求使用不同的幂等键。",
        "Use another key for another request.",
    ),
    F.PORTAL_STALE: Texts(
        "办件已被更新",
        "The case has changed since it was read",
        "请重新读取办件后再操作。",
        "Read the case again, then act.",
    ),
    F.INTERNAL: Texts(
        "网关内部错误",
        "The gateway failed",
        "未保存任何内容，请稍后重试；如仍出现，请联系运维人员。",
        "Nothing was stored; try again later, and tell the operator if it stays.",
    ),
}
"""Faults of the business and of the gateway itself."""
