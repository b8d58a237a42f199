"""What only a vault on a disk can get wrong: order of syncs, modes, links, leftovers, memory."""

from __future__ import annotations

import asyncio
import os
import re
import stat
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import AsyncIterator, Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.files.disk import Disk
from gateway.adapters.files.vault import FileVault
from gateway.kernel.digests import commitment as commitment_of
from gateway.kernel.envelope import AttachmentState
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import CaseId, CaseKey, GatewayId, uuid7, uuid_text
from gateway.ports.vault import Usage, VaultScope
from tests.fakes.telemetry import HeardEvents

PARTNER = GatewayId("620200")
CASE = CaseKey(GatewayId("620900"), CaseId(uuid7(1_622_100_000_000, bytes(range(10)))))
SCOPE = VaultScope(PARTNER, CASE)
SALT = bytes(range(32))
CONTENT = "公司章程(示例)".encode() * 50
COMMITMENT = commitment_of(SALT, CONTENT)
FOLDER = f"{PARTNER}/{CASE.origin}-{uuid_text(CASE.case_id)}"
CALLS = [name for name in vars(Disk) if not name.startswith("_")]


def _spied(call: str) -> Callable[..., Any]:
    def method(self: SpyDisk, *args: Any, **kwargs: Any) -> Any:
        assert threading.current_thread().name.startswith("vault"), "blocks the event loop"
        self.calls.append(call)
        if len(self.calls) == self.fail_at:
            if call == "close":
                Disk.close(self, *args)
            raise OSError(28, "No space left on device")
        return getattr(Disk, call)(self, *args, **kwargs)

    return method


class SpyDisk(Disk):
    """Writes down every call and fails the chosen one; never called on the event loop."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.fail_at = 0


for _call in CALLS:
    setattr(SpyDisk, _call, _spied(_call))


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def put(vault: FileVault) -> None:
    await vault.put(
        SCOPE, SALT, stream(CONTENT), size=len(CONTENT), sha256=sha256(CONTENT).digest()
    )


async def append(vault: FileVault) -> None:
    offset = (await vault.state(SCOPE, COMMITMENT)).held
    await vault.append(
        SCOPE, SALT, COMMITMENT, stream(CONTENT[offset:]), offset=offset, size=len(CONTENT)
    )


async def content_of(vault: FileVault) -> bytes:
    return b"".join([chunk async for chunk in vault.read(SCOPE, COMMITMENT)])


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


# --- every call may fail -------------------------------------------------------------------------
@pytest.mark.parametrize("upload", [put, append])
@pytest.mark.parametrize("sweep", [True, False], ids=["started", "unstarted"])
async def test_any_failed_call_is_a_fault_and_nothing_untrue_is_held_after_it(
    tmp_path: Path, upload: Callable[[FileVault], Any], sweep: bool
) -> None:
    for fail_at in range(1, 200):
        disk, log = SpyDisk(), HeardEvents()
        root = tmp_path / str(fail_at)
        vault = FileVault(root, disk=disk, log=log)
        disk.fail_at = fail_at
        before = open_descriptors()
        fault = await _fault_of(vault, upload, sweep=sweep)
        if fault is None:
            assert fail_at > len(disk.calls), f"{disk.calls[fail_at - 1]} failed unheard"
            await vault.close()
            break
        failed = disk.calls[fail_at - 1]
        assert (fault.code, fault.detail) == (FaultCode.DELIVERY_JOURNAL_DOWN, "vault")
        assert log.events == [("vault_failed", {"error": "ENOSPC"})]
        assert open_descriptors() == before or failed == "close"
        if (await vault.state(SCOPE, COMMITMENT)).complete:
            assert failed == "close", "whole, though not known to be durable"
            assert await content_of(vault) == CONTENT
        again = await FileVault.open(root)
        await upload(again)
        await again.close()
        await upload(vault)
        assert await content_of(vault) == CONTENT
        assert await vault.usage(SCOPE) == Usage(1, len(CONTENT))
        await vault.close()
    assert 20 < fail_at < 199


async def _fault_of(
    vault: FileVault, upload: Callable[[FileVault], Any], *, sweep: bool
) -> Fault | None:
    try:
        if sweep:
            await vault._run(vault._sweep)
        await upload(vault)
    except Fault as fault:
        return fault
    return None


async def test_a_name_that_is_not_yet_durable_counts_as_absent(tmp_path: Path) -> None:
    renamed, go_on = threading.Event(), threading.Event()

    class SlowDisk(Disk):
        def sync(self, fd: int) -> None:
            if stat.S_ISDIR(os.fstat(fd).st_mode) and COMMITMENT.hex() in os.listdir(fd):
                renamed.set()
                go_on.wait(10)
            super().sync(fd)

    vault = FileVault(tmp_path, disk=SlowDisk())
    upload = asyncio.ensure_future(put(vault))
    await asyncio.to_thread(renamed.wait, 10)
    assert (tmp_path / FOLDER / COMMITMENT.hex()).exists()
    assert await vault.state(SCOPE, COMMITMENT) == AttachmentState(0, False)
    assert await vault.held(SCOPE, [COMMITMENT]) == {}
    with pytest.raises(Fault):
        await content_of(vault)
    go_on.set()
    await upload
    assert list(await vault.held(SCOPE, [COMMITMENT])) == [COMMITMENT]
    await vault.close()


async def test_a_name_that_could_be_neither_made_durable_nor_removed_counts_as_absent(
    tmp_path: Path,
) -> None:
    class SickDisk(Disk):
        sick = True

        def sync(self, fd: int) -> None:
            if self.sick and stat.S_ISDIR(os.fstat(fd).st_mode) and os.listdir(fd):
                raise OSError(5, "Input/output error")
            super().sync(fd)

        def unlink(self, name: str, folder: int) -> None:
            if self.sick and name == COMMITMENT.hex():
                raise OSError(5, "Input/output error")
            super().unlink(name, folder)

    disk = SickDisk()
    vault = FileVault(tmp_path, disk=disk)
    (tmp_path / FOLDER).mkdir(parents=True)
    with pytest.raises(Fault):
        await put(vault)
    assert (tmp_path / FOLDER / COMMITMENT.hex()).exists()
    assert not (await vault.state(SCOPE, COMMITMENT)).complete
    disk.sick = False
    await put(vault)
    assert (await vault.state(SCOPE, COMMITMENT)).complete
    await vault.close()


async def test_a_cancelled_upload_closes_its_files_only_after_the_write(tmp_path: Path) -> None:
    writing, go_on = threading.Event(), threading.Event()
    order: list[str] = []

    class SlowDisk(Disk):
        def write(self, fd: int, data: bytes) -> None:
            if data == SALT:
                super().write(fd, data)
                return
            writing.set()
            go_on.wait(10)
            super().write(fd, data)
            order.append("written")

        def close(self, fd: int) -> None:
            if "written" in order or writing.is_set():
                order.append("closed")
            super().close(fd)

    vault = FileVault(tmp_path, disk=SlowDisk())
    upload = asyncio.ensure_future(append(vault))
    await asyncio.to_thread(writing.wait, 10)
    for _ in range(3):
        upload.cancel()
        await asyncio.sleep(0)
    assert not upload.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await upload
    assert order[0] == "written"
    assert (await vault.state(SCOPE, COMMITMENT)).held == len(CONTENT)
    await append(vault)
    assert await content_of(vault) == CONTENT
    await vault.close()


# --- links, modes, leftovers ---------------------------------------------------------------------
@pytest.mark.parametrize("level", ["partner", "case", "part", "target"])
async def test_a_planted_link_is_refused_and_what_it_points_to_untouched(
    tmp_path: Path, level: str
) -> None:
    root, victim = tmp_path / "vault", tmp_path / "victim"
    vault = await FileVault.open(root)
    case = root / FOLDER
    if level in ("partner", "case"):
        victim.mkdir()
        place = case.parent if level == "partner" else case
    else:
        victim.write_bytes(b"precious")
        place = case / (COMMITMENT.hex() + (".part" if level == "part" else ""))
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(victim)
    for attempt in (append(vault), vault.state(SCOPE, COMMITMENT)):
        with pytest.raises(Fault) as fault:
            await attempt
        assert fault.value.code == FaultCode.DELIVERY_JOURNAL_DOWN
    if level in ("partner", "case"):
        assert list(victim.iterdir()) == []
    else:
        assert victim.read_bytes() == b"precious"
    await vault.close()


async def test_a_planted_pipe_is_refused_and_does_not_hang(tmp_path: Path) -> None:
    vault = FileVault(tmp_path)
    (tmp_path / FOLDER).mkdir(parents=True)
    os.mkfifo(tmp_path / FOLDER / COMMITMENT.hex())
    with pytest.raises(Fault):
        await asyncio.wait_for(content_of(vault), 10)
    await vault.close()


@pytest.mark.parametrize(
    "scope",
    [
        VaultScope(GatewayId("../../etc"), CASE),
        VaultScope(PARTNER, CaseKey(GatewayId("..///."), CASE.case_id)),
        VaultScope(PARTNER, CaseKey(CASE.origin, CaseId(b"/../"))),
    ],
)
async def test_a_scope_that_is_no_scope_never_becomes_a_path(
    tmp_path: Path, scope: VaultScope
) -> None:
    vault = FileVault(tmp_path)
    for attempt in (
        vault.state(scope, COMMITMENT),
        vault.put(scope, SALT, stream(), size=0, sha256=sha256().digest()),
    ):
        with pytest.raises(Fault) as fault:
            await attempt
        assert fault.value.code == FaultCode.WIRE_FIELD_INVALID
    assert os.listdir(tmp_path) == []
    await vault.close()


async def test_files_and_folders_are_for_the_owner_only(tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        root = tmp_path / "state" / "vault"
        vault = await FileVault.open(root)
        await put(vault)
        other = commitment_of(SALT, b"part of")
        await vault.append(SCOPE, SALT, other, stream(b"part"), offset=0, size=7)
    finally:
        os.umask(umask)
    for path in (tmp_path / "state", root, *root.rglob("*")):
        expected = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == expected, path
    assert sorted(p.name for p in (root / FOLDER).iterdir()) == sorted(
        [COMMITMENT.hex(), other.hex() + ".part"]
    )
    await vault.close()


async def test_a_root_open_to_others_is_closed_to_them(tmp_path: Path) -> None:
    root = tmp_path / "vault"
    root.mkdir(mode=0o755)
    vault = await FileVault.open(root)
    assert stat.S_IMODE(root.stat().st_mode) == 0o700
    await vault.close()


async def test_a_start_removes_leftovers_and_keeps_parts_and_strangers(tmp_path: Path) -> None:
    case = tmp_path / FOLDER
    case.mkdir(parents=True)
    (case / ".0123456789abcdef.tmp").write_bytes(b"left by a crash")
    (case / (COMMITMENT.hex() + ".part")).write_bytes(SALT + CONTENT[:100])
    (tmp_path / "lost+found").mkdir()
    vault = await FileVault.open(tmp_path)
    assert [p.name for p in case.iterdir()] == [COMMITMENT.hex() + ".part"]
    assert (tmp_path / "lost+found").is_dir()
    assert await vault.state(SCOPE, COMMITMENT) == AttachmentState(100, False)
    await append(vault)
    assert await content_of(vault) == CONTENT
    await vault.close()


async def test_a_salt_that_a_crash_cut_off_is_no_beginning(tmp_path: Path) -> None:
    case = tmp_path / FOLDER
    case.mkdir(parents=True)
    (case / (COMMITMENT.hex() + ".part")).write_bytes(bytes(20))
    vault = await FileVault.open(tmp_path)
    assert await vault.state(SCOPE, COMMITMENT) == AttachmentState(0, False)
    await append(vault)
    assert await content_of(vault) == CONTENT
    await vault.close()


async def test_a_file_is_named_by_its_own_digest(tmp_path: Path) -> None:
    """What `sha256sum` shows is the commitment: salt and content prove themselves."""
    vault = await FileVault.open(tmp_path)
    await append(vault)
    await vault.close()
    (file,) = (tmp_path / FOLDER).iterdir()
    assert sha256(file.read_bytes()).hexdigest() == file.name == COMMITMENT.hex()


async def test_a_start_makes_every_name_durable_that_a_crash_may_have_left(tmp_path: Path) -> None:
    synced: list[int] = []

    class Recorder(Disk):
        def sync(self, fd: int) -> None:
            synced.append(os.fstat(fd).st_ino)
            super().sync(fd)

    case = tmp_path / FOLDER
    case.mkdir(parents=True)
    (case / COMMITMENT.hex()).write_bytes(CONTENT)
    vault = await FileVault.open(tmp_path, disk=Recorder())
    assert synced == [path.stat().st_ino for path in (case, case.parent, tmp_path)]
    await vault.close()


def test_no_call_follows_a_link(tmp_path: Path) -> None:
    disk = Disk()
    (tmp_path / "file").write_bytes(b"precious")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "folder_link").symlink_to("folder")
    here = os.open(tmp_path, os.O_RDONLY)
    try:
        for flags in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR | os.O_CREAT):
            with pytest.raises(OSError, match="symbolic links"):
                disk.open_file("link", here, flags)
        with pytest.raises(NotADirectoryError):
            disk.open_folder("folder_link", here)
        with pytest.raises(OSError, match="not a regular file"):
            disk.size("link", here)
    finally:
        os.close(here)


async def test_a_part_spoilt_on_the_disk_is_found_out_at_the_end(tmp_path: Path) -> None:
    case = tmp_path / FOLDER
    case.mkdir(parents=True)
    (case / (COMMITMENT.hex() + ".part")).write_bytes(bytes(100))
    vault = FileVault(tmp_path)
    with pytest.raises(Fault) as fault:
        await append(vault)
    assert fault.value.code == FaultCode.ATTACHMENT_DIGEST
    assert list(case.iterdir()) == []
    await vault.close()


# --- memory --------------------------------------------------------------------------------------
async def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    size, piece = 5 * 1_048_576, 65_536
    salted, plain = sha256(SALT), sha256()
    for n in range(size // piece):
        block = bytes([n % 251]) * piece
        salted.update(block)
        plain.update(block)
    commitment = salted.digest()

    async def blocks(first: int = 0, end: int = size // piece) -> AsyncIterator[bytes]:
        for n in range(first, end):
            yield bytes([n % 251]) * piece

    vault = await FileVault.open(tmp_path)
    tracemalloc.start()
    try:
        await vault.put(SCOPE, SALT, blocks(), size=size, sha256=plain.digest())
        other = VaultScope(GatewayId("620600"), CASE)
        await vault.append(other, SALT, commitment, blocks(0, 40), offset=0, size=size)
        state = await vault.append(
            other, SALT, commitment, blocks(40), offset=40 * piece, size=size
        )
        assert state == AttachmentState(size, True)
        read = sha256()
        async for chunk in vault.read(other, commitment):
            read.update(chunk)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert read.digest() == plain.digest()
    assert peak < 1_572_864, f"{peak} bytes at the peak for a file of {size}"
    await vault.close()


# --- what the kernel really saw ------------------------------------------------------------------
_SCRIPT = """
import asyncio, sys
from hashlib import sha256
from pathlib import Path
from tests.unit.adapters import test_files_vault as t
from gateway.adapters.files.vault import FileVault

async def main() -> None:
    vault = FileVault(Path(sys.argv[1]))
    await t.{upload}(vault)
    print("answered", flush=True)
    await vault.close()

asyncio.run(main())
"""


@pytest.mark.parametrize("upload", ["put", "append"])
def test_the_trace_shows_file_then_name_then_folder_before_the_answer(
    tmp_path: Path, upload: str
) -> None:
    trace, root = tmp_path / "trace", tmp_path / "vault"
    calls = "trace=mkdirat,rename,renameat,renameat2,fsync,write"
    subprocess.run(
        ["strace", "-f", "-y", "-o", trace, "-e", calls, sys.executable, "-c",
         _SCRIPT.format(upload=upload), root],
        check=True, capture_output=True, timeout=60, cwd=Path(__file__).parents[3],
    )  # fmt: skip
    seen = [_reduced(line, root) for line in trace.read_text().splitlines()]
    steps = [step for step in seen if step]
    case = f"/{FOLDER}"
    passing = "PART" if upload == "append" else "TMP"
    assert steps == [
        "mkdir vault",
        "fsync ..",
        f"mkdir {PARTNER}",
        "fsync /",
        f"mkdir {case.rsplit('/', 1)[1]}",
        f"fsync /{PARTNER}",
        f"write {case}/{passing}",  # the salt
        f"write {case}/{passing}",  # the content
        f"fsync {case}/{passing}",
        f"rename {case}/{passing} WHOLE",
        f"fsync {case}",
        "answered",
    ]


def _reduced(line: str, root: Path) -> str:
    """Write a traced call as one short step; empty for calls that are not the vault's."""
    line = line.replace(COMMITMENT.hex() + ".part", "PART").replace(COMMITMENT.hex(), "WHOLE")
    line = re.sub(r"\.[0-9a-f]{16}\.tmp", "TMP", line)
    if "answered" in line:
        return "answered"
    if "resumed" in line or str(root.parent) not in line:
        return ""
    place = re.search(r"<([^>]*)>", line)
    where = place[1] if place else ""
    where = ".." if where == str(root.parent) else where.removeprefix(str(root)) or "/"
    names = re.findall(r'"([^"]*)"', line)
    if "mkdirat(" in line:
        return f"mkdir {names[0]}"
    if "rename" in line:
        return f"rename {where}/{names[0]} {names[1]}"
    return f"{'fsync' if 'fsync(' in line else 'write'} {where}"


async def test_a_sweep_cut_off_at_any_call_leaves_the_case_whole_or_gone(tmp_path: Path) -> None:
    for fail_at in range(1, 100):
        disk, root = SpyDisk(), tmp_path / str(fail_at)
        vault = await FileVault.open(root)
        await put(vault)
        await vault.close()
        vault = FileVault(root, disk=disk)
        disk.fail_at = fail_at
        before = open_descriptors()
        try:
            swept = await vault.sweep(SCOPE, 2**62)
        except Fault:
            swept = None
        failed, disk.fail_at = disk.calls[-1], 0
        whole = (await vault.state(SCOPE, COMMITMENT)).complete
        await vault.close()
        assert open_descriptors() == before or failed == "close"
        again = await FileVault.open(root)
        assert (await again.state(SCOPE, COMMITMENT)).complete is whole
        assert [p.name for p in (root / PARTNER).iterdir()] == ([Path(FOLDER).name] * whole)
        await again.close()
        if swept is not None:
            assert (swept, whole) == (Usage(1, len(CONTENT)), False)
            break
    assert 5 < fail_at < 99


async def test_the_folder_that_a_refused_upload_left_is_swept_too(tmp_path: Path) -> None:
    vault = await FileVault.open(tmp_path)
    with pytest.raises(Fault):
        await vault.put(SCOPE, SALT, stream(b"x"), size=1, sha256=bytes(32))
    assert (tmp_path / FOLDER).is_dir()
    assert await vault.idle(PARTNER, 2**62) == {CASE: False}
    assert await vault.sweep(SCOPE, 2**62) == Usage(0, 0)
    assert not (tmp_path / FOLDER).exists()
    await vault.close()
