"""`mapping check` names what a table loses, and passes one that loses nothing."""

import shutil
from pathlib import Path

import pytest

from gateway.app.mapping.report import Report, check_mapping
from gateway.app.problems import ConfigProblem
from tests.support.world import ROOT

TEMPLATE = ROOT / "partners" / "_template"
NAME_ROW = '{ ours = "/form/applicant_name", theirs = "/data/applicantName", length_max = 200 },'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(TEMPLATE, tmp_path / "partners" / "partner"))


def _changed(folder: Path, *pairs: tuple[str, str]) -> Report:
    path = folder / "mapping.toml"
    text = path.read_text(encoding="utf-8")
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text, encoding="utf-8")
    return check_mapping(folder, documents=24, seed=1)


def _found(report: Report) -> set[tuple[str, str]]:
    return {(f.pointer, f.why) for one in report.checked for f in (*one.lost, *one.refused)}


def test_the_template_loses_nothing() -> None:
    report = check_mapping(TEMPLATE, documents=40, seed=1)
    assert report.is_good and not _found(report)
    assert [one.whole for one in report.checked] == [40, 40, 40]
    assert report.checked[0].item is not None
    assert report.checked[0].item.code == "00099999900101"


def test_the_same_seed_finds_the_same(folder: Path) -> None:
    first = _changed(folder, (NAME_ROW, ""))
    assert check_mapping(folder, documents=24, seed=1).view() == first.view()


def test_a_field_that_no_row_sends_is_named(folder: Path) -> None:
    report = _changed(folder, (NAME_ROW, ""))
    assert not report.is_good
    assert _found(report) >= {("/form/applicant_name", "no row sends it")}


def test_a_loss_that_the_table_accepts_passes_with_its_reason(folder: Path) -> None:
    accepted = '[{ ours = "/materials/*/name", because = "they name files themselves" }]'
    report = _changed(
        folder,
        ("losses = []", f"losses = {accepted}"),
        ('    { ours = "/name", theirs = "/fileName", length_max = 100 },\n', ""),
    )
    assert report.is_good
    losses = report.checked[0].lost
    assert [(loss.pointer, loss.accepted) for loss in losses] == [
        ("/materials/*/name", "they name files themselves")
    ]


@pytest.mark.parametrize(
    ("old", "new", "pointer", "why"),
    [
        ("length_max = 200 }", 'direction = "out" }', "/form/applicant_name", "no row reads it"),
        ("length_max = 200 }", "length_max = 199 }", "/form/applicant_name", "longer than the 199"),
        ('online = "1"\n', "", "/message/mode", "table mode has no such code"),
        ('unit = "ms"', 'unit = "s"', "/message/sent_at", "has a fraction"),
        ('unit = "ms"', 'unit = "s", truncate = true', "/message/sent_at", "comes back changed"),
        ('"sample-application" }', '"other" }', "/message/purpose", "comes back changed"),
    ],
)
def test_what_else_goes_wrong_is_named_by_place(
    folder: Path, old: str, new: str, pointer: str, why: str
) -> None:
    report = _changed(folder, (old, new))
    found = _found(report)
    assert any(at == pointer and why in what for at, what in found), found
    assert not report.is_good


def test_a_status_that_two_kinds_share_is_found(folder: Path) -> None:
    report = _changed(folder, ('is = ["9"]', 'is = ["3", "9"]'))
    assert _found(report) == {("/when", "is read as accepted, messages[1]: see `when`")}


def test_an_agreed_item_without_a_message_is_named(folder: Path) -> None:
    report = _changed(folder, ('items = ["00099999900101"]', 'items = ["00099999900102"]'))
    assert not report.is_good
    assert report.items_without == ["00099999900101 v1 示例事项"]


def test_sample_documents_of_theirs_show_what_no_row_reads(folder: Path) -> None:
    samples = folder / "vectors" / "dialect"
    samples.mkdir(parents=True)
    (samples / "pushStatus.accepted.json").write_text(
        '{"requestId": "1", "requestTime": 1, "applyNo": "a", "status": "3",'
        ' "date": "2026-06-01", "trace": "x", "extra": {"list": [{"a": 1}, {"a": 2}]}}',
        encoding="utf-8",
    )
    report = _changed(
        folder, ("unread = []", 'unread = [{ theirs = "/trace", because = "their log" }]')
    )
    assert report.samples == [("pushStatus.accepted.json", "accepted")]
    assert [(f.pointer, f.documents, f.accepted) for f in report.unread] == [
        ("/trace", 1, "their log"),
        ("/extra/list/*/a", 2, ""),
    ]
    assert not report.is_good


def test_a_sample_that_the_table_refuses_fails_the_check(folder: Path) -> None:
    samples = folder / "vectors" / "dialect"
    samples.mkdir(parents=True)
    (samples / "pushStatus.json").write_text('{"status": "8"}', encoding="utf-8")
    report = check_mapping(folder, documents=4, seed=1)
    assert not report.is_good
    assert report.samples[0][1].startswith("mapping.kind_unmapped")


@pytest.mark.parametrize(
    "raw",
    [
        b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd"><a/>',
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b"<a>" * 100 + b"</a>" * 100,
        b"<html>",
        b"",
    ],
)
def test_a_sample_of_hostile_xml_is_refused(folder: Path, raw: bytes) -> None:
    samples = folder / "vectors" / "dialect"
    samples.mkdir(parents=True)
    (samples / "any.xml").write_bytes(raw)
    with pytest.raises(ConfigProblem, match=r"any\.xml"):
        check_mapping(folder, documents=4, seed=1)


def test_xml_samples_are_read_by_element_and_attribute(folder: Path) -> None:
    samples = folder / "vectors" / "dialect"
    samples.mkdir(parents=True)
    (samples / "any.xml").write_text(
        '<?xml version="1.0"?><P v="1"><R>a</R><R>b</R><S k="2">t</S></P>', encoding="utf-8"
    )
    report = check_mapping(folder, documents=4, seed=1)
    assert [f.pointer for f in report.unread] == ["/P/@v", "/P/R/*", "/P/S/@k", "/P/S/#text"]


def test_the_same_table_serves_documents_of_text_alone(folder: Path) -> None:
    report = _changed(
        folder,
        ('documents = "json"', 'documents = "xml"'),
        ('unit = "ms"', 'unit = "ms", written = "text"'),
    )
    assert report.is_good, _found(report)


def test_a_draft_without_an_agreement_is_checked_against_all_its_items(folder: Path) -> None:
    (folder / "agreement.toml").unlink()
    assert check_mapping(folder, documents=4, seed=1).is_good
