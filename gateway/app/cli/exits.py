"""How a command ends: its exit code, and one line for each thing that is wrong."""

from __future__ import annotations

import sys
import traceback
from enum import IntEnum
from pathlib import Path
from typing import Final

import gateway


class ExitCode(IntEnum):
    """What a script sees. From 64 up they are those of sysexits.h."""

    DONE = 0
    NO = 1
    USAGE = 2
    DATA = 65
    UNAVAILABLE = 69
    BROKEN = 70
    WAITS = 75
    CONFIG = 78
    INTERRUPTED = 130


EXIT_CODES: Final = """退出码 Exit codes
0    完成 done, also after a graceful stop
1    没有 what was asked for does not exist, or a rule refuses it
2    用法 the command line was not understood
65   数据 a file to be imported is wrong; nothing of it was imported
69   不可用 journal, file or address cannot be had now
70   内部错误 a bug; KUAYU_DEBUG=1 shows all of it
75   待复核 kept; it is done once another operator agrees
78   配置 configuration, partner files, keys or certificates are wrong
130  中断 ended with Ctrl-C"""


class Stop(Exception):
    """Ends the command with a code; each of `lines` says what is wrong and what to do."""

    def __init__(self, code: ExitCode, *lines: str) -> None:
        super().__init__("; ".join(lines))
        self.code = code
        self.lines = lines


def judged(error: Exception) -> Stop:
    """Return how the command ends with `error`. What is not foreseen is a bug."""
    # Whoever raised one of these has imported its module already; the rest costs a failure only.
    from gateway.adapters.pki.certificates import CertificateProblem
    from gateway.adapters.pki.suites import KeyProblem
    from gateway.app.problems import ConfigProblem
    from gateway.ports.journal import JournalDown

    match error:
        case Stop():
            return error
        case ConfigProblem():
            return Stop(ExitCode.CONFIG, *(f"{error.path}: {line}" for line in error.messages))
        case KeyProblem() | CertificateProblem():
            return Stop(ExitCode.CONFIG, str(error))
        case JournalDown():
            return Stop(ExitCode.UNAVAILABLE, f"the journal cannot be had: {error}")
        case OSError():
            reason = error.strerror or type(error).__name__
            where = "" if error.filename is None else f"{error.filename}: "
            return Stop(ExitCode.UNAVAILABLE, f"{where}{reason}")
        case _:
            what = f"{type(error).__name__} at {_place(error)}"
            advice = "this is a bug; run again with KUAYU_DEBUG=1 and report what it shows"
            return Stop(ExitCode.BROKEN, f"{what}; {advice}")


def _place(error: Exception) -> str:
    """Return `module.py:line` of the innermost frame that is the gateway's own."""
    home = str(Path(gateway.__file__).parent)
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if frame.filename.startswith(home)] or list(frames)
    return f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "unknown"


def tell(*lines: str) -> None:
    """Write lines to standard error, each with the program's name."""
    for line in lines:
        print(f"kuayu: {line}", file=sys.stderr)
