"""Bodies of requests as models: strict, nothing extra, every error told at once."""

from __future__ import annotations

import json
from typing import Annotated, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from gateway.flow.desk import DeclaredMaterial, OpenCase
from gateway.kernel.envelope import Mode
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.limits import (
    ATTACHMENT_BYTES_MAX,
    ATTACHMENTS_PER_MESSAGE_MAX,
    FORM_BYTES_MAX,
    HEADER_TEXT_CHARS_MAX,
    HTTP_ERRORS_MAX,
    REASON_CHARS_MAX,
)

MEDIA_TYPE_PATTERN: Final = r"^[a-z]+/[a-z0-9][a-z0-9.+-]{0,99}$"
_POINTER_TOKEN_CHARS_MAX: Final = 64  # a name sent by a client is not repeated at any length

ShortText = Annotated[str, StringConstraints(min_length=1, max_length=HEADER_TEXT_CHARS_MAX)]
Region = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{5}$")]
MediaType = Annotated[str, StringConstraints(pattern=MEDIA_TYPE_PATTERN)]
Sha256Hex = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=REASON_CHARS_MAX)]
FileName = Annotated[
    str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f/\\]+$")
]


class StrictBody(BaseModel):
    """A body with nothing extra, every value of its own type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class MaterialBody(StrictBody):
    """A file that will be uploaded: size in bytes, sha256 in lower-case hex."""

    material_code: ShortText
    name: FileName
    media_type: MediaType
    size: Annotated[int, Field(gt=0, le=ATTACHMENT_BYTES_MAX)]
    sha256: Sha256Hex

    def declared(self) -> DeclaredMaterial:
        """Return it as the flow knows it."""
        return DeclaredMaterial(
            self.material_code, self.name, self.media_type, self.size, bytes.fromhex(self.sha256)
        )


Materials = Annotated[list[MaterialBody], Field(max_length=ATTACHMENTS_PER_MESSAGE_MAX)]


class IdentityBody(StrictBody):
    """How the applicant's identity was verified (身份核验); by the caller and now by default."""

    method: Literal["in_person_id_card", "e_id", "face_comparison", "real_name_account", "agent"]
    verified_by: ShortText | None = None
    staff: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    verified_at: ShortText | None = None


class AuthorisationBody(StrictBody):
    """What the applicant authorised an agent to do (帮办代办); the document is a material."""

    agent_name: ShortText
    agent_id: ShortText
    material_code: ShortText
    scope_zh: Reason
    valid_until: ShortText


class OpenCaseBody(StrictBody):
    """`POST /v1/cases`."""

    region: Region
    item_code: ShortText
    item_version: ShortText | None = None
    mode: Literal["online", "collect_on_behalf", "joint"]
    purpose: ShortText
    form: dict[str, object]
    materials: Materials = []
    applicant_number: Annotated[str, StringConstraints(max_length=HEADER_TEXT_CHARS_MAX)] = ""
    verified_originals: bool = False
    identity: IdentityBody | None = None
    authorisation: AuthorisationBody | None = None

    def wish(self) -> OpenCase:
        """Return it as the flow knows it.

        Raises:
            Fault: see `form_bytes`.
        """
        return OpenCase(
            region=GatewayId(self.region),
            item_code=self.item_code,
            item_version=self.item_version,
            mode=Mode[self.mode.upper()],
            purpose=self.purpose,
            form=form_bytes(self.form),
            materials=tuple(m.declared() for m in self.materials),
            applicant_number=self.applicant_number,
            verified_originals=self.verified_originals,
            applicant=form_bytes(
                self.model_dump(include={"identity", "authorisation"}, exclude_none=True)
            ),
        )


class SupplementBody(StrictBody):
    """`POST /v1/cases/{case_id}/supplement`."""

    form: dict[str, object] | None = None
    materials: Materials = []
    verified_originals: bool = False


class WithdrawBody(StrictBody):
    """`POST /v1/cases/{case_id}/withdraw`."""

    reason: Reason


class DeliveredBody(StrictBody):
    """`POST /v1/cases/{case_id}/delivered`."""

    method: Literal["window", "post", "online"]


BodyT = TypeVar("BodyT", bound=StrictBody)


def read_body(model: type[BodyT], document: object) -> BodyT:
    """Check a parsed JSON document against a model.

    Raises:
        Fault: `portal.request_invalid` with every error's place and kind, never a value.
    """
    try:
        return model.model_validate(document)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        raise Fault(
            FaultCode.PORTAL_REQUEST_INVALID,
            f"{len(found)} errors",
            errors=tuple((_pointer(e["loc"]), e["msg"]) for e in found[:HTTP_ERRORS_MAX]),
        ) from None


def _pointer(place: tuple[int | str, ...]) -> str:
    """Write a place as a JSON pointer (RFC 6901)."""
    tokens = (str(p)[:_POINTER_TOKEN_CHARS_MAX] for p in place)
    return "".join("/" + t.replace("~", "~0").replace("/", "~1") for t in tokens)


def form_bytes(form: dict[str, object]) -> bytes:
    """Write a parsed form as compact UTF-8 JSON, members in the order they came.

    Raises:
        Fault: `portal.too_large`, `schema.json_encoding` (a lone surrogate).
    """
    try:
        raw = json.dumps(form, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    except UnicodeEncodeError as error:
        raise Fault(FaultCode.SCHEMA_JSON_ENCODING, "lone surrogate") from error
    if len(raw) > FORM_BYTES_MAX:
        raise Fault(FaultCode.PORTAL_TOO_LARGE, f"a form has at most {FORM_BYTES_MAX} bytes")
    return raw
