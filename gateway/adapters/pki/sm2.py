"""SM2 by the system's libcrypto (OpenSSL 3), SM3 and SM4 by `cryptography`.

No maintained Python package signs with SM2 in constant time; libcrypto does, and gives up the
interpreter's lock meanwhile. What it computes is checked by the standard's example when it is
opened: GB/T 32918.5-2017, annex A.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_ulong, c_void_p
from ctypes.util import find_library
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.hashes import SM3, Hash
from cryptography.hazmat.primitives.padding import PKCS7

from gateway.adapters.pki.sm2_forms import (
    cipher_from_der,
    cipher_to_der,
    signature_from_der,
    signature_to_der,
)
from gateway.adapters.pki.suites import KeyProblem
from gateway.kernel.limits import KEY_FILE_BYTES_MAX
from gateway.ports.national_crypto import CipherOrder, SignatureForm

DEFAULT_USER_ID: Final = b"1234567812345678"
"""GB/T 35276 names it where parties agreed on no other."""
_BLOCK: Final = 16
_VERSION_MIN: Final = 0x3000_0000
_SIGNATURE_MAX: Final = 80
_SPKI: Final = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200")


class NoNationalCrypto(Exception):
    """The system has no libcrypto that computes SM2 rightly."""


_FUNCTIONS: Final[dict[str, tuple[Any, tuple[Any, ...]]]] = {
    "OpenSSL_version_num": (c_ulong, ()),
    "ERR_clear_error": (None, ()),
    "BIO_new_mem_buf": (c_void_p, (c_char_p, c_int)),
    "BIO_free": (c_int, (c_void_p,)),
    "PEM_read_bio_PrivateKey": (c_void_p, (c_void_p, c_void_p, c_void_p, c_char_p)),
    "PEM_read_bio_PUBKEY": (c_void_p, (c_void_p, c_void_p, c_void_p, c_char_p)),
    "d2i_PUBKEY_bio": (c_void_p, (c_void_p, c_void_p)),
    "EVP_PKEY_free": (None, (c_void_p,)),
    "EVP_PKEY_Q_keygen": (c_void_p, (c_void_p, c_void_p, c_char_p)),
    "BIO_s_mem": (c_void_p, ()),
    "BIO_new": (c_void_p, (c_void_p,)),
    "BIO_read": (c_int, (c_void_p, c_char_p, c_int)),
    "PEM_write_bio_PKCS8PrivateKey": (
        c_int,
        (c_void_p, c_void_p, c_void_p, c_char_p, c_int, c_void_p, c_void_p),
    ),
    "PEM_write_bio_PUBKEY": (c_int, (c_void_p, c_void_p)),
    "EVP_PKEY_is_a": (c_int, (c_void_p, c_char_p)),
    "EVP_PKEY_CTX_new": (c_void_p, (c_void_p, c_void_p)),
    "EVP_PKEY_CTX_free": (None, (c_void_p,)),
    "EVP_PKEY_CTX_set1_id": (c_int, (c_void_p, c_char_p, c_int)),
    "EVP_MD_CTX_new": (c_void_p, ()),
    "EVP_MD_CTX_free": (None, (c_void_p,)),
    "EVP_MD_CTX_set_pkey_ctx": (None, (c_void_p, c_void_p)),
    "EVP_sm3": (c_void_p, ()),
    "EVP_DigestSignInit": (c_int, (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)),
    "EVP_DigestSign": (c_int, (c_void_p, c_char_p, POINTER(c_size_t), c_char_p, c_size_t)),
    "EVP_DigestVerifyInit": (c_int, (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)),
    "EVP_DigestVerify": (c_int, (c_void_p, c_char_p, c_size_t, c_char_p, c_size_t)),
    "EVP_PKEY_encrypt_init": (c_int, (c_void_p,)),
    "EVP_PKEY_encrypt": (c_int, (c_void_p, c_char_p, POINTER(c_size_t), c_char_p, c_size_t)),
    "EVP_PKEY_decrypt_init": (c_int, (c_void_p,)),
    "EVP_PKEY_decrypt": (c_int, (c_void_p, c_char_p, POINTER(c_size_t), c_char_p, c_size_t)),
}


def _load() -> ctypes.CDLL:
    """Return the system's libcrypto with the functions that are used, typed.

    Raises:
        NoNationalCrypto: there is none, or it is too old.
    """
    name = find_library("crypto")
    if name is None:
        raise NoNationalCrypto("no libcrypto on this system; install OpenSSL 3")
    library = ctypes.CDLL(name)
    try:
        for called, (result, arguments) in _FUNCTIONS.items():
            function = getattr(library, called)
            function.restype, function.argtypes = result, arguments
    except AttributeError as missing:
        raise NoNationalCrypto(f"{name}: {missing}; install OpenSSL 3") from missing
    if library.OpenSSL_version_num() < _VERSION_MIN:
        raise NoNationalCrypto(f"{name}: older than OpenSSL 3")
    return library


class LibcryptoSm2Key:
    """Implements `ports.national_crypto.Sm2Key`. The key is freed with the object."""

    def __init__(self, library: ctypes.CDLL, handle: int, *, private: bool) -> None:
        self._c = library
        self._handle = handle
        self._private = private

    def __del__(self) -> None:
        """Free the key."""
        self._c.EVP_PKEY_free(self._handle)

    def sign(self, message: bytes, user_id: bytes, form: SignatureForm) -> bytes:
        """See `Sm2Key`."""
        if not self._private:
            raise KeyProblem("a public key does not sign")
        with self._digesting(user_id) as context:
            sm3 = self._c.EVP_sm3()
            _require(self._c.EVP_DigestSignInit(context, None, sm3, None, self._handle))
            out = ctypes.create_string_buffer(_SIGNATURE_MAX)
            size = c_size_t(_SIGNATURE_MAX)
            _require(self._c.EVP_DigestSign(context, out, byref(size), message, len(message)))
            return signature_from_der(out.raw[: size.value], form)

    def verify(self, signature: bytes, message: bytes, user_id: bytes, form: SignatureForm) -> bool:
        """See `Sm2Key`."""
        der = signature_to_der(signature, form)
        if der is None:
            return False
        with self._digesting(user_id) as context:
            sm3 = self._c.EVP_sm3()
            _require(self._c.EVP_DigestVerifyInit(context, None, sm3, None, self._handle))
            held: int = self._c.EVP_DigestVerify(context, der, len(der), message, len(message))
            self._c.ERR_clear_error()
            return held == 1

    def encrypt(self, content: bytes, order: CipherOrder) -> bytes:
        """See `Sm2Key`."""
        der = self._ciphered("encrypt", content)
        assert der is not None, "what is encrypted here is of our own making"
        return cipher_from_der(der, order)

    def decrypt(self, content: bytes, order: CipherOrder) -> bytes | None:
        """See `Sm2Key`."""
        der = cipher_to_der(content, order) if self._private else None
        return None if der is None else self._ciphered("decrypt", der)

    def _ciphered(self, what: str, content: bytes) -> bytes | None:
        c = self._c
        context = c.EVP_PKEY_CTX_new(self._handle, None)
        try:
            _require(getattr(c, f"EVP_PKEY_{what}_init")(context))
            run: Callable[..., int] = getattr(c, f"EVP_PKEY_{what}")
            size = c_size_t(0)
            if run(context, None, byref(size), content, len(content)) != 1:
                return None
            out = ctypes.create_string_buffer(max(size.value, 1))
            if run(context, out, byref(size), content, len(content)) != 1:
                return None
            return out.raw[: size.value]
        finally:
            c.ERR_clear_error()
            c.EVP_PKEY_CTX_free(context)

    @contextmanager
    def _digesting(self, user_id: bytes) -> Iterator[int]:
        """Lend a context whose key has its user id, which must be set before it is begun."""
        c = self._c
        context = c.EVP_MD_CTX_new()
        keyed = c.EVP_PKEY_CTX_new(self._handle, None)
        try:
            _require(c.EVP_PKEY_CTX_set1_id(keyed, user_id, len(user_id)))
            c.EVP_MD_CTX_set_pkey_ctx(context, keyed)
            yield context
        finally:
            c.EVP_MD_CTX_free(context)
            c.EVP_PKEY_CTX_free(keyed)


def _require(result: int) -> None:
    if result != 1:
        raise NoNationalCrypto("libcrypto refused an operation that it must do")


class SystemNationalCrypto:
    """Implements `ports.national_crypto.NationalCrypto`."""

    def __init__(self) -> None:
        """Open the system's libcrypto and see that it computes the standard's example.

        Raises:
            NoNationalCrypto: there is none that does.
        """
        self._library = _load()
        example = self._read("d2i_PUBKEY_bio", _SPKI + b"\x04" + _EXAMPLE_POINT, private=False)
        right = example.verify(_EXAMPLE_SIGNATURE, b"message digest", DEFAULT_USER_ID, "raw")
        other = example.verify(_EXAMPLE_SIGNATURE, b"message digesT", DEFAULT_USER_ID, "raw")
        if not right or other:
            raise NoNationalCrypto("libcrypto fails the example of GB/T 32918.5")

    def generate(self) -> tuple[bytes, bytes]:
        """See `NationalCrypto`."""
        c = self._library
        handle = c.EVP_PKEY_Q_keygen(None, None, b"SM2")
        if not handle:
            raise NoNationalCrypto("libcrypto makes no SM2 key")
        try:
            none = (None, None, 0, None, None)
            private = self._written(lambda bio: c.PEM_write_bio_PKCS8PrivateKey(bio, handle, *none))
            return private, self._written(lambda bio: c.PEM_write_bio_PUBKEY(bio, handle))
        finally:
            c.EVP_PKEY_free(handle)

    def _written(self, write: Callable[[int], int]) -> bytes:
        c = self._library
        bio = c.BIO_new(c.BIO_s_mem())
        try:
            _require(write(bio))
            content = ctypes.create_string_buffer(KEY_FILE_BYTES_MAX)
            size = c.BIO_read(bio, content, KEY_FILE_BYTES_MAX)
            return content.raw[:size]
        finally:
            c.BIO_free(bio)
            c.ERR_clear_error()

    def private_key(self, pem: bytes) -> LibcryptoSm2Key:
        """See `NationalCrypto`."""
        return self._read("PEM_read_bio_PrivateKey", pem, private=True)

    def public_key(self, pem: bytes) -> LibcryptoSm2Key:
        """See `NationalCrypto`."""
        return self._read("PEM_read_bio_PUBKEY", pem, private=False)

    def _read(self, reader: str, content: bytes, *, private: bool) -> LibcryptoSm2Key:
        c = self._library
        if len(content) > KEY_FILE_BYTES_MAX:
            raise KeyProblem("too large for a key")
        bio = c.BIO_new_mem_buf(content, len(content))
        try:
            # An empty passphrase, so that nobody is asked for one on a terminal.
            extra = () if reader == "d2i_PUBKEY_bio" else (None, b"")
            handle = getattr(c, reader)(bio, None, *extra)
        finally:
            c.BIO_free(bio)
            c.ERR_clear_error()
        if not handle:
            raise KeyProblem("no readable SM2 key (PEM, not encrypted)")
        key = LibcryptoSm2Key(c, handle, private=private)
        if c.EVP_PKEY_is_a(handle, b"SM2") != 1:
            raise KeyProblem("a key of another algorithm than SM2")
        return key

    def sm3(self, content: bytes) -> bytes:
        """See `NationalCrypto`."""
        return sm3(content)

    def sm4_cbc_encrypt(self, key: bytes, iv: bytes, content: bytes) -> bytes:
        """See `NationalCrypto`."""
        padder = PKCS7(_BLOCK * 8).padder()
        encryptor = Cipher(SM4(key), CBC(iv)).encryptor()
        return encryptor.update(padder.update(content) + padder.finalize()) + encryptor.finalize()

    def sm4_cbc_decrypt(self, key: bytes, iv: bytes, content: bytes) -> bytes | None:
        """See `NationalCrypto`."""
        if not content or len(content) % _BLOCK:
            return None
        decryptor = Cipher(SM4(key), CBC(iv)).decryptor()
        unpadder = PKCS7(_BLOCK * 8).unpadder()
        try:
            padded = decryptor.update(content) + decryptor.finalize()
            return unpadder.update(padded) + unpadder.finalize()
        except ValueError:
            return None


def sm3(content: bytes) -> bytes:
    """Return the SM3 digest (GB/T 32905)."""
    digest = Hash(SM3())
    digest.update(content)
    return digest.finalize()


# GB/T 32918.5-2017, annex A: the public key, and the signature of "message digest".
_EXAMPLE_POINT: Final = bytes.fromhex(
    "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
_EXAMPLE_SIGNATURE: Final = bytes.fromhex(
    "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
    "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
)
