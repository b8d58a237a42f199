"""What a dialect is opened with, and what comes of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel

from gateway.adapters.outlets.dialect import Dialect, DialectAnswer
from gateway.ports.callbacks import CallbackHandler
from gateway.ports.clock import Clock, Entropy
from gateway.ports.reception import Reception
from gateway.ports.telemetry import EventLog
from gateway.ports.translation import Translation
from gateway.rules.trust import Partner


@dataclass(frozen=True)
class Opening:
    """What a dialect may need. Relative paths of settings start at `folder`."""

    partner: Partner
    folder: Path
    translation: Translation
    reception: Reception
    clock: Clock
    entropy: Entropy
    log: EventLog
    demo: bool
    """Whether plaintext on loopback and example secrets are taken."""


@dataclass(frozen=True)
class Opened:
    """A partner's adapter that is ready."""

    dialect: Dialect
    handler: CallbackHandler | None = None
    """Its inbound side over HTTP."""
    listen: Callable[[], Coroutine[object, object, None]] | None = None
    """Its inbound side that polls; runs until it is cancelled."""
    peek: Callable[[bytes], Awaitable[DialectAnswer | None]] | None = None
    """Where answers come by themselves: look for the one to a message id, and take nothing away."""


class DialectKind(Protocol):
    """A dialect as the gateway knows it by name."""

    @property
    def settings(self) -> type[BaseModel]:
        """Model of `[outlet.<kind>]`; unknown keys are refused."""
        ...

    def open(self, settings: Any, opening: Opening) -> Opened:
        """Open a partner's adapter; nothing is connected yet.

        Raises:
            ConfigProblem: files that the settings name cannot be used.
        """
        ...
