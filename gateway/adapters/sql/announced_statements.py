"""Table, rows and statements of announced keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import BigInteger, Column, LargeBinary, SmallInteger, Table, Text, bindparam, select

from gateway.adapters.sql.schema import metadata
from gateway.kernel.announced import AnnouncedKey, KeyProof, KeyUse
from gateway.kernel.identifiers import GatewayId, KeyId

if TYPE_CHECKING:
    from gateway.adapters.sql.rows import Row
    from gateway.adapters.sql.statements import Compiler, Statement

announced_keys: Final = Table(
    "announced_keys",
    metadata,
    Column("partner", Text, primary_key=True, nullable=False),
    Column("key_id", LargeBinary, primary_key=True, nullable=False),
    Column("use", Text, nullable=False),
    Column("suite", Text, nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("not_before_ms", BigInteger, nullable=False),
    Column("not_after_ms", BigInteger, nullable=False),
    Column("certificate", LargeBinary, nullable=False),
    Column("announced_at_ms", BigInteger, nullable=False),
    Column("proof", Text, nullable=False),
    Column("operator", Text, nullable=False),
    Column("settled_at_ms", BigInteger, nullable=False),
    Column("dropped", SmallInteger, nullable=False),
    sqlite_with_rowid=False,
)


class AnnouncedStatements:
    """Part of `Statements`."""

    def _of_announced(self, sql: Compiler) -> None:
        c = announced_keys.c
        keys = select(*announced_keys.columns).order_by(c.partner, c.key_id)
        by = select(*announced_keys.columns).where(c.partner == bindparam("of"))
        self.announced_keys_by: Statement = sql.text(by.order_by(c.key_id), ["of"])
        self.announced_keys: Statement = sql.text(keys)
        self.save_announced_key: Statement = sql.upsert(announced_keys)


def key_of(row: Row) -> AnnouncedKey:
    """Read a row."""
    key = AnnouncedKey(*row)
    return key._replace(
        partner=GatewayId(key.partner),
        key_id=KeyId(key.key_id),
        use=KeyUse(key.use),
        proof=KeyProof(key.proof),
        dropped=bool(key.dropped),
    )


def row_of(key: AnnouncedKey) -> Row:
    """Write a row."""
    plain = key._asdict() | {"use": key.use.value, "proof": key.proof.value}
    return tuple((plain | {"dropped": int(key.dropped)}).values())
