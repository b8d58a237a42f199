"""Small real files for the sample case: PDF and PNG that open, and say 示例 SAMPLE all over."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

SEAL: Final = "SAMPLE SEAL"
"""What a sealed paper holds, readable in the file's bytes: the simulated registrar looks for it."""

PREMISES: Final = "04"
"""营业场所使用证明: at first without the landlord's seal."""


class Paper(NamedTuple):
    """A material as a file."""

    code: str
    path: Path
    media_type: str

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name

    def read(self) -> bytes:
        """Return the content."""
        return self.path.read_bytes()

    def declared(self) -> dict[str, str | int]:
        """Return the declaration that a case is opened with."""
        content = self.read()
        return {
            "material_code": self.code,
            "name": self.name,
            "media_type": self.media_type,
            "size": len(content),
            "sha256": sha256(content).hexdigest(),
        }


_TITLES: Final = {
    "01": ("登记申请书", "Application for registration"),
    "02": ("委托书", "Power of attorney"),
    "03": ("公司章程", "Articles of association"),
    "04": ("营业场所使用证明", "Proof of the right to use the premises"),
    "05": ("负责人任职文件", "Appointment of the person in charge"),
}


def write_papers(folder: Path) -> list[Paper]:
    """Write the six materials; the proof of premises lacks the landlord's seal."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    papers = [_pdf_paper(folder, code, sealed=code != PREMISES) for code in _TITLES]
    copy = folder / "06_母公司营业执照_示例.png"
    copy.write_bytes(sample_png("06 母公司营业执照（示例）SAMPLE"))
    return [*papers, Paper("06", copy, "image/png")]


def write_sealed_premises(folder: Path) -> Paper:
    """Write the proof of premises anew, with the landlord's seal (补正)."""
    return _pdf_paper(folder, PREMISES, sealed=True, suffix="_已盖章")


def _pdf_paper(folder: Path, code: str, *, sealed: bool, suffix: str = "") -> Paper:
    zh, en = _TITLES[code]
    path = folder / f"{code}_{zh}{suffix}_示例.pdf"
    lines = [f"{zh}（示例）", f"{en} (SAMPLE)", "", "示例 SAMPLE", f"材料编号 material {code}"]
    path.write_bytes(
        sample_pdf([*lines, "非真实材料，仅供演示 not a real document"], sealed=sealed)
    )
    return Paper(code, path, "application/pdf")


def sample_pdf(lines: Sequence[str], *, sealed: bool) -> bytes:
    """Return a one-page A4 document; Chinese in the standard font of PDF readers, not embedded."""
    drawn = [f"BT /F1 {26 if at == 0 else 14} Tf 72 {740 - 34 * at} Td <{_utf16(line)}> Tj ET"
             for at, line in enumerate(lines) if line]  # fmt: skip
    if sealed:
        drawn += [_SEAL_RING, f"1 0 0 rg BT /F2 12 Tf 393 196 Td ({SEAL}) Tj ET"]
    content = "\n".join(drawn).encode("ascii")
    return _pdf_file(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
            b" /Resources << /Font << /F1 5 0 R /F2 8 0 R >> >> >>",
            b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content),
            b"<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UTF16-H"
            b" /DescendantFonts [6 0 R] >>",
            b"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /CIDSystemInfo"
            b" << /Registry (Adobe) /Ordering (GB1) /Supplement 4 >> /FontDescriptor 7 0 R"
            b" /DW 1000 /W [1 95 500 814 939 500] >>",
            b"<< /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /FontBBox [-25 -254 1000"
            b" 880] /ItalicAngle 0 /Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >>",
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        ]
    )


_SEAL_RING: Final = (
    "1 0 0 RG 3 w 500 200 m 500 233 473 260 440 260 c 407 260 380 233 380 200 c"
    " 380 167 407 140 440 140 c 473 140 500 167 500 200 c S"
)


def _utf16(text: str) -> str:
    return text.encode("utf-16-be").hex()


def _pdf_file(objects: Sequence[bytes]) -> bytes:
    """Return numbered objects with header, cross-reference table and trailer."""
    out = bytearray(b"%PDF-1.5\n%\xe7\xa4\xba\xe4\xbe\x8b\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start, size = len(out), len(objects) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n" % size
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, start)
    return bytes(out)


_LETTERS: Final = {
    "S": "01111 10000 10000 01110 00001 00001 11110",
    "A": "01110 10001 10001 11111 10001 10001 10001",
    "M": "10001 11011 10101 10101 10001 10001 10001",
    "P": "11110 10001 10001 11110 10000 10000 10000",
    "L": "10000 10000 10000 10000 10000 10000 11111",
    "E": "11111 10000 10000 11110 10000 10000 11111",
}
_SCALE: Final = 8
_WIDTH, _HEIGHT = 360, 225
_PAPER, _INK = b"\xfb\xf6\xe9", b"\xc0\x39\x2b"


def sample_png(title: str) -> bytes:
    """Return a picture of the word SAMPLE in a frame; `title` is its title."""
    rows = b"".join(
        b"\x00" + b"".join(_INK if _inked(x, y) else _PAPER for x in range(_WIDTH))
        for y in range(_HEIGHT)
    )
    head = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 2, 0, 0, 0)
    text = b"Title\0\0\0\0\0" + title.encode()
    chunks = ((b"IHDR", head), (b"iTXt", text), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in chunks)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _inked(x: int, y: int) -> bool:
    if min(x, y, _WIDTH - 1 - x, _HEIGHT - 1 - y) in range(8, 12):
        return True
    letter, column = divmod((x - 40) // _SCALE, 6)
    row = (y - 84) // _SCALE
    if not (x >= 40 and 0 <= letter < 6 and column < 5 and 0 <= row < 7):
        return False
    return _LETTERS["SAMPLE"[letter]].split()[row][column] == "1"
