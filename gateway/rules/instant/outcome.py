"""What an instant rule decides: the body of `decided`, with the licence's face."""

from __future__ import annotations

from typing import Final, NamedTuple

from stdnum.cn import uscc
from stdnum.iso7064 import mod_37_36

from gateway.rules.instant.judging import Instant, look_up
from gateway.rules.instant.values import CodeSeries

_LICENCE_ROOT: Final = "1.2.156.3005.2"
_ORGANISATION_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)  # GB 11714
_ORGANISATION_CHECKS: Final = "0X987654321"
"""By the weighted sum modulo 11: eleven minus it, where ten is X and eleven is 0."""
_DATE_FIELDS: Final = ("estdate", "opfrom", "apprdate")


class Issue(NamedTuple):
    """What only the journal and the clock know. `today` is a civil date as `2021-05-27`."""

    unit: str
    today: str
    licence_serial: int
    code_serial: int
    """Both count from 1."""


class OutcomeImpossible(Exception):
    """The rule cannot make its licence: the code series is used up, or a form field is no text."""


def decision_document(verdict: Instant, issue: Issue, form: object) -> dict[str, object]:
    """Return the body of the decision; that it follows the message's schema is *not* checked.

    Raises:
        OutcomeImpossible: the case falls to a person.
    """
    rules = verdict.rules
    return {
        "result": "approved",
        "decision_number": rules.result.decision_number.replace("{year}", issue.today[:4]).replace(
            "{serial}", f"{issue.licence_serial:06d}"
        ),
        "reason_zh": rules.result.text_zh,
        "licence": _licence(verdict, issue, form),
        "instant": {
            "rule": rules.id,
            "version": rules.version,
            "document": rules.document.hex(),
            "inputs": list(verdict.inputs),
            "inputs_digest": verdict.inputs_digest.hex(),
            "text_en": rules.result.text_en,
        },
    }


def _licence(verdict: Instant, issue: Issue, form: object) -> dict[str, object]:
    result = verdict.rules.result
    serial = f"{result.serial_series}{issue.today.replace('-', '')}{issue.licence_serial:06d}"
    parts = (result.licence_type, issue.unit, serial, "001")
    check = mod_37_36.calc_check_digit("".join(parts))
    face: dict[str, object] = dict.fromkeys(_DATE_FIELDS, issue.today)
    face.update(result.fixed)
    for field, pointer in result.from_form.items():
        value = look_up(form, pointer)
        if isinstance(value, list) and value and all(isinstance(v, str) for v in value):
            value = "；".join(value)  # scopes, as a licence lists them
        if not isinstance(value, str) or not value.strip():
            raise OutcomeImpossible(pointer)
        face[field] = value
    face["licence_type"] = result.licence_type
    face["licence_id"] = ".".join((_LICENCE_ROOT, *parts, check))
    face["uniscid"] = credit_code(result.codes, issue.code_serial)
    return face


def credit_code(series: CodeSeries, serial: int) -> str:
    """Return the credit code (统一社会信用代码) of a serial, counted from 1.

    Raises:
        OutcomeImpossible: the series is used up.
    """
    number = series.first + serial - 1
    if not series.first <= number <= series.last:
        raise OutcomeImpossible("the series of credit codes is used up")
    body = f"{series.prefix}{number:06d}"
    total = sum(int(c, 36) * w for c, w in zip(body[8:], _ORGANISATION_WEIGHTS, strict=True))
    at = total % 11
    if series.sample:
        at = (at + 1) % 11
    body += _ORGANISATION_CHECKS[at]
    return body + str(uscc.calc_check_digit(body))
