"""Cases as files: what is refused before anything is run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.conformance.case_files import SHIPPED, CaseProblem, load_cases, set_digest
from gateway.conformance.correspondence import Assertion, PublicList, gaps, load_lists

ROOT = Path(__file__).resolve().parent.parent.parent.parent

HEAD = """
id = "own.mine"
title_zh = "示例"
title_en = "sample"
requirement = "something"
predicate = "something"
level = "must"
"""
MAKE = """
[[steps]]
do = "make"
name = "m"
base = "ping"
"""
DELIVER = """
[[steps]]
do = "deliver"
messages = ["m"]
expect = { outcome = ["taken_in"] }
"""


def written(root: Path, text: str, folder: str = "own/mine") -> Path:
    (root / folder).mkdir(parents=True)
    (root / folder / "case.toml").write_text(text, "utf-8")
    return root


def problems(root: Path, text: str, folder: str = "own/mine") -> str:
    with pytest.raises(CaseProblem) as told:
        load_cases(written(root, text, folder))
    return "\n".join(told.value.messages)


BAD = {
    "not_toml": ("id = ", "not TOML"),
    "unknown_word": (HEAD + 'colour = "red"\n' + MAKE + DELIVER, "colour: Extra inputs"),
    "unknown_step": (HEAD + '[[steps]]\ndo = "dance"\n', "does not match any of the expected"),
    "unknown_rule": (
        HEAD + MAKE + DELIVER.replace("] }", '], rules = ["no.such"] }'),
        "no such rule: no.such",
    ),
    "unknown_change": (
        HEAD + MAKE + '[[steps]]\ndo = "alter"\nname = "x"\nfrom = "m"\nchange = "eat"\n' + DELIVER,
        "change: Input should be",
    ),
    "no_steps": (HEAD, "either steps or a case.py"),
    "nothing_judged": (HEAD + MAKE, "the case could not fail"),
    "message_not_made": (HEAD + DELIVER, "there is no message 'm' before this step"),
    "answer_not_saved": (
        HEAD + MAKE + DELIVER.replace("] }", '], same_as = "before" }'),
        "there is no saved answer 'before'",
    ),
    "file_not_made": (
        HEAD + '[[steps]]\ndo = "status"\nfile = "f"\nheld = 0\ncomplete = false\n',
        "there is no file 'f'",
    ),
    "need_not_said": (
        HEAD + MAKE.replace("ping", "application") + DELIVER,
        "'sample' must be named in `needs`",
    ),
    "key_not_said": (
        HEAD + MAKE + 'signed_by = "expired"\n' + DELIVER,
        "'expired_key' must be named in `needs`",
    ),
    "no_expectation": (
        HEAD + MAKE + '[[steps]]\ndo = "deliver"\nmessages = ["m"]\n' + DELIVER,
        "say either what each message meets, or how the `call` fails",
    ),
    "expected_of_a_cut": (
        HEAD + MAKE + DELIVER + 'over = "cut"\n',
        "nothing comes back over a connection that is cut",
    ),
    "expected_nowhere": (
        HEAD + MAKE + DELIVER + 'expect_at = { 7 = { outcome = ["refused"] } }\n',
        "there is no message 7",
    ),
    "instead_of_nothing": (
        HEAD + MAKE + DELIVER + 'instead = { 1 = "m" }\n',
        "instead: there is no message 1",
    ),
    "follows_nothing": (
        HEAD + MAKE.replace("ping", "withdrawn") + DELIVER,
        "`withdrawn` and `word` follow a message",
    ),
    "word_without_kind": (
        HEAD + MAKE + DELIVER + MAKE.replace("ping", "word") + DELIVER,
        "a `word` names its kind",
    ),
    "word_without_form": (
        HEAD + MAKE.replace("ping", "word") + DELIVER,
        "a `word` brings its form",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_case_that_is_not_sound_is_refused_with_what_is_wrong(name: str, tmp_path: Path) -> None:
    text, wanted = BAD[name]
    assert wanted in problems(tmp_path, text)


def test_every_error_of_every_file_is_named_at_once(tmp_path: Path) -> None:
    written(tmp_path, "id = ", "own/first")
    told = problems(tmp_path, HEAD, "own/second")
    assert "own/first" in told
    assert "own/second" in told


def test_an_operators_code_is_refused_and_not_run(tmp_path: Path) -> None:
    root = written(tmp_path, HEAD)
    (root / "own" / "mine" / "case.py").write_text("raise SystemExit('run')", "utf-8")
    with pytest.raises(CaseProblem, match=r"only the kit's own cases may be code"):
        load_cases(root)


def test_an_id_that_the_kit_has_is_refused(tmp_path: Path) -> None:
    text = HEAD.replace("own.mine", "ping.is_answered") + MAKE + DELIVER
    assert "is there already" in problems(tmp_path, text, "ping/is_answered")


def test_an_id_that_is_not_the_folders_is_refused(tmp_path: Path) -> None:
    assert "must be own.other" in problems(tmp_path, HEAD + MAKE + DELIVER, "own/other")


def test_a_case_larger_than_the_limit_is_refused(tmp_path: Path) -> None:
    assert "larger than" in problems(tmp_path, HEAD + "#" * 70_000)


def test_a_folder_without_cases_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CaseProblem, match=r"no case.toml in it"):
        load_cases(tmp_path)
    with pytest.raises(CaseProblem, match="no such folder"):
        load_cases(tmp_path / "nowhere")


def test_the_example_of_the_document_is_a_sound_case(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "conformance.md").read_text("utf-8")
    example = re.search(r"```toml\n# my-cases/(.*?)/case.toml\n(.*?)```", text, re.DOTALL)
    assert example is not None
    found = load_cases(written(tmp_path, example[2], example[1]))
    (own,) = [case for case in found if case.own]
    assert own.id == "own.form_is_an_object"


def test_the_set_of_cases_has_a_digest_that_every_case_is_in() -> None:
    cases = load_cases()
    assert set_digest(cases) == set_digest(cases[::-1])
    assert len({set_digest([c for c in cases if c is not left]) for left in cases}) == len(cases)


def test_every_shipped_folder_is_a_case_in_both_languages() -> None:
    cases = load_cases()
    assert len(cases) == len(list(SHIPPED.glob("*/*/case.toml")))
    for case in cases:
        assert re.search(r"[\u4e00-\u9fff]", case.file.title_zh), case.id
        assert not re.search(r"[\u4e00-\u9fff]", case.file.title_en), case.id


def test_each_public_assertion_is_mirrored_or_says_why_not() -> None:
    cases, lists = load_cases(), load_lists()
    assert gaps(cases, lists) == []
    extra = Assertion(id="new", about="something")
    (first, *rest) = lists
    more = PublicList(**{**first.model_dump(), "assertion": [*first.assertion, extra]})
    assert gaps(cases, [more, *rest]) == [f"{first.name}/new: neither"]
    assert any("no such assertion" in gap for gap in gaps(cases, rest))
