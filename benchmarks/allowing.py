"""Deciding whether an exchange is allowed, with 300 partners of 2,000 items each in the book."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from statistics import median
from typing import NamedTuple

from gateway.flow.desk import OpenCase
from gateway.flow.effects import require_new_case_allowed
from gateway.flow.items import choose_agreement
from gateway.kernel.envelope import Header, Kind, Mode, Right, Strength
from gateway.kernel.identifiers import MessageId
from gateway.ports.directory import Book
from gateway.rules.catalogue import current_version, find_item
from tests.support.book import (
    HOME,
    NOW_MS,
    PURPOSE,
    agreement_digest,
    item_code,
    make_book,
    partner_id,
)

PARTNERS, ITEMS = 300, 2_000


class Took(NamedTuple):
    """Times of one decision."""

    p50_us: float
    p99_us: float


def _header(number: int) -> Header:
    """Return a submission from a partner for an item of ours; numbers jump through the book."""
    sender = partner_id(number * 7_919 % PARTNERS)
    return Header(
        MessageId(bytes(16)),
        sender,
        HOME,
        NOW_MS,
        NOW_MS,
        Kind.SUBMITTED,
        bytes(32),
        sender,
        bytes(16),
        1,
        agreement_digest=agreement_digest(sender),
        item_code=item_code(number * 104_729 % ITEMS),
        item_version="2",
        mode=Mode.COLLECT_ON_BEHALF,
        delegated_right=Right.VERIFY_ORIGINALS,
        purpose=PURPOSE,
        strength=Strength.SIGNED,
        required_suites=("ES256",),
    )


def _timed(decisions: list[Callable[[], object]]) -> Took:
    took = []
    for decide in decisions:
        begun = time.perf_counter_ns()
        decide()
        took.append(time.perf_counter_ns() - begun)
    took.sort()
    return Took(median(took) / 1e3, took[int(len(took) * 0.99)] / 1e3)


def receiving(book: Book, decisions: int) -> Took:
    """Judge submissions that came in: agreement, item, version, mode, right, purpose, proof."""
    headers = [_header(number) for number in range(decisions)]

    def judge(header: Header) -> Callable[[], object]:
        return lambda: require_new_case_allowed(book, header, NOW_MS)

    return _timed([judge(header) for header in headers])


def sending(book: Book, decisions: int) -> Took:
    """Judge wishes of portals: find the item's current version and an agreement for it."""

    def judge(number: int) -> Callable[[], object]:
        header = _header(number)
        wish = OpenCase(
            header.sender, header.item_code, None, Mode.COLLECT_ON_BEHALF, PURPOSE, b"", ()
        )

        def decide() -> object:
            item = find_item(book.catalogue, wish.region, wish.item_code)
            version = current_version(item, NOW_MS).version
            return choose_agreement(book, wish, version, Right.VERIFY_ORIGINALS, NOW_MS)

        return decide

    return _timed([judge(number) for number in range(decisions)])


def run(decisions: int) -> dict[str, Took]:
    """Make the book and time both sides; the collector is off, as nothing here makes cycles."""
    book = make_book(PARTNERS, ITEMS)
    gc.collect()
    gc.freeze()
    try:
        return {
            "allow_exchange": receiving(book, decisions),
            "allow_exchange_sending": sending(book, decisions),
        }
    finally:
        gc.unfreeze()
