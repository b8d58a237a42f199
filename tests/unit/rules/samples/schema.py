import json
from functools import partial

from gateway.kernel.digests import digest
from gateway.kernel.faults import FaultCode as F
from gateway.kernel.limits import JSON_DEPTH_MAX
from gateway.rules.schema import FormSchemas
from gateway.rules.schema.strict_json import parse
from tests.unit.rules.samples.sample import Sample

FORM = json.dumps(
    {
        "type": "object",
        "properties": {"uscc": {"type": "string", "format": "uscc"}},
        "additionalProperties": False,
    }
).encode()
SCHEMAS = FormSchemas({digest(FORM): FORM})


def _nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


SAMPLES = {
    F.SCHEMA_JSON_INVALID: Sample(partial(parse, b'{"a": 1}'), partial(parse, b'{"a": 1,}')),
    F.SCHEMA_JSON_DUPLICATE_KEY: Sample(
        partial(parse, b'{"a": {"b": 1}, "b": 2}'), partial(parse, b'{"a": {"b": 1, "b": 2}}')
    ),
    F.SCHEMA_JSON_NUMBER: Sample(
        partial(parse, b"[9007199254740991]"), partial(parse, b"[18446744073709551616]")
    ),
    F.SCHEMA_JSON_DEPTH: Sample(
        partial(parse, _nested(JSON_DEPTH_MAX)), partial(parse, _nested(JSON_DEPTH_MAX + 1))
    ),
    F.SCHEMA_JSON_ENCODING: Sample(
        partial(parse, '{"name": "㛃𬭊"}'.encode()),
        partial(parse, '{"name": "张三"}'.encode("gb18030")),
    ),
    F.SCHEMA_FORM_INVALID: Sample(
        partial(SCHEMAS.require, digest(FORM), {"uscc": "91620900MA0000000M"}),
        partial(SCHEMAS.require, digest(FORM), {"uscc": "91620900MA0000000N"}),
    ),
}
