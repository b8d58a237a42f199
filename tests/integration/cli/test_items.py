"""`kuayu items`: lists in and out, as the console script."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import subprocess
from pathlib import Path

import pytest

from gateway.rules.item_list.reading import read_csv
from gateway.rules.item_list.rows import COLUMNS, ItemRow
from tests.support.item_list import OTHER_AUTHORITY, csv_bytes, list_row, list_rows

from .console import KUAYU, answer, environment, kuayu, served


def written(folder: Path, *rows: ItemRow, name: str = "list.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(csv_bytes(*rows, encoding=encoding))
    return path


def exported(lone: Path, *options: str) -> tuple[ItemRow, ...]:
    out = lone.parent / "out.csv"
    done = kuayu("items", "export", out, "--force", "--config", lone, *options)
    assert done.returncode == 0, done.stderr
    found = read_csv(out.read_bytes())
    assert found.problems == ()
    return found.rows


def counts(done: dict[str, object]) -> tuple[object, ...]:
    return tuple(done[name] for name in ("added", "changed", "ended", "unchanged"))


# --- what is wrong ------------------------------------------------------------------------------
def test_every_bad_row_is_told_and_nothing_is_imported(lone: Path, tmp_path: Path) -> None:
    rows = list_rows(6)
    rows[1] = rows[1]._replace(task_name="=cmd|' /C calc'!A0")
    rows[3] = rows[3]._replace(dept_code="11620900MB00000001", use_level="8")
    path = written(tmp_path, *rows, rows[0])
    done = kuayu("items", "import", path, "--config", lone)
    assert done.returncode == 65
    told = [line.removeprefix(f"kuayu: {path}:") for line in done.stderr.splitlines()]
    assert [line.split(" ")[:3] for line in told[:4]] == [
        ["3:", "task_name:", "item_list.cell_formula"],
        ["5:", "use_level:", "item_list.value_unknown"],
        ["5:", "dept_code:", "item_list.code_invalid"],
        ["8:", "task_code:", "item_list.code_twice"],
    ]
    assert "nothing was imported" in told[4]
    assert len(told) == 5
    assert "calc" not in done.stderr
    assert answer("items", "list", "--config", lone)["items"] == []
    document = json.loads(kuayu("items", "import", path, "--config", lone, "--json").stdout)
    assert [(p["line"], p["column"]) for p in document["problems"]] == [
        (3, "task_name"),
        (5, "use_level"),
        (5, "dept_code"),
        (8, "task_code"),
    ]


def test_many_problems_are_counted_and_all_told_as_json(lone: Path, tmp_path: Path) -> None:
    path = written(tmp_path, *(list_row(n, task_type="x") for n in range(200)))
    done = kuayu("items", "import", path, "--config", lone)
    assert len(done.stderr.splitlines()) == 52
    assert "and 150 more" in done.stderr
    document = json.loads(kuayu("items", "import", path, "--config", lone, "--json").stdout)
    assert len(document["problems"]) == 200


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("import", "nowhere.csv"), 69, "nowhere.csv"),
        (("import", "LIST", "--region", "62090"), 2, "six digits"),
        (("diff",), 2, "--since"),
        (("diff", "LIST", "--since", "2026-01-01"), 2, "--since"),
        (("diff", "--until", "2026-01-01"), 2, "--since"),
        (("list", "--on", "2026-02-30"), 2, "2021-05-27"),
        (("search", " "), 2, "words"),
        (("search", "字" * 129), 2, "128"),
        (("history", "nowhere"), 1, "never had"),
        (("export", "LIST"), 78, "--force"),
        (("export", "-", "--json"), 2, "--json"),
        (("export", "new.csv"), 1, "no rows"),
    ],
)
def test_misuse_says_what_to_do(
    lone: Path, tmp_path: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    path = written(tmp_path, *list_rows(1))
    line = [str(path) if argument == "LIST" else argument for argument in arguments]
    done = kuayu("items", *line, "--config", lone, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "new.csv").exists()


def test_a_file_that_is_only_a_part_of_the_list_is_refused(lone: Path, tmp_path: Path) -> None:
    answer("items", "import", written(tmp_path, *list_rows(10)), "--config", lone)
    part = written(tmp_path, *list_rows(4))
    for trying in (("--dry-run",), ()):
        done = kuayu("items", "import", part, "--config", lone, *trying)
        assert done.returncode == 65
        assert "item_list.ends_most" in done.stderr
        assert "--end-most" in done.stderr
    assert len(exported(lone)) == 10
    tried = answer("items", "import", part, "--end-most", "--dry-run", "--config", lone)
    assert counts(tried) == (0, 0, 6, 4)
    assert counts(answer("items", "import", part, "--end-most", "--config", lone)) == (0, 0, 6, 4)
    assert len(exported(lone)) == 4


# --- there and back -----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("encoding", "said", "option"),
    [
        ("utf-8", "UTF-8", "utf-8"),
        ("utf-8-sig", "UTF-8 with BOM", "utf-8-bom"),
        ("gb18030", "GB18030", "gb18030"),
    ],
)
def test_a_list_goes_in_and_comes_out_as_it_was(
    lone: Path, tmp_path: Path, encoding: str, said: str, option: str
) -> None:
    rows = [list_row(1, task_name="㛃𬭊分公司设立登记"), *list_rows(40)[1:]]
    path = written(tmp_path, *rows, encoding=encoding)
    done = answer("items", "import", path, "--config", lone)
    assert (done["encoding"], done["rows"], done["edition"]["number"]) == (said, 40, 1)
    assert exported(lone, "--encoding", option) == tuple(rows)
    raw = (lone.parent / "out.csv").read_bytes()
    assert raw.decode(encoding).lstrip("\ufeff").startswith(",".join(COLUMNS))


def test_importing_again_is_a_difference_with_a_history(lone: Path, tmp_path: Path) -> None:
    first = written(tmp_path, *list_rows(20))
    assert counts(answer("items", "import", first, "--config", lone)) == (20, 0, 0, 0)
    assert answer("items", "import", first, "--config", lone)["edition"] is None
    second = written(
        tmp_path,
        list_row(1, task_version="2", promise_day="1"),
        list_row(2, promise_day="1"),
        *list_rows(21)[3:],
        name="second.csv",
    )
    tried = answer("items", "import", second, "--dry-run", "--config", lone)
    assert (tried["dry_run"], tried["edition"], counts(tried)) == (True, None, (1, 2, 1, 17))
    compared = answer("items", "diff", second, "--config", lone)
    assert [row["columns"] for row in compared["changed"]] == [
        {
            "task_version": {"before": "1", "after": "2"},
            "promise_day": {"before": "5", "after": "1"},
        },
        {"promise_day": {"before": "5", "after": "1"}},
    ]
    done = answer("items", "import", second, "--config", lone)
    assert counts(done) == (1, 2, 1, 17)
    late = {"code": list_row(2).code, "rule": "item_list.version_not_raised"}
    assert done["warnings"] == [late]
    history = answer("items", "history", "--config", lone)["editions"]
    assert [(e["number"], e["rows"]) for e in history] == [(2, 20), (1, 20)]
    versions = answer("items", "history", list_row(1).code, "--config", lone)["versions"]
    assert [v["task_version"] for v in versions] == ["1", "2"]
    assert versions[0]["listed_until"] == versions[1]["listed_from"]


def test_the_list_of_a_day_before_the_first_import_is_empty(lone: Path, tmp_path: Path) -> None:
    answer("items", "import", written(tmp_path, *list_rows(3)), "--config", lone)
    assert answer("items", "list", "--on", "2021-05-27", "--config", lone)["items"] == []
    compared = answer("items", "diff", "--since", "2021-05-27", "--config", lone)
    assert len(compared["added"]) == 3
    shown = kuayu("items", "diff", "--since", "2021-05-27", "--config", lone).stdout
    assert "新增 added 3, 变更 changed 0, 取消 ended 0" in shown


def test_people_read_tables(lone: Path, tmp_path: Path) -> None:
    path = written(tmp_path, *list_rows(3))
    done = kuayu("items", "import", path, "--config", lone)
    assert "新增 added 3" in done.stdout
    assert "第 1 版 edition 1" in done.stdout
    assert done.stderr == ""  # no bar where there is no terminal
    for command in (("list",), ("search", "示例2"), ("history",), ("history", list_row(2).code)):
        shown = kuayu("items", *command, "--config", lone)
        assert shown.returncode == 0, shown.stderr
        assert "│" in shown.stdout
    assert "no items here" in kuayu("items", "search", "没有的", "--config", lone).stdout


def test_rows_are_found_page_by_page(lone: Path, tmp_path: Path) -> None:
    answer("items", "import", written(tmp_path, *list_rows(25)), "--config", lone)
    others = written(tmp_path, *list_rows(5, OTHER_AUTHORITY))
    answer("items", "import", others, "--region", "620200", "--config", lone)
    for command in (("list",), ("search", "示例")):
        codes: list[str] = []
        after: tuple[str, ...] = ()
        while True:
            page = answer("items", *command, "--limit", "10", *after, "--config", lone)
            codes += [item["code"] for item in page["items"]]
            if page["next"] is None:
                break
            after = ("--after", str(page["next"]))
        assert codes == [row.code for row in list_rows(25)]
    found = answer("items", "search", "示例3）", "--everywhere", "--config", lone)["items"]
    assert [item["region"] for item in found] == ["620900", "620200"]


# --- beside a gateway that runs -----------------------------------------------------------------
def test_a_list_is_imported_while_the_gateway_runs(lone: Path, tmp_path: Path) -> None:
    path = written(tmp_path, *list_rows(3))
    answer("items", "import", path, "--config", lone)
    with served(lone) as gateway:
        more = written(tmp_path, *list_rows(1_200), name="more.csv")
        tried = answer("items", "import", more, "--dry-run", "--config", lone)
        assert counts(tried) == (1_197, 0, 0, 3)
        done = answer("items", "import", more, "--config", lone)
        assert counts(done) == (1_197, 0, 0, 3)
        assert (done["edition"]["number"], done["edition"]["rows"]) == (2, 1_200)
        assert answer("items", "import", more, "--config", lone)["edition"] is None
        assert len(exported(lone)) == 1_200
        refused = kuayu("items", "import", path, "--config", lone)
        assert refused.returncode == 65
        assert "item_list.ends_most" in refused.stderr
        assert counts(answer("items", "import", path, "--end-most", "--config", lone))[2] == 1_197
        bad = written(tmp_path, *list_rows(2), list_row(3, task_type="x"), name="bad.csv")
        told = kuayu("items", "import", bad, "--config", lone)
        assert f"{bad}:4: task_type: item_list.value_unknown" in told.stderr
        assert len(exported(lone)) == 3
        assert gateway.stop() == 0
    assert len(answer("items", "history", "--config", lone)["editions"]) == 3


@pytest.mark.slow
def test_a_hundred_thousand_rows_are_one_transaction(lone: Path, tmp_path: Path) -> None:
    rows = list_rows(100_000)
    done = answer("items", "import", written(tmp_path, *rows), "--config", lone)
    assert counts(done) == (100_000, 0, 0, 0)
    journal = sqlite3.connect(f"file:{lone.parent / 'state' / 'journal.sqlite3'}?mode=ro", uri=True)
    [(instants,)] = journal.execute("SELECT count(DISTINCT listed_from_ms) FROM item_list")
    journal.close()
    assert instants == 1
    bad = [*rows[:-1], rows[-1]._replace(task_type="x")]
    refused = kuayu("items", "import", written(tmp_path, *bad), "--config", lone)
    assert refused.returncode == 65
    assert "list.csv:100001: task_type" in refused.stderr
    changed = [list_row(77_777, task_version="2"), *rows[:77_776], *rows[77_777:]]
    again = answer("items", "import", written(tmp_path, *changed), "--config", lone)
    assert counts(again) == (0, 1, 0, 99_999)
    [found] = answer("items", "search", "示例77777", "--config", lone)["items"]
    assert found["task_version"] == "2"


def test_on_a_terminal_a_bar_tells_how_far_an_import_is(lone: Path, tmp_path: Path) -> None:
    path = written(tmp_path, *list_rows(2_000))
    master, slave = os.openpty()
    with subprocess.Popen(
        [KUAYU, "items", "import", str(path), "--config", str(lone)],
        stdout=subprocess.DEVNULL,
        stderr=slave,
        env=environment({"TERM": "xterm", "COLUMNS": "100"}),
    ) as process:
        os.close(slave)
        shown = b""
        with contextlib.suppress(OSError):  # how a terminal's end is told on Linux
            while piece := os.read(master, 65_536):
                shown += piece
        assert process.wait(60) == 0
    os.close(master)
    text = shown.decode()
    assert "读取 reading" in text
    assert "写入 writing" in text
    assert "2000/2000" in text
