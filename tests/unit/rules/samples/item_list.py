from functools import partial

from gateway.kernel.faults import FaultCode as F
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.limits import ITEM_FILE_BYTES_MAX
from gateway.rules.item_list.arrivals import ToldEdition, arrive, require_own_list
from gateway.rules.item_list.changes import Changes, list_digest, require_most_stay
from gateway.rules.item_list.parts import ListPart, apply, read_part, require_result, write_part
from gateway.rules.item_list.reading import read_csv
from gateway.rules.item_list.rows import COLUMNS, fingerprint
from tests.support.item_list import OTHER_AUTHORITY, csv_bytes, csv_lines, list_row, require_none
from tests.unit.rules.samples.sample import Sample

ROW = list_row(1)
GOOD = csv_bytes(ROW)


def _read(raw: bytes) -> None:
    require_none(read_csv(raw).problems)


def _cell(**changes: str) -> Sample:
    return Sample(partial(_read, GOOD), partial(_read, csv_bytes(ROW._replace(**changes))))


def _file(raw: bytes) -> Sample:
    return Sample(partial(_read, GOOD), partial(_read, raw))


def _columns(*columns: str) -> bytes:
    return "\n".join(csv_lines([("x",) * len(columns)], columns)).encode()


def _ending(ended: int) -> Changes:
    return Changes((), (), tuple(map(str, range(ended))), 2)


JIUQUAN, OTHER = GatewayId("620900"), GatewayId("620200")
PART = ListPart(
    JIUQUAN, 2, list_digest({ROW.code: fingerprint(ROW)}), 1, b"", 1, True, added=(ROW,)
)
FORM = write_part(PART)


def _told(number: int, **changes: object) -> tuple[ToldEdition, ...]:
    one = ToldEdition(JIUQUAN, number, PART.digest, b"", 1, 0, 1, 0)
    return (one._replace(**changes),)  # type: ignore[arg-type]


def _arrives(*told: ToldEdition, part: ListPart = PART, here: tuple[int, ...] = ()) -> Sample:
    return Sample(partial(arrive, (), (), PART, b"", 0), partial(arrive, told, here, part, b"", 0))


def _result(rows: int) -> None:
    held: dict[str, bytes] = {}
    apply(held, PART)
    require_result(held, PART._replace(rows=rows))


SAMPLES = {
    F.CATALOGUE_EDITION_GAP: _arrives(part=PART._replace(previous=b"p" * 32)),
    F.CATALOGUE_EDITION_OLD: _arrives(*_told(3, published=True)),
    F.CATALOGUE_EDITION_PENDING: _arrives(*_told(1, parts=1)),
    F.CATALOGUE_LIST_DIFFERS: Sample(partial(_result, 1), partial(_result, 2)),
    F.CATALOGUE_LIST_OF_ANOTHER: Sample(
        partial(require_own_list, JIUQUAN, JIUQUAN), partial(require_own_list, JIUQUAN, OTHER)
    ),
    F.CATALOGUE_PARTS_DIFFER: _arrives(*_told(2, digest=b"d" * 32), here=(1,)),
    F.CATALOGUE_ROW_INVALID: Sample(
        partial(read_part, FORM),
        partial(read_part, {**FORM, "added": [list(ROW._replace(task_name="=1+1"))]}),
    ),
    F.ITEM_LIST_ENCODING: _file(GOOD.decode().encode("utf-16")),
    F.ITEM_LIST_NOT_CSV: _file(GOOD + b'"never closed'),
    F.ITEM_LIST_COLUMN_MISSING: _file(_columns(*COLUMNS[1:])),
    F.ITEM_LIST_COLUMN_UNKNOWN: _file(_columns(*COLUMNS, "row_guid")),
    F.ITEM_LIST_COLUMN_TWICE: _file(_columns(*COLUMNS, "task_name")),
    F.ITEM_LIST_EMPTY: _file(csv_bytes()),
    F.ITEM_LIST_ROW_LENGTH: _file(csv_bytes(ROW[:-1])),
    F.ITEM_LIST_CELL_SIZE: _cell(task_name="名" * 501),
    F.ITEM_LIST_CELL_FORMULA: _cell(task_name="=cmd|'/c calc'!A0"),
    F.ITEM_LIST_CELL_CHARACTER: _cell(task_name="分公司\u202e登记"),
    F.ITEM_LIST_VALUE_MISSING: _cell(task_name=" "),
    F.ITEM_LIST_CODE_INVALID: _cell(catalog_code="00013112700"),
    F.ITEM_LIST_VALUE_UNKNOWN: _cell(task_type="1"),
    F.ITEM_LIST_VALUE_INVALID: _cell(plan_effective_date="2021-02-29"),
    F.ITEM_LIST_CONTRADICTION: _cell(dept_code=OTHER_AUTHORITY),
    F.ITEM_LIST_CODE_TWICE: _file(csv_bytes(ROW, ROW)),
    F.ITEM_LIST_ENDS_MOST: Sample(
        partial(require_most_stay, _ending(2)), partial(require_most_stay, _ending(3))
    ),
    F.ITEM_LIST_FILE_SIZE: Sample(
        lambda: _read(GOOD), lambda: _read(bytes(ITEM_FILE_BYTES_MAX + 1))
    ),
}
