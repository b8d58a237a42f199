"""What every door and every lane of a gateway stands on: keys, directory, journal, vault."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from gateway.adapters.files.vault import FileVault
from gateway.adapters.memory.directory import HeldDirectory
from gateway.adapters.pki.suites import SuiteVerifier
from gateway.adapters.sql.sqlite import open_sqlite
from gateway.adapters.system.clock import SystemClock, SystemEntropy
from gateway.app.agreements import read_agreement
from gateway.app.announced import key_reader
from gateway.app.calendar import OperatorCalendar, load_calendar
from gateway.app.config import Config
from gateway.app.own_keys import Transport, periods_of, read_all_signers, read_transport
from gateway.app.partners import load_book
from gateway.app.problems import ConfigProblem
from gateway.flow.accords import Accords
from gateway.flow.authenticity import Authenticity
from gateway.flow.clockwork import Clockwork
from gateway.flow.committer import Committer
from gateway.flow.intake import Intake
from gateway.flow.item_press import Press
from gateway.flow.sealing import Sealer
from gateway.flow.tasks import TaskOwner
from gateway.flow.timekeeper import Timekeeper
from gateway.kernel.faults import Fault
from gateway.kernel.identifiers import GatewayId
from gateway.ports.clock import Clock, Entropy
from gateway.ports.directory import Book
from gateway.ports.journal import Journal
from gateway.ports.outlet import Outlet
from gateway.ports.telemetry import EventLog
from gateway.ports.vault import Vault


@dataclass(frozen=True)
class Seams:
    """Where a test may put something else; each default is the real thing."""

    clock: Clock = field(default_factory=SystemClock)
    journal: Callable[[Journal], Journal] = lambda journal: journal
    vault: Callable[[Vault], Vault] = lambda vault: vault
    outlet: Callable[[Outlet], Outlet] = lambda outlet: outlet


@dataclass(frozen=True)
class Core:
    """What every door and every lane stands on."""

    config: Config
    log: EventLog
    seams: Seams
    tls: Transport
    directory: HeldDirectory
    authenticity: Authenticity
    journal: Journal
    vault: Vault
    owner: TaskOwner
    committer: Committer
    sealer: Sealer
    accords: Accords
    calendar: OperatorCalendar
    press: Press
    entropy: Entropy = field(default_factory=SystemEntropy)


async def open_core(stack: AsyncExitStack, config: Config, log: EventLog, seams: Seams) -> Core:
    """Read directory and keys, open journal and vault, start the writer.

    What is opened is closed by `stack`, the journal last.

    Raises:
        ConfigProblem: directory, keys or certificates cannot be used.
        JournalDown: the journal cannot be opened.
    """
    verifier = SuiteVerifier()
    home = GatewayId(config.gateway_id)
    book = load_book(config.partners_dir, home, verifier, demo=config.demo)
    tell_broken(book, log)
    calendar = load_calendar(config.calendar)
    signers = read_all_signers(config, book.home, seams.clock.now_ms())
    tls = read_transport(config)
    journal = seams.journal(await open_sqlite(config.journal.path))
    stack.push_async_callback(journal.close)
    await journal.write(lambda tx: tx.release_leases())
    try:
        files = await FileVault.open(config.vault.path, log=log, clock=seams.clock)
    except (Fault, OSError) as problem:
        told = "cannot be used; check the folder, its owner and the disk"
        raise ConfigProblem(config.vault.path, [f"vault.path: {told}"]) from problem
    stack.push_async_callback(files.close)
    vault = seams.vault(files)
    owner = TaskOwner(log)
    stack.push_async_callback(owner.close)
    directory = HeldDirectory(book)
    sealer = Sealer(signers, lambda: periods_of(directory.current().home), seams.clock.now_ms)
    committer = Committer(journal, sealer, seams.clock, SystemEntropy(), log)
    writer = owner.start("committer", committer.run())
    stack.push_async_callback(_finish, committer, writer)
    authenticity = Authenticity(verifier)
    read_key = key_reader(demo=config.demo)
    accords = Accords(journal, directory, authenticity, read_agreement, log, read_key)
    await accords.refresh()
    await _tell_unread(journal, directory, log)
    committer.accompany(Clockwork(directory, calendar).keep)
    timekeeper = Timekeeper(committer, calendar, seams.clock, log)
    stack.callback(owner.start("timekeeper", timekeeper.run()).cancel)
    return Core(
        config,
        log,
        seams,
        tls,
        directory,
        authenticity,
        journal,
        vault,
        owner,
        committer,
        sealer,
        accords,
        calendar,
        Press(journal),
    )


def intake_of(c: Core) -> Intake:
    """Return what takes messages in, for every door and adapter."""
    clock = c.seams.clock
    return Intake(c.committer, c.journal, c.vault, c.directory, c.authenticity, c.accords, clock)


def tell_broken(book: Book, log: EventLog) -> None:
    """Tell of partners that are put aside; `kuayu partner list` says why."""
    for broken in book.broken:
        log.event(
            "partner_broken",
            error="ConfigProblem",
            partner=broken.gateway_id or "unknown",
            path=broken.folder,
            count=len(broken.problems),
        )


async def _tell_unread(journal: Journal, directory: HeldDirectory, log: EventLog) -> None:
    """Tell of kept agreements that this version does not read: they allow nothing."""
    kept = await journal.read(lambda s: {a.digest for a in s.agreements()})
    unread = len(kept - directory.current().agreements.keys())
    if unread:
        log.event("agreements_unreadable", count=unread)


async def _finish(committer: Committer, writer: asyncio.Task[None]) -> None:
    """Commit what is queued, then end the writer."""
    committer.stop()
    await writer
