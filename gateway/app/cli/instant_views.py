"""How `kuayu instant` shows rules and trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, assert_never

from gateway.app.cli.instant_unknown import fields_mark, unknown_parts
from gateway.app.instant_fields import unknowns
from gateway.app.instant_trial import REASONS
from gateway.kernel.instants import to_iso
from gateway.rules.instant import (
    AllIn,
    Between,
    Condition,
    Equals,
    NotEmpty,
    OneOf,
    Reason,
    RuleSet,
)

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from gateway.ports.directory import Book


def rule_row(rule: RuleSet, at_ms: int, book: Book) -> dict[str, Any]:
    """Return a rule in short, JSON-ready; what the item's form leaves open stands beside it."""
    ended = rule.superseded_at_ms
    in_force = rule.valid_from_ms <= at_ms and (ended is None or at_ms < ended)
    return {
        "rule": rule.id,
        "version": rule.version,
        "name_zh": rule.name_zh,
        "name_en": rule.name_en,
        "item_code": rule.item_code,
        "item_versions": sorted(rule.item_versions),
        "scopes": sum(len(c.scopes) for c in rule.classes),
        "valid_from": to_iso(rule.valid_from_ms),
        "superseded_at": None if ended is None else to_iso(ended),
        "in_force": in_force,
        **unknowns(rule, book),
        "document": rule.document.hex(),
    }


def rules_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return the rules as a table."""
    from rich.table import Table

    table = Table(title="秒批规则 instant rules")
    for head in (
        "规则 rule",
        "版本",
        "事项 item",
        "经营范围 scopes",
        "生效 in force",
        "字段 fields",
        "摘要 digest",
    ):
        table.add_column(head)
    for row in rows:
        table.add_row(
            f"{row['rule']}\n{row['name_zh']}",
            row["version"],
            f"{row['item_code']} v{','.join(row['item_versions'])}",
            str(row["scopes"]),
            "✓" if row["in_force"] else "✗",
            fields_mark(row),
            row["document"][:12],
        )
    return table


def rule_view(rule: RuleSet, at_ms: int, book: Book) -> dict[str, Any]:
    """Return a whole rule, JSON-ready."""
    result = rule.result
    return {
        **rule_row(rule, at_ms, book),
        "materials": sorted(rule.materials),
        "classes": [
            {"id": c.id, "name_zh": c.name_zh, "name_en": c.name_en, "scopes": sorted(c.scopes)}
            for c in rule.classes
        ],
        "conditions": [_condition(c) for c in rule.conditions],
        "result": {
            "text_zh": result.text_zh,
            "text_en": result.text_en,
            "licence_type": result.licence_type,
            "from_form": dict(result.from_form),
            "fixed": dict(result.fixed),
        },
    }


def _condition(condition: Condition) -> dict[str, Any]:
    field = condition.pointer
    match condition:
        case Equals():
            return {"field": field, "test": "equals", "value": condition.value}
        case OneOf():
            return {"field": field, "test": "one_of", "values": list(condition.values)}
        case AllIn():
            return {"field": field, "test": "all_in_classes", "classes": list(condition.classes)}
        case Between():
            bounds = {"minimum": condition.minimum, "maximum": condition.maximum}
            return {"field": field, "test": "between", **bounds}
        case NotEmpty():
            return {"field": field, "test": "not_empty"}
        case _ as never:
            assert_never(never)


def rule_parts(rule: RuleSet, at_ms: int, book: Book) -> list[RenderableType]:
    """Return a whole rule for people."""
    view = rule_view(rule, at_ms, book)
    parts: list[RenderableType] = [rules_table([view])]
    for each in view["classes"]:
        scopes = "、".join(each["scopes"])
        parts.append(f"{each['name_zh']} {each['name_en']} ({len(each['scopes'])}): {scopes}")
    parts.append("条件 conditions, all of them:")
    for each in view["conditions"]:
        more = " ".join(f"{k}={v}" for k, v in each.items() if k not in ("field", "test"))
        parts.append(f"  {each['field']}  {each['test']}  {more}".rstrip())
    parts.append(f"材料 materials: {', '.join(view['materials']) or '—'}")
    parts.append(f"结果 result: {rule.result.text_zh}  {rule.result.text_en}")
    return parts + unknown_parts(view)


def trial_parts(trial: Mapping[str, Any]) -> list[RenderableType]:
    """Return for people what would be decided, and why."""
    if not trial["decides"]:
        zh, en = REASONS[Reason(trial["reason"])]
        where = trial["where"] or ", ".join(trial["missing_materials"])
        left = f"✗ 转人工办理 left to a person: {zh} {en}" + (f": {where}" if where else "")
        return [left, *(part for row in trial["unknown"] for part in unknown_parts(row))]
    decision = trial["decision"]
    inputs = ", ".join(trial["inputs"])
    return [
        f"✓ 秒批 decided at once by {trial['rule']}@{trial['version']} {trial['document'][:12]}…",
        f"  {decision['reason_zh']}",
        f"  依据字段 inputs: {inputs}",
        f"  证照 licence (sample serial): {decision['licence']['entname']}",
    ]
