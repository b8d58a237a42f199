"""The portal of Jiuquan in the instant scenario (秒批): an individual business is registered."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Final

from gateway.app.demo.documents import write_papers
from gateway.app.demo.office import Office
from gateway.app.demo.portal import Portal
from gateway.app.demo.story import View
from gateway.app.shipped import partners_root

INDIVIDUAL: Final = "00013112700603"
"""个体工商户设立登记."""


class IndividualPortal(Portal):
    """Sends one application that a rule covers, and hands over what comes back."""

    item = INDIVIDUAL

    def __init__(self, office: Office, deciding: Office, papers: Path) -> None:
        super().__init__(office, papers)
        self._deciding = deciding

    async def run(self) -> None:
        """Bring one case from the application to the handed-over licence; no person decides it.

        Raises:
            DemoFailed: anything did not happen.
        """
        item = await self._look_up()
        paper = (await asyncio.to_thread(write_papers, self._papers))[0]
        await self._open(self._application(item), [paper])
        await self._hear_the_rule()
        await self._hand_over()

    async def _hear_the_rule(self) -> None:
        """Tell what the other gateway says of itself, message by message."""
        for kind in ("acknowledged", "accepted", "decided"):
            async with self._stage.turn():
                await self._deciding.crossed(self.case_id, kind)

    def _application(self, item: View) -> View:
        return {
            "region": self.region,
            "item_code": INDIVIDUAL,
            "item_version": item["version"],
            "mode": "online",
            "purpose": "individual-business-registration",
            "form": individual_form(),
        }


def individual_form() -> View:
    """Return the shipped sample's form; a rule covers it."""
    path = partners_root() / "jiayuguan" / "vectors" / "instant_registration" / "submitted.json"
    form: View = json.loads(path.read_bytes())["form"]
    return form
