"""Makes certificates that the issuing module would not make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.adapters.pki.certificates import first_of
from gateway.adapters.pki.issuing import Authority, Issued, create_authority
from gateway.adapters.pki.key_files import parse_key
from gateway.kernel.instants import CHINA_STANDARD_TIME, from_datetime

START_MS = from_datetime(datetime(2021, 5, 27, tzinfo=CHINA_STANDARD_TIME))
END_MS = from_datetime(datetime(2036, 5, 26, tzinfo=CHINA_STANDARD_TIME))
WITHIN_MS = from_datetime(datetime(2026, 5, 26, tzinfo=CHINA_STANDARD_TIME))


def authority(*, demo: bool = False, name: str = "示例颁发机构") -> Authority:
    """Return a new authority."""
    return create_authority(name, START_MS, END_MS, demo=demo)


@dataclass(frozen=True)
class Change:
    """What to do to a certificate before it is signed again."""

    drop: Sequence[type[x509.ExtensionType]] = ()
    drop_oids: Sequence[str] = ()
    add: Sequence[tuple[x509.ExtensionType, bool]] = ()
    key: PrivateKeyTypes | None = field(default=None, repr=False)
    digest: HashAlgorithm | None = field(default_factory=SHA256)
    shift: timedelta = timedelta()


def reissue(source: bytes, issuer: Issued, change: Change) -> bytes:
    """Sign a changed copy of a certificate (PEM) with the issuer's key."""
    old = first_of(source)
    public = change.key.public_key() if change.key else old.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(old.subject)
        .issuer_name(first_of(issuer.certificate).subject)
        .not_valid_before(old.not_valid_before_utc + change.shift)
        .not_valid_after(old.not_valid_after_utc + change.shift)
        .serial_number(old.serial_number + 1)
        .public_key(public)  # type: ignore[arg-type]
    )
    dropped = {kind.oid.dotted_string for kind in change.drop} | set(change.drop_oids)
    for extension in old.extensions:
        if extension.oid.dotted_string not in dropped:
            builder = builder.add_extension(extension.value, critical=extension.critical)
    for value, critical in change.add:
        builder = builder.add_extension(value, critical=critical)
    made = builder.sign(parse_key(issuer.key), change.digest)  # type: ignore[arg-type]
    return made.public_bytes(Encoding.PEM)
