"""What is known of a case or a message, as a tree for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text
from rich.tree import Tree

from gateway.app.cli.joint_trees import add_joint_tasks, joint_facts
from gateway.app.cli.words import both, rule

View = Mapping[str, Any]
"""A view of `flow.views` or `flow.inquiry`."""


def case_tree(case: View, home: str) -> Tree:
    """Show a case, its messages with their receipts, and where it waits."""
    tree = Tree(Text(f"案件 case {case['case_id']}  (网关 gateway {home})", style="bold"))
    stage = f"{case['stage_zh']} {case['stage']}"
    if case["expected_stage"] != case["stage"]:
        stage += f"，待对方确认 once confirmed: {case['expected_stage']}"
    numbers = case["case_numbers"]
    _facts(
        tree,
        {
            "阶段 stage": stage,
            "在谁手里 held by": case["held_by"] or "已结 nobody: it is closed",
            "申请地 origin": case["origin"],
            "办理地 deciding": case["deciding"],
            **joint_facts(case),
            "本方角色 our role": f"{both(case['role'])}, 单位 unit {case['unit']}",
            "事项 item": f"{case['item_code']} v{case['item_version']}, {both(case['mode'])}",
            "用途 purpose": case["purpose"],
            "协议 agreement": case["agreement"],
            "办件编号 numbers": " / ".join(n for n in numbers.values() if n) or None,
            "结果 result": both(case["result"]) if case["result"] else None,
            "时间 times": f"{case['opened_at']} 起 opened, {case['changed_at']} 变更 changed",
        },
    )
    if case["attention"]:
        tree.add(Text(f"需人工处理 attention: {rule(case['attention'])}", style="bold red"))
    materials = [
        f"{m['material_code']}{'' if m['uploaded'] else ' (未上传 not uploaded)'}"
        for m in case["materials"]
    ]
    _facts(tree, {"材料 materials": ", ".join(materials) or None})
    add_joint_tasks(tree, case)
    _deadlines(tree, case["deadlines"])
    history = tree.add(Text(f"报文 messages: {len(case['history'])}"))
    for message in case["history"]:
        _receipt(history.add(Text(_headline(message))), message)
    _waits(tree, case["outbox"])
    return tree


def _deadlines(tree: Tree, deadlines: View) -> None:
    """Show each clock: with whom, since when, until when; and how long each side held the case."""
    if not deadlines["clocks"]:
        return
    held = ", ".join(f"{h['gateway']} {h['days']}" for h in deadlines["held"])
    node = tree.add(Text(f"时限 clocks; 持有工作日 working days held: {held}"))
    for clock in deadlines["clocks"]:
        limit = "无期限 no limit" if clock["limit_days"] is None else f"/{clock['limit_days']}"
        used = f"{clock['used_days']}{limit}" if clock["limit_days"] is not None else limit
        line = (
            f"{clock['clock_zh']} {clock['clock']} ({clock['held_by']}): {both(clock['state'])}, "
            f"{used}, 自 from {clock['started_at'][:10]}"
        )
        line += f", 截止 due {clock['due']}" if clock["due"] else ""
        line += ", 视为受理 deemed accepted" if clock["deemed_accepted"] else ""
        late = clock["late_days"] or clock["state"] == "overdue"
        line += f", 超期 late {clock['late_days']}" if late else ""
        node.add(Text(line, style="red" if late else ""))
    for told in deadlines["told"]:
        node.add(Text(f"{told['at'][:10]} {told['clock']}: {both(told['told'])}", style="yellow"))


def message_tree(message: View, home: str) -> Tree:
    """Show a message: who, when, under what, who signed, its receipt, where it waits."""
    tree = Tree(Text(f"报文 message {message['message_id']}  (网关 gateway {home})", style="bold"))
    tree.add(Text(_headline(message)))
    header = message.get("header")
    if header:
        _facts(
            tree.add("报文头 header"),
            {name: both(value) for name, value in header.items() if value is not None},
        )
    for signature in message.get("signatures", ()):
        batch = f", 批量 batch of {signature['batch_size']}" if signature["batch_size"] > 1 else ""
        tree.add(Text(f"签名 signed by key {signature['key_id']}{batch}"))
    if message.get("attestation"):
        _facts(tree.add("适配器证明 attested by our adapter"), message["attestation"])
    tree.add(Text(f"摘要 header digest {message['header_digest']}"))
    _receipt(tree, message)
    for key_id in message.get("receipt_signed_by", ()):
        tree.add(Text(f"回执签名 receipt signed by key {key_id}"))
    if message.get("receipt_attestation"):
        _facts(tree.add("回执证明 receipt attested"), message["receipt_attestation"])
    _waits(tree, [message["waits"]] if message["waits"] else [])
    if message["evidence"]:
        _facts(tree.add("证据 evidence kept"), message["evidence"])
    return tree


def _headline(message: View) -> str:
    return (
        f"{message['recorded_at']}  {message['sender']} → {message['recipient']}  "
        f"{both(message['kind'])}  #{message['sequence']}  {message['message_id']}"
    )


def _receipt(tree: Tree, message: View) -> None:
    receipt = message["receipt"]
    if receipt is None:
        tree.add(Text("回执 receipt: 尚无 none yet", style="yellow"))
        return
    waited = "" if message["waited_ms"] is None else f", {message['waited_ms']} ms"
    line = f"回执 receipt: {both(receipt['outcome'])} {receipt['received_at']}{waited}"
    node = tree.add(Text(line, style="green" if receipt["outcome"] == "taken_in" else "red"))
    if receipt["rule"]:
        node.add(Text(f"规则 rule {rule(receipt['rule'])}"))
        node.add(Text(f"{receipt['text_zh']} {receipt['text_en']}"))


def _waits(tree: Tree, outbox: Sequence[View]) -> None:
    """Show what has no receipt yet: at which partner, in which state, why and until when."""
    if not outbox:
        tree.add(Text("等待 waits: 无 nothing is waiting to be sent"))
        return
    for entry in outbox:
        line = (
            f"等待 waits: {both(entry['kind'])} → {entry['partner']}: {both(entry['status'])}, "
            f"{entry['attempts']} 次 attempts"
        )
        if entry["next_attempt_at"]:
            line += f", 下次 next {entry['next_attempt_at']}"
        node = tree.add(Text(line, style="yellow"))
        if entry["last_fault"]:
            node.add(Text(f"上次原因 last reason {rule(entry['last_fault'])}"))


def _facts(tree: Tree, facts: Mapping[str, object]) -> None:
    """Show named values; what is None or empty is left out."""
    for name, value in facts.items():
        if isinstance(value, list | tuple):
            value = ", ".join(str(part) for part in value)  # noqa: PLW2901
        if value is not None and value != "":
            tree.add(Text(f"{name}: {value}"))
