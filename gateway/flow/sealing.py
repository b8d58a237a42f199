"""Signing many things at once: one signature over a batch, a path for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from gateway.kernel.digests import TYPE_BATCH_HEAD, pae
from gateway.kernel.envelope import BatchHead, BatchProof, Signature
from gateway.kernel.identifiers import KeyId
from gateway.kernel.limits import BATCH_LEAVES_MAX
from gateway.kernel.merkle import leaf_hash, tree
from gateway.ports.keyring import Signer, SignerDown, SuiteMissing
from gateway.wire.signatures import encode_batch_head


class Period(NamedTuple):
    """When a key of ours is valid."""

    not_before_ms: int
    not_after_ms: int


ALWAYS: Final = Period(0, 2**63 - 1)


def _begun(valid: tuple[int, Signer]) -> int:
    return valid[0]


class Sealer:
    """Signs with the gateway's own keys. Thread-safe as its signers are."""

    def __init__(
        self,
        signers: Sequence[Signer],
        periods: Callable[[], Mapping[KeyId, Period]] = dict,
        now_ms: Callable[[], int] = int,
    ) -> None:
        """Take keys, first choice first, and when each is valid, as partners are told.

        Of several keys of one suite the one signs that became valid last. A key without a period
        is always valid.
        """
        if not signers:
            raise ValueError("a gateway needs a signing key")
        self._all = tuple(signers)
        self._periods = periods
        self._now_ms = now_ms

    @property
    def suites(self) -> tuple[str, ...]:
        """Suites this gateway can sign with, its first choice first."""
        return tuple(dict.fromkeys(s.suite for s in self._all))

    @property
    def _signers(self) -> Sequence[Signer]:
        """The keys that are valid now, one a suite.

        Raises:
            SignerDown: there is none.
        """
        if len(self._all) == 1:
            return self._all
        periods, now_ms = self._periods(), self._now_ms()
        begun = [(periods.get(s.key_id, ALWAYS), s) for s in self._all]
        valid = [
            (p.not_before_ms, s) for p, s in begun if p.not_before_ms <= now_ms < p.not_after_ms
        ]
        if not valid:
            raise SignerDown("no signing key is valid now")
        suites = dict.fromkeys(s.suite for _, s in valid)
        return [max((v for v in valid if v[1].suite == suite), key=_begun)[1] for suite in suites]

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
        chosen, signers = [], self._signers
        for suite in suites:
            signer = next((s for s in signers if s.suite == suite), None)
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
