"""What is said of each broken rule of the item list (事项清单) and of the files it comes in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.kernel.faults import FaultCode as F
from gateway.wire.fault_texts import Texts

_CELL_ZH = "请在源表中更正所列行、列后重新导入；本次未导入任何内容。"
_CELL_EN = "Correct the lines and columns told and import again; nothing was imported."
_HEAD_ZH = "请核对首行列名，与 kuayu items export 导出的列名一致。"
_HEAD_EN = "Compare the first line with the column names that `kuayu items export` writes."
_SAVE_ZH = "请另存为“CSV UTF-8（逗号分隔）”后重新导入。"
_SAVE_EN = "Save it as CSV in UTF-8, separated by commas, and import again."

ITEM_LIST: Final[Mapping[F, Texts]] = {
    F.ITEM_LIST_FILE_SIZE: Texts(
        "清单文件过大",
        "The file of the item list is too large",
        "请按地区拆分后分别导入。",
        "Split it by region and import each part.",
    ),
    F.ITEM_LIST_ENCODING: Texts(
        "清单文件的编码不能识别",
        "The file of the item list is in no encoding that is read",
        _SAVE_ZH,
        _SAVE_EN,
    ),
    F.ITEM_LIST_NOT_CSV: Texts(
        "清单文件不是有效的 CSV", "The file of the item list is not CSV", _SAVE_ZH, _SAVE_EN
    ),
    F.ITEM_LIST_COLUMN_MISSING: Texts(
        "清单文件缺少列", "A column of the item list is missing", _HEAD_ZH, _HEAD_EN
    ),
    F.ITEM_LIST_COLUMN_UNKNOWN: Texts(
        "清单文件有未定义的列",
        "A column is not one of the item list's",
        "请删除该列，或用 --ignore 列名 明示忽略。",
        "Remove the column, or name it with --ignore.",
    ),
    F.ITEM_LIST_COLUMN_TWICE: Texts(
        "清单文件有重复的列", "A column stands twice", _HEAD_ZH, _HEAD_EN
    ),
    F.ITEM_LIST_EMPTY: Texts(
        "清单文件没有数据行",
        "The file of the item list has no rows",
        "空清单会使全部事项失效，请核对文件。",
        "An empty list would end every item; check the file.",
    ),
    F.ITEM_LIST_ROW_LENGTH: Texts(
        "该行的列数与首行不符",
        "The row is longer or shorter than the first line",
        _CELL_ZH,
        _CELL_EN,
    ),
    F.ITEM_LIST_CELL_SIZE: Texts(
        "单元格内容过长", "The cell is longer than its column allows", _CELL_ZH, _CELL_EN
    ),
    F.ITEM_LIST_CELL_FORMULA: Texts(
        "单元格像公式",
        "The cell would be run as a formula by a spreadsheet",
        "请去掉单元格开头的 = + - @ 或制表符；本次未导入任何内容。",
        "Remove the = + - @ or tab it begins with; nothing was imported.",
    ),
    F.ITEM_LIST_CELL_CHARACTER: Texts(
        "单元格含有控制字符或方向字符",
        "The cell holds a control or direction character",
        _CELL_ZH,
        _CELL_EN,
    ),
    F.ITEM_LIST_VALUE_MISSING: Texts(
        "必填的单元格为空", "The cell may not be empty", _CELL_ZH, _CELL_EN
    ),
    F.ITEM_LIST_CODE_INVALID: Texts(
        "编码的形式或校验码不正确",
        "The code has not the form or the check character it must have",
        "请按国家平台登记的编码更正；以文本格式保存编码列，避免被表格软件改写。",
        "Correct it as registered; keep code columns as text, so that no spreadsheet rounds them.",
    ),
    F.ITEM_LIST_VALUE_UNKNOWN: Texts(
        "取值不在代码表内",
        "The value is not in the code list",
        "各平台代码表不一致，请先按本清单的代码换算。",
        "Code lists differ between platforms; map the value to this list's first.",
    ),
    F.ITEM_LIST_VALUE_INVALID: Texts(
        "数值或日期不正确", "The number or date is not one", _CELL_ZH, _CELL_EN
    ),
    F.ITEM_LIST_CONTRADICTION: Texts(
        "同一行的两列相互矛盾", "Two columns of the row contradict each other", _CELL_ZH, _CELL_EN
    ),
    F.ITEM_LIST_CODE_TWICE: Texts(
        "同一编码在文件中出现两次", "A code stands twice in the file", _CELL_ZH, _CELL_EN
    ),
    F.ITEM_LIST_VERSION_NOT_RAISED: Texts(
        "事项内容已变而版本号未升",
        "An item changed but its version was not raised",
        "已按新内容导入；请发布单位确认版本号。",
        "It was imported as it is; have its publisher confirm the version.",
    ),
    F.ITEM_LIST_ENDS_MOST: Texts(
        "导入会使过半事项失效",
        "The import would end more than half of the list",
        "请核对文件是否只是清单的一部分；确属无误时使用 --end-most。",
        "Check whether the file is only a part of the list; if it is right, use --end-most.",
    ),
    F.ITEM_LIST_CHANGED_MEANWHILE: Texts(
        "清单在导入过程中已被更新",
        "The list was changed while the import was being prepared",
        "未导入任何内容，请重新执行一次。",
        "Nothing was imported; run it again.",
    ),
    F.CATALOGUE_EDITION_GAP: Texts(
        "清单变更所依据的版本与本方所持不一致",
        "The list that the change builds on is not the one held here",
        "发送方网关将自动改发整份清单，无需人工处理。",
        "The sender's gateway sends its whole list by itself; nothing is to be done.",
    ),
    F.CATALOGUE_EDITION_OLD: Texts(
        "清单版次不晚于本方已收到的版次",
        "A later edition of this list has been told already",
        "如发送方恢复过备份，请其重新导入清单，直至版次超过所列版次。",
        "If the sender was restored from a backup, import there until its number is past this one.",
    ),
    F.CATALOGUE_EDITION_PENDING: Texts(
        "清单的其他部分或上一版正在处理",
        "Other parts of the list, or the edition before, are still being taken in",
        "将自动重试。",
        "It is tried again by itself.",
    ),
    F.CATALOGUE_LIST_DIFFERS: Texts(
        "变更后的清单与发送方所述不一致",
        "The list after the change is not what the sender says it is",
        "变更将自动改发整份清单；整份清单仍不一致的，请联系发送方。",
        "After a change the whole list is sent by itself; if that differs too, ask the sender.",
    ),
    F.CATALOGUE_LIST_OF_ANOTHER: Texts(
        "只能发送本地区的清单",
        "A gateway tells of its own region's list only",
        "请由该地区的网关发送。",
        "Have that region's own gateway send it.",
    ),
    F.CATALOGUE_PARTS_DIFFER: Texts(
        "清单各部分互相矛盾",
        "The parts of the list contradict each other",
        "请联系发送方核对其网关。",
        "Ask the sender to look into its gateway.",
    ),
    F.CATALOGUE_ROW_INVALID: Texts(
        "清单变更中有不合规则的行",
        "A row of the change breaks a rule of the item list",
        "请联系发送方更正所列行、列后重新导入。",
        "Ask the sender to correct the row and column told and to import again.",
    ),
}
"""Faults of the item list."""
