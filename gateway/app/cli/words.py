"""Chinese and English for what people read; programs get the English word alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_KINDS: Final = {
    "submitted": "提交",
    "acknowledged": "签收",
    "materials_requested": "补正",
    "materials_supplied": "补交",
    "accepted": "受理",
    "not_accepted": "不予受理",
    "clock_suspended": "特别程序开始",
    "clock_resumed": "特别程序结束",
    "joint_task": "多地联办任务",
    "joint_answer": "多地联办答复",
    "decided": "办结",
    "withdrawn": "撤回",
    "delivered": "送达",
    "archived": "归档",
    "reviewed": "评价",
    "licence_status_changed": "证照状态变更",
    "licence_query": "证照查询",
    "licence_answer": "证照答复",
    "catalogue_changed": "事项目录变更",
    "agreement_proposed": "协议提出",
    "agreement_accepted": "协议接受",
    "agreement_rejected": "协议拒绝",
    "agreement_revoked": "协议撤销",
    "parcel_moved": "物流",
    "key_announced": "密钥公布",
    "ping": "连通测试",
}
_OTHERS: Final = {
    "taken_in": "已接收",
    "refused": "已拒收",
    "void": "已作废",
    "origin": "申请地",
    "deciding": "办理地",
    "asking": "主办地",
    "participating": "协办地",
    "preparing": "材料上传中",
    "waiting": "排队",
    "pending": "待发送",
    "listed": "待人工转交",
    "handed_over": "已转交",
    "typed": "已录入",
    "replaced": "已更正",
    "mismatched": "复核不符",
    "confirmed": "已复核",
    "done": "已完成",
    "received": "已收到",
    "quarantined": "已隔离",
    "dropped": "已弃置",
    "assisted": "人工协办",
    "signed": "已签名",
    "authenticated": "已认证",
    "integrity_only": "仅校验完整",
    "unknown": "结果待查",
    "draft": "草稿",
    "testing": "测试",
    "active": "启用",
    "suspended": "暂停",
    "retired": "停用",
    "online": "全程网办",
    "collect_on_behalf": "异地代收代办",
    "joint": "多地联办",
    "accept": "收件受理权",
    "notify_once": "一次性告知权",
    "verify_originals": "原件核验权",
    "deliver_result": "审批结果送达权",
    "approved": "准予",
    "agree": "同意",
    "disagree": "不同意",
    "running": "计时中",
    "stopped": "已停止",
    "overdue": "超期",
    "half": "时限过半",
    "three_quarters": "时限过四分之三",
    "day_before": "剩一个工作日",
    "deemed_accepted": "视为受理",
    "calendar_missing": "缺少年度日历",
    "in": "收",
    "out": "发",
}
WORDS: Final[Mapping[str, str]] = {**_KINDS, **_OTHERS}


def both(word: object) -> str:
    """Write a word in both languages; one without Chinese, or none, as it is."""
    text = "—" if word is None or word == "" else str(word)
    return f"{WORDS[text]} {text}" if text in WORDS else text


def listed(found: object) -> str:
    """Write a list that a gateway answered."""
    return ", ".join(map(str, found)) if isinstance(found, list) else str(found)


def rule(identifier: str) -> str:
    """Write a rule id with its meaning and what to do; an id that is none, as it is."""
    from gateway.kernel.faults import FaultCode
    from gateway.wire.fault_table import entry

    try:
        row = entry(FaultCode(identifier))
    except ValueError:
        return identifier
    return f"{identifier}  {row.title_zh} {row.title_en}. {row.advice_zh} {row.advice_en}"
