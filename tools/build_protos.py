"""Rebuild `gateway/wire/generated` from `protos/`; `--check` fails if anything would change."""

from __future__ import annotations

import filecmp
import re
import shutil
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
PROTOS = ROOT / "protos"
TARGET = ROOT / "gateway" / "wire" / "generated"


def build(target: Path) -> None:
    """Compile every proto under `protos/` into `target`, imports made relative."""
    sources = sorted(str(p) for p in PROTOS.rglob("*.proto"))
    include = str(files("grpc_tools") / "_proto")
    with tempfile.TemporaryDirectory() as raw:
        code = protoc.main(
            [
                "protoc",
                f"-I{PROTOS}",
                f"-I{include}",
                f"--python_out={raw}",
                f"--pyi_out={raw}",
                *sources,
            ]
        )
        if code != 0:
            raise SystemExit(code)
        target.mkdir(parents=True, exist_ok=True)
        (target / "__init__.py").write_text('"""Made by `make protos`; do not edit."""\n')
        for made in sorted(Path(raw, "kuayu", "v1").iterdir()):
            text = re.sub(r"^from kuayu\.v1 import", "from . import", made.read_text(), flags=re.M)
            (target / made.name).write_text(text)


def main() -> int:
    if "--check" not in sys.argv:
        shutil.rmtree(TARGET, ignore_errors=True)
        build(TARGET)
        return 0
    with tempfile.TemporaryDirectory() as fresh:
        build(Path(fresh))
        names = sorted(p.name for p in Path(fresh).iterdir())
        _, differ, missing = filecmp.cmpfiles(fresh, TARGET, names, shallow=False)
    if differ or missing:
        print("stale, run `make protos`:", *differ, *missing, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
