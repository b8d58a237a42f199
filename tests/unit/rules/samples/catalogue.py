from dataclasses import replace
from functools import partial

from gateway.kernel.digests import digest
from gateway.kernel.envelope import Attachment, Mode
from gateway.kernel.faults import FaultCode as F
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.limits import ATTACHMENTS_PER_MESSAGE_MAX
from gateway.rules.catalogue import (
    Item,
    ItemVersion,
    MaterialForm,
    MaterialRequirement,
    Scope,
    find_item,
    licences_named,
    require_current,
    require_in_scope,
    require_listed,
    require_materials,
    require_mode,
    version_of,
)
from tests.unit.rules.samples.sample import Sample

REGION = GatewayId("620200")
CODE = "00013112700402"
DAY_MS = 86_400_000
BEGIN_MS = 1_622_044_800_000  # 2021-05-27T00:00:00+08:00
END_MS = 1_704_038_400_000  # 2024-01-01T00:00:00+08:00
PDF, PNG = "application/pdf", "image/png"

OLD = ItemVersion(
    "1",
    BEGIN_MS,
    END_MS,
    90 * DAY_MS,
    b"",
    (
        MaterialRequirement("01", "登记申请书", "Application", True, frozenset({PDF}), 1),
        MaterialRequirement("04", "营业场所使用证明", "Premises", True, frozenset({PDF, PNG}), 2),
        MaterialRequirement("06", "母公司营业执照", "Licence", False, frozenset({PDF}), 100_000),
    ),
)
NEW = ItemVersion("2", END_MS, None, 0, b"", OLD.materials)
LICENCE_TYPE = "11100000MB0143028R001"
LICENCE = f"1.2.156.3005.2.{LICENCE_TYPE}.11620200MB0000000U.20210527000001.001.2"
RELYING = replace(
    NEW,
    version="3",
    materials=(
        *OLD.materials[:2],
        replace(
            OLD.materials[2],
            required=True,
            forms=frozenset({MaterialForm.COPY, MaterialForm.E_LICENCE}),
            licence_types=frozenset({LICENCE_TYPE}),
            licence_field="/parent/licence_id",
        ),
    ),
)
ITEM = Item(
    CODE,
    "分公司设立登记",
    "Registration of a branch",
    REGION,
    "11620200MB0000000U",
    "11620200MB0000000U3000131127004",
    frozenset({Mode.COLLECT_ON_BEHALF}),
    1,
    3,
    "11100000MB0143028R001",
    {"1": OLD, "2": NEW},
    frozenset({Scope.PROVINCE}),
)
CATALOGUE = {(REGION, CODE): ITEM}


def file(code: str, media_type: str = PDF) -> Attachment:
    return Attachment(code, f"{code}.pdf", media_type, 3, bytes(32), digest(code.encode()))


def naming(licence: str) -> object:
    return {"parent": {"licence_id": licence}}


FULL = [file("01"), file("04")]

SAMPLES = {
    F.CATALOGUE_ITEM_UNKNOWN: Sample(
        partial(find_item, CATALOGUE, REGION, CODE),
        partial(find_item, CATALOGUE, GatewayId("620900"), CODE),
    ),
    F.CATALOGUE_VERSION_UNKNOWN: Sample(
        partial(version_of, ITEM, "1"), partial(version_of, ITEM, "3")
    ),
    F.CATALOGUE_VERSION_SUPERSEDED: Sample(
        partial(require_current, OLD, END_MS + 90 * DAY_MS),
        partial(require_current, OLD, END_MS + 90 * DAY_MS + 1),
    ),
    F.CATALOGUE_VERSION_NOT_YET: Sample(
        partial(require_current, NEW, END_MS), partial(require_current, NEW, END_MS - 1)
    ),
    F.CATALOGUE_MATERIAL_MISSING: Sample(
        partial(require_materials, NEW, FULL), partial(require_materials, NEW, FULL[:1])
    ),
    F.CATALOGUE_MATERIAL_UNKNOWN: Sample(
        partial(require_listed, NEW, FULL), partial(require_listed, NEW, [*FULL, file("99")])
    ),
    F.CATALOGUE_MATERIAL_TYPE: Sample(
        partial(require_listed, NEW, [file("04", PNG)]),
        partial(require_listed, NEW, [file("01", PNG)]),
    ),
    F.CATALOGUE_LICENCE_UNFIT: Sample(
        partial(licences_named, RELYING, naming(LICENCE)),
        partial(licences_named, RELYING, naming(LICENCE.replace("R001", "R002"))),
    ),
    F.CATALOGUE_OUT_OF_SCOPE: Sample(
        partial(require_in_scope, ITEM, GatewayId("620900")),
        partial(require_in_scope, ITEM, GatewayId("310113")),
    ),
    F.CATALOGUE_MODE_UNLISTED: Sample(
        partial(require_mode, ITEM, Mode.COLLECT_ON_BEHALF),
        partial(require_mode, ITEM, Mode.ONLINE),
    ),
    F.LIMIT_ATTACHMENTS: Sample(
        partial(require_listed, NEW, [file("06")] * ATTACHMENTS_PER_MESSAGE_MAX),
        partial(require_listed, NEW, [file("06")] * (ATTACHMENTS_PER_MESSAGE_MAX + 1)),
    ),
}
