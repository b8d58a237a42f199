"""Agreements as operators see them: lists, trees, the matrix, and an answer for any day."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from rich.table import Table
from rich.tree import Tree

from gateway.app.cli.agreement_notices import act_lines
from gateway.app.cli.exits import ExitCode, Stop
from gateway.app.cli.partner_views import agreement_view
from gateway.app.cli.words import both
from gateway.flow.permissions import Permission, allowed_under
from gateway.kernel.envelope import Mode, Right
from gateway.kernel.faults import Fault
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.instants import to_iso
from gateway.ports.directory import Book
from gateway.rules.agreement import Agreement, Exchange, OpenCases, as_of
from gateway.wire.fault_table import texts

RIGHT_SIGNS: Final = {
    Right.ACCEPT: "受",
    Right.NOTIFY_ONCE: "告",
    Right.VERIFY_ORIGINALS: "核",
    Right.DELIVER_RESULT: "达",
}
"""One character for each delegable right, as the matrix shows it."""


def history_view(agreement: Agreement, at_ms: int) -> dict[str, Any]:
    """Show an agreement as of an instant."""
    then = as_of(agreement, at_ms)
    revoked = [a.open_cases.name.lower() for a in then.acts if a.open_cases is not OpenCases.UNSAID]
    return {
        **agreement_view(then, at_ms),
        "parties": sorted(agreement.parties),
        "as_of": to_iso(at_ms),
        "open_cases": revoked[0] if revoked else None,
    }


def agreement_table(found: Sequence[Agreement], at_ms: int) -> Table:
    """Draw a list of agreements."""
    table = Table("协议 agreement", "名称 name", "各方 parties", "表态 verdicts", "效力 force")
    for agreement in found:
        view = history_view(agreement, at_ms)
        acts = "\n".join(f"{a['party']} {a['verdict']} {a['at'][:10]}" for a in view["acts"])
        table.add_row(
            view["digest"][:16], view["name"], " ".join(view["parties"]), acts, _force(view)
        )
    return table


def _force(view: dict[str, Any]) -> str:
    because = view["because"]
    return "有效 in force" if because is None else f"无效 not in force: {because['rule']}"


def agreement_tree(agreement: Agreement, at_ms: int) -> Tree:
    """Draw one agreement with its grants and verdicts."""
    view = history_view(agreement, at_ms)
    tree = Tree(f"协议 agreement {view['digest']}\n{view['name']}  {_force(view)}")
    tree.add(f"有效期 validity {view['not_before'][:10]} – {view['not_after'][:10]}")
    tree.add("各方 parties " + ", ".join(view["parties"]))
    tree.add("算法套件 suites " + ", ".join(view["required_suites"]))
    acts = tree.add("表态 verdicts")
    for line in act_lines(view):
        acts.add(line)
    for number, grant in enumerate(view["grants"], 1):
        branch = tree.add(f"授权 grant {number}")
        for code, versions in grant["items"].items():
            branch.add(f"事项 item {code} 版本 versions {', '.join(versions)}")
        branch.add("申请地 origins " + ", ".join(grant["origins"]))
        branch.add("办理地 deciding " + ", ".join(grant["deciding"]))
        branch.add("模式 modes " + ", ".join(map(both, grant["modes"])))
        branch.add("权限 rights " + (", ".join(map(both, grant["rights"])) or "无 none"))
        branch.add("用途 purposes " + ", ".join(grant["purposes"]))
        branch.add("证照 licence types " + (", ".join(grant["licence_types"]) or "无 none"))
        if grant["participating"]:
            branch.add("协办地 participating " + ", ".join(grant["participating"]))
        if (onward := grant["onward"]) is not None:
            passed = ", ".join(onward["form_fields"] + onward["materials"]) or "无 none"
            branch.add(f"可转交 onward to {', '.join(onward['to']) or '无 none'}: {passed}")
    return tree


def permission_view(permission: Permission) -> dict[str, Any]:
    """Show a line of the matrix."""
    return {
        **permission._asdict(),
        "versions": list(permission.versions),
        "modes": sorted(m.name.lower() for m in permission.modes),
        "rights": sorted(r.name.lower() for r in permission.rights),
        "purposes": list(permission.purposes),
        "agreement": permission.agreement.hex(),
    }


def matrix_table(book: Book, found: Sequence[Permission]) -> Table:
    """Draw the matrix: a line for each partner, direction and item."""
    modes = [f"{both(m.name.lower())}" for m in Mode]
    signs = " ".join(f"{sign} {right.name.lower()}" for right, sign in RIGHT_SIGNS.items())
    table = Table(
        "对方 partner", "方向 way", "事项 item", "版本", *modes, "权限 rights", caption=signs
    )
    for p in found:
        partner = book.partners.get(p.partner)
        table.add_row(
            f"{p.partner} {partner.name_zh if partner else ''}",
            p.way(book.home.gateway_id),
            f"{p.item_code} {p.item_name_zh}",
            ",".join(p.versions),
            *("●" if m in p.modes else "" for m in Mode),
            rights_text(p.rights) or "—",
        )
    return table


def rights_text(rights: frozenset[Right]) -> str:
    """Write rights by their signs."""
    return "".join(sign for right, sign in RIGHT_SIGNS.items() if right in rights)


def judge(book: Book, asked: Sequence[str], at_ms: int) -> dict[str, Any]:
    """Answer whether a new case was allowed at an instant, and under which agreement or not."""
    origin, deciding, item, version, mode, purpose, right = asked
    try:
        use, exercised = Mode[mode.upper()], Right[right.upper()]
    except KeyError:
        names = "; ".join(", ".join(n.name.lower() for n in kind) for kind in (Mode, Right))
        wrong = f"{mode}, {right}: no such mode or right; there are {names}"
        raise Stop(ExitCode.USAGE, wrong) from None
    wish = Exchange(GatewayId(origin), GatewayId(deciding), item, version, use, purpose, exercised)
    day = to_iso(at_ms)
    try:
        digest = allowed_under(book, wish, at_ms).hex()
    except Fault as fault:
        zh, en = texts(fault.code, fault.detail)
        view = {"allowed": False, "rule": fault.code.value, "agreement": None}
        answers = f"不允许 ({day[:10]})：{zh}", f"not allowed: {fault.code.value} {en}"
    else:
        view = {"allowed": True, "rule": None, "agreement": digest}
        answers = f"允许 ({day[:10]})", f"allowed under {digest}"
    return {**view, "as_of": day, "answer_zh": answers[0], "answer_en": answers[1]}
