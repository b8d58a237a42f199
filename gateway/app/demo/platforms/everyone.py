"""The scenario `all-partners`: one case through every dialect and back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from gateway.app.demo.assisted import prepare_assisted
from gateway.app.demo.platforms.files import FileExchange
from gateway.app.demo.platforms.front import FrontDatabase
from gateway.app.demo.platforms.office import Platform, PlatformStory, adopted, connect
from gateway.app.demo.platforms.police import PoliceService
from gateway.app.demo.platforms.rest_partners import (
    CityPlatform,
    DistrictPlatform,
    ProvincePlatform,
)
from gateway.app.demo.state import State, config_of
from gateway.app.demo.story import DemoFailed, Stage

STORIES: Sequence[PlatformStory] = (
    FrontDatabase.story,
    FileExchange.story,
    PoliceService.story,
    DistrictPlatform.story,
    CityPlatform.story,
    ProvincePlatform.story,
)
"""What the window does at partners with platforms of their own, one after another."""


@asynccontextmanager
async def every_platform(state: State, stage: Stage) -> AsyncIterator[None]:
    """Run every simulated platform, and let the applicant's gateway know of each.

    Raises:
        DemoFailed: the folder was made before gateways had a door for callbacks.
        OSError, ValueError: a sample partner is not there.
    """
    site, clock = state.sites[0], stage.clock
    if config_of(site).callbacks.listen is None:
        raise DemoFailed(f"{state.folder} 由较早版本生成 was made by an older version; use another")
    prepare_assisted(site, clock.now_ms())
    platforms: list[Platform] = [
        FrontDatabase(clock),
        FileExchange(clock, state.folder / site.identity.folder / "simulated" / "wuwei"),
        PoliceService(clock),
        DistrictPlatform(clock),
        CityPlatform(clock),
        ProvincePlatform(clock),
    ]
    async with AsyncExitStack() as stack:
        for platform in platforms:
            adopted(site, platform.story, clock.now_ms())
            connect(site, platform.story, await stack.enter_async_context(platform.running(site)))
        yield
