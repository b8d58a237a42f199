"""`kuayu version`."""

from __future__ import annotations

import platform

from gateway.app.cli.common import JsonOption, examples, show_json

EXAMPLES = examples("kuayu version", "kuayu version --json")


def version(json: JsonOption = False) -> None:
    """版本 Versions of the gateway and of what it stands on."""
    import sqlite3
    import ssl

    import gateway

    versions = {
        "kuayu": gateway.__version__,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "openssl": ssl.OPENSSL_VERSION,
    }
    if json:
        show_json(versions)
    else:
        print("\n".join(f"{name:<8} {value}" for name, value in versions.items()))
