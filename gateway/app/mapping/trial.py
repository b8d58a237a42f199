"""What becomes of one document, by hand."""

from __future__ import annotations

import base64
import binascii
from hashlib import sha256
from pathlib import Path

from gateway.app.mapping.files import read_document
from gateway.app.mapping.loading import PartnerTranslation
from gateway.app.problems import ConfigProblem
from gateway.kernel.trees import Tree


def try_document(
    translation: PartnerTranslation, file: Path, operation: str | None
) -> tuple[str, Tree]:
    """Translate a file's document: theirs if an operation is named, else ours.

    Returns the kind or the operation, and the tree. In a document of ours the content of a
    material is base64; its size and SHA-256 are filled in where they are left out.

    Raises:
        ConfigProblem: the file is no such document.
        Fault: as the mapping refuses.
    """
    document = read_document(file)
    if operation is not None:
        ours = translation.inbound(operation, document)
        return ours.kind.name.lower(), ours.tree
    theirs = translation.outbound(_with_contents(document, file))
    return theirs.operation, theirs.document


def _with_contents(document: Tree, file: Path) -> Tree:
    materials = document.get("materials", [])
    for place, material in enumerate(materials if isinstance(materials, list) else []):
        text = material.get("content", "") if isinstance(material, dict) else None
        content = _decoded(text) if isinstance(text, str) else None
        if content is None or not isinstance(material, dict):
            raise ConfigProblem(file, [f"/materials/{place}/content is not base64"])
        material["content"] = content
        material.setdefault("size", len(content))
        material.setdefault("sha256", sha256(content).hexdigest())
    return document


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return None
