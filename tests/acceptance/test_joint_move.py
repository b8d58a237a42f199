"""户口迁移 across three gateways, played by real processes over real sockets."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway.kernel.envelope import Kind, Outcome
from gateway.wire.envelopes import decode_envelope
from gateway.wire.headers import decode_body
from tests.acceptance.processes import gateways_in, run
from tests.support.joint import move_form

pytestmark = pytest.mark.slow


def rows(state: Path, side: str, query: str, *values: object) -> list[tuple[Any, ...]]:
    path = state / side / "state" / "journal.sqlite3"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as journal:
        return journal.execute(query, values).fetchall()


def kinds_at(state: Path, side: str, direction: str) -> list[Kind]:
    found = rows(
        state, side, "SELECT kind FROM messages WHERE direction = ? ORDER BY position", direction
    )
    return [Kind(kind) for (kind,) in found]


def test_a_household_moves_on_the_signed_word_of_the_place_it_leaves(tmp_path: Path) -> None:
    state = tmp_path / "state"
    done = run("--scenario", "joint-move", "--once", "--json", "--state", str(state))
    assert (done.returncode, done.stderr) == (0, "")
    assert list(gateways_in(state)) == []
    said = json.loads(done.stdout)
    assert (said["state"], said["result"]) == ("delivered", "approved")
    assert {m["receipt"] for m in said["messages"]} == {"taken_in"}
    (named,) = said["joint"]
    assert (named["region"], named["verdict"]) == ("310113", "agree")

    # Baoshan heard one task and gave one answer, and the decision names that very answer.
    assert kinds_at(state, "baoshan", "in") == [Kind.JOINT_TASK]
    assert kinds_at(state, "baoshan", "out") == [Kind.JOINT_ANSWER]
    query = "SELECT header_digest, outcome FROM messages WHERE kind = ?"
    for side in ("baoshan", "zhangjiagang"):
        ((digest, outcome),) = rows(state, side, query, int(Kind.JOINT_ANSWER))
        assert (digest.hex(), outcome) == (named["answer"], int(Outcome.TAKEN_IN))
    # Jiuquan and Baoshan never spoke.
    for side, stranger in (("jiuquan", "310113"), ("baoshan", "620900")):
        counted = "SELECT count(*) FROM messages WHERE counterpart = ? OR sender = ?"
        assert rows(state, side, counted, stranger, stranger) == [(0,)]

    # What went on to Baoshan is what the agreement lists, byte by byte.
    ((raw,),) = rows(
        state, "baoshan", "SELECT envelope FROM messages WHERE kind = ?", int(Kind.JOINT_TASK)
    )
    form = json.loads(decode_body(decode_envelope(raw).body_bytes).form)["form"]
    assert sorted(form) == ["accompanying", "from_address", "mover"]
    whole = move_form()
    spouse, mover = whole["spouse"], whole["mover"]
    assert isinstance(spouse, dict)
    assert isinstance(mover, dict)
    for kept_back in (spouse["name"], spouse["citizen_id"], mover["phone"]):
        assert str(kept_back).encode() not in raw


def test_the_story_can_be_played_again_on_the_same_gateways(tmp_path: Path) -> None:
    state = tmp_path / "state"
    answers = set()
    for _ in range(2):
        done = run("--scenario", "joint-move", "--once", "--json", "--state", str(state))
        assert (done.returncode, done.stderr) == (0, "")
        answers.add(json.loads(done.stdout)["joint"][0]["answer"])
    assert len(answers) == 2
