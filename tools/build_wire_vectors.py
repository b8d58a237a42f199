"""Write `tests/vectors/wire/` and `protos/kuayu/v1/bodies.json`; `--check` fails if they differ.

Every byte comes from the published example keys, fixed names and RFC 6979, so that two builds give
the same files.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping

from gateway.kernel.envelope import Kind
from gateway.rules.schema import body_schema
from tools import wire_envelopes, wire_receipts, wire_structures
from tools.wire_samples import ROOT

TARGET = ROOT / "tests" / "vectors" / "wire"
BODIES = ROOT / "protos" / "kuayu" / "v1" / "bodies.json"


def bodies() -> Mapping[str, object]:
    """Return the JSON Schema of the body of each kind that is served."""
    found = {}
    for kind in Kind:
        try:
            found[kind.name.lower()] = body_schema(kind)
        except KeyError:
            continue  # nothing is said of this kind yet
    return found


def build() -> dict[str, str]:
    """Return every file by its path."""
    made: dict[str, object] = {
        "keys": wire_structures.keys(),
        "structures": wire_structures.structures(),
        "signed_inputs": wire_structures.signed_inputs(),
        "commitments": wire_structures.commitments(),
        "trees": wire_structures.trees(),
        "signatures": wire_structures.signatures(),
        "statuses": wire_structures.statuses(),
        "envelopes": wire_envelopes.accepted(),
        "refusals": wire_envelopes.refusals(),
        "receipts": wire_receipts.receipts(),
    }
    files = {str(TARGET / f"{name}.json"): _text(value) for name, value in made.items()}
    return {**files, str(BODIES): _text(bodies())}


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def main() -> int:
    """Write the files, or with `--check` compare them."""
    files = build()
    if "--check" not in sys.argv:
        TARGET.mkdir(parents=True, exist_ok=True)
    stale = []
    for name, text in files.items():
        path = ROOT / name
        if "--check" not in sys.argv:
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale.append(str(path.relative_to(ROOT)))
    there = {str(path) for path in TARGET.glob("*.json")}
    stale += [f"{name}: not made by the command" for name in sorted(there - files.keys())]
    for name in stale:
        print(f"stale, run `python -m tools.build_wire_vectors`: {name}", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
