"""The field's own formats. Every check takes text and answers yes or no; nothing is looked up."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from operator import mul
from typing import Final

from stdnum.cn import uscc
from stdnum.iso7064 import mod_37_36

# GB 32100-2015 leaves out I, O, S, V, Z. The first two places may be letters: villages' economic
# cooperatives (农村集体经济组织) have codes that begin with N2.
_USCC: Final = re.compile(r"[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}", re.ASCII)
_CITIZEN: Final = re.compile(r"([1-9][0-9]{5})([0-9]{8})[0-9]{3}[0-9X]", re.ASCII)
_CITIZEN_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CITIZEN_OFFSET: Final = ord("0") * sum(_CITIZEN_WEIGHTS)  # digits are weighed as ASCII codes
_CITIZEN_CHECKS: Final = "10X98765432"
_REGION: Final = re.compile(r"[1-9][0-9]{5}", re.ASCII)
_LICENCE: Final = re.compile(
    r"1\.2\.156\.3005\.2"  # the root of e-licences in China's object identifiers
    r"\.([0-9A-Z]{21})"  # type of licence
    r"\.([0-9A-Z]{18})"  # issuing authority
    r"\.([0-9A-Z]{1,64})"  # serial
    r"\.([0-9A-Z]{3})"  # version
    r"\.([0-9A-Z])",
    re.ASCII,
)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)


def is_uscc(text: str) -> bool:
    """Tell whether `text` is a unified social credit code (统一社会信用代码, GB 32100).

    18 characters and the check character; the region, the organisation code inside and whether
    the code was ever issued are *not* checked.
    """
    return _USCC.fullmatch(text) is not None and text[17] == uscc.calc_check_digit(text[:17])


def is_citizen_id(text: str) -> bool:
    """Tell whether `text` is a citizen's number (公民身份号码, GB 11643).

    18 characters, a real date of birth and the check character. The region is *not* looked up:
    numbers keep the code of counties that no longer exist.
    """
    found = _CITIZEN.fullmatch(text)
    if found is None or not _is_calendar_date(found[2]):
        return False
    total = sum(map(mul, text[:17].encode(), _CITIZEN_WEIGHTS)) - _CITIZEN_OFFSET
    return text[17] == _CITIZEN_CHECKS[total % 11]


def is_region(text: str) -> bool:
    """Tell whether `text` has the form of a region's six-digit code (行政区划代码, GB/T 2260)."""
    return _REGION.fullmatch(text) is not None


def is_licence_id(text: str) -> bool:
    """Tell whether `text` is an e-licence's id (电子证照标识, GB/T 36904).

    The check character runs over type, authority, serial and version (ISO 7064 MOD 37,36). That
    the licence exists or is in force is *not* checked.
    """
    found = _LICENCE.fullmatch(text)
    return found is not None and mod_37_36.checksum("".join(found.groups())) == 1


def is_date(text: str) -> bool:
    """Tell whether `text` is a civil date as `2021-05-27`."""
    return _DATE.fullmatch(text) is not None and _is_calendar_date(text)


def is_instant(text: str) -> bool:
    """Tell whether `text` is an RFC 3339 time with seconds and an offset; no leap seconds."""
    if _INSTANT.fullmatch(text) is None:
        return False
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _is_calendar_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


FORMATS: Final[Mapping[str, Callable[[str], bool]]] = {
    "uscc": is_uscc,
    "citizen-id": is_citizen_id,
    "region": is_region,
    "licence-id": is_licence_id,
    "date": is_date,
    "date-time": is_instant,
}
"""Names of formats in forms' JSON Schemas."""
