"""Write `docs/faults.md` from the fault table; `--check` fails if it would change."""

from __future__ import annotations

import sys
from pathlib import Path

from gateway.wire.fault_table import render

TARGET = Path(__file__).resolve().parent.parent / "docs" / "faults.md"


def main() -> int:
    fresh = render()
    if "--check" in sys.argv:
        if TARGET.is_file() and TARGET.read_text(encoding="utf-8") == fresh:
            return 0
        print("stale, run `python -m tools.build_fault_docs`: docs/faults.md", file=sys.stderr)
        return 1
    TARGET.write_text(fresh, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
