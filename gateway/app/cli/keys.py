"""`kuayu keys`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from gateway.app.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    examples,
    group,
    now_ms,
    read_book,
    read_config,
    show,
    show_json,
)
from gateway.app.cli.exits import ExitCode, Stop

if TYPE_CHECKING:
    from gateway.app.config import Config

_GENERATE = (
    "kuayu keys generate --suite EdDSA",
    "kuayu keys generate --suite ES256 --name signing_es256_2036 --days 730 --json",
)
_SHOW = ("kuayu keys show", "kuayu keys show --config FILE --json")
_AUTHORITY_KEY: Final = "authority.key.pem"
_BACKDATE_MS: Final = 3_600_000  # partners' clocks may be a little behind
_DAY_MS: Final = 86_400_000
app = group("密钥 Keys that messages and connections are signed with.", *_GENERATE, *_SHOW)


@app.command(epilog=examples(*_GENERATE))
def generate(
    config: ConfigOption = DEFAULT_CONFIG,
    suite: Annotated[str, typer.Option(help="ES256 or EdDSA")] = "ES256",
    name: Annotated[str, typer.Option(help="of the files; by suite and date if not given")] = "",
    days: Annotated[int, typer.Option(min=1, help="how long its certificate is valid")] = 365,
    begins: Annotated[
        int, typer.Option(min=0, help="in how many days it becomes valid; 0: now")
    ] = 0,
    authority: Annotated[
        Path | None, typer.Option(metavar="FILE", help="the authority's key, if kept elsewhere")
    ] = None,
    json: JsonOption = False,
) -> None:
    """生成 Make a signing key beside the others, with a certificate of the gateway's own authority.

    The running gateway is not touched: partners must know a key before it signs.
    """
    settings, at_ms = read_config(config), now_ms()

    from gateway.adapters.pki.suites import SUITES
    from gateway.kernel.instants import china_date

    if suite not in SUITES:
        raise Stop(ExitCode.USAGE, f"--suite {suite}: unknown; there are {', '.join(SUITES)}")
    name = name or f"signing_{suite.lower()}_{china_date(at_ms)}"
    if Path(name).name != name:
        raise Stop(ExitCode.USAGE, "--name is a file's name without folder and ending")
    folder = settings.transport.authorities.parent
    begin_ms = at_ms + begins * _DAY_MS
    certifying = authority or folder / _AUTHORITY_KEY
    made = _make(settings, certifying, folder, name, suite, (begin_ms, begin_ms + days * _DAY_MS))
    if json:
        show_json(made)
    else:
        show(*_next_steps(settings, made))


def _make(
    config: Config, by: Path, folder: Path, name: str, suite: str, life_ms: tuple[int, int]
) -> dict[str, str]:
    """Write key and certificate; nothing that exists is overwritten."""
    from gateway.adapters.pki.issuing import Authority, issue_signing
    from gateway.adapters.pki.key_files import load_signer, read_key_file, write_key
    from gateway.kernel.identifiers import GatewayId

    if not by.is_file():
        raise Stop(
            ExitCode.CONFIG,
            f"no {by}: name the authority's key with --authority; if keys of this gateway are "
            "certified elsewhere, make one with openssl and have it certified there",
        )
    key, certificate = folder / f"{name}.key.pem", folder / f"{name}.pem"
    for path in (key, certificate):
        if path.exists():
            raise Stop(ExitCode.UNAVAILABLE, f"{path} exists already; choose another --name")
    issued = issue_signing(
        Authority(
            config.transport.authorities.read_bytes(),
            read_key_file(by, allow_public=config.demo),
        ),
        GatewayId(config.gateway_id),
        suite,
        common_name=f"{config.name_zh} signing {suite}",
        not_before_ms=life_ms[0] - _BACKDATE_MS,
        not_after_ms=life_ms[1],
    )
    write_key(key, issued.key)
    certificate.write_bytes(issued.certificate)
    key_id = load_signer(key, allow_public=config.demo).key_id.hex()
    return {"key": str(key), "certificate": str(certificate), "suite": suite, "key_id": key_id}


def _next_steps(config: Config, made: dict[str, str]) -> list[str]:
    return [
        f"已生成 {made['suite']} key {made['key_id']}: {made['key']}",
        "下一步 What to do next, in this order:",
        f"  1. 公布 copy {made['certificate']} into the gateway's own folder in",
        f"     {config.partners_dir}/ and add it to `signing_certificates`; keep the old one",
        "  2. 登记 add the key to `keys.signing` beside the old one, and restart",
        f"  3. 预告 kuayu keys announce {made['certificate']}",
        "  4. 演练 kuayu keys rehearse; from the instant it becomes valid it signs by itself",
    ]


@app.command(name="show", epilog=examples(*_SHOW))
def show_(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """查看 Show the keys in use, when they expire, and whether partners are told of them."""
    from rich.table import Table

    from gateway.app.cli.key_views import own_keys

    settings = read_config(config)
    rows: list[dict[str, Any]] = own_keys(settings, read_book(settings), now_ms())
    if json:
        show_json({"gateway": settings.gateway_id, "keys": rows})
        return
    table = Table()
    for heading in (
        "用途 use",
        "算法 suite",
        "标识 id",
        "剩余 left",
        "伙伴可知 published",
        "文件 file",
    ):
        table.add_column(heading, overflow="fold")
    for row in rows:
        left = "—" if row["days_left"] is None else f"{row['days_left']} 天 days"
        published = "是 yes" if row["published"] else "否 no: partners will refuse it"
        table.add_row(row["use"], row["suite"], row["id"], left, published, row["file"])
    show(table)
