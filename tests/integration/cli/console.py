"""The real console script in processes of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

KUAYU = str(Path(sys.executable).parent / "kuayu")
ENDS_S = 60.0


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process's environment without settings of a gateway, and UTF-8."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("KUAYU_")}
    return kept | {"PYTHONUTF8": "1"} | dict(extra or {})


def kuayu(
    *arguments: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        [KUAYU, *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=environment(env),
        cwd=cwd,
        timeout=ENDS_S,
        check=False,
    )


def answer(*arguments: str | Path, cwd: Path | None = None) -> Any:
    """Run one command with `--json`, which must succeed, and return its document."""
    done = kuayu(*arguments, "--json", cwd=cwd)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class Served:
    """A gateway that runs as `kuayu serve`."""

    def __init__(self, process: subprocess.Popen[str], errors: Path) -> None:
        assert process.stdout is not None
        self.process = process
        self._errors = errors
        line = process.stdout.readline()
        assert line, self.log_text()
        self.told: dict[str, Any] = json.loads(line)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.told['portal_port']}"

    def log_text(self) -> str:
        return self._errors.read_text(encoding="utf-8")

    def stop(self, by: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop and return its exit code."""
        self.process.send_signal(by)
        return self.process.wait(ENDS_S)


@contextmanager
def served(config: Path, env: Mapping[str, str] | None = None) -> Iterator[Served]:
    """Run `kuayu serve` until the block is left."""
    errors = config.parent / "serve.log"
    with (
        errors.open("w", encoding="utf-8") as log,
        subprocess.Popen(
            [KUAYU, "serve", "--config", str(config)],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment(env),
        ) as process,
    ):
        try:
            yield Served(process, errors)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(ENDS_S)
