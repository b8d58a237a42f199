"""What is wrong with a mapping file is told all at once: where, and what to write instead."""

import pytest

from gateway.kernel.limits import MAPPING_FILE_BYTES_MAX, MAPPING_ROWS_MAX
from gateway.rules.mapping import MappingProblem, parse_mapping
from tests.support.mapping import SAMPLE


def _problems(text: str | bytes) -> dict[str, str]:
    with pytest.raises(MappingProblem) as refused:
        parse_mapping(text if isinstance(text, bytes) else text.encode())
    return {problem.path: problem.what for problem in refused.value.problems}


def _of(old: str, new: str) -> dict[str, str]:
    assert old in SAMPLE
    return _problems(SAMPLE.replace(old, new, 1))


@pytest.mark.parametrize(
    "raw", [b"\xff", b"version = ", b"a = " + b"[" * 3_000, b"#" * (MAPPING_FILE_BYTES_MAX + 1)]
)
def test_what_is_no_toml_is_refused(raw: bytes) -> None:
    assert list(_problems(raw)) == ["document"]


def test_an_empty_file_lacks_everything_at_once() -> None:
    assert set(_problems("")) == {"version", "documents", "messages"}


@pytest.mark.parametrize(
    ("old", "new", "path", "what"),
    [
        ("version = 1", "version = 2", "version", "is 1"),
        ('"json"', '"yaml"', "documents", "is one of flat, json, xml"),
        ('kind = "decided"', 'kind = "ping"', "messages[2].kind", "is one of accepted,"),
        ('window = "1"', "window = 1.5", "tables.delivery.window", "is a text, a whole number"),
        ('window = "1"', 'window = "2"', "tables.delivery", "has theirs '2' more than once"),
        ('prefer = "out"', "", "tables.result", 'prefer = "out" (or "both") in exactly one'),
        ('prefer = "out"', 'prefer = "ours"', "tables.result[1].prefer", "is one of both, in, out"),
        ('table = "delivery"', 'table = "x"', "messages[0].rows[7].table", "there are delivery, r"),
        ('rows = "material"', 'rows = "x"', "messages[0].rows[10].rows", "names no set"),
        ('"yyyyMMdd"', '"%Y%m%d"', "messages[0].rows[9].format", "is made of yyyy MM dd"),
        ('"yyyyMMdd"', '"yyyyMM"', "messages[0].rows[9].format", "has yyyy MM dd, each once"),
        ('"yyyyMMdd"', '"yyyyMMddMM"', "messages[0].rows[9].format", "each once"),
        ('unit = "ms"', 'format = "yyyy-MM-dd HH:mm:ss"', "sets.head[2].zone", "never guessed"),
        ('ours_as = "epoch_ms"', 'zone = "CST"', "sets.head[2].zone", "never guessed"),
        ('"/data/xm"', '"data/xm"', "messages[0].rows[5].theirs", "a pointer begins with /"),
        ('"/data/xm"', '"/data"', "messages[0].rows[6].theirs", "is written by a row above"),
        ('"/form/name"', '"/form/region"', "messages[0].rows[6].ours", "is written by a row above"),
        ('"/form/name"', '""', "messages[0].rows", "is for elements of a list"),
        ('"/form/name"', '["/a", "/b"]', "messages[0].rows[5].separator", "is missing"),
        ("length_max = 60", "length_maks = 60", "messages[0].rows[5].length_maks", "is not known"),
        ("decimals = 6", "decimals = -1", "messages[0].rows[8].decimals", "from 0 to 12"),
        ('as = "region"', 'as = "eval"', "messages[0].rows[6].as", "is one of amount, as_is"),
        ('algorithm = "md5"', 'algorithm = "crc"', "sets.material[4].algorithm", "is one of md5"),
        ('direction = "in"\nrows', "rows", "messages[1].when.is", "no row says which"),
        ('is = "9"', 'is = "4"', "messages[2]", "never comes in: messages[1]"),
        ('operation = "status"', "", "messages[1].operation", "is missing"),
        ('use = ["head"]', "", "messages[0].rows", "gives /case/applicant_number inbound"),
        ("[answers]\nat", "[answers]\nto", "answers.to", "is not known here"),
        ("is = -1", 'is = "200"', "answers.codes[0].is", "or ok, has too"),
        ('"schema.form_invalid"', '"schema.frm"', "answers.codes[1].means", "kuayu faults"),
        ('"case.unknown"', '"case.unkown"', "says.refused[0].codes.case.unkown", "is no rule id"),
        (", default = 1", "", "says.refused[0].default", "is a text, a whole number"),
        ('said = "number"', 'said = "eval"', "says.ok[1].said", "is one of number, rule"),
        ("material = [", "other = []\nmaterial = [", "sets.other", "is used by no message"),
    ],
)
def test_a_mistake_is_told_by_place_with_what_to_write(
    old: str, new: str, path: str, what: str
) -> None:
    problems = _of(old, new)
    assert path in problems, problems
    assert what in problems[path]


def test_every_mistake_of_a_file_is_told_at_once() -> None:
    text = SAMPLE.replace("version = 1", "version = 3", 1).replace('as = "region"', 'as = "r"')
    text = text.replace("[says]", "[saying]").replace('"yyyyMMdd"', '"yy"')
    assert len(_problems(text)) >= 5


def test_a_set_that_holds_itself_is_refused() -> None:
    row = '{ ours = "/a", theirs = "/a", as = "each", rows = "material" },'
    assert "holds itself" in _of("material = [", "material = [" + row)["sets.material[0].rows"]


def test_two_messages_of_the_same_kind_must_differ_by_item() -> None:
    second = '[[messages]]\nkind = "decided"\noperation = "other"\nuse = ["head"]\n'
    found = _of("[answers]", second + "[answers]")
    assert "never goes out: messages[2]" in found["messages[3]"]


def test_a_file_of_too_many_rows_is_refused() -> None:
    row = '{{ ours = "/form/f{0}", theirs = "/f{0}" }},\n'
    rows = "".join(row.format(place) for place in range(MAPPING_ROWS_MAX))
    assert "more than 2000 rows" in _of("head = [", "head = [" + rows)["document"]
