"""Sample applications for the items agreed with a target: golden vectors, or made from the schema.

<partners_dir>/<folder>/vectors/<item>/golden.json      which file belongs to which item version
                                       submitted.json   a body of `submitted`
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple

from gateway.conformance.bench import Gap, Sample, SampleFile
from gateway.conformance.documents import sample_of
from gateway.kernel.envelope import Kind, Mode
from gateway.kernel.faults import Fault
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.instants import to_iso
from gateway.ports.directory import Book
from gateway.rules.agreement import Agreement, Grant, require_in_force
from gateway.rules.catalogue import (
    Item,
    ItemVersion,
    MaterialRequirement,
    require_current,
    require_in_scope,
)
from gateway.rules.schema import require_body

_PDF: Final = b"%PDF-1.4\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF\n"
_CONTENTS: Final[Mapping[str, bytes]] = {
    "application/pdf": _PDF,
    "image/jpeg": bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffd9"),
    "image/png": bytes.fromhex("89504e470d0a1a0a0000000d49484452"),
}


class _Vector(NamedTuple):
    document: Mapping[str, Any]
    files: tuple[str, ...]


Vectors = Mapping[tuple[str, str], _Vector]
"""(item code, version) to a sample."""


def samples_for(
    book: Book, target: GatewayId, vectors: Vectors, suites: frozenset[str], at_ms: int
) -> tuple[tuple[Sample, ...], tuple[Gap, ...]]:
    """Return a sample for each item version agreed with the target, and why others have none."""
    samples: list[Sample] = []
    gaps: list[Gap] = []
    seen: set[tuple[str, str]] = set()
    for agreement, grant, code, version in _agreed(book, target, at_ms):
        if (code, version) in seen:
            continue
        seen.add((code, version))
        made = _sample(book, target, agreement, grant, code, version, vectors, suites, at_ms)
        if isinstance(made, Sample):
            samples.append(made)
        elif made:
            gaps.append(Gap(code, version, made))
    return tuple(samples), tuple(gaps)


def agreements_in_force(book: Book, target: GatewayId, at_ms: int) -> list[Agreement]:
    """Return the agreements with the target that are in force."""
    found = []
    for agreement in book.agreements_with(target):
        try:
            require_in_force(agreement, at_ms)
        except Fault:
            continue  # not in force: nothing is agreed by it
        found.append(agreement)
    return found


def _agreed(
    book: Book, target: GatewayId, at_ms: int
) -> Iterator[tuple[Agreement, Grant, str, str]]:
    home = book.home.gateway_id
    for agreement in agreements_in_force(book, target, at_ms):
        for grant in agreement.grants:
            if home in grant.origins and target in grant.deciding:
                for code, versions in sorted(grant.items.items()):
                    yield from ((agreement, grant, code, v) for v in sorted(versions))


def _sample(
    book: Book,
    target: GatewayId,
    agreement: Agreement,
    grant: Grant,
    code: str,
    version: str,
    vectors: Vectors,
    suites: frozenset[str],
    at_ms: int,
) -> Sample | str:
    """Return a sample, or why there is none; empty: the version takes no new cases now."""
    item = book.catalogue.get((target, code))
    listed = item.versions.get(version) if item is not None else None
    if item is None or listed is None:
        return "we hold no definition of it; ask the partner for its items/ folder"
    mode = _mode(item, grant)
    if mode is None or not grant.purposes:
        return "the agreement names no mode or no purpose that the item has"
    missing = set(agreement.required_suites) - suites
    if missing:
        return f"the agreement demands a signature we have no key for: {', '.join(sorted(missing))}"
    try:
        require_current(listed, at_ms)
        require_in_scope(item, book.home.gateway_id)
    except Fault:
        return ""
    vector = vectors.get((code, version)) or _generated(book, listed)
    if vector is None:
        return "no golden vector, and none could be made from its schema"
    document = _whole(vector.document, book, at_ms)
    try:
        require_body(Kind.SUBMITTED, document, item_schema=listed.form_schema, schemas=book.forms)
    except Fault as fault:
        return f"its sample does not follow its schema: {fault.detail}"
    return Sample(
        code,
        version,
        agreement.digest,
        mode,
        min(grant.purposes),
        agreement.required_suites,
        document,
        tuple(_files(listed.materials, vector.files)),
    )


def _mode(item: Item, grant: Grant) -> Mode | None:
    return min(item.modes & grant.modes, default=None)


def _whole(document: Mapping[str, Any], book: Book, at_ms: int) -> dict[str, object]:
    """Return a body with an invented window's word on the applicant's identity (示例)."""
    identity = {
        "method": "in_person_id_card",
        "verified_by": book.home.unit,
        "staff": "conformance",
        "verified_at": to_iso(at_ms),
    }
    return {"identity": identity, **document}


def _generated(book: Book, version: ItemVersion) -> _Vector | None:
    kept = book.documents.get(version.form_schema)
    if kept is None:
        return None
    try:
        form = sample_of(json.loads(kept[1]))
    except ValueError:
        return None
    needed = tuple(m.code for m in version.materials if m.required)
    return _Vector({"applicant_number": "示例", "form": form}, needed)


def _files(materials: Iterable[MaterialRequirement], codes: Iterable[str]) -> Iterator[SampleFile]:
    by_code = {m.code: m for m in materials}
    for code in codes:
        media = sorted(by_code[code].media_types) if code in by_code else []
        chosen = next((m for m in media if m in _CONTENTS), "application/pdf")
        yield SampleFile(code, f"示例-{code}", chosen, _CONTENTS[chosen])


def read_vectors(folders: Iterable[Path]) -> dict[tuple[str, str], _Vector]:
    """Read the golden vectors of partner folders; of two for one version the first counts.

    Raises:
        OSError, ValueError: a `golden.json` that is there cannot be read.
    """
    found: dict[tuple[str, str], _Vector] = {}
    for folder in folders:
        for path in sorted(folder.glob("vectors/*/golden.json")):
            for entry in json.loads(path.read_bytes()):
                document = json.loads((path.parent / entry["submitted"]).read_bytes())
                key = (entry["item_code"], entry["item_version"])
                found.setdefault(key, _Vector(document, tuple(entry["files"])))
    return found


def catalogue_digest(book: Book, target: GatewayId) -> bytes:
    """Return the digest of what we hold of the items that a gateway decides."""
    h = sha256()
    for (region, code), item in sorted(book.catalogue.items(), key=lambda pair: pair[0]):
        if region == target:
            for version in sorted(item.versions.values(), key=lambda v: v.version):
                line = f"{code} {version.version} {version.document.hex()}"
                h.update(f"{line} {version.form_schema.hex()}\n".encode())
    return h.digest()
