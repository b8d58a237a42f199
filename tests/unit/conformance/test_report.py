"""The signed report: nobody changes it unseen, and a pass does not last for ever."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from gateway.adapters.pki.key_files import parse_key
from gateway.adapters.pki.suites import ES256, FileSigner, SuiteVerifier, generate_key
from gateway.conformance.bench import Bench, Sender, Target
from gateway.conformance.case_files import Case, load_cases
from gateway.conformance.junit import junit_of
from gateway.conformance.page import page_of
from gateway.conformance.report import (
    Document,
    Freshness,
    ReportProblem,
    Run,
    document_of,
    fresh_pass,
    keep,
    sign_report,
    verify_report,
)
from gateway.conformance.running import Result, Status, verdict_of
from gateway.kernel.digests import pae
from gateway.kernel.identifiers import GatewayId, KeyId
from gateway.rules.trust import Partner, PartnerState, RegisteredKey

NOW = 1_800_000_000_000
DAY = 86_400_000
HOME, OTHER = GatewayId("620900"), GatewayId("620200")
SIGNER = FileSigner(parse_key(generate_key(ES256)))
KEY = RegisteredKey(SIGNER.key_id, ES256, SIGNER.public_key, NOW - DAY, NOW + 100 * DAY)
CASES = load_cases()
VERIFY = SuiteVerifier().verify


def key_of(judge: GatewayId, key_id: KeyId) -> RegisteredKey | None:
    return KEY if (judge, key_id) == (HOME, KEY.key_id) else None


def target(**changes: Any) -> Target:
    partner = Partner(
        OTHER, "示例", "sample", "11620200MB0000000U", PartnerState.TESTING, "a:1",
        frozenset({b"\1" * 32}), {KEY.key_id: KEY},
    )  # fmt: skip
    made = Target("sample", "a:1", partner, (b"\2" * 32,), b"\3" * 32, (), (), simulated=True)
    return replace(made, **changes)


def bench(to: Target) -> Bench:
    sender = Sender(HOME, "11620900MB00000000", (SIGNER,), SIGNER)
    nothing: Any = None
    return Bench(sender, to, nothing, VERIFY, lambda: NOW, lambda: 0, bytes)


def passed(case: Case) -> Result:
    return Result(case, "", Status.PASSED, "", 0, ("taken_in",), 3)


def document(change: Callable[[Result], Result] = lambda r: r, run: Run | None = None) -> Document:
    results = [change(passed(case)) for case in CASES]
    return document_of(bench(target()), CASES, results, run or Run(NOW, (), b"\4" * 32))


def changed(raw: bytes, **fields: Any) -> bytes:
    return json.dumps({**json.loads(raw), **fields}).encode()


def fresh(folder: Path, at_ms: int = NOW + DAY, **changes: Any) -> Freshness:
    return fresh_pass(folder, HOME, target(**changes), CASES, at_ms, key_of, VERIFY)


def test_a_report_that_was_changed_is_not_believed() -> None:
    raw = sign_report(document(), SIGNER)
    payload = base64.b64decode(json.loads(raw)["payload"])
    better = base64.b64encode(payload.replace(b"passed", b"PASSED", 1)).decode()
    with pytest.raises(ReportProblem, match="does not verify"):
        verify_report(changed(raw, payload=better), key_of, VERIFY)


def test_a_copy_that_says_something_else_is_not_believed() -> None:
    raw = sign_report(document(), SIGNER)
    report = {**json.loads(raw)["report"], "verdict": "failed"}
    with pytest.raises(ReportProblem, match="readable copy"):
        verify_report(changed(raw, report=report), key_of, VERIFY)


def test_a_signature_made_for_something_else_is_not_believed() -> None:
    raw = sign_report(document(), SIGNER)
    payload = base64.b64decode(json.loads(raw)["payload"])
    kind = b"application/vnd.kuayu.v1.receipt"
    other = base64.b64encode(SIGNER.sign(pae(kind, payload))).decode()
    signatures = [{"keyid": SIGNER.key_id.hex(), "sig": other}]
    with pytest.raises(ReportProblem, match="does not verify"):
        verify_report(changed(raw, signatures=signatures), key_of, VERIFY)
    with pytest.raises(ReportProblem, match="signed as something else"):
        verify_report(changed(raw, payloadType=kind.decode()), key_of, VERIFY)


def test_a_report_signed_by_nobody_known_is_not_believed() -> None:
    stranger = FileSigner(parse_key(generate_key(ES256)))
    raw = sign_report(document(), stranger)
    with pytest.raises(ReportProblem, match="not registered"):
        verify_report(raw, key_of, VERIFY)
    with pytest.raises(ReportProblem, match="not signed"):
        verify_report(changed(raw, signatures=[]), key_of, VERIFY)


def test_a_key_that_was_not_valid_then_proves_nothing() -> None:
    raw = sign_report(document(run=Run(NOW + 101 * DAY, (), b"")), SIGNER)
    with pytest.raises(ReportProblem, match="not valid when"):
        verify_report(raw, key_of, VERIFY)


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"{}", b'{"payloadType": 1}', b"\xff", b"0" * 5_000_000]
)
def test_bytes_that_are_no_report_are_not_believed(raw: bytes) -> None:
    with pytest.raises(ReportProblem):
        verify_report(raw, key_of, VERIFY)


def test_a_report_proves_itself_and_names_what_it_is_about() -> None:
    found = verify_report(sign_report(document(), SIGNER), key_of, VERIFY)
    assert found["verdict"] == "passed"
    assert found["target"]["key_ids"] == [KEY.key_id.hex()]
    assert found["target"]["certificate_pin_seen"] == "04" * 32
    assert found["target"]["agreements"] == ["02" * 32]
    assert found["expires_at_ms"] == NOW + 90 * DAY
    assert len(found["results"]) == len(CASES)


def test_nothing_kept_is_no_pass(tmp_path: Path) -> None:
    found = fresh(tmp_path)
    assert not found.passed
    assert "run `kuayu conformance run`" in found.reasons[0]


def test_a_kept_pass_is_fresh_until_it_expires(tmp_path: Path) -> None:
    one = document()
    path = keep(tmp_path, one, sign_report(one, SIGNER))
    assert path.stat().st_mode & 0o777 == 0o600
    assert fresh(tmp_path).passed
    assert fresh(tmp_path, NOW + 90 * DAY).passed
    (reason,) = fresh(tmp_path, NOW + 90 * DAY + 1).reasons
    assert "expired" in reason
    (reason,) = fresh(tmp_path, NOW - 1).reasons
    assert "dated ahead" in reason


def test_a_pass_is_about_the_partner_as_it_was(tmp_path: Path) -> None:
    one = document()
    keep(tmp_path, one, sign_report(one, SIGNER))
    partner = target().partner
    others: dict[str, dict[str, Any]] = {
        "address": {"address": "b:2"},
        "agreements": {"agreements": ()},
        "catalogue_digest": {"catalogue_digest": b"\0" * 32},
        "key_ids": {"partner": replace(partner, keys={})},
        "transport_pins": {"partner": replace(partner, transport_pins=frozenset())},
        "authorities": {"partner": replace(partner, authorities=b"another")},
        "relays": {"partner": replace(partner, relays=frozenset({GatewayId("620700")}))},
        "simulated": {"simulated": False},
    }
    for name, changes in others.items():
        (reason,) = fresh(tmp_path, **changes).reasons
        assert reason.startswith(f"{name} is another now"), reason
    now_active = replace(partner, state=PartnerState.ACTIVE, digest=b"\7" * 32)
    assert fresh(tmp_path, partner=now_active).passed, "activation itself stales nothing"


def test_nobody_else_judges_for_us_and_no_pass_lasts_for_ever(tmp_path: Path) -> None:
    long = document(run=Run(NOW, (), b"\4" * 32, 50_000))
    keep(tmp_path, long, sign_report(long, SIGNER))
    assert fresh(tmp_path, NOW + DAY).passed
    (late,) = fresh(tmp_path, NOW + 367 * DAY).reasons
    assert "expired" in late
    found = fresh_pass(tmp_path, OTHER, target(), CASES, NOW + DAY, key_of, VERIFY)
    assert found.reasons == ("620900 judged it, not this gateway; run the kit again",)


def test_a_pass_of_other_cases_is_no_fresh_pass(tmp_path: Path) -> None:
    one = document()
    keep(tmp_path, one, sign_report(one, SIGNER))
    cases = [replace(CASES[0], digest=b"\0" * 32), *CASES[1:]]
    found = fresh_pass(tmp_path, HOME, target(), cases, NOW + 1, key_of, VERIFY)
    assert found.reasons == ("the kit's cases have changed since; run the kit again",)


def test_the_latest_whole_run_counts_and_a_partial_one_does_not(tmp_path: Path) -> None:
    def fails(result: Result) -> Result:
        return result._replace(status=Status.FAILED, reason="示例", step=1)

    good, bad = document(), document(fails, Run(NOW + 1, (), b""))
    part = document(run=Run(NOW + 2, ("ping",), b""))
    keep(tmp_path, good, sign_report(good, SIGNER))
    keep(tmp_path, part, sign_report(part, SIGNER))
    assert fresh(tmp_path).passed
    keep(tmp_path, bad, sign_report(bad, SIGNER))
    (reason,) = fresh(tmp_path).reasons
    assert "did not pass" in reason


def test_a_kept_report_that_was_changed_is_passed_over(tmp_path: Path) -> None:
    one = document()
    path = keep(tmp_path, one, sign_report(one, SIGNER))
    path.write_bytes(path.read_bytes().replace(b"taken_in", b"taken_on"))
    found = fresh(tmp_path)
    assert not found.passed
    assert "readable copy" in found.reasons[0]


MUST = next(c for c in CASES if c.file.level == "must")
SHOULD = next(c for c in CASES if c.file.level == "should")


@pytest.mark.parametrize(
    ("results", "verdict"),
    [
        ([], "failed"),
        ([passed(SHOULD)], "failed"),
        ([passed(MUST)], "passed"),
        ([passed(MUST), passed(SHOULD)._replace(status=Status.FAILED)], "passed"),
        ([passed(MUST), passed(MUST)._replace(status=Status.FAILED)], "failed"),
        ([passed(MUST), passed(MUST)._replace(status=Status.NOT_RUN)], "failed"),
        (
            [passed(MUST), passed(MUST)._replace(status=Status.NOT_RUN, waived=True)],
            "passed_with_gaps",
        ),
        ([passed(MUST)._replace(status=Status.NOT_RUN, waived=True)], "failed"),
    ],
)
def test_a_run_passes_by_what_passed_and_never_silently(
    results: list[Result], verdict: str
) -> None:
    assert verdict_of(results) == verdict


def test_what_a_target_said_cannot_write_into_the_page_or_the_xml() -> None:
    evil = "<script>alert(1)</script>]]>\"'&"

    def fails(result: Result) -> Result:
        return result._replace(status=Status.FAILED, reason=evil, step=2)

    one = document(fails)
    page = page_of(one).decode()
    assert "<script" not in page
    assert "模拟端点" in page
    assert "http" not in page.replace("http-equiv", ""), "needs nothing beside itself"
    suite = ElementTree.fromstring(junit_of(one))
    assert suite.get("failures") == str(len(CASES))
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert failure.get("message") == f"step 2: {evil}"


def test_the_xml_says_what_was_not_run_and_why() -> None:
    def not_run(result: Result) -> Result:
        return result._replace(status=Status.NOT_RUN, reason="needs 示例")

    suite = ElementTree.fromstring(junit_of(document(not_run)))
    assert suite.get("skipped") == str(len(CASES))
    skipped = suite.find("testcase/skipped")
    assert skipped is not None
    assert skipped.get("message") == "not run: needs 示例"
