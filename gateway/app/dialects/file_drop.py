"""Opening a partner that exchanges files over SFTP."""

from __future__ import annotations

from dataclasses import dataclass

import asyncssh

from gateway.adapters.outlets.file_drop.dialect import DropReader, FileDrop
from gateway.adapters.outlets.file_drop.line import Access, SftpLine
from gateway.adapters.outlets.file_drop.settings import FileDropSettings
from gateway.app.dialects.files import read_named, read_secret
from gateway.app.dialects.opening import Opened, Opening
from gateway.app.problems import ConfigProblem


@dataclass(frozen=True)
class FileDropKind:
    """Implements `DialectKind`."""

    settings: type[FileDropSettings] = FileDropSettings

    def open(self, settings: FileDropSettings, opening: Opening) -> Opened:
        """See `DialectKind`."""
        line = SftpLine(_access(settings, opening))
        reader = DropReader(
            opening.partner.gateway_id,
            settings,
            line,
            opening.reception,
            opening.translation.say,
            opening.clock,
            opening.log,
        )
        dialect = FileDrop(settings, line)
        return Opened(dialect, listen=reader.run, peek=dialect.answer_to)


def _access(s: FileDropSettings, opening: Opening) -> Access:
    folder, demo = opening.folder, opening.demo
    keys: tuple[asyncssh.SSHKey, ...] = ()
    password = None
    try:
        known = read_named(folder, s.host_keys).decode("ascii")
        hosts = tuple(asyncssh.import_public_key(line) for line in known.splitlines() if line)
        if s.client_key is not None:
            keys = (asyncssh.import_private_key(read_secret(folder, s.client_key, demo=demo)),)
        if s.password_file is not None:
            password = read_secret(folder, s.password_file, demo=demo).decode()
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, UnicodeDecodeError) as problem:
        told = f"outlet.file_drop: a key cannot be read: {type(problem).__name__}"
        raise ConfigProblem(folder, [told]) from problem
    if not hosts:
        raise ConfigProblem(folder, [f"{s.host_keys}: names no key of the server"])
    return Access(s.host, s.port, s.username, hosts, keys, password, s.timeout_s)
