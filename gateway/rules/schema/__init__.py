"""Forms: strict JSON, JSON Schema 2020-12 with the field's own formats (表单校验)."""

from gateway.rules.schema.forms import FormSchemas
from gateway.rules.schema.kinds import (
    BUSINESS_LICENCE,
    body_schema,
    require_body,
    require_holders,
    require_licence,
)

__all__ = [
    "BUSINESS_LICENCE",
    "FormSchemas",
    "body_schema",
    "require_body",
    "require_holders",
    "require_licence",
]
