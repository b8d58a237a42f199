"""The matrix of permissions as a picture: SVG that any browser shows, with no font or link."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from gateway.app.cli.agreement_views import RIGHT_SIGNS, rights_text
from gateway.flow.permissions import Permission
from gateway.kernel.envelope import Mode
from gateway.kernel.instants import to_iso
from gateway.ports.directory import Book

_MODES: Final = {
    Mode.ONLINE: "全程网办",
    Mode.COLLECT_ON_BEHALF: "代收代办",
    Mode.JOINT: "多地联办",
}
_ROW, _LABEL, _CELL, _TOP = 26, 430, 92, 84
_FILL: Final = {True: "#2f6f4f", False: "#eef1ee"}


def matrix_svg(book: Book, found: Sequence[Permission], at_ms: int) -> str:
    """Return the picture: a band for each partner, a row for each item, a column for each mode.

    A filled cell is allowed; the signs in it are the delegated rights.
    """
    rows: list[str] = []
    y, before = _TOP, ""
    for p in found:
        if p.partner != before:
            before = p.partner
            partner = book.partners.get(p.partner)
            name = f"{p.partner} {partner.name_zh if partner else ''}"
            rows.append(_text(12, y + 18, name, weight="bold"))
            y += _ROW
        ours = book.home.gateway_id == (p.deciding if p.task else p.origin)
        way = ("→" if ours else "←") + (" 协办" if p.task else "")
        label = f"{way} {p.item_code} {p.item_name_zh} v{','.join(p.versions)}"
        rows.append(_text(24, y + 18, label[:44], whole=label))
        for column, mode in enumerate(_MODES):
            rows.append(_cell(_LABEL + column * _CELL, y, p, mode))
        y += _ROW
    width, height = _LABEL + len(_MODES) * _CELL + 16, y + 44
    signs = "  ".join(f"{s} {r.name.lower()}" for r, s in RIGHT_SIGNS.items())
    heads = [
        _text(_LABEL + c * _CELL + _CELL // 2, _TOP - 12, n, anchor="middle")
        for c, n in enumerate(_MODES.values())
    ]
    title = f"互认协议矩阵 {book.home.gateway_id} {book.home.name_zh}"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" font-family="sans-serif" font-size="13" '
            f'role="img" aria-label={quoteattr(title)}>',
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
            _text(12, 26, title, weight="bold"),
            _text(12, 46, f"{to_iso(at_ms)[:10]}  → 本地收件  ← 本地办理"),
            *heads,
            *rows,
            _text(12, y + 28, signs),
            "</svg>",
            "",
        ]
    )


def _cell(x: int, y: int, permission: Permission, mode: Mode) -> str:
    there = mode in permission.modes
    box = (
        f'<rect x="{x + 2}" y="{y + 2}" width="{_CELL - 4}" height="{_ROW - 4}" rx="4" '
        f'fill="{_FILL[there]}"/>'
    )
    signs = rights_text(permission.rights) if there else ""
    shown = _text(x + _CELL // 2, y + 18, signs or "●", anchor="middle", fill="#ffffff")
    return box + (shown if there else "")


def _text(
    x: int,
    y: int,
    text: str,
    *,
    whole: str = "",
    weight: str = "normal",
    anchor: str = "start",
    fill: str = "#1d2a23",
) -> str:
    title = f"<title>{escape(whole)}</title>" if whole else ""
    return (
        f'<text x="{x}" y="{y}" font-weight="{weight}" text-anchor="{anchor}" '
        f'fill="{fill}">{escape(text)}{title}</text>'
    )
