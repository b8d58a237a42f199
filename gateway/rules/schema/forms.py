"""JSON Schemas (2020-12), compiled once, and errors that never repeat what was written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import islice
from typing import Final

from jsonschema_rs import Draft202012Validator, RegexOptions, ValidationError

from gateway.kernel.faults import Fault, FaultCode
from gateway.rules.schema import strict_json
from gateway.rules.schema.formats import FORMATS

ERRORS_MAX: Final = 20  # more do not help whoever corrects the form
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}", re.ASCII)
_BOUNDS: Final = {
    "minLength": "is shorter than {} characters",
    "maxLength": "is longer than {} characters",
    "minItems": "has fewer than {} entries",
    "maxItems": "has more than {} entries",
    "minimum": "is less than {}",
    "maximum": "is more than {}",
    "minProperties": "has fewer than {} properties",
    "maxProperties": "has more than {} properties",
}
_PLAIN: Final = {
    "additionalProperties": "has a property that is not known",
    "unevaluatedProperties": "has a property that is not known",
    "enum": "is none of the listed values",
    "const": "is not the one allowed value",
    "pattern": "does not have the form asked for",
    "uniqueItems": "has an entry twice",
    "falseSchema": "must not be there",
}


def compile_schema(schema: object) -> Draft202012Validator:
    """Compile a JSON Schema with the field's formats; nothing is ever fetched.

    Patterns run on a linear-time engine, without look-around and back-references.

    Raises:
        ValueError: it is not a valid schema, names an unknown format, or refers elsewhere.
    """
    if not isinstance(schema, dict):
        raise ValueError("a schema is a JSON object")  # noqa: TRY004 - one error for bad schemas
    return Draft202012Validator(
        schema,
        formats=dict(FORMATS),
        validate_formats=True,
        ignore_unknown_formats=False,
        offline=True,
        pattern_options=RegexOptions(),
        mask="*",
    )


def require_valid(validator: Draft202012Validator, document: object, *, under: str = "") -> None:
    """Check a parsed document; `under` is the JSON pointer where it stands.

    Raises:
        Fault: `schema.form_invalid` with at most `ERRORS_MAX` errors, none of which holds a value.
    """
    if validator.is_valid(document):
        return
    found = islice(validator.iter_errors(document), ERRORS_MAX)
    errors = tuple((under + _pointer(error), _say(error)) for error in found)
    raise Fault(FaultCode.SCHEMA_FORM_INVALID, _summary(errors), errors=errors)


def _summary(errors: tuple[tuple[str, str], ...]) -> str:
    pointer, message = errors[0]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{pointer or '/'} {message}{more}"


def _pointer(error: ValidationError) -> str:
    """Write where the error is; a name that no schema would choose is written as `*`."""
    return "".join(
        f"/{step if isinstance(step, int) or _NAME.fullmatch(step) else '*'}"
        for step in error.instance_path
    )


def _say(error: ValidationError) -> str:
    """Say what is wrong in words made of the schema alone."""
    keyword = error.kind.name
    said = error.kind.as_dict()
    if keyword in _BOUNDS:
        return _BOUNDS[keyword].format(said["limit"])
    if keyword in _PLAIN:
        return _PLAIN[keyword]
    if keyword == "required":
        return f"lacks {said['property']}"
    if keyword == "type":
        return f"is not of type {'/'.join(said.get('types', ['asked for']))}"
    if keyword == "format":
        return f"is not a valid {said['format']}"
    return f"does not satisfy {keyword}"


class FormSchemas:
    """The forms of all known item versions, compiled. Immutable."""

    def __init__(self, schemas: Mapping[bytes, bytes]) -> None:
        """Compile `schemas`: digest of a schema's bytes to the bytes.

        Raises:
            Fault: the rules of `strict_json.parse`.
            ValueError: one of them is not a valid schema.
        """
        self._validators = {
            digest: compile_schema(strict_json.parse(raw)) for digest, raw in schemas.items()
        }

    def with_those_of(self, other: FormSchemas) -> FormSchemas:
        """Return these and the other's forms; nothing is compiled again."""
        both = FormSchemas({})
        both._validators = {**other._validators, **self._validators}
        return both

    def __contains__(self, schema_digest: bytes) -> bool:
        return schema_digest in self._validators

    def require(self, schema_digest: bytes, document: object, *, under: str = "") -> None:
        """Check a parsed form; `under` is the JSON pointer where it stands in its message.

        Raises:
            Fault: `schema.form_invalid`; `gateway.internal` if the catalogue names a schema that
                was not loaded.
        """
        validator = self._validators.get(schema_digest)
        if validator is None:
            raise Fault(FaultCode.INTERNAL, "schema " + schema_digest.hex()[:16])
        require_valid(validator, document, under=under)
