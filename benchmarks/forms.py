"""Forms that differ from message to message, as real ones do; every check character is right."""

from __future__ import annotations

from operator import mul

from stdnum.cn import uscc
from stdnum.iso7064 import mod_37_36

_CITIZEN_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def varied(form: dict[str, object], number: int) -> dict[str, object]:
    """Return the sample form with names, numbers, dates and texts that follow from `number`."""
    company = f"酒泉示例第{number}光伏科技有限公司"
    return {
        **form,
        "branch_name": company + "嘉峪关分公司",
        "parent_name": company,
        "parent_uscc": _credit_code(number),
        "parent_licence_id": _licence_id(number),
        "responsible_person": _person("示例甲㛃", number),
        "agent": _person("示例乙𬭊", number + 1),
        "business_scope": f"一般项目：太阳能发电技术服务（示例 {number}）；" * (1 + number % 4),
        "premises_address": f"甘肃省嘉峪关市示例路 {number % 997} 号（示例）",
        "business_term_from": f"2026-{1 + number % 12:02d}-{1 + number % 28:02d}",
    }


def _credit_code(number: int) -> str:
    body = f"91620900MA{number % 10_000_000:07d}"
    return body + uscc.calc_check_digit(body)


def _licence_id(number: int) -> str:
    parts = ("11100000MB0143028R001", "11620900MB00000000", f"20200110{number:09d}", "001")
    return f"1.2.156.3005.2.{'.'.join(parts)}.{mod_37_36.calc_check_digit(''.join(parts))}"


def _person(name: str, number: int) -> dict[str, object]:
    # 629900 is no county's code: nobody has such a number.
    body = (
        f"629900{1950 + number % 50}{1 + number % 12:02d}{1 + number % 28:02d}{number % 1000:03d}"
    )
    total = sum(map(mul, map(int, body), _CITIZEN_WEIGHTS))
    citizen_id = body + "10X98765432"[total % 11]
    return {"name": name, "citizen_id": citizen_id, "phone": f"0937-{number % 10_000_000:07d}"}
