"""`docs/onboarding.md` is what happens: each of its commands is run, each line it shows comes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.integration.cli.console import KUAYU, environment
from tests.support.world import agreement_bytes, free_port

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "onboarding.md"
OFFICES = {
    "jiuquan": ("620900", "酒泉市跨域通办网关（示例）", "Jiuquan (sample)", "11620900MB00000000"),
    "jiayuguan": ("620200", "嘉峪关市（示例）", "Jiayuguan (sample)", "11620200MB0000000U"),
}


class Line(NamedTuple):
    """A command as the document shows it."""

    who: str
    command: str
    code: int
    shown: list[str]


def lines() -> list[Line]:
    found: list[Line] = []
    for block in re.findall(r"```console\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL):
        for row in block.splitlines():
            prompt = re.fullmatch(r"(\w+)\$ (.+)", row)
            if prompt:
                found.append(Line(prompt[1], prompt[2], 0, []))
            elif row.startswith("exit "):
                found[-1] = found[-1]._replace(code=int(row[5:]))
            else:
                found[-1].shown.append(row)
    return found


class Desk:
    """Two offices, their folders, and what was said last that a person would repeat."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.words = self.digest = self.act = ""
        self.serving: list[subprocess.Popen[str]] = []

    def run(self, line: Line) -> None:
        command = line.command.replace("'WORDS'", f"'{self.words}'")
        command = command.replace("DIGEST", self.digest).replace("ACT", self.act)
        if command.endswith(" &"):
            self._serve(line.who, command.removesuffix(" &"))
            return
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.root / line.who,
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        told = f"{line.command}\n{done.stdout}\n{done.stderr}"
        assert done.returncode == line.code, told
        self._hear(done.stdout)
        self._compare(line.shown, done.stdout.splitlines(), told)

    def _environment(self) -> dict[str, str]:
        path = f"{Path(KUAYU).parent}{os.pathsep}{os.environ['PATH']}"
        return {**environment({"KUAYU_CONFIG": "kuayu.toml"}), "PATH": path}

    def _hear(self, said: str) -> None:
        if words := re.search(r"核对口令 words[^:]*: (.+)", said):
            self.words = words[1]
        if digest := re.search(r"协议 agreement ([0-9a-f]{64})", said):
            self.digest = digest[1]
        if act := re.search(r"kuayu operator approve ([0-9a-f-]{36})", said):
            self.act = act[1]

    def _compare(self, shown: list[str], said: list[str], told: str) -> None:
        """Match line by line; `…` alone stands for any lines, within a line for any characters."""
        rest = list(said)
        anything = False
        for row in shown:
            if row == "…":
                anything = True
                continue
            row = row.replace("DIGEST", self.digest)
            wanted = re.compile(".*".join(re.escape(part) for part in row.split("…")))
            while rest and anything and not wanted.fullmatch(rest[0].rstrip()):
                rest.pop(0)
            assert rest and wanted.fullmatch(rest[0].rstrip()), f"{row!r} in\n{told}"
            rest.pop(0)
            anything = False
        assert anything or not shown or not rest, f"more than is shown: {rest} in\n{told}"

    def _serve(self, who: str, command: str) -> None:
        with (self.root / f"{who}.log").open("w") as log:
            process = subprocess.Popen(
                ["bash", "-c", f"exec {command}"],
                cwd=self.root / who,
                env=self._environment(),
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.serving.append(process)
        assert process.stdout is not None
        assert '"serving"' in process.stdout.readline(), (self.root / f"{who}.log").read_text()

    def settle(self) -> None:
        """Let what was sent arrive: an acceptance is seen at the other side."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            listed = [
                subprocess.run(
                    [KUAYU, "agreement", "list", "--json"],
                    cwd=self.root / who,
                    env=self._environment(),
                    capture_output=True,
                    text=True,
                    check=True,
                ).stdout
                for who in OFFICES
            ]
            if all(self._stands(text) for text in listed):
                return
        raise AssertionError("the agreement did not arrive")

    def _stands(self, listed: str) -> bool:
        return self.digest in listed

    def end(self) -> None:
        for process in self.serving:
            process.terminate()
        for process in self.serving:
            assert process.wait(30) == 0
            assert process.stdout is not None
            process.stdout.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    for who, (gateway_id, name_zh, name_en, unit) in OFFICES.items():
        options = ["--id", gateway_id, "--name-zh", name_zh, "--name-en", name_en, "--unit", unit]
        places = [f"--exchange=127.0.0.1:{free_port()}", f"--portal=127.0.0.1:{free_port()}"]
        subprocess.run(
            [KUAYU, "init", "--state", tmp_path / who, *options, *places],
            env=environment({}),
            check=True,
            capture_output=True,
        )
        items = ROOT / "partners" / who / "items"
        shutil.copytree(items, tmp_path / who / "partners" / gateway_id / "items")
        (tmp_path / who / "agreement.toml").write_bytes(agreement_bytes())
    yield made
    made.end()


def test_an_operator_who_follows_the_document_gets_there(desk: Desk) -> None:
    commands = lines()
    assert len(commands) > 20
    for line in commands:
        desk.run(line)
        if line.command.startswith(("kuayu agreement propose", "kuayu agreement accept")):
            desk.settle()
