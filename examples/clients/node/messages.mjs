// The messages of protos/kuayu/v1/*.proto that a client needs, and those of google.rpc errors.

function message(name, ...fields) {
  const made = fields.map(([number, fieldName, kind, how]) => ({
    number,
    name: fieldName,
    kind,
    repeated: how === 'repeated',
    oneof: how === 'oneof',
  }));
  made.sort((a, b) => a.number - b.number);
  return { name, fields: made };
}

export const BatchProof = message('BatchProof',
  [1, 'head', 'bytes'], [2, 'leaf_index', 'uint32'], [3, 'path', 'bytes', 'repeated']);
export const Signature = message('Signature',
  [1, 'key_id', 'bytes'], [2, 'signature', 'bytes'], [3, 'batch', BatchProof]);
export const BatchHead = message('BatchHead',
  [1, 'version', 'uint32'], [2, 'root', 'bytes'], [3, 'size', 'uint32'], [4, 'suite', 'string'],
  [5, 'key_id', 'bytes']);
export const Envelope = message('Envelope',
  [1, 'header', 'bytes'], [2, 'salt', 'bytes'], [3, 'body', 'bytes'],
  [4, 'signatures', Signature, 'repeated'], [5, 'attestation', 'bytes']);
export const Header = message('Header',
  [1, 'version', 'uint32'], [2, 'message_id', 'bytes'], [3, 'sender', 'string'],
  [4, 'recipient', 'string'], [5, 'sent_at_ms', 'int64'], [6, 'expires_at_ms', 'int64'],
  [7, 'case_origin', 'string'], [8, 'case_id', 'bytes'], [9, 'sequence', 'uint32'],
  [10, 'previous_digest', 'bytes'], [11, 'last_seen_digest', 'bytes'], [12, 'in_reply_to', 'bytes'],
  [13, 'kind', 'enum'], [14, 'agreement_digest', 'bytes'], [15, 'item_code', 'string'],
  [16, 'item_version', 'string'], [17, 'mode', 'enum'], [18, 'delegated_right', 'enum'],
  [19, 'purpose', 'string'], [20, 'acting_unit', 'string'], [21, 'staff_pseudonym', 'string'],
  [22, 'staff_capacity', 'string'], [23, 'strength', 'enum'], [24, 'trace_context', 'string'],
  [25, 'required_suites', 'string', 'repeated'], [26, 'critical', 'string', 'repeated'],
  [27, 'body_commitment', 'bytes'], [28, 'digest_algorithm', 'enum']);
export const Attachment = message('Attachment',
  [1, 'material_code', 'string'], [2, 'name', 'string'], [3, 'media_type', 'string'],
  [4, 'size', 'uint64'], [5, 'salt', 'bytes'], [6, 'commitment', 'bytes']);
export const Body = message('Body', [1, 'form', 'bytes'], [2, 'attachments', Attachment, 'repeated']);
export const Attestation = message('Attestation',
  [1, 'version', 'uint32'], [2, 'partner', 'string'], [3, 'adapter', 'string'],
  [4, 'received_at_ms', 'int64'], [5, 'raw_digest', 'bytes'], [6, 'strength', 'enum'],
  [7, 'natural_key', 'string'], [8, 'message_id', 'bytes'], [9, 'header_digest', 'bytes']);
export const SignedAttestation = message('SignedAttestation',
  [1, 'attestation', 'bytes'], [2, 'signatures', Signature, 'repeated']);
export const AgreementAct = message('AgreementAct',
  [1, 'version', 'uint32'], [2, 'agreement_digest', 'bytes'], [3, 'party', 'string'],
  [4, 'verdict', 'enum'], [5, 'acted_at_ms', 'int64'], [6, 'reason', 'string'],
  [7, 'open_cases', 'enum']);
export const SignedAgreementAct = message('SignedAgreementAct',
  [1, 'act', 'bytes'], [2, 'signatures', Signature, 'repeated']);
export const Receipt = message('Receipt',
  [1, 'version', 'uint32'], [2, 'sender', 'string'], [3, 'recipient', 'string'],
  [4, 'message_id', 'bytes'], [5, 'header_digest', 'bytes'], [6, 'received_at_ms', 'int64'],
  [7, 'outcome', 'enum'], [8, 'rule', 'string'], [9, 'text_zh', 'string'], [10, 'text_en', 'string']);
export const SignedReceipt = message('SignedReceipt',
  [1, 'receipt', 'bytes'], [2, 'signatures', Signature, 'repeated'], [3, 'attestation', 'bytes']);
export const NotTakenIn = message('NotTakenIn',
  [1, 'rule', 'string'], [2, 'text_zh', 'string'], [3, 'text_en', 'string'], [4, 'retry', 'bool'],
  [5, 'retry_after_ms', 'uint32'], [6, 'expected_sequence', 'uint32']);
export const DeliverRequest = message('DeliverRequest', [1, 'envelopes', 'bytes', 'repeated']);
export const Delivery = message('Delivery',
  [1, 'signed_receipt', 'bytes', 'oneof'], [2, 'not_taken_in', NotTakenIn, 'oneof']);
export const DeliverResponse = message('DeliverResponse', [1, 'deliveries', Delivery, 'repeated']);
export const ReceiptQuery = message('ReceiptQuery',
  [1, 'message_id', 'bytes'], [2, 'header_digest', 'bytes'], [3, 'burn', 'bool']);
export const QueryReceiptsRequest = message('QueryReceiptsRequest',
  [1, 'queries', ReceiptQuery, 'repeated']);
export const QueryReceiptsResponse = message('QueryReceiptsResponse',
  [1, 'deliveries', Delivery, 'repeated']);
export const CollectRequest = message('CollectRequest',
  [1, 'signed_receipts', 'bytes', 'repeated'], [2, 'envelopes_max', 'uint32'],
  [3, 'wait_ms_max', 'uint32']);
export const ReceiptAnswer = message('ReceiptAnswer',
  [1, 'rule', 'string'], [2, 'text_zh', 'string'], [3, 'text_en', 'string'], [4, 'retry', 'bool']);
export const CollectResponse = message('CollectResponse',
  [1, 'envelopes', 'bytes', 'repeated'], [2, 'receipts', ReceiptAnswer, 'repeated'],
  [3, 'lease_ms', 'uint32']);
export const AttachmentRef = message('AttachmentRef',
  [1, 'case_origin', 'string'], [2, 'case_id', 'bytes'], [3, 'agreement_digest', 'bytes'],
  [4, 'salt', 'bytes'], [5, 'commitment', 'bytes'], [6, 'size', 'uint64'], [7, 'media_type', 'string']);
export const FetchAttachmentRequest = message('FetchAttachmentRequest',
  [1, 'attachment', AttachmentRef], [2, 'offset', 'uint64']);
export const AttachmentChunk = message('AttachmentChunk',
  [1, 'open', AttachmentRef, 'oneof'], [2, 'data', 'bytes', 'oneof'], [3, 'offset', 'uint64']);
export const AttachmentState = message('AttachmentState',
  [1, 'held', 'uint64'], [2, 'complete', 'bool']);

// google.rpc.Status with ErrorInfo, and grpc.health.v1.
const MapEntry = message('MapEntry', [1, 'key', 'string'], [2, 'value', 'string']);
const Any = message('Any', [1, 'type_url', 'string'], [2, 'value', 'bytes']);
export const Status = message('Status',
  [1, 'code', 'uint32'], [2, 'message', 'string'], [3, 'details', Any, 'repeated']);
export const ErrorInfo = message('ErrorInfo',
  [1, 'reason', 'string'], [2, 'domain', 'string'], [3, 'metadata', MapEntry, 'repeated']);
export const HealthCheckRequest = message('HealthCheckRequest', [1, 'service', 'string']);
export const HealthCheckResponse = message('HealthCheckResponse', [1, 'status', 'enum']);

/** Numbers of the enumerations, by the names in the protos. */
export const ENUMS = {
  Kind: ['KIND_UNSPECIFIED', 'KIND_SUBMITTED', 'KIND_ACKNOWLEDGED', 'KIND_MATERIALS_REQUESTED',
    'KIND_MATERIALS_SUPPLIED', 'KIND_ACCEPTED', 'KIND_NOT_ACCEPTED', 'KIND_CLOCK_SUSPENDED',
    'KIND_CLOCK_RESUMED', 'KIND_JOINT_TASK', 'KIND_JOINT_ANSWER', 'KIND_DECIDED', 'KIND_WITHDRAWN',
    'KIND_DELIVERED', 'KIND_ARCHIVED', 'KIND_REVIEWED', 'KIND_LICENCE_STATUS_CHANGED',
    'KIND_LICENCE_QUERY', 'KIND_LICENCE_ANSWER', 'KIND_CATALOGUE_CHANGED',
    'KIND_AGREEMENT_PROPOSED', 'KIND_AGREEMENT_ACCEPTED', 'KIND_AGREEMENT_REJECTED',
    'KIND_AGREEMENT_REVOKED', 'KIND_PARCEL_MOVED', 'KIND_KEY_ANNOUNCED', 'KIND_PING'],
  Mode: ['MODE_UNSPECIFIED', 'MODE_ONLINE', 'MODE_COLLECT_ON_BEHALF', 'MODE_JOINT'],
  Right: ['RIGHT_NONE', 'RIGHT_ACCEPT', 'RIGHT_NOTIFY_ONCE', 'RIGHT_VERIFY_ORIGINALS',
    'RIGHT_DELIVER_RESULT'],
  Strength: ['STRENGTH_UNSPECIFIED', 'STRENGTH_ASSISTED', 'STRENGTH_INTEGRITY_ONLY',
    'STRENGTH_AUTHENTICATED', 'STRENGTH_SIGNED'],
  DigestAlgorithm: ['DIGEST_ALGORITHM_SHA256', 'DIGEST_ALGORITHM_SM3'],
  Outcome: ['OUTCOME_UNSPECIFIED', 'OUTCOME_TAKEN_IN', 'OUTCOME_REFUSED', 'OUTCOME_VOID'],
  AgreementVerdict: ['AGREEMENT_VERDICT_UNSPECIFIED', 'AGREEMENT_VERDICT_ACCEPT',
    'AGREEMENT_VERDICT_REJECT', 'AGREEMENT_VERDICT_REVOKE'],
  OpenCases: ['OPEN_CASES_UNSPECIFIED', 'OPEN_CASES_CONTINUE', 'OPEN_CASES_STOP'],
};

/** Return the number of an enumeration's name. */
export function numberOf(name) {
  for (const names of Object.values(ENUMS)) {
    const at = names.indexOf(name);
    if (at >= 0) return at;
  }
  throw new Error(`no enumeration has ${name}`);
}
