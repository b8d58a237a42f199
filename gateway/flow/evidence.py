"""What a proof will need later: who was believed, under what, as of the moment of intake."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping

from gateway.kernel.digests import digest
from gateway.kernel.envelope import Header, Signature
from gateway.kernel.identifiers import GatewayId, KeyId
from gateway.kernel.limits import STANDING_CACHE_MAX
from gateway.ports.directory import Book
from gateway.ports.journal import Evidence
from gateway.rules.trust import Partner, RegisteredKey

_Key = tuple[bytes, tuple[bytes, ...], bytes, GatewayId, str, str]


class StandingKeeper:
    """Makes one document per combination of directory entry, keys, agreement and item version.

    The document is JSON that lists digests; each digest is an evidence document of its own. So a
    message keeps 32 bytes, and a thousand messages under one agreement keep it once.
    """

    def __init__(self) -> None:
        self._made: OrderedDict[_Key, tuple[bytes, tuple[Evidence, ...]]] = OrderedDict()

    def of(
        self, book: Book, sender: Partner, signatures: tuple[Signature, ...], header: Header
    ) -> tuple[bytes, tuple[Evidence, ...]]:
        """Return the digest of the standing document, and every document it needs."""
        region = header.recipient if header.case_origin == header.sender else header.sender
        key = (
            sender.digest,
            tuple(s.key_id for s in signatures),
            header.agreement_digest,
            region,
            header.item_code,
            header.item_version,
        )
        found = self._made.get(key)
        if found is None:
            found = self._make(book, sender, key)
            self._made[key] = found
            if len(self._made) > STANDING_CACHE_MAX:
                self._made.popitem(last=False)
        return found

    def _make(self, book: Book, sender: Partner, key: _Key) -> tuple[bytes, tuple[Evidence, ...]]:
        _, key_ids, agreement, region, code, version = key
        documents: list[Evidence] = []

        def keep(kind: str, content: bytes) -> str:
            kept = Evidence(digest(content), kind, content)
            documents.append(kept)
            return kept.digest.hex()

        def known(address: bytes) -> str:
            found = book.documents.get(address)
            return keep(*found) if found else ""

        accord = book.agreements.get(agreement)
        item = book.catalogue.get((region, code))
        used = item.versions.get(version) if item else None
        believed: Mapping[KeyId, RegisteredKey] = {**book.home.adapter_keys, **sender.keys}
        standing: dict[str, object] = {
            "partner": known(sender.digest),
            "authorities": keep("authorities", sender.authorities) if sender.authorities else "",
            "certificates": [
                keep("certificate", k.certificate)
                for key_id in key_ids
                if (k := believed.get(KeyId(key_id))) is not None
            ],
            "agreement": known(agreement),
            "agreement_acts": [
                keep("agreement-act", act.signed) for act in (accord.acts if accord else ())
            ],
            "item": known(used.document) if used else "",
            "form_schema": known(used.form_schema) if used else "",
            "licence_face_schema": known(used.licence_face_schema) if used else "",
        }
        if not book.home.adapter_keys.keys().isdisjoint(key_ids):
            standing["adapter_of"] = known(book.home.digest)
        content = json.dumps(standing, sort_keys=True).encode()
        whole = Evidence(digest(content), "standing", content)
        return whole.digest, (whole, *documents)
