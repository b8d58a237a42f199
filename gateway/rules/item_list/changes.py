"""What importing a file would change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from gateway.kernel.faults import Fault, FaultCode
from gateway.rules.item_list.rows import COLUMNS, ItemRow, fingerprint


@dataclass(frozen=True, slots=True)
class Changes:
    """A file against the list as it is."""

    added: tuple[ItemRow, ...]
    changed: tuple[ItemRow, ...]
    """As the file has them."""
    ended: tuple[str, ...]
    """Codes that the file no longer has, in order."""
    unchanged: int

    @property
    def any(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.added or self.changed or self.ended)


def compare(held: Mapping[str, bytes], rows: Sequence[ItemRow]) -> Changes:
    """Compare a file's rows with the fingerprints of the current list, by code."""
    added, changed, seen = [], [], set()
    for row in rows:
        code = row.code
        seen.add(code)
        before = held.get(code)
        if before is None:
            added.append(row)
        elif before != fingerprint(row):
            changed.append(row)
    ended = tuple(sorted(code for code in held if code not in seen))
    same = len(rows) - len(added) - len(changed)
    return Changes(tuple(added), tuple(changed), ended, same)


def list_digest(fingerprints: Mapping[str, bytes]) -> bytes:
    """Return SHA-256 over a list's codes and rows, by code: the same list, the same digest.

    `fingerprints` has `rows.fingerprint` of each row by code.
    """
    whole = sha256()
    for code, mark in sorted(fingerprints.items()):
        whole.update(b"%d:%b%b" % (len(code), code.encode(), mark))
    return whole.digest()


def require_most_stay(changes: Changes) -> None:
    """Refuse a file that would end more than half of the list: it is likely a part of it.

    Raises:
        Fault: `item_list.ends_most`.
    """
    held = changes.unchanged + len(changes.changed) + len(changes.ended)
    if 2 * len(changes.ended) > held:
        told = f"{len(changes.ended)} of {held} rows are not in the file"
        raise Fault(FaultCode.ITEM_LIST_ENDS_MOST, told)


def changed_columns(before: ItemRow, after: ItemRow) -> tuple[str, ...]:
    """Return the columns in which two rows differ."""
    return tuple(name for name, a, b in zip(COLUMNS, before, after, strict=True) if a != b)


def version_not_raised(before: ItemRow, after: ItemRow) -> bool:
    """Tell whether a changed row keeps its version or goes back (a warning)."""
    return after.version <= before.version
