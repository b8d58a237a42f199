"""What is said where a table between our words and a partner's has no answer (映射)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.kernel.faults import FaultCode as F
from gateway.wire.fault_texts import Texts

_TRY_ZH = "用 kuayu mapping try 可逐条查看报文如何转换。"
_TRY_EN = "`kuayu mapping try` shows what becomes of one document."

MAPPING: Final[Mapping[F, Texts]] = {
    F.MAPPING_CODE_UNMAPPED: Texts(
        "代码不在映射码表中",
        "The mapping's code table has no such code",
        f"请在 mapping.toml 的所列码表中补充该代码后重放，或请发送方更正。{_TRY_ZH}",
        "Add the code to the table named in mapping.toml and replay the document, or have its "
        f"sender correct it. {_TRY_EN}",
    ),
    F.MAPPING_FIELD_MISSING: Texts(
        "缺少映射所需的字段",
        "A field that the mapping needs is missing",
        f"请补充所列字段；确为选填的，在 mapping.toml 该行写 optional = true。{_TRY_ZH}",
        "Supply the fields told; if one may be absent, write optional = true in its row of "
        f"mapping.toml. {_TRY_EN}",
    ),
    F.MAPPING_VALUE_INVALID: Texts(
        "字段值不能按映射转换",
        "A value cannot be translated as the mapping says",
        f"请按所列原因更正字段值，或更正 mapping.toml 中该行的格式。{_TRY_ZH}",
        "Correct the value for the reason told, or the format in its row of mapping.toml. "
        f"{_TRY_EN}",
    ),
    F.MAPPING_KIND_UNMAPPED: Texts(
        "映射中没有这种报文",
        "The mapping has no such message",
        f"请在 mapping.toml 中为该操作、状态和事项补充 [[messages]]。{_TRY_ZH}",
        "Add [[messages]] for this operation, status and item to mapping.toml. " + _TRY_EN,
    ),
}
"""Faults of mapping tables."""
