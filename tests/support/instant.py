"""The shipped instant rule, the sample application it covers, and ways to spoil either."""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

from gateway.app.instant import load_instant
from gateway.app.items import load_items
from gateway.kernel.identifiers import GatewayId
from gateway.rules.instant import Application, RuleSet
from tests.support.world import PARTNERS, VECTORS

INDIVIDUAL = "00013112700603"
FOLDER: Path = PARTNERS / "jiayuguan" / "instant"
RULE_FILE = "individual-business.v1.toml"
AT_MS = 1_700_000_000_000


@cache
def shipped_rule() -> RuleSet:
    items, schemas, _ = load_items(PARTNERS / "jiayuguan" / "items", GatewayId("620200"))
    (rule,) = load_instant(FOLDER, {i.code: i for i in items}, schemas)[0]
    return rule


def instant_form(**changes: object) -> dict[str, Any]:
    """Return the sample form; a change to None leaves the field out."""
    path = VECTORS / "instant_registration" / "submitted.json"
    form: dict[str, Any] = copy.deepcopy(json.loads(path.read_text(encoding="utf-8"))["form"])
    form.update(changes)
    return {k: v for k, v in form.items() if v is not None}


def application(form: object = None, **changes: object) -> Application:
    asked = Application(
        INDIVIDUAL, "1", instant_form() if form is None else form, frozenset({"01"}), True, AT_MS
    )
    return asked._replace(**changes)  # type: ignore[arg-type]
