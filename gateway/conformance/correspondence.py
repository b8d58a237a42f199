"""`docs/conformance.md`: the cases, and which public assertions they mirror."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from gateway.conformance.case_files import WAIVABLE, Case, load_cases
from gateway.conformance.soundness import call_expected, expectations
from gateway.kernel.limits import CONFORMANCE_HANDED_OUT_MAX

LISTS: Final = Path(__file__).parent / "lists"
_PREAMBLE: Final = """# Conformance 符合性测试

Made from `gateway/conformance/` by `python -m tools.build_conformance_docs`; do not edit.

`kuayu conformance run TARGET` judges a partner over the wire only, as one of its partners: it
sends right messages and wrong ones and looks at what comes back. Which cases are run depends on
what the partner is: a gateway (`grpc`) gets the most; one that only calls out (`[outlet.grpc]
collects = true`), a `collector`, the same as far as it can be asked, and the area `collect`; a
platform of its own (`rest`, `soap`,
`staging_table`, `file_drop`) gets the area `platform`, pushed by its adapter as its folder says,
so that manifest, table and secrets are judged with it; of a partner that people carry papers to
(`assisted`) only the printed sheet can be judged, the area `people`. A platform is judged as a
draft already; one that answers later, by a flag or a file, is waited for as long as `--timeout`
says. One that only calls out is waited for at a door of the kit's own: `--listen HOST:PORT`, with
our transport certificate; its client calls there instead of the gateway for the time of the run. To
give no receipt is its way to say that it does not take a message in: what has none after it was
handed out {handed} times is given up. The result is signed, names the
versions, keys and agreements it is about, and expires; `kuayu conformance verify FILE` proves it
offline, `kuayu conformance status TARGET` says whether a fresh pass is kept.

**It writes at the target**: sample applications, marked 示例 and withdrawn again where the target
allows it, and files of cases that are never submitted. What the target's people answer to them
reaches our gateway, which knows no such cases and refuses it, or keeps it in quarantine. Agree with
the partner on when.

A case *passes*, *fails*, or is *not run*, and then says what it needs. Of level `must`, a case that
fails fails the run, and so does one that was not run, except for want of
{waivable}, or of a `sample` where agreements in force let us apply for nothing at the target. Of
level `should`, none fails the run. After three cases in a row without an
answer, to a ping neither, the rest is not run.

Each case is a folder `<area>/<case>/` with `case.toml`: what it asks, when it passes, and steps
that a small engine interprets; `gateway/conformance/steps.py` has every word. A receipt is always
checked, whatever a case expects: signed by a registered key of the target, and about this very
message. A platform gives none: what it answers is read by its table, and proven by its connection
alone. An operator's own cases go into a folder of theirs, steps only: `--cases DIR` runs them
beside the kit's.

```toml
# my-cases/own/form_is_an_object/case.toml
id = "own.form_is_an_object"
title_zh = "表单须为对象"
title_en = "A form is an object"
requirement = "A form that is a list is refused."
predicate = "schema.form_invalid, in a signed receipt."
level = "should"

[[steps]]
do = "make"
name = "m"
base = "ping"
json_body = "[]"

[[steps]]
do = "deliver"
messages = ["m"]
expect = { outcome = ["refused"], rules = ["schema.form_invalid"] }
```

No conformity with any of the specifications below is claimed: the wire is our own, and what is
mirrored is the idea of an assertion.
"""


class _Words(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Assertion(_Words):
    """One assertion of a public list, in our words."""

    id: str = Field(min_length=1)
    about: str = Field(min_length=1)
    why_not: str = ""
    """Why no case mirrors it; empty if one does."""


class PublicList(_Words):
    """A public list of assertions."""

    name: Annotated[str, Field(pattern="^[a-z0-9]+$")]
    title: str
    source: str
    read: str
    """What of it was read, and what was not."""
    assertion: list[Assertion]


def load_lists() -> list[PublicList]:
    """Read the public lists that ship with the kit."""
    return [
        PublicList.model_validate(tomllib.loads(path.read_text("utf-8")))
        for path in sorted(LISTS.glob("*.toml"))
    ]


def gaps(cases: Sequence[Case], lists: Sequence[PublicList]) -> list[str]:
    """Return what does not fit: a mirror of nothing, an assertion neither mirrored nor explained,
    or both.
    """
    known = {(li.name, a.id): a for li in lists for a in li.assertion}
    mirrored = {(m.list, m.id) for c in cases for m in c.file.mirrors}
    wrong = [f"{name}/{id_}: no such assertion" for name, id_ in sorted(mirrored - known.keys())]
    for key, assertion in known.items():
        if (key in mirrored) == bool(assertion.why_not):
            said = "mirrored, and said not to apply" if key in mirrored else "neither"
            wrong.append(f"{key[0]}/{key[1]}: {said}")
    return wrong


def render() -> str:
    """Return the document as Markdown.

    Raises:
        ValueError: cases and lists do not fit.
    """
    cases, lists = load_cases(), load_lists()
    wrong = gaps(cases, lists)
    if wrong:
        raise ValueError("; ".join(wrong))
    waivable = " or ".join(f"`{need}`" for need in sorted(WAIVABLE))
    preamble = _PREAMBLE.replace("{waivable}", waivable)
    preamble = preamble.replace("{handed}", f"{CONFORMANCE_HANDED_OUT_MAX}")
    lines = [preamble, "## Cases", *_cases(cases)]
    for public in lists:
        lines += ["", f"## {public.title}", "", f"Source: {public.source}.", "", public.read, ""]
        lines += _assertions(public, cases)
    return "\n".join(lines) + "\n"


def _cases(cases: Sequence[Case]) -> Iterator[str]:
    area = ""
    for case in cases:
        if case.id.partition(".")[0] != area:
            area = case.id.partition(".")[0]
            yield from (
                "",
                f"### {area}",
                "",
                "| case | judges | level | asks | passes when | rules | needs |",
            )
            yield "|---|---|---|---|---|---|---|"
        file = case.file
        asks = f"{file.title_zh}<br>{file.requirement}"
        needs = ", ".join(file.needs)
        rules = "<br>".join(f"`{rule}`" for rule in _rules(case))
        judges = "<br>".join(file.judges)
        row = (f"`{case.id}`", judges, file.level, asks, file.predicate, rules, needs)
        yield f"| {' | '.join(row)} |"


def _rules(case: Case) -> list[str]:
    """Return the rules that a case looks for, in the order of its steps."""
    found: dict[str, None] = {}
    for step in case.file.steps:
        said = [*expectations(step)]
        call = call_expected(step)
        for rules in (*(e.rules for e in said), call.rules if call is not None else []):
            found.update(dict.fromkeys(rules))
    return list(found)


def _assertions(public: PublicList, cases: Sequence[Case]) -> Iterator[str]:
    yield "| assertion | about | mirrored by, or why not |"
    yield "|---|---|---|"
    for assertion in public.assertion:
        by = [
            f"`{c.id}`"
            for c in cases
            if any((m.list, m.id) == (public.name, assertion.id) for m in c.file.mirrors)
        ]
        told = "<br>".join(by) or f"*does not apply*: {assertion.why_not}"
        yield f"| {assertion.id} | {assertion.about} | {told} |"
