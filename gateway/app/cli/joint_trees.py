"""Joint cases (多地联办) in the trees that people read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.text import Text
from rich.tree import Tree


def joint_facts(case: Mapping[str, Any]) -> dict[str, object]:
    """Return what only the case of a joint task (协办任务) has; nothing of any other case."""
    if "participating" not in case:
        return {}
    return {
        "协办地 participating": case["participating"],
        "主办件 main case": f"{case['parent']['origin']} {case['parent']['case_id']}",
        "答复截止 answer due": case["due_on"],
    }


def add_joint_tasks(tree: Tree, case: Mapping[str, Any]) -> None:
    """Show the joint tasks of a main case: which region, how each stands, by when."""
    for task in case.get("joint_tasks", ()):
        line = (
            f"协办 joint task {task['joint_task_id']} → {task['region']}: "
            f"{task['state_zh']} {task['state']}, 截止 due {task['due_on']}"
        )
        tree.add(Text(line, style="red" if task["state"] == "disagreed" else ""))
