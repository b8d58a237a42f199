"""Wuwei's file exchange (武威, simulated 模拟): an SFTP server, and who reads its folders."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import asyncssh
from stdnum.iso7064 import mod_37_36

from gateway.adapters.outlets.documents import read_xml, write_xml
from gateway.app.demo.platforms.office import POLL_S, PlatformStory, Register, today, write_secret
from gateway.app.provision import Site
from gateway.kernel.trees import Tree, get, steps_of
from gateway.ports.clock import Clock

_USER: Final = "kuayu"
_TO, _FROM = "to_wuwei", "from_wuwei"
_ENCODING: Final = "gb18030"
_LICENCE: Final = "11100000MB0143028R001"
_UNIT: Final = "11620600MB0000001K"


class _Door(asyncssh.SSHServer):
    def __init__(self, key: asyncssh.SSHKey) -> None:
        self._key = key

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == _USER and key == self._key


class FileExchange:
    """Implements `Platform`."""

    story = PlatformStory(
        "wuwei",
        "620600",
        "file_drop",
        "SFTP 文件交换",
        "files over SFTP",
        "00013112700901",
        "licence-reissue",
        "licence_reissue",
    )

    def __init__(self, clock: Clock, root: Path) -> None:
        self._clock = clock
        self._root = root
        self.register = Register(self.story.items)

    @asynccontextmanager
    async def running(self, site: Site) -> AsyncIterator[str]:
        """See `Platform`."""
        for name in (_TO, _FROM):
            (self._root / name).mkdir(parents=True, exist_ok=True)
        host, client = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
        folder = site.root / "partners" / self.story.folder
        write_secret(folder, "secrets/client_key", client.export_private_key())
        (folder / "keys").mkdir(exist_ok=True)
        (folder / "keys" / "host_keys").write_bytes(host.export_public_key())
        public = client.convert_to_public()
        server = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=lambda: _Door(public),
            server_host_keys=[host],
            sftp_factory=lambda line: asyncssh.SFTPServer(line, chroot=str(self._root).encode()),
        )
        works = asyncio.get_running_loop().create_task(self._work())
        try:
            yield (
                f'host = "127.0.0.1"\nport = {server.get_port()}\nusername = "{_USER}"\n'
                f'client_key = "secrets/client_key"\nencoding = "{_ENCODING}"\n'
                f'out = "{_TO}"\nresults = "{_TO}"\nin = "{_FROM}"\ndone = "{_FROM}/done"\n'
                f'refused = "{_FROM}/refused"\n'
                'pattern = "(?P<operation>[a-z]+)_[0-9]{8}_[A-Za-z0-9-]+"\npoll_s = 0.1'
            )
        finally:
            works.cancel()
            await asyncio.gather(works, return_exceptions=True)
            server.close()
            await server.wait_closed()

    async def _work(self) -> None:
        while True:
            await asyncio.to_thread(self._turn)
            await asyncio.sleep(POLL_S)

    def _turn(self) -> None:
        """Read what lies ready, answer each file by a result file, and say what comes of it."""
        for path in sorted((self._root / _TO).glob("*.xml")):
            if path.stem.endswith(".result"):
                path.unlink()  # our own words, answered
                continue
            document = read_xml(path.read_bytes(), _ENCODING)
            self._lay(f"{path.stem}.result", {"HZ": self._taken(path.name, document)})
            path.unlink()

    def _taken(self, name: str, document: Tree) -> Tree:
        """Take a file in, once for each number; return the result that is laid down for it."""
        number, case, item = (
            str(get(document, steps_of(at)))
            for at in ("/YWSJ/BWTOU/BWBH", "/YWSJ/BWTOU/JHBH", "/YWSJ/SX/SXBM")
        )
        if name.startswith("sqsb_"):
            if not self.register.lists(item):
                return {"DM": "3", "SM": "没有该事项（示例）"}
            if self.register.opened(number, case):
                self._handle(document)
        elif not self.register.has(case):
            return {"DM": "4", "SM": "没有该办件（示例）"}
        return {"DM": "0", "SM": "成功", "BJBH": self._number()}

    def _handle(self, document: Tree) -> None:
        asked, day = document["YWSJ"], today(self._clock.now_ms())
        assert isinstance(asked, dict)
        head, company = asked["BWTOU"], asked["QY"]
        assert isinstance(head, dict)
        assert isinstance(company, dict)
        said: tuple[tuple[str, Tree], ...] = (
            ("blgc", {"ZT": "签收", "BJBH": self._number()}),
            ("blgc", {"ZT": "受理", "RQ": day, "CNTS": "1"}),
            ("bjjg", {"JG": "准予", "WH": self._number(), "ZZ": self._licence(company, day)}),
        )
        for at, (operation, told) in enumerate(said, start=1):
            number = f"{str(head['SQBH'])[-8:]}-{at}"
            inside: Tree = {"BWBH": f"WW-{number}", "JHBH": head["JHBH"], **told}
            self._lay(f"{operation}_{day}_{at}-{number}", {"BLJG": inside})

    def _licence(self, company: Tree, day: str) -> Tree:
        parts = [_LICENCE, _UNIT, f"{day}000001", "002"]
        check = mod_37_36.calc_check_digit("".join(parts))
        return {
            "LXDM": _LICENCE,
            "BS": ".".join(["1.2.156.3005.2", *parts, check]),
            "XYDM": company["XYDM"],
            "MC": company["MC"],
            "LX": "有限责任公司（示例）",
            "FR": company["FRXM"],
            "JYFW": "葡萄酒生产、销售（示例）",
            "ZS": "甘肃省武威市示例路 8 号（示例）",
            "CLRQ": "20200106",
            "QX": "20200106",
            "DJJG": "武威市市场监督管理局（示例）",
            "FZRQ": day,
        }

    def _number(self) -> str:
        return f"武市监〔示例〕{today(self._clock.now_ms())}"

    def _lay(self, stem: str, document: Tree) -> None:
        """Write a file whole, then give it its name."""
        path = self._root / _FROM / f"{stem}.xml"
        unfinished = path.with_suffix(".xml.tmp")
        unfinished.write_bytes(write_xml(document, _ENCODING))
        unfinished.rename(path)
