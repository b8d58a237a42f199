"""The whole check of a partner's mapping, for people and for programs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.app.mapping.agreed import AgreedItem, agreed_items
from gateway.app.mapping.checking import (
    Checked,
    Finding,
    check_message,
    covers,
    read_of_theirs,
    starred,
)
from gateway.app.mapping.files import read_document, sample_files
from gateway.app.mapping.loading import PartnerTranslation, load_translation
from gateway.kernel.envelope import Kind
from gateway.kernel.faults import Fault
from gateway.kernel.trees import leaves, pointer_of
from gateway.rules.mapping.messages import KINDS, Message


@dataclass
class Report:
    """What `kuayu mapping check` found."""

    region: str
    documents: int
    seed: int
    checked: list[Checked] = field(default_factory=list)
    items_without: list[str] = field(default_factory=list)
    """Agreed items for whose applications there is no message."""
    kinds_without: list[str] = field(default_factory=list)
    """Kinds that the table never says; told, not judged."""
    samples: list[tuple[str, str]] = field(default_factory=list)
    """(file, what it is or why it is refused)."""
    samples_refused: int = 0
    unread: list[Finding] = field(default_factory=list)
    """Places of theirs in sample documents that no row reads."""

    @property
    def is_good(self) -> bool:
        """Tell whether nothing is lost, unread or uncovered that the table does not accept."""
        return (
            bool(self.checked)
            and all(one.is_good for one in self.checked)
            and not self.items_without
            and not self.samples_refused
            and all(one.accepted for one in self.unread)
        )

    def view(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "partner": self.region,
            "good": self.is_good,
            "documents": self.documents,
            "seed": self.seed,
            "messages": [_view(one) for one in self.checked],
            "items_without_message": self.items_without,
            "kinds_without_message": self.kinds_without,
            "samples": [{"file": name, "result": result} for name, result in self.samples],
            "unread": [one._asdict() for one in self.unread],
        }


def _view(one: Checked) -> dict[str, Any]:
    return {
        "message": one.message.path,
        "kind": one.message.kind.name.lower(),
        "operation": one.message.operation,
        "direction": one.message.direction,
        "item": one.item.code if one.item else None,
        "version": one.item.version if one.item else None,
        "good": one.is_good,
        "documents": one.documents,
        "whole": one.whole,
        "not_sayable": one.not_theirs,
        "not_made": one.not_made,
        "refused": [finding._asdict() for finding in one.refused],
        "lost": [finding._asdict() for finding in one.lost],
    }


def check_mapping(
    folder: Path,
    *,
    documents: int,
    seed: int,
    progress: Callable[[str], None] = lambda what: None,
) -> Report:
    """Check the mapping of a partner's folder against the items agreed with it.

    Raises:
        ConfigProblem: mapping, translate.py, items or agreement cannot be used.
    """
    translation = load_translation(folder)
    region, items = agreed_items(folder)
    report = Report(region, documents, seed)
    for message in translation.table.messages:
        wanted: list[AgreedItem | None] = [None]
        if message.kind is Kind.SUBMITTED:
            wanted = [item for item in items if _is_for(message, item, translation)]
        for item in wanted:
            progress(f"{message.path} {message.kind.name.lower()} {item.code if item else ''}")
            report.checked.append(
                check_message(translation, message, item, documents=documents, seed=seed)
            )
    covered = [one.item for one in report.checked if one.item]
    report.items_without = [
        f"{item.code} v{item.version} {item.name_zh}" for item in items if item not in covered
    ]
    said = {message.kind for message in translation.table.messages}
    report.kinds_without = [name for name, kind in KINDS.items() if kind not in said]
    _read_samples(report, translation, folder)
    return report


def _is_for(message: Message, item: AgreedItem, translation: PartnerTranslation) -> bool:
    """Tell whether applications for the item go by this message, in the way they go."""
    if not (message.goes_out if item.decided_there else message.comes_in):
        return False
    if message.items:
        return item.code in message.items
    named = (m for m in translation.table.messages if m.kind is Kind.SUBMITTED and m.items)
    return not any(item.code in other.items for other in named)


def _read_samples(report: Report, translation: PartnerTranslation, folder: Path) -> None:
    """Read every sample document; one named `<operation>.<anything>` is taken in as that too."""
    table = translation.table
    read: set[str] = {pointer_of(c.at) for m in table.messages for c in m.when}
    for message in table.messages:
        read |= read_of_theirs(message.views)
    if table.answers is not None:
        read |= {pointer_of(at) for at in table.answers.places}
    operations = {message.operation for message in table.messages if message.comes_in}
    counts: dict[str, int] = {}
    for path in sample_files(folder):
        document = read_document(path)
        operation, result = path.name.split(".")[0], "read 已读"
        if operation in operations:
            try:
                document = translation.prepared(operation, document)
                result = table.inbound(operation, document).kind.name.lower()
            except Fault as fault:
                result = str(fault)
                report.samples_refused += 1
        report.samples.append((path.name, result))
        for steps, _ in leaves(document):
            pointer = starred(pointer_of(steps))
            if not covers(frozenset(read), pointer):
                counts[pointer] = counts.get(pointer, 0) + 1
    for pointer, count in counts.items():
        accepted = next((b for at, b in table.unread if f"{pointer}/".startswith(f"{at}/")), "")
        report.unread.append(Finding(pointer, "no row reads it", count, accepted))
