"""What names nothing, or this gateway itself, is refused at once and in an operator's words."""

from __future__ import annotations

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


def test_every_dangerous_act_is_looked_at_before_it_waits() -> None:
    assert REQUIRED.keys() == DANGEROUS - {ADD, REMOVE}
