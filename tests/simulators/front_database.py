"""A partner's front database (前置机, simulated 模拟): a real PostgreSQL on loopback."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, create_engine, text

from tests.support.world import free_port

TABLES = (
    """CREATE TABLE ex_apply (id varchar(64) PRIMARY KEY, sqr varchar(50), je numeric(12, 2),
       sqsj varchar(20), rec_flag varchar(2), version integer, inserttime timestamp,
       rec_msg varchar(60))""",
    """CREATE TABLE ex_attach (fid serial PRIMARY KEY, apply_id varchar(64), xh integer,
       mc varchar(100), nr text)""",
    """CREATE TABLE ex_result (id varchar(64) PRIMARY KEY, bjbh varchar(64), jg varchar(4),
       zp bytea, rec_flag varchar(2), version integer, inserttime timestamp,
       rec_msg varchar(60))""",
)


def _program(name: str) -> str:
    """Return a program of PostgreSQL, wherever the distribution put it."""
    found = shutil.which(name)
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    if found is None and not places:
        raise FileNotFoundError(f"{name}: install PostgreSQL (apt-get install postgresql)")
    return found or str(places[-1])


def _run(command: list[str], place: Path) -> None:
    """Run a program; PostgreSQL does not run as root."""
    other = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    null = subprocess.DEVNULL
    subprocess.run([*other, *command], check=True, cwd=place, stdout=null, stderr=null)


@contextmanager
def front_database(root: Path) -> Iterator[int]:
    """Run a cluster of its own; yield its port. User `kuayu` needs a password."""
    data = root / "data"
    root.mkdir(parents=True)
    password = root / "password"
    password.write_text("sample-only\n")
    if os.geteuid() == 0:
        for path in (root, password):
            shutil.chown(path, "postgres")
        for above in root.parents:
            if above != Path("/"):
                above.chmod(above.stat().st_mode | 0o011)
    init = ["-D", str(data), "-U", "kuayu", "-A", "scram-sha-256", f"--pwfile={password}", "-N"]
    _run([_program("initdb"), *init], root)
    port = free_port()
    settings = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
    control = [_program("pg_ctl"), "-D", str(data), "-w"]
    start = [*control, "-o", settings, "-l", str(data / "log"), "start"]
    _run(start, root)
    try:
        yield port
    finally:
        stop = [*control, "-m", "immediate", "stop"]
        _run(stop, root)


def engine_of(port: int, statement_ms: int = 20_000, pool_size: int = 5) -> Engine:
    """Return a way into the database."""
    url = f"postgresql+psycopg://kuayu:sample-only@127.0.0.1:{port}/postgres"
    options = {"options": f"-c statement_timeout={statement_ms}"}
    return create_engine(url, pool_size=pool_size, max_overflow=0, connect_args=options)


def clean(engine: Engine) -> None:
    """Make the tables anew."""
    with engine.begin() as c:
        for name in ("ex_apply", "ex_attach", "ex_result"):
            c.execute(text(f"DROP TABLE IF EXISTS {name}"))
        for made in TABLES:
            c.execute(text(made))
