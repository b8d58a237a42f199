"""Write `docs/conformance.md` from the cases and lists; `--check` fails if it would change."""

from __future__ import annotations

import sys
from pathlib import Path

from gateway.conformance.correspondence import render

TARGET = Path(__file__).resolve().parent.parent / "docs" / "conformance.md"


def main() -> int:
    fresh = render()
    if "--check" in sys.argv:
        if TARGET.is_file() and TARGET.read_text(encoding="utf-8") == fresh:
            return 0
        told = "stale, run `python -m tools.build_conformance_docs`: docs/conformance.md"
        print(told, file=sys.stderr)
        return 1
    TARGET.write_text(fresh, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
