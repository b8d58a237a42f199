"""The one place where background tasks begin."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

from gateway.ports.telemetry import EventLog


class TaskOwner:
    """Owns, names and cancels background tasks; one that dies is told, never lost."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, name: str, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Start `work` under `name`; an exception that ends it is logged with that name."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._log.event("task_died", task=task.get_name(), error=type(error).__name__)

    def alive(self, name: str) -> bool:
        """Tell whether a task of this name is running."""
        return any(t.get_name() == name for t in self._tasks)

    async def close(self) -> None:
        """Cancel what still runs and wait for it to end."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
