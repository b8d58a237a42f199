"""The demo's state folder: two gateways, made once and continued afterwards."""

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
from gateway.app.demo.story import JIAYUGUAN, JIUQUAN, DemoFailed
from gateway.app.provision import Identity, Site, add_items, add_rules, agree, introduce, make_site
from gateway.app.shipped import partners_root
from gateway.ports.journal import JournalDown

_MARK: Final = "demo.json"
_HOST: Final = "127.0.0.1"
_PORTS: Final = range(20_000, 30_000)
"""Below the ports that systems give to outgoing connections, so that none takes ours meanwhile."""


@dataclass(frozen=True)
class State:
    """Both gateways' folders; `fresh` if they were made now."""

    folder: Path
    jiuquan: Site
    jiayuguan: Site
    fresh: bool

    @property
    def sites(self) -> tuple[Site, Site]:
        """The applicant's side first."""
        return self.jiuquan, self.jiayuguan

    @property
    def papers(self) -> Path:
        """The folder of the sample materials."""
        return self.folder / "materials"


def config_of(site: Site) -> Config:
    """Read a site's configuration; the environment has no say in the demo.

    Raises:
        ConfigProblem: it cannot be used.
    """
    return load_config(site.config, {})


def open_state(folder: Path | None, now_ms: int) -> State:
    """Make two gateways in `folder` (None: a fresh temporary one) or continue those in it.

    Raises:
        DemoFailed: the folder holds something else, is in use, or a port is taken.
        ConfigProblem, OSError: it cannot be made or read.
    """
    if folder is None:
        folder = Path(tempfile.mkdtemp(prefix="kuayu-demo-"))
    folder = folder.absolute()
    if (folder / _MARK).exists():
        return _continued(folder)
    if folder.is_dir() and any(folder.iterdir()):
        raise DemoFailed(
            f"{folder} 不是演示文件夹 holds other files or an unfinished demo;"
            " choose another folder"
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return _made(folder, now_ms)


def _made(folder: Path, now_ms: int) -> State:
    a, b, c, d = _free_ports(4)
    jiuquan, jiayuguan = _site(folder, JIUQUAN, a, b), _site(folder, JIAYUGUAN, c, d)
    samples = partners_root()
    for site in (jiuquan, jiayuguan):
        make_site(site, now_ms, demo=True)
        add_items(site, samples / site.identity.folder / "items")
        add_rules(site, samples / site.identity.folder / "instant")
    introduce(jiuquan, jiayuguan)
    introduce(jiayuguan, jiuquan)
    agree(jiuquan, jiayuguan, (samples / "jiayuguan" / "agreement.toml").read_bytes(), now_ms)
    (folder / _MARK).write_text(json.dumps({"kuayu_demo": 1}) + "\n", encoding="utf-8")
    return State(folder, jiuquan, jiayuguan, fresh=True)


def _continued(folder: Path) -> State:
    sites = []
    for identity in (JIUQUAN, JIAYUGUAN):
        config = load_config(folder / identity.folder / "kuayu.toml", {})
        exchange, portal = config.exchange.listen, config.portal.listen
        site = Site(folder / identity.folder, identity, exchange, portal)
        for port in (config.exchange.port, config.portal.port):
            _require_free(identity, port)
        try:
            migrate_sqlite(site.journal)
        except JournalDown as problem:
            raise DemoFailed(
                f"{site.journal}: {problem}; is another demo running on this folder?"
            ) from problem
        sites.append(site)
    return State(folder, sites[0], sites[1], fresh=False)


def _site(folder: Path, identity: Identity, exchange: int, portal: int) -> Site:
    return Site(folder / identity.folder, identity, f"{_HOST}:{exchange}", f"{_HOST}:{portal}")


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
    entropy, found = SystemEntropy(), []
    with ExitStack() as held:
        for _ in range(100 * count):
            port = _PORTS[int.from_bytes(entropy.token(4), "big") % len(_PORTS)]
            try:
                held.enter_context(_bound(port))
            except OSError:
                continue
            found.append(port)
            if len(found) == count:
                return found
    raise DemoFailed(f"{_HOST} 没有可用端口 has no free ports between 20000 and 29999")
