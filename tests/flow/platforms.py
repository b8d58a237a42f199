"""A partner that runs a platform of its own, in memory: our side of it is the real flow."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from gateway.adapters.outlets.dialect import DialectAnswer, DialectOutlet
from gateway.flow.attested_answers import AttestedAnswers
from gateway.flow.attesting import Attester
from gateway.flow.late_answers import LateAnswers
from gateway.flow.receiving import Receiving
from gateway.kernel.envelope import Kind, Strength
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.platforms import Platform
from gateway.kernel.translations import Ours, Said, Theirs, Verdict
from gateway.kernel.trees import Tree
from gateway.ports.outlet import Listed, OutletDown
from gateway.ports.reception import Arrival, Disposition
from tests.flow.world import World

THEM = GatewayId("620200")


class PlainTranslation:
    """Their words are ours; a mended table is one with no `broken` kind."""

    def __init__(self) -> None:
        self.broken: set[str] = set()
        self.unsaid: set[str] = set()
        self.bugs: set[str] = set()

    def outbound(self, ours: Tree) -> Theirs:
        kind = cast("Mapping[str, str]", ours["message"])["kind"]
        if kind in self.unsaid:
            raise Fault(FaultCode.MAPPING_KIND_UNMAPPED, kind)
        return Theirs(f"push_{kind}", ours)

    def inbound(self, operation: str, document: Tree) -> Ours:
        if operation in self.bugs:
            raise ValueError("nobody foresaw this")
        if operation in self.broken:
            raise Fault(FaultCode.MAPPING_VALUE_INVALID, "/form/state")
        return Ours(Kind[operation.upper()], document)

    def answer(self, document: Tree) -> Verdict:
        code = document.get("code")
        if code not in ("0", "1", "busy"):
            raise Fault(FaultCode.MAPPING_VALUE_INVALID, "/code")
        said = str(document.get("message", ""))
        return Verdict(code == "0", code == "busy", "", said, str(document.get("number", "")))

    def say(self, said: Said) -> Tree:
        return {"code": "0" if said.ok else "1", "rule": said.rule}


class HeldDialect:
    """Keeps what is pushed; answers what it is told to."""

    def __init__(self) -> None:
        self.pushed: list[tuple[str, Tree, str]] = []
        self.answers: list[Tree | Listed | OutletDown] = []

    async def send(
        self, operation: str, document: Tree, number: str, timeout_s: float
    ) -> DialectAnswer | Listed:
        self.pushed.append((operation, document, number))
        usual: Tree = {"code": "0", "number": "H-2026-1"}
        answer = self.answers.pop(0) if self.answers else usual
        if isinstance(answer, OutletDown):
            raise answer
        if isinstance(answer, Listed):
            return answer
        return DialectAnswer(json.dumps(answer).encode(), answer, Strength.AUTHENTICATED)

    async def close(self) -> None:
        return


class PlatformPartner:
    """Jiuquan's side of a partner with a platform: outlet, reception, and what it heard."""

    def __init__(self, world: World, *, strength_min: Strength = Strength.AUTHENTICATED) -> None:
        self.world, self.side = world, world.jq
        self.translation, self.dialect = PlainTranslation(), HeldDialect()
        self._enter_into_the_book(strength_min)
        self.restart()

    def _enter_into_the_book(self, strength_min: Strength) -> None:
        book = self.side.directory.current()
        platform = Platform("partners/jiayuguan", {}, b"")
        partner = replace(book.partners[THEM], outlet="rest", keys={}, platform=platform)
        self.side.directory.replace(
            replace(
                book,
                home=replace(book.home, adapter_keys=book.home.keys),
                partners={THEM: partner},
                agreements={
                    d: replace(a, strength_min=strength_min, required_suites=())
                    for d, a in book.agreements.items()
                },
            )
        )

    def restart(self) -> None:
        """Build the adapters' part of the flow over journal and vault as they are."""
        side = self.side
        attester = Attester(side.pen)
        attested = AttestedAnswers(attester, side.directory, side.clock)
        side.dispatcher.attested = attested
        side.lane._outlet = DialectOutlet(self.dialect, self.translation, side.journal, side.vault)
        self.receiving = Receiving(
            side.committer,
            side.journal,
            side.vault,
            side.directory,
            side.intake,
            attester,
            LateAnswers(side.committer, side.journal, attested),
            lambda _: self.translation,
            side.clock,
            side.entropy,
            side.log,
        )

    async def says(
        self,
        kind: Kind,
        document: Tree,
        *,
        nonce: str = "",
        strength: Strength = Strength.AUTHENTICATED,
        noise: str = "",
    ) -> Disposition:
        """Have the partner's platform send a document; `noise` changes bytes that say nothing."""
        raw = json.dumps([noise, document], default=str).encode()
        until_ms = self.side.clock.now_ms() + 300_000 if nonce else 0
        return await self.receiving.receive(
            Arrival(THEM, kind.name.lower(), raw, document, strength, nonce, until_ms)
        )


def told(number: str, case_number: str, **form: object) -> Tree:
    """Return what a platform says of a case, by the number our side gave it."""
    return cast(
        "Tree",
        {"message": {"number": number}, "case": {"applicant_number": case_number}, "form": form},
    )
