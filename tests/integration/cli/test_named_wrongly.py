"""What names nothing, or this gateway itself, is refused at once and in an operator's words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.adapters.system.clock import SystemClock
from gateway.app.operations import REQUIRED
from gateway.app.provision import Site, make_site
from gateway.kernel.operators import ADD, REMOVE
from gateway.rules.operators import DANGEROUS
from tests.support.operators import write_operator_key
from tests.support.world import JIUQUAN, site_at

from .console import answer, kuayu


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Return Jiuquan's gateway, at which two operators may act."""
    made = site_at(tmp_path, JIUQUAN)
    make_site(made, SystemClock().now_ms(), demo=True)
    public = write_operator_key(tmp_path / "li.key.pem")
    answer("operator", "add", "li", "--key", public, "--config", made.config)
    return made


WRONG = {
    "retire": ("partner", "retire", "620999", "--reason", "示例"),
    "retire_own": ("partner", "retire", "620900", "--reason", "示例"),
    "suspend": ("partner", "suspend", "620999", "--reason", "示例"),
    "activate": ("partner", "activate", "620999"),
    "override": ("partner", "activate", "620999", "--override", "--reason", "示例"),
    "pause": ("lane", "pause", "620999", "--reason", "示例"),
    "pause_own": ("lane", "pause", "620900", "--reason", "示例"),
    "quarantine": ("quarantine", "drop", "99", "--reason", "示例"),
    "quarantine_show": ("quarantine", "show", "99"),
    "invite": ("partner", "invite", "abc"),
    "invite_own": ("partner", "invite", "620900"),
}


def refused(*words: str | Path) -> str:
    """Run a command that is refused, and return what it says."""
    done = kuayu(*words)
    assert (done.returncode, done.stdout) == (1, ""), done.stdout
    return done.stderr


@pytest.mark.parametrize("words", WRONG.values(), ids=WRONG)
def test_nothing_is_put_to_a_second_operator(site: Site, words: tuple[str, ...]) -> None:
    told = refused(*words, "--config", site.config)
    assert told.startswith(("kuayu: operator.not_found", "kuayu: operator.request_invalid"))
    assert ("this gateway itself" in told) == (words[2] == "620900" and words[1] != "invite")
    acts = answer("operator", "acts", "--config", site.config)["acts"]
    assert all(a["status"] != "waiting" for a in acts)


def test_a_name_that_is_none_is_told_in_words(site: Site, tmp_path: Path) -> None:
    public = write_operator_key(tmp_path / "zhao.key.pem")
    told = refused("operator", "add", "赵", "--key", public, "--config", site.config)
    assert "beginning with a letter" in told


USAGE = {
    "an id of seven digits": (
        ("partner", "new", "6207013", "--name-zh", "示例", "--name-en", "Sample"),
        ("--unit", "11620900MB00000000", "--outlet", "grpc"),
        "is no region code of six digits",
    ),
    "one address for both": (
        ("init", "--id", "620900", "--name-zh", "示例", "--name-en", "Sample"),
        ("--unit", "11620900MB00000000", "--exchange", "127.0.0.1:7443"),
        "is --exchange's already",
    ),
    "no terminal for a passphrase": (("operator", "key", "own.key.pem"), (), "--no-passphrase"),
}


@pytest.mark.parametrize(("words", "more", "said"), USAGE.values(), ids=USAGE)
def test_usage_is_told_before_anything_is_made(
    lone: Path, tmp_path: Path, words: tuple[str, ...], more: tuple[str, ...], said: str
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    more = (*more, "--portal", "127.0.0.1:7443") if words[0] == "init" else more
    more = (*more, "--config", str(lone)) if words[0] == "partner" else more
    done = kuayu(*words, *more, cwd=empty)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert list(empty.iterdir()) == []
    assert not (lone.parent / "partners" / "p6207013").exists()


def test_a_partner_is_shown_by_its_folder_too(pair: tuple[Site, Site]) -> None:
    config = pair[0].config
    folder = next((config.parent / "partners").glob("*/partner.toml")).parent.name
    by_folder = answer("partner", "show", folder, "--config", config)
    assert by_folder == answer("partner", "show", by_folder["gateway_id"], "--config", config)
    assert by_folder["gateway_id"] != folder


def test_what_a_run_would_ask_is_listed_as_json_too(tmp_path: Path) -> None:
    done = kuayu("conformance", "run", "620200", "--case", "ping", "--list", "--json", "-")
    listed = json.loads(done.stdout)
    assert {c["id"].partition(".")[0] for c in listed} == {"ping"}


def test_every_dangerous_act_is_looked_at_before_it_waits() -> None:
    assert REQUIRED.keys() == DANGEROUS - {ADD, REMOVE}
