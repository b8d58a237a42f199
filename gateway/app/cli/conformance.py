"""`kuayu conformance run` and `list`: judge a gateway over the wire."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.app.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    examples,
    group,
    read_config,
    show_json,
)
from gateway.app.cli.exits import ExitCode, Stop

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.conformance.case_files import Case

_RUN = (
    "kuayu conformance run jiayuguan",
    "kuayu conformance run 620200 --html report.html --junit report.xml",
    "kuayu conformance run jiayuguan --case tamper --case retry.at_once",
    "kuayu conformance run 127.0.0.1:7201 --gateway-id 620200",
    "kuayu conformance run zhangye --listen 0.0.0.0:7444",
)
_LIST = ("kuayu conformance list", "kuayu conformance list --cases my-cases --json")
app = group("符合性测试 Judge any gateway over the wire only.", *_RUN[:2])
_KEY = "private key of ours (PEM), registered at the target"


def _file(text: str) -> Any:
    return typer.Option(metavar="FILE", help=text)


JunitOption = Annotated[Path | None, _file("JUnit XML, for machines that collect results")]
HtmlOption = Annotated[Path | None, _file("one page, for people")]
AuthoritiesOption = Annotated[Path | None, _file("who its certificate is under (PEM)")]
CertificateOption = Annotated[list[Path] | None, _file("its signing certificate (PEM)")]
ExpiredOption = Annotated[Path | None, _file(f"{_KEY}, that has expired")]
FutureOption = Annotated[Path | None, _file(f"{_KEY}, that is not yet valid")]
CasesOption = Annotated[
    Path | None, typer.Option("--cases", metavar="DIR", help="a folder of cases of your own")
]
TargetArgument = Annotated[
    str, typer.Argument(metavar="TARGET", help="a partner's folder or gateway id, or host:port")
]


@app.command(epilog=examples(*_RUN))
def run(
    target: TargetArgument,
    config: ConfigOption = DEFAULT_CONFIG,
    case: Annotated[
        list[str] | None, typer.Option("--case", metavar="NAME", help="only this case or area")
    ] = None,
    cases: CasesOption = None,
    json: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="the signed report; - for stdout")
    ] = None,
    junit: JunitOption = None,
    html: HtmlOption = None,
    list_: Annotated[bool, typer.Option("--list", help="say what would be run")] = False,
    timeout: Annotated[float, typer.Option(min=0.1, max=600, help="seconds a call may take")] = 20,
    days: Annotated[int, typer.Option(min=1, max=366, help="how long a pass is fresh")] = 90,
    gateway_id: Annotated[str, typer.Option(help="who answers at host:port")] = "",
    authorities: AuthoritiesOption = None,
    server_name: Annotated[str, typer.Option(help="name in its certificate")] = "",
    listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="where one that only calls out shall call")
    ] = "",
    certificate: CertificateOption = None,
    expired_key: ExpiredOption = None,
    future_key: FutureOption = None,
) -> None:
    """测试 Run the cases against TARGET, which takes in sample applications marked 示例.

    The signed report is kept in the state folder. Exit code 0: passed; 1: not passed.
    """
    from gateway.app.cli.conformance_run import Wish, chosen, run_and_tell
    from gateway.app.cli.conformance_views import list_cases

    wanted = chosen(_cases(cases), tuple(case or ()))
    if list_ and str(json) == "-":
        show_json(_views(wanted))
        return
    if list_:
        list_cases(wanted)
        return
    wish = Wish(
        target=target,
        cases=wanted,
        selection=tuple(case or ()),
        json=json,
        junit=junit,
        html=html,
        call_s=timeout,
        listen=listen,
        days=days,
        gateway_id=gateway_id,
        authorities=authorities,
        server_name=server_name,
        certificates=tuple(certificate or ()),
        expired_key=expired_key,
        future_key=future_key,
    )
    run_and_tell(read_config(config), wish)


@app.command(name="list", epilog=examples(*_LIST))
def list_(cases: CasesOption = None, json: JsonOption = False) -> None:
    """用例 List the cases: what each asks, and when it passes."""
    from gateway.app.cli.conformance_views import list_cases

    found = _cases(cases)
    if json:
        show_json(_views(found))
    else:
        list_cases(found)


def _views(cases: Sequence[Case]) -> list[dict[str, object]]:
    return [{**c.file.model_dump(exclude={"steps"}), "own": c.own} for c in cases]


def _cases(folder: Path | None) -> list[Case]:
    from gateway.conformance.case_files import CaseProblem, load_cases

    try:
        return load_cases(folder)
    except CaseProblem as problem:
        raise Stop(ExitCode.DATA, *problem.messages) from None
