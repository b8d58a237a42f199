"""Private keys in files: readable by their owner only, never one of the published examples."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from gateway.adapters.pki.examples import is_example_key
from gateway.adapters.pki.suites import FileSigner, KeyProblem, spki
from gateway.kernel.limits import KEY_FILE_BYTES_MAX

_PKCS8 = b"-----BEGIN PRIVATE KEY-----"
_ENCRYPTED = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"


def load_signer(path: Path, *, allow_public: bool = False) -> FileSigner:
    """Read a signing key (PKCS8 PEM, not encrypted). `allow_public` is for demo mode.

    Raises:
        KeyProblem: those of `read_key_file`; no suite signs with such a key.
        OSError: the file cannot be read.
    """
    pem = read_key_file(path, allow_public=allow_public)
    try:
        return FileSigner(parse_key(pem))
    except KeyProblem as problem:
        raise KeyProblem(f"{path}: {problem}") from None


def read_key_file(path: Path, *, allow_public: bool = False) -> bytes:
    """Read any private key's PEM, as TLS wants it.

    With `allow_public` (demo mode only) a file that group or others can read, and a key that is
    published in `certs_example/`, are let through.

    Raises:
        KeyProblem: others can read the file, it is not one PKCS8 PEM key, or it is an example.
        OSError: the file cannot be read.
    """
    pem = _read_private(path, allow_public=allow_public)
    try:
        key = parse_key(pem)
    except KeyProblem as problem:
        raise KeyProblem(f"{path}: {problem}") from None
    if not allow_public and is_example_key(spki(key.public_key())):
        raise KeyProblem(f"{path}: a published example key; it is usable in demo mode only")
    return pem


def _read_private(path: Path, *, allow_public: bool) -> bytes:
    # Mode and content are taken from one open file; O_NONBLOCK, so that a pipe cannot hang us.
    fd = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(fd, "rb") as file:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise KeyProblem(f"{path}: not a regular file")
        mode = stat.S_IMODE(status.st_mode)
        if os.name == "posix" and mode & 0o077 and not allow_public:
            raise KeyProblem(
                f"{path}: mode {mode:04o} lets others reach the private key; run: chmod 600 {path}"
            )
        pem = file.read(KEY_FILE_BYTES_MAX + 1)
    if len(pem) > KEY_FILE_BYTES_MAX:
        raise KeyProblem(f"{path}: larger than {KEY_FILE_BYTES_MAX} bytes")
    return pem


def parse_key(pem: bytes) -> PrivateKeyTypes:
    """Read one private key from PKCS8 PEM, not encrypted.

    Raises:
        KeyProblem: it is something else.
    """
    if not pem.lstrip().startswith(_PKCS8):
        raise KeyProblem(
            "not an unencrypted PKCS8 PEM key ('BEGIN PRIVATE KEY'); "
            "convert with: openssl pkcs8 -topk8 -nocrypt -in OLD -out NEW"
        )
    try:
        return load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyProblem("the PEM does not hold a readable private key") from None


def is_encrypted(path: Path) -> bool:
    """Tell whether a key file asks for a passphrase.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        return file.read(len(_ENCRYPTED) + 64).lstrip().startswith(_ENCRYPTED)


def unlock(path: Path, passphrase: bytes) -> FileSigner:
    """Read a signing key that is encrypted (PKCS8 PEM).

    Raises:
        KeyProblem: others can read the file, the passphrase is another, or no suite signs with it.
        OSError: the file cannot be read.
    """
    pem = _read_private(path, allow_public=False)
    try:
        return FileSigner(load_pem_private_key(pem, password=passphrase))
    except KeyProblem as problem:
        raise KeyProblem(f"{path}: {problem}") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyProblem(f"{path}: cannot be read with this passphrase") from None


def lock(pem: bytes, passphrase: bytes) -> bytes:
    """Encrypt a private key (PKCS8 PEM) under a passphrase.

    Raises:
        KeyProblem: it is no such key.
    """
    best = BestAvailableEncryption(passphrase)
    return parse_key(pem).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, best)


def write_key(path: Path, pem: bytes) -> None:
    """Write a new key file, mode 0600, on disk when this returns.

    Raises:
        FileExistsError: a key is never overwritten.
        OSError: the file cannot be written.
    """
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(fd)
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
