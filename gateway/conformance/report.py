"""The signed result of a run: made, verified offline, kept, and asked whether it is fresh.

The file is a DSSE envelope (github.com/secure-systems-lab/dsse) whose payload is one JSON
document. The readable copy beside it proves nothing, and must agree.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from gateway import __version__
from gateway.conformance import KIT_VERSION
from gateway.conformance.bench import Bench, Signer, Target, Verify
from gateway.conformance.case_files import Case, applicable, set_digest
from gateway.conformance.running import Result, Status, verdict_of
from gateway.kernel.digests import TYPE_CONFORMANCE_REPORT, digest, pae
from gateway.kernel.identifiers import GatewayId, KeyId
from gateway.kernel.instants import to_iso
from gateway.kernel.limits import (
    CONFORMANCE_DAYS_MAX,
    CONFORMANCE_KEPT_DAYS,
    CONFORMANCE_REPORT_BYTES_MAX,
)
from gateway.rules.trust import RegisteredKey

FORMAT: Final = "kuayu-conformance-report-1"
PASSES: Final = frozenset({"passed", "passed_with_gaps"})
_DAY_MS: Final = 86_400_000

KeyOf = Callable[[GatewayId, KeyId], RegisteredKey | None]
"""Finds a registered key of a gateway."""
Document = Mapping[str, Any]


class ReportProblem(Exception):
    """A report that cannot be believed, and why."""


class Run(NamedTuple):
    """What a run found, beside its results."""

    at_ms: int
    selection: tuple[str, ...]
    """Names that were asked for; empty: everything."""
    pin_seen: bytes
    """Of the certificate the target showed; empty: none was seen."""
    days: int = CONFORMANCE_KEPT_DAYS


def settings_of(target: Target) -> dict[str, object]:
    """Return what a pass is about: with another address, key or agreement it is another target."""
    partner = target.partner
    platform = partner.platform
    spoken = b"" if platform is None else _canonical([platform.settings, platform.words.hex()])
    return {
        "platform": digest(spoken).hex() if spoken else "",
        "gateway_id": partner.gateway_id,
        "outlet": partner.outlet,
        "address": target.address,
        "server_name": partner.server_name,
        "simulated": target.simulated,
        "authorities": digest(partner.authorities).hex(),
        "relays": sorted(partner.relays),
        "key_ids": sorted(key_id.hex() for key_id in partner.keys),
        "transport_pins": sorted(pin.hex() for pin in partner.transport_pins),
        "agreements": sorted(a.hex() for a in target.agreements),
        "catalogue_digest": target.catalogue_digest.hex(),
    }


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, default=dict).encode()


def document_of(
    bench: Bench, cases: Sequence[Case], results: Sequence[Result], run: Run
) -> Document:
    """Return the report as a document, JSON-ready. No personal data is in it."""
    target = bench.target
    expires_ms = run.at_ms + run.days * _DAY_MS
    counts = {s.value: sum(r.status is s for r in results) for s in Status}
    return {
        "format": FORMAT,
        "kit": KIT_VERSION,
        "gateway": __version__,
        "case_set": {"digest": set_digest(cases).hex(), "count": len(cases)},
        "own_cases": sorted(c.id for c in cases if c.own),
        "selection": list(run.selection),
        "judged_by": bench.sender.gateway_id,
        "target": {
            "name": target.name,
            **settings_of(target),
            "certificate_pin_seen": run.pin_seen.hex(),
        },
        "run_at_ms": run.at_ms,
        "run_at": to_iso(run.at_ms),
        "expires_at_ms": expires_ms,
        "expires_at": to_iso(expires_ms),
        "verdict": verdict_of(results),
        "counts": counts,
        "results": [_result(r) for r in results],
    }


def _result(result: Result) -> dict[str, object]:
    file = result.case.file
    return {
        "id": result.id,
        "title_zh": file.title_zh,
        "title_en": file.title_en,
        "level": file.level,
        "status": result.status.value,
        "waived": result.waived,
        "reason": result.reason,
        "step": result.step,
        "seen": list(result.seen),
        "duration_ms": result.duration_ms,
        "case_digest": result.case.digest.hex(),
    }


def sign_report(document: Document, signer: Signer) -> bytes:
    """Return the report's file: payload, signature, and a readable copy."""
    payload = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    signature = signer.sign(pae(TYPE_CONFORMANCE_REPORT, payload))
    whole = {
        "report": document,
        "payloadType": TYPE_CONFORMANCE_REPORT.decode(),
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"keyid": signer.key_id.hex(), "sig": base64.b64encode(signature).decode()}],
    }
    return (json.dumps(whole, ensure_ascii=False, indent=1) + "\n").encode()


def verify_report(raw: bytes, key_of: KeyOf, verify: Verify) -> Document:
    """Return the document of a report that a registered key of its judge signed.

    The key must have been valid when the report was made. Whether the report has expired is *not*
    checked.

    Raises:
        ReportProblem: it is no report, nobody known signed it, or its copy says something else.
    """
    if len(raw) > CONFORMANCE_REPORT_BYTES_MAX:
        raise ReportProblem(f"larger than {CONFORMANCE_REPORT_BYTES_MAX} bytes")
    payload, signatures, copy = _opened(raw)
    try:
        document = json.loads(payload)
        judge, at_ms = GatewayId(document["judged_by"]), document["run_at_ms"]
    except (ValueError, KeyError, TypeError) as broken:
        raise ReportProblem("the payload is no report") from broken
    if document.get("format") != FORMAT or not isinstance(at_ms, int):
        raise ReportProblem(f"the payload is no report of the format {FORMAT}")
    _require_signed(payload, signatures, judge, at_ms, key_of, verify)
    if copy != document:
        raise ReportProblem("the readable copy says something else than what was signed")
    found: Document = document
    return found


def _opened(raw: bytes) -> tuple[bytes, list[tuple[KeyId, bytes]], object]:
    try:
        whole = json.loads(raw)
        if whole["payloadType"] != TYPE_CONFORMANCE_REPORT.decode():
            raise ReportProblem("signed as something else than a conformance report")
        payload = base64.b64decode(whole["payload"], validate=True)
        signatures = [
            (KeyId(bytes.fromhex(s["keyid"])), base64.b64decode(s["sig"], validate=True))
            for s in whole["signatures"]
        ]
    except (ValueError, KeyError, TypeError, binascii.Error) as broken:
        raise ReportProblem("not a signed conformance report") from broken
    return payload, signatures, whole.get("report")


def _require_signed(
    payload: bytes,
    signatures: Sequence[tuple[KeyId, bytes]],
    judge: GatewayId,
    at_ms: int,
    key_of: KeyOf,
    verify: Verify,
) -> None:
    if not signatures:
        raise ReportProblem("not signed")
    message = pae(TYPE_CONFORMANCE_REPORT, payload)
    for key_id, signature in signatures:
        key = key_of(judge, key_id)
        if key is None:
            raise ReportProblem(f"signed by a key that is not registered for {judge}")
        if not key.not_before_ms <= at_ms <= key.not_after_ms:
            raise ReportProblem("signed by a key that was not valid when the report was made")
        if not verify(key.suite, key.public_key, signature, message):
            raise ReportProblem("the signature does not verify")


def keep(folder: Path, document: Document, raw: bytes) -> Path:
    """Keep a report below `folder`, the state's `conformance/`; on disk when this returns.

    Raises:
        OSError: it cannot be written.
    """
    home = folder / str(document["target"]["gateway_id"])
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = home / f"{document['run_at_ms']:015d}-{digest(raw).hex()[:16]}.json"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(fd)
    return path


@dataclass(frozen=True)
class Freshness:
    """Whether a kept report is a pass for a partner as it is set up now."""

    passed: bool
    reasons: tuple[str, ...]
    """Why not, each with what to do; empty if it is."""
    path: Path | None = None
    document: Document | None = None


def fresh_pass(
    folder: Path,
    judge: GatewayId,
    target: Target,
    cases: Sequence[Case],
    at_ms: int,
    key_of: KeyOf,
    verify: Verify,
) -> Freshness:
    """Tell whether the latest whole run of `judge` against `target` is a fresh pass at `at_ms`.

    `folder` is the state's `conformance/`, `cases` the kit's own set. A run of chosen cases only is
    passed over; of whole runs the latest counts, a failed one too. What somebody else judged is no
    pass here, and none lasts longer than the longest that can be asked for.
    """
    home = folder / target.partner.gateway_id
    unreadable: list[str] = []
    for path in sorted(home.glob("*.json"), reverse=True) if home.is_dir() else ():
        try:
            document = verify_report(path.read_bytes(), key_of, verify)
        except ReportProblem as problem:
            unreadable.append(f"{path.name}: {problem}; run the kit again")
            continue
        if document["selection"]:
            continue
        reasons = tuple(_stale(document, judge, target, cases, at_ms))
        return Freshness(not reasons, reasons, path, document)
    none = "no whole run is kept; run `kuayu conformance run`"
    return Freshness(False, (*unreadable, none))


def _stale(
    document: Document, judge: GatewayId, target: Target, cases: Sequence[Case], at_ms: int
) -> list[str]:
    """Return why a report is no fresh pass."""
    again = "run the kit again"
    reasons: list[str] = []
    if document["verdict"] not in PASSES:
        failed = document["counts"]["failed"]
        reasons.append(f"the latest run did not pass ({failed} failed); mend it and {again}")
    if document["judged_by"] != judge:
        reasons.append(f"{document['judged_by']} judged it, not this gateway; {again}")
    latest_ms = document["run_at_ms"] + CONFORMANCE_DAYS_MAX * _DAY_MS
    if at_ms > min(document["expires_at_ms"], latest_ms):
        reasons.append(f"it expired at {document['expires_at']}; {again}")
    if at_ms < document["run_at_ms"]:
        reasons.append(f"it is dated ahead, {document['run_at']}; check the clock")
    if document["kit"] != KIT_VERSION:
        reasons.append(f"it was made by kit {document['kit']}, this is {KIT_VERSION}; {again}")
    own = {r["id"].partition("[")[0]: r["case_digest"] for r in document["results"]}
    wanted = applicable((c for c in cases if not c.own), target.judged_as)
    if any(own.get(case.id) != case.digest.hex() for case in wanted):
        reasons.append(f"the kit's cases have changed since; {again}")
    for name, now in settings_of(target).items():
        if document["target"].get(name) != now:
            reasons.append(f"{name} is another now than when it was judged; {again}")
    return reasons
