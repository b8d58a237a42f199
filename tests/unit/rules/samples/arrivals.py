from functools import partial

from gateway.adapters.outlets.documents import decode_text, read_xml
from gateway.adapters.outlets.rest.schemes.scheme import Call, header, require_now, require_same
from gateway.kernel.arrivals import ArrivalEvent, ArrivalStatus
from gateway.kernel.faults import FaultCode as F
from gateway.kernel.translations import Verdict
from gateway.rules.arrivals import (
    require_accepted,
    require_in_turn,
    require_named,
    require_same_content,
    require_unused,
    step,
)
from tests.unit.rules.samples.sample import Sample

SIGNED = Call("POST", "https://示例/a", "a", {"sign": "7c"}, b"{}")
NOW_MS = 1_780_000_000_000

SAMPLES = {
    F.PARTNER_UNSIGNED: Sample(partial(header, SIGNED, "sign"), partial(header, SIGNED, "nonce")),
    F.PARTNER_SIGNATURE_INVALID: Sample(
        partial(require_same, held=True, what="sign"),
        partial(require_same, held=False, what="sign"),
    ),
    F.PARTNER_CLOCK_SKEW: Sample(
        partial(require_now, "1780000299", 1000, NOW_MS, 300_000),
        partial(require_now, "1780000301", 1000, NOW_MS, 300_000),
    ),
    F.PARTNER_ENCODING_INVALID: Sample(
        partial(decode_text, "示例㛃𬭊".encode("gb18030"), "gb18030"),
        partial(decode_text, b"\x81\xff", "gb18030"),
    ),
    F.PARTNER_DOCUMENT_UNREADABLE: Sample(
        partial(read_xml, b"<a>1</a>"), partial(read_xml, b"<!DOCTYPE a><a>1</a>")
    ),
    F.PARTNER_NONCE_REPLAYED: Sample(
        partial(require_unused, used=False), partial(require_unused, used=True)
    ),
    F.PARTNER_NUMBER_REUSED: Sample(
        partial(require_same_content, {b"a"}, b"a"), partial(require_same_content, {b"a"}, b"b")
    ),
    F.PARTNER_CASE_UNNAMED: Sample(
        partial(require_named, named=True), partial(require_named, named=False)
    ),
    F.PARTNER_OUT_OF_ORDER: Sample(
        partial(require_in_turn, early=False), partial(require_in_turn, early=True)
    ),
    F.PARTNER_REFUSED: Sample(
        partial(require_accepted, Verdict(ok=True, rule="no.such")),
        partial(require_accepted, Verdict(ok=False, rule="no.such")),
    ),
    F.PARTNER_ARRIVAL_SETTLED: Sample(
        partial(step, ArrivalStatus.QUARANTINED, ArrivalEvent.DROP),
        partial(step, ArrivalStatus.TAKEN_IN, ArrivalEvent.DROP),
    ),
}
