"""Finding the agreement that an operator means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.app.cli.exits import ExitCode, Stop

if TYPE_CHECKING:
    from gateway.ports.directory import Book
    from gateway.rules.agreement import Agreement


def find(book: Book, digest: str) -> Agreement:
    """Return the one agreement whose digest begins so.

    Raises:
        Stop: there is none, or more than one.
    """
    wanted = digest.strip().lower()
    found = [a for a in book.agreements.values() if a.digest.hex().startswith(wanted)]
    if len(wanted) < 6 or len(found) > 1:
        raise Stop(ExitCode.USAGE, f"{digest}: give more digits of the digest")
    if not found:
        raise Stop(ExitCode.NO, f"{digest}: no such agreement; see `kuayu agreement list`")
    return found[0]
