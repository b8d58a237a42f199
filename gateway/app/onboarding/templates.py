"""A first `partner.toml` for each way of reaching a partner: every setting, with what it means."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Sequence
from itertools import pairwise
from textwrap import dedent
from typing import Any, Final, Literal, NamedTuple, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from gateway.app.dialects.registry import DIALECTS
from gateway.app.shipped import partners_root

KINDS: Final = ("grpc", "assisted", *sorted(DIALECTS))
"""Every way of reaching a partner."""


class Newcomer(NamedTuple):
    """What is known of a partner when its folder is made."""

    gateway_id: str
    name_zh: str
    name_en: str
    unit: str
    outlet: str
    simulated: bool


_MAPPING: Final = """\
# 样板 A sample to write over: rows for an invented item, not this partner's words.
# Then: kuayu mapping check {gateway_id}
"""
_COLLECTS: Final = (
    "",
    "# 对方只能主动呼出 If it can only call out, it fetches what waits for it (docs/wire.md):",
    "# [outlet.grpc]",
    "# collects = true",
)
_KEYS: Final = """\

[identity]
# PEM of the authorities that its certificates chain to.
authorities = "keys/authorities.pem"
# SHA-256 (hex) of the public key of each transport certificate; compare by telephone.
transport_pins = []
signing_certificates = [] # ["keys/signing-1.pem"]
"""


def files_of(who: Newcomer) -> dict[str, str]:
    """Return the files of a new partner's folder, in state draft."""
    grpc = who.outlet == "grpc"
    lines = [
        f"# {who.name_zh}" + ("：模拟端点 a simulated endpoint" if who.simulated else ""),
        f"gateway_id = {_toml(who.gateway_id)}",
        f"name_zh = {_toml(who.name_zh)}",
        f"name_en = {_toml(who.name_en)}",
        "# 统一社会信用代码 of the office that answers for it.",
        f"unit = {_toml(who.unit)}",
        "# Changed by `kuayu partner test|activate|suspend|retire`.",
        'state = "draft"',
        *(["# host:port of its Exchange service", 'address = ""'] if grpc else []),
        *(["# The name in its certificate, if it is not that host", 'server_name = ""'] * grpc),
        f"simulated = {_toml(who.simulated)}",
        "",
        "[outlet]",
        f"kind = {_toml(who.outlet)}",
        *(_COLLECTS * grpc),
    ]
    if who.outlet in DIALECTS:
        table = f"outlet.{who.outlet}"
        lines += ["", f"[{table}]", *_settings(DIALECTS[who.outlet].settings, table)]
    text = "\n".join(lines) + "\n" + (_KEYS if grpc else "")
    files = {"partner.toml": text}
    if who.outlet in DIALECTS:
        template = (partners_root() / "_template" / "mapping.toml").read_text("utf-8")
        files["mapping.toml"] = _MAPPING.format(gateway_id=who.gateway_id) + template
    return files


def _settings(model: type[BaseModel], table: str, mark: str = "") -> list[str]:
    """Write every setting: needed ones to be filled in, others as comments with their default.

    Tables within come last, all as comments: most partners need one of them.
    """
    said = _docstrings(model)
    lines: list[str] = []
    within: list[str] = []
    for field_name, field in model.model_fields.items():
        name = field.alias or field_name
        about = field.description or said.get(field_name, "")
        inner = _table_of(field.annotation)
        if inner is not None:
            head = ["", *([f"# {about}"] if about else []), f"# [{table}.{name}]"]
            within += [*head, *_settings(inner, f"{table}.{name}", "# ")]
            continue
        choices = _choices(field.annotation)
        lines += [f"# {about}"] if about else []
        lines += [f"# 可选值 one of: {', '.join(choices)}"] if choices else []
        if field.is_required():
            lines.append(f"{mark}{name} = {_empty(field.annotation)}  # 必填 needed")
        elif field.default is not None and field.default is not PydanticUndefined:
            lines.append(f"# {name} = {_toml(field.default)}")
        else:
            lines.append(f'# {name} = ""')
    return lines + within


def _table_of(annotation: Any) -> type[BaseModel] | None:
    """Return the model of a table, where a setting is one."""
    if get_origin(annotation) is tuple:
        return None  # a list of tables, written as one line
    models = (o for o in (annotation, *get_args(annotation)) if isinstance(o, type))
    return next((model for model in models if issubclass(model, BaseModel)), None)


def _choices(annotation: Any) -> Sequence[str]:
    return [str(one) for one in get_args(annotation)] if get_origin(annotation) is Literal else []


def _empty(annotation: Any) -> str:
    return "[]" if get_origin(annotation) is tuple else '""'


def _docstrings(model: type[BaseModel]) -> dict[str, str]:
    """Return what stands below each attribute in the model's source, on one line."""
    (body,) = ast.parse(dedent(inspect.getsource(model))).body
    assert isinstance(body, ast.ClassDef), "a model is a class"
    said = {}
    for field, below in pairwise(body.body):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
        ):
            said[field.target.id] = " ".join(str(below.value.value).split())
    return said


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple | list):
        return f"[{', '.join(_toml(item) for item in value)}]"
    if isinstance(value, int | float):
        return str(value)
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
