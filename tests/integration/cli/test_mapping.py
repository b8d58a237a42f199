"""`kuayu mapping` as the console script."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.support.mapping import SAMPLE

from .console import answer, kuayu

ROOT = Path(__file__).resolve().parents[3]
TEMPLATE = str(ROOT / "partners" / "_template")
STATUS = {
    "requestId": "1",
    "requestTime": 1,
    "applyNo": "SL-1",
    "status": 3,
    "date": "2026-06-01",
}


def test_check_passes_and_tells_what_was_tried() -> None:
    done = kuayu("mapping", "check", TEMPLATE, "--documents", "8")
    assert done.returncode == 0, done.stderr
    assert "submitted" in done.stdout and "8/8" in done.stdout
    view = answer("mapping", "check", TEMPLATE, "--documents", "8")
    assert view["good"] is True and len(view["messages"]) == 3


def test_a_check_that_fails_ends_with_1_and_names_the_field(tmp_path: Path) -> None:
    for name in ("partner.toml", "agreement.toml"):
        (tmp_path / name).write_bytes(Path(TEMPLATE, name).read_bytes())
    (tmp_path / "mapping.toml").write_text(SAMPLE, encoding="utf-8")
    done = kuayu("mapping", "check", str(tmp_path), "--documents", "8", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["good"] is False
    lost = [f["pointer"] for m in json.loads(done.stdout)["messages"] for f in m["lost"]]
    assert "/form/reason_zh" in lost


def test_a_wrong_table_ends_with_78_and_every_problem(tmp_path: Path) -> None:
    (tmp_path / "mapping.toml").write_text("version = 2", encoding="utf-8")
    done = kuayu("mapping", "show", str(tmp_path))
    assert done.returncode == 78
    assert len(done.stderr.splitlines()) == 3
    assert "mapping.toml: version: is 1" in done.stderr


@pytest.mark.parametrize(("folder", "kind"), [("jiayuguan", "grpc"), ("jinchang", "assisted")])
def test_a_partner_that_needs_no_table_is_told_so(folder: str, kind: str) -> None:
    done = kuayu("mapping", "check", str(ROOT / "partners" / folder))
    assert done.returncode == 2
    assert f"outlet.kind = '{kind}'" in done.stderr
    assert "no mapping.toml is read" in done.stderr


def test_show_names_rows_and_code_tables() -> None:
    shown = kuayu("mapping", "show", TEMPLATE).stdout
    for text in ("/form/applicant_uscc", "/data/creditCode", "码表 table result", "digest sm3"):
        assert text in shown
    view = answer("mapping", "show", TEMPLATE)
    assert [m["kind"] for m in view["messages"]] == ["submitted", "accepted", "decided"]


def test_try_shows_what_becomes_of_a_document_of_theirs(tmp_path: Path) -> None:
    file = tmp_path / "push.json"
    file.write_text(json.dumps(STATUS), encoding="utf-8")
    command = ("mapping", "try", TEMPLATE, str(file), "--in", "--operation", "pushStatus")
    view = answer(*command)
    assert view["name"] == "accepted"
    assert view["tree"]["form"] == {"accepted_on": "2026-06-01"}
    file.write_text(json.dumps({**STATUS, "date": "示例"}), encoding="utf-8")
    done = kuayu(*command)
    assert done.returncode == 1
    assert "/date" in done.stderr and "mapping.value_invalid" in done.stderr
    assert "示例" not in done.stderr.split("mapping.value_invalid")[0]


def test_try_shows_what_becomes_of_a_message_of_ours(tmp_path: Path) -> None:
    file = tmp_path / "ours.json"
    ours = {
        "message": {
            "id": "x", "kind": "submitted", "sent_at": 1, "item_code": "00099999900101",
            "mode": "online",
        },
        "case": {"applicant_number": "SL-1"},
        "form": {"applicant_name": "示例甲㛃", "applicant_uscc": "92620702MA00000005"},
        "materials": [
            {"code": "01", "name": "a", "media_type": "application/pdf", "content": "56S65L6L"}
        ],
    }  # fmt: skip
    file.write_text(json.dumps(ours), encoding="utf-8")
    view = answer("mapping", "try", TEMPLATE, str(file), "--out")
    assert view["name"] == "pushApply"
    assert view["tree"]["data"]["applicantName"] == "示例甲㛃"
    assert view["tree"]["files"][0]["fileSize"] == 6


@pytest.mark.parametrize("options", [(), ("--in",)])
def test_try_asks_which_way(tmp_path: Path, options: tuple[str, ...]) -> None:
    done = kuayu("mapping", "try", TEMPLATE, str(tmp_path / "x.json"), *options)
    assert done.returncode == 2
    assert "--out, or --in with --operation" in done.stderr


def test_a_partner_is_found_by_id_or_name_in_the_configuration(lone: Path) -> None:
    folder = lone.parent / "partners" / "sample"
    shutil.copytree(TEMPLATE, folder)
    for partner in ("629900", "sample"):
        view = answer("mapping", "check", partner, "--config", lone, "--documents", "2")
        assert view["partner"] == "629900"
    done = kuayu("mapping", "show", "629901", "--config", lone)
    assert done.returncode == 1
    assert "has no partner '629901'" in done.stderr
