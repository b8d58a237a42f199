"""Signing many things at once: one signature over a batch, a path for each."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.kernel.digests import TYPE_BATCH_HEAD, pae
from gateway.kernel.envelope import BatchHead, BatchProof, Signature
from gateway.kernel.limits import BATCH_LEAVES_MAX
from gateway.kernel.merkle import leaf_hash, tree
from gateway.ports.keyring import Signer, SuiteMissing
from gateway.wire.signatures import encode_batch_head


class Sealer:
    """Signs with the gateway's own keys. Thread-safe as its signers are."""

    def __init__(self, signers: Sequence[Signer]) -> None:
        if not signers:
            raise ValueError("a gateway needs a signing key")
        self._signers = tuple(signers)

    @property
    def suites(self) -> tuple[str, ...]:
        """Suites this gateway can sign with, its first choice first."""
        return tuple(s.suite for s in self._signers)

    def sign(
        self, inputs: Sequence[bytes], suites: tuple[str, ...] = ()
    ) -> list[tuple[Signature, ...]]:
        """Return the signatures over each of `inputs` (PAEs), in order.

        With `suites`, one signature of each; without, one of the first key. Blocks.

        Raises:
            SignerDown: a key cannot be used; `SuiteMissing`, there is none of a wanted suite.
        """
        by_input: list[list[Signature]] = [[] for _ in inputs]
        for signer in self._chosen(suites):
            for start in range(0, len(inputs), BATCH_LEAVES_MAX):
                chunk = inputs[start : start + BATCH_LEAVES_MAX]
                for i, signature in enumerate(_sign_batch(signer, chunk)):
                    by_input[start + i].append(signature)
        return [tuple(s) for s in by_input]

    def _chosen(self, suites: tuple[str, ...]) -> list[Signer]:
        if not suites:
            return [self._signers[0]]
        chosen = []
        for suite in suites:
            signer = next((s for s in self._signers if s.suite == suite), None)
            if signer is None:
                raise SuiteMissing(f"no signing key of suite {suite}")
            chosen.append(signer)
        return chosen


def _sign_batch(signer: Signer, inputs: Sequence[bytes]) -> list[Signature]:
    if len(inputs) == 1:
        return [Signature(signer.key_id, signer.sign(inputs[0]))]
    root, paths = tree([leaf_hash(i) for i in inputs])
    head = BatchHead(root, len(inputs), signer.suite, signer.key_id)
    head_bytes = encode_batch_head(head)
    signed = signer.sign(pae(TYPE_BATCH_HEAD, head_bytes))
    return [
        Signature(signer.key_id, signed, BatchProof(head_bytes, head, index, path))
        for index, path in enumerate(paths)
    ]
