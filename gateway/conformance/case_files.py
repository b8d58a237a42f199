"""Cases as folders: `<area>/<case>/case.toml`, with steps, or with a `case.py` beside it."""

from __future__ import annotations

import importlib
import tomllib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.conformance.bench import Bench, Judged
from gateway.conformance.soundness import unsound
from gateway.conformance.steps import Step
from gateway.kernel.limits import CONFORMANCE_CASE_BYTES_MAX, CONFORMANCE_CASES_MAX

SHIPPED: Final = Path(__file__).parent / "cases"
Need = Literal[
    "sample",
    "expired_key",
    "not_yet_valid_key",
    "batches",
    "query",
    "bytes",
    "attachments",
    "services",
    "tls",
    "credentials",
    "signed_time",
]
WAIVABLE: Final = frozenset({"expired_key", "not_yet_valid_key", "credentials"})
"""Needs that are seldom met: a key whose time is over or to come, registered at the target; and
credentials, which some conventions of platforms do without."""
Level = Literal["must", "should"]
_ID = r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$"


class CaseProblem(Exception):
    """Case files that cannot be used; every error, as `file: where: what`."""

    def __init__(self, messages: Sequence[str]) -> None:
        super().__init__("; ".join(messages))
        self.messages = tuple(messages)


class _Words(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Mirror(_Words):
    """A public assertion that a case mirrors."""

    list: Annotated[str, Field(pattern="^[a-z0-9_]+$")]
    id: str = Field(min_length=1)


class CaseFile(_Words):
    """What `case.toml` holds."""

    id: Annotated[str, Field(pattern=_ID)]
    title_zh: str = Field(min_length=1)
    title_en: str = Field(min_length=1)
    requirement: str = Field(min_length=1)
    """What a gateway has to do."""
    predicate: str = Field(min_length=1)
    """When the case passes."""
    level: Level
    needs: list[Need] = []
    judges: list[Judged] = Field(default=["gateway"], min_length=1)
    """What kinds of targets it is for."""
    each: Literal["", "item"] = ""
    """`item`: once for every agreed item."""
    mirrors: list[Mirror] = []
    steps: list[Step] = []


Code = Callable[[Bench], Awaitable[None]]


@dataclass(frozen=True)
class Case:
    """One case, ready to be run: its steps, or its code."""

    file: CaseFile
    folder: Path
    code: Code | None = None
    digest: bytes = b""
    own: bool = False
    """An operator's, not the kit's."""

    @property
    def id(self) -> str:
        """`area.case`."""
        return self.file.id


def load_cases(folder: Path | None = None) -> list[Case]:
    """Read the kit's cases, and those of an operator's folder after them, each by its id.

    An operator's case is steps only: code in their folder is refused, not run.

    Raises:
        CaseProblem: naming every error in every file.
    """
    wrong: list[str] = []
    found = list(_read_all(SHIPPED, wrong, own=False))
    if folder is not None:
        if not folder.is_dir():
            raise CaseProblem([f"{folder}: no such folder"])
        mine = list(_read_all(folder, wrong, own=True))
        if not mine and not wrong:
            wrong.append(f"{folder}: no case.toml in it; a case is <area>/<case>/case.toml")
        found += mine
    seen: set[str] = set()
    for case in found:
        if case.id in seen:
            wrong.append(f"{case.folder}: id: {case.id} is there already")
        seen.add(case.id)
    if len(found) > CONFORMANCE_CASES_MAX:
        wrong.append(f"more than {CONFORMANCE_CASES_MAX} cases")
    if wrong:
        raise CaseProblem(wrong)
    return sorted(found, key=lambda case: case.id)


def applicable(cases: Iterable[Case], judged: Judged) -> list[Case]:
    """Return the cases that are for such a target."""
    return [case for case in cases if judged in case.file.judges]


def set_digest(cases: Iterable[Case]) -> bytes:
    """Return the digest of a set of cases: of their ids and files."""
    h = sha256()
    for case in sorted(cases, key=lambda c: c.id):
        h.update(f"{case.id} {case.digest.hex()}\n".encode())
    return h.digest()


def _read_all(root: Path, wrong: list[str], *, own: bool) -> Iterable[Case]:
    for path in sorted(root.glob("*/*/case.toml")):
        case = _read(path, wrong, own=own)
        if case is not None:
            yield case


def _read(path: Path, wrong: list[str], *, own: bool) -> Case | None:
    folder = path.parent
    name = f"{folder.parent.name}/{folder.name}/case.toml"
    raw = path.read_bytes()
    if len(raw) > CONFORMANCE_CASE_BYTES_MAX:
        wrong.append(f"{name}: larger than {CONFORMANCE_CASE_BYTES_MAX} bytes")
        return None
    try:
        file = CaseFile.model_validate(tomllib.loads(raw.decode("utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        wrong.append(f"{name}: not TOML: {problem}")
        return None
    except ValidationError as problem:
        for error in problem.errors(include_url=False, include_input=False):
            where = ".".join(str(part) for part in error["loc"])
            wrong.append(f"{name}: {where}: {error['msg']}")
        return None
    if file.id != f"{folder.parent.name}.{folder.name}":
        wrong.append(f"{name}: id: must be {folder.parent.name}.{folder.name}, as the folder is")
        return None
    mistakes = unsound(file.steps, file.needs, file.judges)
    if mistakes:
        wrong += [f"{name}: {mistake}" for mistake in mistakes]
        return None
    program = folder / "case.py"
    if bool(file.steps) == program.exists():
        wrong.append(f"{name}: steps: a case has either steps or a case.py")
        return None
    if not program.exists():
        return Case(file, folder, None, sha256(raw).digest(), own)
    if own:
        wrong.append(f"{name}: case.py: only the kit's own cases may be code; write steps")
        return None
    digest = sha256(raw + b"\0" + program.read_bytes()).digest()
    return Case(file, folder, _code(file.id), digest, own)


def _code(case_id: str) -> Code:
    module = importlib.import_module(f"gateway.conformance.cases.{case_id}.case")
    judge: Code = module.judge_case
    return judge
