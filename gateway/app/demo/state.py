"""The demo's state folder: gateways made once and continued afterwards."""

from __future__ import annotations

import json
import socket
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.adapters.sql.sqlite import migrate_sqlite
from gateway.adapters.system.clock import SystemEntropy
from gateway.app.config import Config, load_config
from gateway.app.demo.moved_clock import FILE as MOVED
from gateway.app.demo.story import DemoFailed, Federation
from gateway.app.provision import Identity, Site, add_items, add_rules, agree, introduce, make_site
from gateway.app.settings import parse_host_port
from gateway.app.shipped import partners_root
from gateway.ports.journal import JournalDown

_MARK: Final = "demo.json"
_PAPERS: Final = "materials"
_HOST: Final = "127.0.0.1"
_PORTS: Final = range(20_000, 30_000)
"""Below the ports that systems give to outgoing connections, so that none takes ours meanwhile."""


@dataclass(frozen=True)
class State:
    """The gateways' folders; `fresh` if they were made now."""

    folder: Path
    sites: tuple[Site, ...]
    """The applicant's side first."""
    fresh: bool

    @property
    def papers(self) -> Path:
        """The folder of the sample materials."""
        return self.folder / _PAPERS


def config_of(site: Site) -> Config:
    """Read a site's configuration; the environment has no say in the demo.

    Raises:
        ConfigProblem: it cannot be used.
    """
    return load_config(site.config, {})


def open_state(folder: Path | None, now_ms: int, federation: Federation) -> State:
    """Make a federation's gateways in `folder` (None: a fresh temporary one), or continue them.

    A region that the folder does not have yet joins those that are there.

    Raises:
        DemoFailed: the folder holds something else, is in use, or a port is taken.
        ConfigProblem, OSError: it cannot be made or read.
    """
    if folder is None:
        folder = Path(tempfile.mkdtemp(prefix="kuayu-demo-"))
    folder = folder.absolute()
    known = _known(folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = [who for who in federation.regions if who.folder not in known]
    ports = iter(_free_ports(3 * len(fresh)))
    sites = {
        who: _made(_site(folder, who, [next(ports) for _ in range(3)]), now_ms)
        if who in fresh
        else _continued(folder, who)
        for who in federation.regions
    }
    for one, other, source in federation.agreements:
        _agree(sites[one], sites[other], source, now_ms)
    names = sorted(known | {who.folder for who in sites})
    (folder / _MARK).write_text(json.dumps({"regions": names}) + "\n", encoding="utf-8")
    return State(folder, tuple(sites.values()), fresh=not known)


def _known(folder: Path) -> set[str]:
    """Return the names of the regions whose gateways are in the folder, whole.

    Raises:
        DemoFailed: the folder holds something that is none of them.
    """
    mark, known = folder / _MARK, set[str]()
    if mark.exists():
        known.update(json.loads(mark.read_bytes())["regions"])
    ours = {_MARK, _PAPERS, MOVED, *known}
    if folder.is_dir() and any(path.name not in ours for path in folder.iterdir()):
        raise DemoFailed(
            f"{folder} 不是演示文件夹 holds other files or an unfinished demo;"
            " choose another folder"
        )
    return known


def _made(site: Site, now_ms: int) -> Site:
    samples = partners_root() / site.identity.folder
    make_site(site, now_ms, demo=True)
    add_items(site, samples / "items")
    add_rules(site, samples / "instant")
    return site


def _site(folder: Path, identity: Identity, ports: Sequence[int]) -> Site:
    exchange, portal, callbacks = (f"{_HOST}:{port}" for port in ports)
    return Site(folder / identity.folder, identity, exchange, portal, callbacks=callbacks)


def _agree(one: Site, other: Site, source: str, now_ms: int) -> None:
    """Have two gateways know each other and accept an agreement, if they have none yet."""
    folder = one.root / "partners" / other.identity.folder
    if (folder / "agreement.toml").exists():
        if 'kind = "grpc"' not in (folder / "partner.toml").read_text("utf-8"):
            raise DemoFailed(
                f"{folder} 在此演示文件夹中没有自己的网关 has no gateway of its own here;"
                " use another --state folder"
            )
        return
    introduce(one, other)
    introduce(other, one)
    agree(one, other, (partners_root() / source).read_bytes(), now_ms)


def _continued(folder: Path, identity: Identity) -> Site:
    config = load_config(folder / identity.folder / "kuayu.toml", {})
    site = Site(folder / identity.folder, identity, config.exchange.listen, config.portal.listen)
    called = parse_host_port(config.callbacks.listen or "")
    for port in (config.exchange.port, config.portal.port, *([called.port] if called else [])):
        _require_free(identity, port)
    try:
        migrate_sqlite(site.journal)
    except JournalDown as problem:
        raise DemoFailed(
            f"{site.journal}: {problem}; is another demo running on this folder?"
        ) from problem
    return site


def _bound(port: int) -> socket.socket:
    """Take a port of the loopback address, also one whose last connections are still closing."""
    taken = socket.socket()
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((_HOST, port))
    except OSError:
        taken.close()
        raise
    return taken


def _require_free(identity: Identity, port: int) -> None:
    try:
        _bound(port).close()
    except OSError as problem:
        raise DemoFailed(
            f"端口 port {port} ({identity.name_zh}) 已被占用 is taken by another program"
            " (another demo on this folder?); stop it, or use another --state folder"
        ) from problem


def _free_ports(count: int) -> Sequence[int]:
    entropy, found = SystemEntropy(), list[int]()
    with ExitStack() as held:
        for _ in range(100 * count):
            port = _PORTS[int.from_bytes(entropy.token(4), "big") % len(_PORTS)]
            try:
                held.enter_context(_bound(port))
            except OSError:
                continue
            found.append(port)
            if len(found) == count:
                break
    if len(found) == count:
        return found
    raise DemoFailed(f"{_HOST} 没有可用端口 has no free ports between 20000 and 29999")
