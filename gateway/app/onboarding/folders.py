"""A partner's folder: found by id or name, written whole, its state changed in place."""

from __future__ import annotations

import os
import re
import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from pydantic import ValidationError

from gateway.app.partner_file import PartnerFile
from gateway.app.problems import told
from gateway.kernel.faults import Fault, FaultCode
from gateway.ports.directory import Book
from gateway.rules.onboarding import require_usable, require_vacant
from gateway.rules.trust import PartnerState

FILE: Final = "partner.toml"
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_MEMBER: Final = re.compile(
    r"partner\.toml|mapping\.toml|keys/[A-Za-z0-9][A-Za-z0-9_.-]{0,75}\.pem"
)
_STATE: Final = re.compile(r"^state[ \t]*=[ \t]*(\"[a-z]*\"|'[a-z]*')", re.MULTILINE)


class Entry(NamedTuple):
    """A partner's folder and what its `partner.toml` says."""

    folder: Path
    file: PartnerFile


def entries(partners_dir: Path) -> list[Entry]:
    """Return every folder whose `partner.toml` can be read, drafts included."""
    found = []
    for path in sorted(partners_dir.glob(f"*/{FILE}")):
        file = _readable(path)
        if file is not None and not path.parent.name.startswith(("_", ".")):
            found.append(Entry(path.parent, file))
    return found


def find_entry(partners_dir: Path, name: str) -> Entry | None:
    """Return a partner's folder by its id or its name."""
    named = (e for e in entries(partners_dir) if name in (e.file.gateway_id, e.folder.name))
    return next(named, None)


def folder_named(partners_dir: Path, name: str) -> Path:
    """Return the folder that an operator names: by its path, its name below `partners_dir`, or id.

    One that is none of them is returned as it was given.
    """
    for folder in (Path(name), partners_dir / name):
        if folder.is_dir():
            return folder
    entry = find_entry(partners_dir, name)
    return Path(name) if entry is None else entry.folder


def no_partner(book: Book, name: str) -> Fault:
    """Return what is said of a name that is no partner's: it may be this gateway's own."""
    home = book.home.gateway_id
    own = name in (home, book.folders.get(home))
    told = f"{name[:40]} is this gateway itself" if own else f"partner {name[:40]}"
    return Fault(FaultCode.OPERATOR_NOT_FOUND, told)


def _readable(path: Path) -> PartnerFile | None:
    try:
        return PartnerFile.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError):
        return None  # `load_book` tells what is wrong with it


def read_entry(text: str) -> PartnerFile:
    """Read the text of a `partner.toml`.

    Raises:
        Fault: `partner.entry_invalid`.
    """
    try:
        return PartnerFile.model_validate(tomllib.loads(text))
    except ValidationError as problem:
        raise Fault(FaultCode.PARTNER_ENTRY_INVALID, next(iter(told(problem)), "")) from None
    except tomllib.TOMLDecodeError as problem:
        raise Fault(FaultCode.PARTNER_ENTRY_INVALID, f"{FILE}: not TOML: {problem}") from None


def put_entry(partners_dir: Path, name: str, files: Mapping[str, str], *, over_draft: bool) -> Path:
    """Write a partner's folder: a draft, or with `over_draft` one in testing.

    That may take the place of a draft of the same partner. Nobody becomes active by being written.
    What the draft's `partner.toml` said stays beside it, as `partner.toml.draft`. Blocks. Each file
    is whole or not there, `partner.toml` the last.

    Raises:
        Fault: `partner.entry_invalid` for a name or file that is none; `partner.entry_taken`.
        OSError: it cannot be written.
    """
    wrong = [n for n in files if _MEMBER.fullmatch(n) is None or ".." in n]
    if _NAME.fullmatch(name) is None:
        wrong.append(f"folder {name!r}: use a-z, 0-9, - and _")
    require_usable(wrong)
    entry = read_entry(files.get(FILE, ""))
    wanted = PartnerState.TESTING if over_draft else PartnerState.DRAFT
    require_usable([] if entry.state is wanted else [f"state: a new entry is {wanted.value}"])
    held = find_entry(partners_dir, entry.gateway_id)
    require_vacant(None if held is None else held.file.state, over_draft=over_draft)
    folder = partners_dir / name if held is None else held.folder
    if held is None and folder.exists():
        raise Fault(FaultCode.PARTNER_ENTRY_TAKEN, f"folder {name}")
    if held is None:
        _write_new(folder, files)
    else:
        write_whole(folder / f"{FILE}.draft", (folder / FILE).read_bytes())
        for member in sorted(files, key=lambda n: (n == FILE, n)):
            write_whole(folder / member, files[member].encode())
    return folder


def _write_new(folder: Path, files: Mapping[str, str]) -> None:
    draft = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    for member, text in files.items():
        write_whole(draft / member, text.encode())
    draft.rename(folder)
    _sync_folder(folder.parent)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is the old one or the new one, also after a crash.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    with fresh.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if path.exists():
        shutil.copymode(path, fresh)
    fresh.rename(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def stated(text: str) -> PartnerState | None:
    """Return the state that a `partner.toml` says, also where the rest of it cannot be read."""
    found = _STATE.search(text)
    try:
        return None if found is None else PartnerState(found[1].strip("\"'"))
    except ValueError:
        return None


def held_back(text: str, state: PartnerState) -> str:
    """Return the text of any `partner.toml`, readable or not, with a state that lets nobody in."""
    line = f'state = "{state.value}"'
    changed, count = _STATE.subn(line, text)
    return changed if count else f"{line}\n{text}"


def with_state(text: str, state: PartnerState) -> str:
    """Return the text of a `partner.toml` with another state; comments and order stay.

    Raises:
        Fault: `partner.entry_invalid` if no line of its own says the state.
    """
    changed, count = _STATE.subn(f'state = "{state.value}"', text)
    if count != 1 or read_entry(changed).state is not state:
        raise Fault(FaultCode.PARTNER_ENTRY_INVALID, "state: give it one line of its own")
    return changed
