"""What became of this gateway's own verdicts at the other parties, as operators see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.kernel.envelope import Kind, Outcome
from gateway.kernel.instants import to_iso

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gateway.app.config import Config
    from gateway.ports.journal_agreements import StoredNotice

_STATES: Final = {
    0: "on_its_way",
    int(Outcome.TAKEN_IN): "taken_in",
    int(Outcome.REFUSED): "refused",
}


def notices_of(config: Config) -> dict[bytes, list[dict[str, Any]]]:
    """Return what became of every verdict of ours, by agreement."""
    from gateway.adapters.sql.sqlite import open_sqlite_reader

    found: dict[bytes, list[dict[str, Any]]] = {}
    if config.journal.path.exists():
        with open_sqlite_reader(config.journal.path) as snapshot:
            for notice in snapshot.notices():
                found.setdefault(notice.digest, []).append(_view(notice))
    return found


def _view(notice: StoredNotice) -> dict[str, Any]:
    settled = notice.settled_at_ms
    return {
        "partner": notice.partner,
        "kind": Kind(notice.kind).name.lower(),
        "state": _STATES[notice.outcome],
        "since": to_iso(notice.said_at_ms),
        "settled_at": to_iso(settled) if settled else None,
        "rule": notice.rule or None,
        "text_zh": _harmless(notice.text_zh) or None,
        "text_en": _harmless(notice.text_en) or None,
    }


def act_lines(view: Mapping[str, Any]) -> Iterator[str]:
    """Say each verdict of an agreement, since when it counts here, and its reason."""
    for act in view["acts"]:
        line = f"{act['party']} {act['verdict']} {act['at']}"
        if act["counts_from"] != act["at"]:
            line += f"  本地计自 counts here from {act['counts_from']}"
        yield line + (f"\n理由 reason: {_harmless(act['reason'])}" if act["reason"] else "")
    if view["open_cases"]:
        yield f"在办件 open cases: {view['open_cases']}"


def _harmless(text: str) -> str:
    """Leave out what could do something to a terminal: the words are a partner's."""
    return "".join(c if c.isprintable() else " " for c in text)


def notice_lines(notices: Sequence[dict[str, Any]], digest: str) -> list[str]:
    """Say what has not arrived, or was refused, and what to do."""
    lines = []
    for n in notices:
        who = f"{n['partner']} {n['kind']}"
        if n["state"] == "on_its_way":
            lines.append(f"在途 {who} on its way since {n['since']}")
        elif n["state"] == "refused":
            told = f"{n['text_zh'] or ''} {n['text_en'] or ''}".strip()
            again = f"kuayu agreement send {digest[:16]} {n['partner']}"
            lines.append(
                f"被拒 {who} refused {n['settled_at']}: {n['rule']} {told}  再发 again: {again}"
            )
    return lines
