"""The one family of errors. Texts, status codes and retry advice are in `wire.fault_table`."""

from __future__ import annotations

from enum import StrEnum


class FaultCode(StrEnum):
    """Every rule that can be broken. The value is the rule id seen on every wire."""

    # the bytes themselves
    WIRE_UNPARSEABLE = "wire.unparseable"
    WIRE_NOT_MINIMAL = "wire.not_minimal"
    WIRE_UNKNOWN_FIELD = "wire.unknown_field"
    WIRE_VERSION_UNSUPPORTED = "wire.version_unsupported"
    WIRE_FIELD_INVALID = "wire.field_invalid"
    WIRE_CRITICAL_UNKNOWN = "wire.critical_unknown"
    WIRE_DIGEST_UNSUPPORTED = "wire.digest_unsupported"
    WIRE_ATTESTATION_NOT_LOCAL = "wire.attestation_not_local"
    # bounds
    LIMIT_CALL_BYTES = "limit.call_bytes"
    LIMIT_ENVELOPE_BYTES = "limit.envelope_bytes"
    LIMIT_ENVELOPES_PER_CALL = "limit.envelopes_per_call"
    LIMIT_ATTACHMENTS = "limit.attachments"
    LIMIT_ATTACHMENT_BYTES = "limit.attachment_bytes"
    LIMIT_QUOTA = "limit.quota"
    LIMIT_RATE = "limit.rate"
    LIMIT_OVERLOADED = "limit.overloaded"
    # who speaks
    TRUST_PEER_UNKNOWN = "trust.peer_unknown"
    TRUST_PARTNER_NOT_ACTIVE = "trust.partner_not_active"
    TRUST_PEER_NOT_SENDER = "trust.peer_not_sender"
    TRUST_UNSIGNED = "trust.unsigned"
    TRUST_KEY_UNKNOWN = "trust.key_unknown"
    TRUST_KEY_EXPIRED = "trust.key_expired"
    TRUST_KEY_NOT_YET_VALID = "trust.key_not_yet_valid"
    TRUST_SIGNATURE_INVALID = "trust.signature_invalid"
    TRUST_BATCH_INVALID = "trust.batch_invalid"
    TRUST_SUITE_MISMATCH = "trust.suite_mismatch"
    TRUST_SUITE_UNKNOWN = "trust.suite_unknown"
    TRUST_SUITE_MISSING = "trust.suite_missing"
    TRUST_BODY_MISMATCH = "trust.body_mismatch"
    TRUST_ATTESTATION_INVALID = "trust.attestation_invalid"
    # delivery
    DELIVERY_WRONG_RECIPIENT = "delivery.wrong_recipient"
    DELIVERY_ID_REUSED = "delivery.id_reused"
    DELIVERY_ID_TIME = "delivery.id_time"
    DELIVERY_EXPIRED = "delivery.expired"
    DELIVERY_IN_FUTURE = "delivery.in_future"
    DELIVERY_LIFE_TOO_LONG = "delivery.life_too_long"
    DELIVERY_CHAIN_GAP = "delivery.chain_gap"
    DELIVERY_SEQUENCE_USED = "delivery.sequence_used"
    DELIVERY_PREVIOUS_MISMATCH = "delivery.previous_mismatch"
    DELIVERY_LAST_SEEN_UNKNOWN = "delivery.last_seen_unknown"
    DELIVERY_JOURNAL_DOWN = "delivery.journal_down"
    DELIVERY_SIGNER_DOWN = "delivery.signer_down"
    DELIVERY_STOPPING = "delivery.stopping"
    RECEIPT_NOT_KNOWN = "receipt.not_known"
    RECEIPT_INVALID = "receipt.invalid"
    # forms
    SCHEMA_JSON_INVALID = "schema.json_invalid"
    SCHEMA_JSON_DUPLICATE_KEY = "schema.json_duplicate_key"
    SCHEMA_JSON_NUMBER = "schema.json_number"
    SCHEMA_JSON_DEPTH = "schema.json_depth"
    SCHEMA_JSON_ENCODING = "schema.json_encoding"
    SCHEMA_FORM_INVALID = "schema.form_invalid"
    # tables between our words and a partner's
    MAPPING_CODE_UNMAPPED = "mapping.code_unmapped"
    MAPPING_FIELD_MISSING = "mapping.field_missing"
    MAPPING_VALUE_INVALID = "mapping.value_invalid"
    MAPPING_KIND_UNMAPPED = "mapping.kind_unmapped"
    # catalogue
    CATALOGUE_ITEM_UNKNOWN = "catalogue.item_unknown"
    CATALOGUE_VERSION_UNKNOWN = "catalogue.version_unknown"
    CATALOGUE_VERSION_SUPERSEDED = "catalogue.version_superseded"
    CATALOGUE_VERSION_NOT_YET = "catalogue.version_not_yet"
    CATALOGUE_MATERIAL_MISSING = "catalogue.material_missing"
    CATALOGUE_MATERIAL_UNKNOWN = "catalogue.material_unknown"
    CATALOGUE_MATERIAL_TYPE = "catalogue.material_type"
    CATALOGUE_LICENCE_UNFIT = "catalogue.licence_unfit"
    CATALOGUE_OUT_OF_SCOPE = "catalogue.out_of_scope"
    CATALOGUE_MODE_UNLISTED = "catalogue.mode_unlisted"
    CATALOGUE_EDITION_GAP = "catalogue.edition_gap"
    CATALOGUE_EDITION_OLD = "catalogue.edition_old"
    CATALOGUE_EDITION_PENDING = "catalogue.edition_pending"
    CATALOGUE_LIST_DIFFERS = "catalogue.list_differs"
    CATALOGUE_LIST_OF_ANOTHER = "catalogue.list_of_another"
    CATALOGUE_PARTS_DIFFER = "catalogue.parts_differ"
    CATALOGUE_ROW_INVALID = "catalogue.row_invalid"
    # the item list and its files
    ITEM_LIST_FILE_SIZE = "item_list.file_size"
    ITEM_LIST_ENCODING = "item_list.encoding"
    ITEM_LIST_NOT_CSV = "item_list.not_csv"
    ITEM_LIST_COLUMN_MISSING = "item_list.column_missing"
    ITEM_LIST_COLUMN_UNKNOWN = "item_list.column_unknown"
    ITEM_LIST_COLUMN_TWICE = "item_list.column_twice"
    ITEM_LIST_EMPTY = "item_list.empty"
    ITEM_LIST_ROW_LENGTH = "item_list.row_length"
    ITEM_LIST_CELL_SIZE = "item_list.cell_size"
    ITEM_LIST_CELL_FORMULA = "item_list.cell_formula"
    ITEM_LIST_CELL_CHARACTER = "item_list.cell_character"
    ITEM_LIST_VALUE_MISSING = "item_list.value_missing"
    ITEM_LIST_CODE_INVALID = "item_list.code_invalid"
    ITEM_LIST_VALUE_UNKNOWN = "item_list.value_unknown"
    ITEM_LIST_VALUE_INVALID = "item_list.value_invalid"
    ITEM_LIST_CONTRADICTION = "item_list.contradiction"
    ITEM_LIST_CODE_TWICE = "item_list.code_twice"
    ITEM_LIST_VERSION_NOT_RAISED = "item_list.version_not_raised"
    ITEM_LIST_ENDS_MOST = "item_list.ends_most"
    ITEM_LIST_CHANGED_MEANWHILE = "item_list.changed_meanwhile"
    # agreement
    AGREEMENT_UNKNOWN = "agreement.unknown"
    AGREEMENT_NOT_PARTY = "agreement.not_party"
    AGREEMENT_NOT_ACCEPTED = "agreement.not_accepted"
    AGREEMENT_REVOKED = "agreement.revoked"
    AGREEMENT_ENDED = "agreement.ended"
    AGREEMENT_NOT_YET = "agreement.not_yet"
    AGREEMENT_ITEM_UNLISTED = "agreement.item_unlisted"
    AGREEMENT_VERSION_UNLISTED = "agreement.version_unlisted"
    AGREEMENT_DIRECTION = "agreement.direction"
    AGREEMENT_MODE_UNLISTED = "agreement.mode_unlisted"
    AGREEMENT_RIGHT_NOT_DELEGATED = "agreement.right_not_delegated"
    AGREEMENT_PURPOSE_UNLISTED = "agreement.purpose_unlisted"
    AGREEMENT_ONWARD_REFUSED = "agreement.onward_refused"
    AGREEMENT_ONWARD_UNLISTED = "agreement.onward_unlisted"
    AGREEMENT_STRENGTH_TOO_WEAK = "agreement.strength_too_weak"
    AGREEMENT_SUITES_DIFFER = "agreement.suites_differ"
    AGREEMENT_CONTENT_INVALID = "agreement.content_invalid"
    AGREEMENT_ACT_INVALID = "agreement.act_invalid"
    AGREEMENT_ACT_OUT_OF_ORDER = "agreement.act_out_of_order"
    # casework
    CASE_UNKNOWN = "case.unknown"
    CASE_NOT_PARTY = "case.not_party"
    CASE_ROLE = "case.role"
    CASE_STAGE = "case.stage"
    CASE_CLOSED = "case.closed"
    CASE_SUSPENDED = "case.suspended"
    CASE_ALREADY_DECIDED = "case.already_decided"
    CASE_CORRECTION_UNNAMED = "case.correction_unnamed"
    CASE_DECISION_DIFFERS = "case.decision_differs"
    CASE_INSTANT_DIFFERS = "case.instant_differs"
    CASE_FROZEN_DIFFERS = "case.frozen_differs"
    CASE_KIND_NOT_SERVED = "case.kind_not_served"
    CASE_RIGHT_REQUIRED = "case.right_required"
    CASE_IDENTITY_REQUIRED = "case.identity_required"
    CASE_AUTHORISATION_MISSING = "case.authorisation_missing"
    CASE_AUTHORISATION_ENDED = "case.authorisation_ended"
    CASE_JOINT_UNASKED = "case.joint_unasked"
    CASE_JOINT_OPEN = "case.joint_open"
    CASE_JOINT_DISAGREED = "case.joint_disagreed"
    CASE_JOINT_UNNAMED = "case.joint_unnamed"
    CASE_ALREADY_ANSWERED = "case.already_answered"
    CASE_REVIEW_UNKNOWN = "case.review_unknown"
    CASE_REVIEW_ANSWERED = "case.review_answered"
    CASE_REVIEWS_FULL = "case.reviews_full"
    # attachments
    ATTACHMENT_ABSENT = "attachment.absent"
    ATTACHMENT_DIGEST = "attachment.digest"
    ATTACHMENT_SIZE = "attachment.size"
    ATTACHMENT_SALT = "attachment.salt"
    ATTACHMENT_OFFSET = "attachment.offset"
    ATTACHMENT_NOT_DECLARED = "attachment.not_declared"
    ATTACHMENT_TYPE = "attachment.type"
    # partners without a system
    ASSISTED_WRONG_CASE = "assisted.wrong_case"
    ASSISTED_NOT_HANDED_OVER = "assisted.not_handed_over"
    ASSISTED_AWAITS_CONFIRMATION = "assisted.awaits_confirmation"
    ASSISTED_NOTHING_TYPED = "assisted.nothing_typed"
    ASSISTED_SAME_PERSON = "assisted.same_person"
    ASSISTED_MISMATCH = "assisted.mismatch"
    # partners' own platforms
    PARTNER_ENCODING_INVALID = "partner.encoding_invalid"
    PARTNER_DOCUMENT_UNREADABLE = "partner.document_unreadable"
    PARTNER_NONCE_REPLAYED = "partner.nonce_replayed"
    PARTNER_NUMBER_REUSED = "partner.number_reused"
    PARTNER_CASE_UNNAMED = "partner.case_unnamed"
    PARTNER_REFUSED = "partner.refused"
    PARTNER_ARRIVAL_SETTLED = "partner.arrival_settled"
    # portals and business systems
    PORTAL_TOKEN_MISSING = "portal.token_missing"
    PORTAL_TOKEN_INVALID = "portal.token_invalid"
    PORTAL_TOKEN_EXPIRED = "portal.token_expired"
    PORTAL_SCOPE_MISSING = "portal.scope_missing"
    PORTAL_NOT_FOUND = "portal.not_found"
    PORTAL_REQUEST_INVALID = "portal.request_invalid"
    PORTAL_METHOD = "portal.method"
    PORTAL_MEDIA_TYPE = "portal.media_type"
    PORTAL_TOO_LARGE = "portal.too_large"
    PORTAL_TOO_SLOW = "portal.too_slow"
    PORTAL_IDEMPOTENCY_REUSED = "portal.idempotency_reused"
    PORTAL_STALE = "portal.stale"
    # the gateway itself
    INTERNAL = "gateway.internal"


class Fault(Exception):
    """A broken rule. `detail` is for the caller: field names and bounds, never personal data."""

    def __init__(
        self,
        code: FaultCode,
        detail: str = "",
        *,
        retry_after_ms: int = 0,
        expected_sequence: int = 0,
        errors: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(f"{code.value}: {detail}" if detail else code.value)
        self.code = code
        self.detail = detail
        self.retry_after_ms = retry_after_ms
        self.expected_sequence = expected_sequence
        self.errors = errors
        """(JSON pointer, what is wrong) pairs; no values."""
