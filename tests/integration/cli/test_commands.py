"""The commands that answer and end, as the console script."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest
from typer.core import TyperGroup
from typer.main import get_command

from gateway.app.cli.main import app
from gateway.app.provision import Site
from gateway.kernel.faults import FaultCode

from .console import answer, environment, kuayu, served

ROOT = Path(__file__).resolve().parents[3]
UNKNOWN = "0190a2b4-3c5d-7e6f-8a9b-0c1d2e3f4a5b"
HEAVY = {"aiohttp", "alembic", "cryptography", "grpc", "jsonschema_rs", "sqlalchemy", "structlog"}


def command_lines() -> list[tuple[str, ...]]:
    """Return every command and group, the program itself first."""
    found: list[tuple[str, ...]] = []

    def walk(group: TyperGroup, path: tuple[str, ...]) -> None:
        found.append(path)
        for name, command in group.commands.items():
            if isinstance(command, TyperGroup):
                walk(command, (*path, name))
            else:
                found.append((*path, name))

    whole = get_command(app)
    assert isinstance(whole, TyperGroup)
    walk(whole, ())
    return found


# --- help and misuse -----------------------------------------------------------------------------
@pytest.mark.parametrize("path", command_lines(), ids=" ".join)
def test_the_help_of_every_command_has_an_example_of_it(path: tuple[str, ...]) -> None:
    done = kuayu(*path, "--help", env={"TERMINAL_WIDTH": "200"})
    assert done.returncode == 0, done.stderr
    _, heading, examples = done.stdout.partition("示例 Examples")
    assert heading
    assert " ".join(("kuayu", *path)) in examples


def test_every_exit_code_stands_in_the_help() -> None:
    text = kuayu("--help").stdout
    for code in ("0", "1", "2", "69", "70", "78", "130"):
        assert f"\n {code} " in text


@pytest.mark.parametrize(
    "arguments",
    [
        ("nope",),
        ("explain",),
        ("serve", "--nope"),
        ("demo", "--nope"),
        ("case", "list", "--limit", "0"),
    ],
)
def test_misuse_is_one_line_that_names_the_help(arguments: tuple[str, ...]) -> None:
    done = kuayu(*arguments)
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert "--help`" in line


def test_a_reader_that_leaves_early_meets_no_traceback() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "gateway.app.cli.main", "faults", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.wait(60) == 1
        assert process.stderr.read() == b""


# --- version, faults -----------------------------------------------------------------------------
def test_version_names_what_the_gateway_stands_on() -> None:
    assert answer("version").keys() == {"kuayu", "python", "sqlite", "openssl"}
    assert kuayu("version").stdout.startswith("kuayu ")


def test_a_short_command_imports_nothing_heavy() -> None:
    code = (
        "import sys; from gateway.app.cli.main import main; main(['version']); print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "gateway" in loaded
    assert loaded & HEAVY == set()


def test_faults_prints_the_page_of_the_documentation() -> None:
    assert kuayu("faults").stdout == (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
    assert list(answer("faults")) == [code.value for code in FaultCode]
    assert kuayu("faults", "agreement.ended").stdout.startswith("level ")
    assert kuayu("faults", "agreement.nope").returncode == 1


# --- init ----------------------------------------------------------------------------------------
def test_init_refuses_every_wrong_option_at_once_and_makes_nothing(tmp_path: Path) -> None:
    done = kuayu(
        "init",
        *("--state", tmp_path / "new", "--id", "62090", "--unit", "11620900MB00000001"),
        *("--name-zh", "", "--name-en", "Jiuquan", "--exchange", "7443"),
        *("--portal", "0.0.0.0:7080", "--suite", "RSA"),
    )
    assert done.returncode == 2
    told = [line.removeprefix("kuayu: ").partition(":")[0] for line in done.stderr.splitlines()]
    assert told == ["--suite RSA", "--id", "--name-zh", "--unit", "--exchange", "--portal"]
    assert not (tmp_path / "new").exists()


def test_init_overwrites_nothing(lone: Path) -> None:
    before = {p: p.read_bytes() for p in lone.parent.rglob("*") if p.is_file()}
    done = kuayu(
        "init",
        *("--state", lone.parent, "--id", "620200", "--unit", "11620200MB0000000U", "--demo"),
        *("--name-zh", "嘉峪关市（示例）", "--name-en", "Jiayuguan (sample)"),
    )
    assert done.returncode == 78
    assert "a gateway lives here already" in done.stderr
    assert {p: p.read_bytes() for p in lone.parent.rglob("*") if p.is_file()} == before


def test_init_says_what_to_do_next_and_makes_two_suites(tmp_path: Path) -> None:
    options = (
        *("--id", "620900", "--unit", "11620900MB00000000"),
        *("--name-zh", "酒泉市（示例）", "--name-en", "Jiuquan (sample)"),
        *("--suite", "ES256", "--suite", "EdDSA", "--suite", "ES256"),
    )
    done = kuayu("init", "--state", tmp_path / "a", *options)
    assert done.returncode == 0, done.stderr
    assert "What to do next" in done.stdout
    made = answer("init", "--state", tmp_path / "b", *options)
    assert made["suites"] == ["ES256", "EdDSA"]
    assert Path(made["config"]).is_file()
    assert len(answer("keys", "show", "--config", made["config"])["keys"]) == 4


# --- keys ----------------------------------------------------------------------------------------
def test_a_new_key_is_certified_private_and_not_yet_published(lone: Path) -> None:
    made = answer("keys", "generate", "--config", lone, "--suite", "EdDSA")
    assert os.stat(made["key"]).st_mode & 0o077 == 0
    env = {"KUAYU_KEYS__SIGNING": made["key"]}
    shown = kuayu("keys", "show", "--config", lone, "--json", env=env)
    assert shown.returncode == 0, shown.stderr
    signing, adapter, transport = json.loads(shown.stdout)["keys"]
    assert (signing["id"], signing["published"]) == (made["key_id"], False)
    assert (adapter["use"], adapter["published"], adapter["days_left"]) == ("adapter", True, 364)
    assert (transport["published"], transport["days_left"]) == (True, 364)
    again = kuayu("keys", "generate", "--config", lone, "--suite", "EdDSA")
    assert again.returncode == 69
    assert "exists already" in again.stderr


@pytest.mark.parametrize("wrong", [("--suite", "RSA"), ("--name", "../away"), ("--days", "0")])
def test_a_key_that_cannot_be_is_refused(lone: Path, wrong: tuple[str, str]) -> None:
    before = sorted(lone.parent.rglob("*"))
    assert kuayu("keys", "generate", "--config", lone, *wrong).returncode == 2
    assert sorted(lone.parent.rglob("*")) == before


def test_a_certificate_cannot_outlive_its_authority(lone: Path) -> None:
    done = kuayu("keys", "generate", "--config", lone, "--days", "9000")
    assert done.returncode == 78
    assert "outlive" in done.stderr


# --- token ---------------------------------------------------------------------------------------
async def test_an_issued_token_opens_the_running_gateway(lone: Path) -> None:
    token = kuayu("token", "issue", "--config", lone).stdout.strip()
    assert answer("token", "issue", "--config", lone)["unit"] == "11620900MB00000000"
    with served(lone) as gateway:
        async with aiohttp.ClientSession() as http:
            for bearer, wanted in ((token, 200), (f"{token}x", 401)):
                headers = {"Authorization": f"Bearer {bearer}"}
                async with http.get(f"{gateway.url}/v1/items", headers=headers) as response:
                    assert response.status == wanted


@pytest.mark.parametrize(
    "wrong",
    [("--scope", "all"), ("--life", "86401"), ("--life", "0"), ("--unit", "11620900MB00000001")],
)
def test_a_token_that_would_be_refused_is_not_issued(lone: Path, wrong: tuple[str, str]) -> None:
    done = kuayu("token", "issue", "--config", lone, *wrong)
    assert done.returncode == 2
    assert done.stdout == ""


def test_where_an_identity_provider_issues_tokens_the_command_says_so(lone: Path) -> None:
    (lone.parent / "keys" / "portal.key.pem").unlink()
    done = kuayu("token", "issue", "--config", lone)
    assert done.returncode == 78
    assert "identity provider" in done.stderr


# --- partner -------------------------------------------------------------------------------------
def test_a_partner_whose_folder_is_broken_is_listed_with_what_is_wrong(
    pair: tuple[Site, Site],
) -> None:
    folder = pair[0].root / "partners" / "jiayuguan"
    (folder / "acts" / "zz.act").write_bytes(b"nonsense")
    [partner] = answer("partner", "list", "--config", pair[0].config)["partners"]
    assert (partner["gateway_id"], partner["state"]) == ("620200", "broken")
    assert (partner["folder"], partner["own"]) == ("jiayuguan", False)
    assert "zz.act" in partner["problems"][0]
    assert answer("partner", "show", "620200", "--config", pair[0].config) == partner
    for line in (("list",), ("show", "620200")):
        shown = kuayu("partner", *line, "--config", pair[0].config)
        assert (shown.returncode, "异常 broken: 620200" in shown.stdout) == (0, True)
        assert "zz.act" in shown.stdout


def test_partners_are_listed_with_key_expiry_and_the_agreement_in_force(
    pair: tuple[Site, Site],
) -> None:
    [partner] = answer("partner", "list", "--config", pair[0].config)["partners"]
    assert (partner["gateway_id"], partner["state"]) == ("620200", "active")
    assert [(k["suite"], k["days_left"]) for k in partner["keys"]] == [("ES256", 364)]
    [agreement] = partner["agreements"]
    assert agreement["in_force"]
    table = kuayu("partner", "list", "--config", pair[0].config).stdout
    for shown in ("620200", "嘉峪关市（示例）", "启用 active", "364 天", agreement["digest"][:16]):
        assert shown in table
    assert "有效 in force" in table


def test_an_agreement_that_one_side_never_accepted_says_why_it_is_not_in_force(
    pair: tuple[Site, Site],
) -> None:
    (pair[0].root / "partners" / "jiayuguan" / "acts" / "620200.accept.act").unlink()
    (pair[0].root / "partners" / "jiayuguan" / "acts" / "620900.accept.act").rename(
        pair[0].root / "kept.act"
    )
    shown = answer("partner", "show", "620200", "--config", pair[0].config)
    [agreement] = shown["agreements"]
    assert agreement["because"]["rule"] == "agreement.not_accepted"
    tree = kuayu("partner", "show", "620200", "--config", pair[0].config).stdout
    assert "无效 not in force: agreement.not_accepted" in tree


def test_partner_files_that_are_wrong_are_all_named(pair: tuple[Site, Site]) -> None:
    folder = pair[0].root / "partners"
    for name in ("jiuquan", "jiayuguan"):
        (folder / name / "partner.toml").write_text('gateway_id = "1"\n', encoding="utf-8")
    done = kuayu("partner", "list", "--config", pair[0].config)
    assert done.returncode == 78
    assert {"jiuquan", "jiayuguan"} == {
        name for name in ("jiuquan", "jiayuguan") if f"{name}/partner.toml" in done.stderr
    }
    assert "Traceback" not in done.stderr


def test_a_partner_that_is_not_known_is_exit_code_one(pair: tuple[Site, Site]) -> None:
    done = kuayu("partner", "show", "620700", "--config", pair[0].config)
    assert done.returncode == 1
    assert "620700" in done.stderr
    assert answer("partner", "show", "620900", "--config", pair[0].config)["own"]


# --- explain, case: what is unknown --------------------------------------------------------------
@pytest.mark.parametrize("command", [("explain",), ("case", "show")])
def test_an_unknown_id_is_exit_code_one_and_one_clear_line(
    lone: Path, command: tuple[str, ...]
) -> None:
    for json_too in ((), ("--json",)):
        done = kuayu(*command, UNKNOWN, "--config", lone, *json_too)
        assert done.returncode == 1
        assert done.stdout == ""
        [line] = done.stderr.splitlines()
        assert f"knows no case and no message {UNKNOWN}" in line


@pytest.mark.parametrize("text", ["", "1", UNKNOWN[:-1], UNKNOWN.replace("7e6f", "4e6f"), "示例"])
def test_what_is_no_id_is_misuse(lone: Path, text: str) -> None:
    done = kuayu("explain", text, "--config", lone)
    assert done.returncode == 2
    assert "this is no id" in done.stderr


def test_explaining_before_the_journal_is_there_says_to_migrate(lone: Path) -> None:
    (lone.parent / "state" / "journal.sqlite3").unlink()
    done = kuayu("explain", UNKNOWN, "--config", lone)
    assert done.returncode == 69
    assert "kuayu migrate" in done.stderr
    assert not (lone.parent / "state" / "journal.sqlite3").exists()
