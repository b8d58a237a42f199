"""Merkle trees of RFC 6962 section 2.1: root, audit path, and its check."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from gateway.kernel.identifiers import Digest


def leaf_hash(leaf: bytes) -> Digest:
    """Return the hash of a leaf: SHA-256(0x00 ‖ leaf)."""
    return Digest(sha256(b"\x00" + leaf).digest())


def _node(left: bytes, right: bytes) -> Digest:
    return Digest(sha256(b"\x01" + left + right).digest())


def tree(leaves: Sequence[Digest]) -> tuple[Digest, list[tuple[Digest, ...]]]:
    """Return the root over `leaves` (leaf hashes, at least one) and each leaf's audit path.

    Built level by level. An odd last node is carried up unhashed, which gives the same tree as
    the RFC's split at the largest power of two.
    """
    if not leaves:
        raise ValueError("a tree needs a leaf")
    paths: list[list[Digest]] = [[] for _ in leaves]
    spans: list[range] = [range(i, i + 1) for i in range(len(leaves))]
    level = list(leaves)
    while len(level) > 1:
        above: list[Digest] = []
        spans_above: list[range] = []
        for i in range(0, len(level) - 1, 2):
            left, right = level[i], level[i + 1]
            for leaf in spans[i]:
                paths[leaf].append(right)
            for leaf in spans[i + 1]:
                paths[leaf].append(left)
            above.append(_node(left, right))
            spans_above.append(range(spans[i].start, spans[i + 1].stop))
        if len(level) % 2:
            above.append(level[-1])
            spans_above.append(spans[-1])
        level, spans = above, spans_above
    return level[0], [tuple(p) for p in paths]


def root_of_path(leaf: Digest, index: int, size: int, path: Sequence[bytes]) -> Digest | None:
    """Return the root that `path` leads to from the leaf at `index` of `size`; None if it cannot.

    Source: RFC 9162 section 2.1.3.2. The lengths of the path's hashes are not checked here.
    """
    if not 0 <= index < size:
        return None
    fn, sn, node = index, size - 1, bytes(leaf)
    for sibling in path:
        if sn == 0:
            return None
        if fn & 1 or fn == sn:
            node = sha256(b"\x01" + sibling + node).digest()
            while not fn & 1 and fn != 0:
                fn >>= 1
                sn >>= 1
        else:
            node = sha256(b"\x01" + node + sibling).digest()
        fn >>= 1
        sn >>= 1
    return Digest(node) if sn == 0 else None
