"""Trees and paths against a slow reading of RFC 6962, and its known answers."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.kernel.identifiers import Digest
from gateway.kernel.merkle import leaf_hash, root_of_path, tree
from tests.property.effort import effort

LEAVES = st.lists(st.binary(max_size=40), min_size=1, max_size=70)

# The eight leaves and the roots over the first 1 to 8 of them that Certificate Transparency's
# implementations share (certificate-transparency-go, merkletree tests).
KNOWN_LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
KNOWN_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def slow_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, word for word."""
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = split(len(leaves))
    return sha256(b"\x01" + slow_root(leaves[:k]) + slow_root(leaves[k:])).digest()


def slow_path(at: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of RFC 6962 section 2.1.1, word for word."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if at < k:
        return [*slow_path(at, leaves[:k]), slow_root(leaves[k:])]
    return [*slow_path(at - k, leaves[k:]), slow_root(leaves[:k])]


def split(size: int) -> int:
    """Return the largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def test_no_leaves_make_no_tree() -> None:
    with pytest.raises(ValueError, match="needs a leaf"):
        tree([])


@pytest.mark.parametrize("size", range(1, 9))
def test_the_roots_that_certificate_transparency_publishes_are_met(size: int) -> None:
    root, _ = tree([leaf_hash(leaf) for leaf in KNOWN_LEAVES[:size]])
    assert root.hex() == KNOWN_ROOTS[size - 1]


@effort(100)
@given(leaves=LEAVES)
def test_root_and_paths_are_those_of_the_slow_reading(leaves: list[bytes]) -> None:
    root, paths = tree([leaf_hash(leaf) for leaf in leaves])
    assert root == slow_root(leaves)
    for at, leaf in enumerate(leaves):
        assert list(paths[at]) == slow_path(at, leaves)
        assert root_of_path(leaf_hash(leaf), at, len(leaves), paths[at]) == root


@effort(150)
@given(leaves=LEAVES, data=st.data())
def test_a_path_leads_to_the_root_from_its_own_place_only(
    leaves: list[bytes], data: st.DataObject
) -> None:
    leaves = [b"%d:%b" % (i, leaf) for i, leaf in enumerate(leaves)]
    root, paths = tree([leaf_hash(leaf) for leaf in leaves])
    at = data.draw(st.integers(0, len(leaves) - 1))
    elsewhere = data.draw(st.integers(-2, len(leaves) + 2))
    if elsewhere != at:
        found = root_of_path(leaf_hash(leaves[at]), elsewhere, len(leaves), paths[at])
        assert found != root
    other = data.draw(st.binary(max_size=20).filter(lambda leaf: leaf != leaves[at]))
    assert root_of_path(leaf_hash(other), at, len(leaves), paths[at]) != root


@effort(150)
@given(leaves=LEAVES, data=st.data())
def test_a_path_with_a_step_changed_added_or_left_out_leads_nowhere(
    leaves: list[bytes], data: st.DataObject
) -> None:
    root, paths = tree([leaf_hash(leaf) for leaf in leaves])
    at = data.draw(st.integers(0, len(leaves) - 1))
    leaf, path = leaf_hash(leaves[at]), list(paths[at])
    longer = [*path, bytes(32)]
    assert root_of_path(leaf, at, len(leaves), longer) is None
    if path:
        assert root_of_path(leaf, at, len(leaves), path[:-1]) is None
        step = data.draw(st.integers(0, len(path) - 1))
        path[step] = Digest(sha256(path[step]).digest())
        assert root_of_path(leaf, at, len(leaves), path) != root


@effort(150)
@given(
    leaf=st.binary(min_size=32, max_size=32).map(Digest),
    index=st.integers(-5, 2**33),
    size=st.integers(-5, 2**33),
    path=st.lists(st.binary(max_size=40), max_size=40),
)
def test_any_claim_is_answered(leaf: Digest, index: int, size: int, path: list[bytes]) -> None:
    root = root_of_path(leaf, index, size, path)
    assert root is None or (0 <= index < size and len(root) == 32)
