"""A directory that holds the one book it was given."""

from __future__ import annotations

from gateway.ports.directory import Book


class HeldDirectory:
    """Implements `ports.directory.Directory`; replacing the book is one atomic assignment."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def current(self) -> Book:
        """Return the book as of now."""
        return self._book

    def replace(self, book: Book) -> None:
        """Put another book in force; who already holds the old one keeps it."""
        self._book = book
