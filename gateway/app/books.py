"""The directory as a command reads it beside a gateway."""

from __future__ import annotations

from gateway.adapters.sql.sqlite import open_sqlite_reader
from gateway.app.agreements import read_agreement
from gateway.app.config import Config
from gateway.flow.accords import agreed
from gateway.flow.announced import with_announced
from gateway.ports.directory import Book


def with_agreed(config: Config, book: Book) -> Book:
    """Add what the journal has of agreements and announced keys to a book from files.

    Raises:
        JournalDown: there is a journal, and it cannot be read.
    """
    if not config.journal.path.exists():
        return book
    with open_sqlite_reader(config.journal.path) as snapshot:
        return with_announced(agreed(book, snapshot, read_agreement), snapshot)
