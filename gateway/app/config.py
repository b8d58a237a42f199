"""Configuration: a TOML file, over it the environment, and every error named at once."""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from gateway.app.problems import ConfigProblem
from gateway.app.settings import SETTINGS, Config, parse_host_port

__all__ = ["ENV_PREFIX", "ENV_RESERVED", "Config", "Setting", "load_config", "render_config"]

ENV_PREFIX: Final = "KUAYU_"
ENV_RESERVED: Final = frozenset({"KUAYU_CONFIG", "KUAYU_DEBUG"})
"""Read by the command line itself: where the file is, whether to show tracebacks."""

Setting = str | bool | Sequence[str]


def load_config(path: Path, env: Mapping[str, str], *, files_must_exist: bool = True) -> Config:
    """Read the file at `path`, then `KUAYU_...` of `env` over it (`__` steps into a table).

    Relative paths, the environment's too, start at the file's folder. A list in the environment
    is written with commas. What the files hold is *not* checked.

    Raises:
        ConfigProblem: every error, as `key: what is wrong; what to do`.
    """
    try:
        tree = tomllib.loads(path.read_bytes().decode("utf-8"))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        advice = "name another with --config; `kuayu init` makes one"
        raise ConfigProblem(path, [f"cannot be read ({reason}); {advice}"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigProblem(path, [f"is not TOML: {error}"]) from None
    wrong = _overlay(tree, env)
    _fill(tree)
    context = {"base": path.absolute().parent, "files": files_must_exist}
    try:
        config = Config.model_validate(tree, context=context)
    except ValidationError as problem:
        wrong += [_told(error) for error in problem.errors(include_url=False)]
    wrong += _across(tree)
    if wrong:
        raise ConfigProblem(path, wrong)
    return config


_LISTS: Final = frozenset({"keys.signing", "portal.algorithms"})


def _overlay(tree: dict[str, Any], env: Mapping[str, str]) -> list[str]:
    """Lay the environment over the file; return what could not be laid."""
    wrong: list[str] = []
    for name in sorted(env):
        if not name.startswith(ENV_PREFIX) or name in ENV_RESERVED:
            continue
        key = name.removeprefix(ENV_PREFIX).lower().replace("__", ".")
        if key not in SETTINGS:
            wrong.append(f"{name}: {_unknown(key)}, or unset it")
            continue
        table, _, leaf = key.rpartition(".")
        inside = tree.setdefault(table, {}) if table else tree
        if isinstance(inside, dict):  # else the file is wrong there and will be told so
            text = env[name]
            inside[leaf] = [part.strip() for part in text.split(",")] if key in _LISTS else text
    return wrong


def _fill(tree: dict[str, Any]) -> None:
    """Put in defaults that hang on other settings, and tables that may be left out."""
    for name in ("journal", "vault", "keys", "transport", "exchange", "portal", "operator"):
        tree.setdefault(name, {})
    state = str(tree.get("state_dir", "state"))
    defaults = {
        ("journal", "path"): f"{state}/journal.sqlite3",
        ("vault", "path"): f"{state}/vault",
        ("operator", "socket"): f"{state}/operator.sock",
        ("portal", "audience"): f"urn:kuayu:gateway:{tree.get('gateway_id', '')}",
    }
    for (table, leaf), value in defaults.items():
        if isinstance(tree[table], dict):
            tree[table].setdefault(leaf, value)


def _across(tree: Mapping[str, Any]) -> list[str]:
    """Check what several settings say together, as far as each can be read alone."""
    wrong: list[str] = []
    demo = str(tree.get("demo", False)).lower() in ("true", "1", "yes", "on", "t", "y")
    for name in ("exchange", "portal", "callbacks"):
        given = tree.get(name, {})
        table: Mapping[str, Any] = given if isinstance(given, dict) else {}
        tls = [leaf for leaf in ("certificate", "key") if table.get(leaf) is not None]
        if len(tls) == 1:
            other = "key" if tls == ["certificate"] else "certificate"
            wrong.append(f"{name}.{other}: is missing; set it, or remove {name}.{tls[0]}")
        address = parse_host_port(str(table.get("listen", "")))
        if address is not None and not address.is_loopback:
            wrong += _beyond_loopback(name, demo=demo, tls=bool(tls))
    return wrong


def _beyond_loopback(name: str, *, demo: bool, tls: bool) -> list[str]:
    key = f"{name}.listen"
    if demo:
        return [
            f"{key}: reaches beyond this machine in demo mode; listen on 127.0.0.1, "
            "or set demo = false and use certificates of your own"
        ]
    if name != "exchange" and not tls:
        return [
            f"{key}: would send tokens and forms unencrypted beyond this machine; "
            f"set {name}.certificate and {name}.key, or listen on 127.0.0.1"
        ]
    return []


def _unknown(key: str) -> str:
    near = difflib.get_close_matches(key, SETTINGS, n=1)
    return "is not a setting; " + (f"perhaps {near[0]} is meant" if near else "remove it")


def _told(error: ErrorDetails) -> str:
    """Write one error of the models as `key: what is wrong; what to do`. No values."""
    parts = [str(part) for part in error["loc"] if not isinstance(part, int)]
    key = ".".join(parts)
    if error["type"] == "extra_forbidden":
        return f"{key}: {_unknown(key)}"
    if error["type"] == "missing":
        what = "is missing"
    elif error["type"] == "model_type":
        return f"{key}: is not a table; write [{key}] and its settings below it"
    elif error["type"] == "value_error":
        what = str(error["ctx"]["error"])
    else:
        what = error["msg"][0].lower() + error["msg"][1:]
    field = SETTINGS.get(key)
    return f"{key}: {what}; " + (f"set it to: {field.description}" if field else "correct it")


def render_config(**settings: Setting) -> str:
    """Write a configuration file with a comment on every setting, unset ones commented out.

    Keys are dotted, or with `__` for the dot: `exchange__listen="0.0.0.0:7443"`.

    Raises:
        ValueError: a key is no setting, or one that is needed is missing. Values are *not* checked.
    """
    given = {key.replace("__", "."): value for key, value in settings.items()}
    unknown = given.keys() - SETTINGS.keys()
    if unknown:
        raise ValueError(f"not settings: {', '.join(sorted(unknown))}")
    lines = ["# Kuayu 跨域 gateway. Paths are relative to this file's folder."]
    table = ""
    for key, field in SETTINGS.items():
        name, _, leaf = key.rpartition(".")
        if name != table:
            table = name
            lines += ["", f"[{name}]"]
        lines += ["", f"# {field.description}"] if not name else [f"# {field.description}"]
        if key in given:
            lines.append(f"{leaf} = {_toml(given[key])}")
        elif key in _HANGING or not field.is_required():
            lines.append(f"# {leaf} = {_toml(_default(key, field))}")
        else:
            raise ValueError(f"{key} is needed")
    return "\n".join(lines) + "\n"


_HANGING: Final = {
    "journal.path": "state/journal.sqlite3",
    "vault.path": "state/vault",
    "operator.socket": "state/operator.sock",
    "portal.audience": "urn:kuayu:gateway:...",
}


def _default(key: str, field: FieldInfo) -> Setting:
    value = _HANGING.get(key, field.default)
    if isinstance(value, bool | tuple):
        return value
    return "" if value is None else str(value)


def _toml(value: Setting) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # JSON's escapes are TOML's, except that TOML wants DEL escaped too.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return f"[{', '.join(_toml(item) for item in value)}]"
