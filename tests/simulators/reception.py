"""A reception that keeps what it is given: the adapters' side of `ports.reception` by itself."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.kernel.arrivals import ArrivalStatus
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.translations import Said
from gateway.kernel.trees import Tree
from gateway.ports.reception import Arrival, Disposition, LateAnswer, Unreadable


class HeldReception:
    """Keeps its port's promise: the same again is one arrival; a nonce counts once."""

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        self.unreadable: list[Unreadable] = []
        self.answers: list[LateAnswer] = []
        self.fault: Fault | None = None
        self.about: dict[str, Fault] = {}
        """What a document meets that has this text somewhere."""
        self.refuses = ""
        self.waiting: list[bytes] = []
        self._nonces: set[str] = set()

    async def receive(self, arrival: Arrival) -> Disposition:
        if self.fault is not None:
            raise self.fault
        self._judge(arrival.document)
        if arrival.nonce and arrival.nonce in self._nonces:
            raise Fault(FaultCode.PARTNER_NONCE_REPLAYED)
        self._nonces.add(arrival.nonce)
        if arrival.raw not in [a.raw for a in self.arrivals]:
            self.arrivals.append(arrival)
        if self.refuses:
            return Disposition(ArrivalStatus.REFUSED, self.refuses, "不予接收（示例）", "refused")
        return Disposition(ArrivalStatus.TAKEN_IN, number="JQ-1")

    async def answered(self, answer: LateAnswer) -> bool:
        if self.fault is not None:
            raise self.fault
        self._judge(answer.document)
        self.answers.append(answer)
        return len(self.answers) == 1

    def _judge(self, document: Tree) -> None:
        for text, fault in self.about.items():
            if text in str(document):
                raise fault

    async def parked(self, partner: GatewayId) -> Sequence[bytes]:
        return self.waiting

    async def keep_unreadable(self, unreadable: Unreadable) -> Disposition:
        if self.fault is not None:
            raise self.fault
        if unreadable.nonce and unreadable.nonce in self._nonces:
            raise Fault(FaultCode.PARTNER_NONCE_REPLAYED)
        self._nonces.add(unreadable.nonce)
        self.unreadable.append(unreadable)
        return Disposition(
            ArrivalStatus.QUARANTINED, unreadable.fault.code.value, "无法读取", "unreadable"
        )


def said_tree(said: Said) -> Tree:
    """Return our word on a document as this simulated partner reads it."""
    return {"RESULT": {"CODE": "0" if said.ok else "1", "RULE": said.rule, "NO": said.number}}
