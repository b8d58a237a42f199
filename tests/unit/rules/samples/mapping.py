from functools import partial

from gateway.kernel.faults import FaultCode as F
from gateway.kernel.trees import Tree
from tests.support.mapping import mapping, submitted
from tests.unit.rules.samples.sample import Sample

_TABLE = mapping()
_ACCEPTED: Tree = {"id": "KY-1", "time": 1, "sblsh": "SL-1", "zt": 3, "rq": "2026-06-01"}

SAMPLES = {
    F.MAPPING_CODE_UNMAPPED: Sample(
        partial(_TABLE.outbound, submitted(delivery="post")),
        partial(_TABLE.outbound, submitted(delivery="courier")),
    ),
    F.MAPPING_FIELD_MISSING: Sample(
        partial(_TABLE.inbound, "status", _ACCEPTED),
        partial(_TABLE.inbound, "status", {n: v for n, v in _ACCEPTED.items() if n != "rq"}),
    ),
    F.MAPPING_VALUE_INVALID: Sample(
        partial(_TABLE.outbound, submitted(region="620200")),
        partial(_TABLE.outbound, submitted(region="620200000000")),
    ),
    F.MAPPING_KIND_UNMAPPED: Sample(
        partial(_TABLE.inbound, "status", {**_ACCEPTED, "zt": "4"}),
        partial(_TABLE.inbound, "status", {**_ACCEPTED, "zt": "5"}),
    ),
}
