"""The demo as a stranger starts it, and what its processes do, seen from outside."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any

PATIENCE_S = 60.0
Address = IPv4Address | IPv6Address


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "gateway.app.cli.main", "demo", *arguments]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the demo to its end."""
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )


@dataclass
class Running:
    """A demo under way."""

    process: subprocess.Popen[str]
    state: Path

    def document(self) -> dict[str, Any]:
        """Read the JSON object that it prints while it stays up."""
        assert self.process.stdout is not None
        lines: list[str] = []
        for line in self.process.stdout:
            lines.append(line)
            if line == "}\n":
                break
        found: dict[str, Any] = json.loads("".join(lines))
        return found

    def children(self) -> dict[str, int]:
        """Return the gateways' process ids by the name of their folder."""
        return dict(gateways_in(self.state))

    def end(self, number: signal.Signals | None = None) -> tuple[int, str, str, float]:
        """Send a signal, if any; return exit code, rest of stdout, stderr and seconds it took."""
        begun = time.monotonic()
        if number is not None:
            self.process.send_signal(number)
        out, err = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, out, err, time.monotonic() - begun


@contextmanager
def started(state: Path, *arguments: str) -> Iterator[Running]:
    """Start the demo; nothing of it is left afterwards."""
    process = subprocess.Popen(
        command("--state", str(state), *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    demo = Running(process, state)
    try:
        yield demo
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
        for pid in demo.children().values():
            os.kill(pid, signal.SIGKILL)


def gateways_in(state: Path) -> Iterator[tuple[str, int]]:
    """Find the processes that serve the gateways of a state folder."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().decode().split("\0")
        except OSError:
            continue  # it has ended meanwhile
        if "serve" in words and any(w.startswith(f"{state}/") for w in words):
            config = next(w for w in words if w.startswith(f"{state}/"))
            yield Path(config).parent.name, int(entry.name)


def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition."""
    ends = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < ends, "it did not come to that"
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def listening(pid: int) -> list[tuple[Address, int]]:
    """Return the addresses a process listens on, from the kernel's own tables."""
    inodes = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(descriptor))
        except OSError:
            continue  # closed meanwhile
        if found:
            inodes.add(found[1])
    addresses = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A" and words[9] in inodes:
                host, port = words[1].split(":")
                addresses.append((_host(host), int(port, 16)))
    return addresses


def _host(text: str) -> Address:
    """Read an address as the kernel prints it: 32-bit words in the machine's byte order."""
    words = [bytes.fromhex(text[at : at + 8]) for at in range(0, len(text), 8)]
    turned = words if sys.byteorder == "big" else [word[::-1] for word in words]
    found = ip_address(b"".join(turned))
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found
