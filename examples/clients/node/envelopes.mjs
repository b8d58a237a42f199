// Making an envelope, and judging one as its recipient does: docs/wire.md sections 3 to 5.
import crypto from 'node:crypto';
import { Fault, decodeStrict, encode } from './protobuf.mjs';
import { Body, Envelope, Header, numberOf } from './messages.mjs';
import { TYPES, commitment, pae, readSignatures, requireSigned, sha256 } from './signing.mjs';

const MINUTE_MS = 60_000, DAY_MS = 86_400_000, SKEW_MS = 5 * MINUTE_MS, LIFE_MS = 7 * DAY_MS;
const HEADER_BYTES_MAX = 8_192, ENVELOPE_BYTES_MAX = 1_114_112, TEXT_MAX = 128;
const SUITES = ['ES256', 'EdDSA'];
const CASELESS = new Set([16, 17, 18, 19, 20, 21, 22, 23, 25, 26]);
const KIND_MAX = 26;

/** Make a UUIDv7 (RFC 9562). */
export function uuid7(nowMs) {
  const id = crypto.randomBytes(16);
  id.writeUIntBE(nowMs, 0, 6);
  id[6] = 0x70 | (id[6] & 0x0f);
  id[8] = 0x80 | (id[8] & 0x3f);
  return id;
}

const isUuid7 = (raw) => raw.length === 16 && raw[6] >> 4 === 7 && raw[8] >> 6 === 2;
const isGateway = (id) => /^[1-9][0-9]{5}$/.test(id);

/**
 * Seal one message: salt, commitment, id, times, signature.
 *
 * `message` is {kind, form, attachments, header}: `form` any JSON value, `header` further fields
 * by their names in the proto, enumerations as numbers. Keep what is returned until a receipt is
 * here: what is tried again is the same bytes.
 */
export function seal(signer, sender, recipient, message, nowMs) {
  const salt = crypto.randomBytes(32);
  const form = Buffer.from(JSON.stringify(message.form), 'utf8');
  const body = encode(Body, { form, attachments: message.attachments ?? [] });
  const header = encode(Header, {
    ...message.header,
    version: 1,
    message_id: uuid7(nowMs),
    sender,
    recipient,
    sent_at_ms: BigInt(nowMs),
    expires_at_ms: BigInt(nowMs + LIFE_MS),
    kind: numberOf(`KIND_${message.kind.toUpperCase()}`),
    body_commitment: commitment(salt, body),
  });
  const signature = signer.sign(pae(TYPES.header, header));
  const signatures = [{ key_id: signer.keyId, signature }];
  const { message_id: messageId } = decodeStrict(Header, header);
  const envelope = encode(Envelope, { header, salt, body, signatures });
  return { envelope, sender, recipient, messageId, headerDigest: sha256(header), madeAtMs: nowMs };
}

/**
 * Judge an envelope as far as bytes, trust, addresses and times go; return header and body.
 *
 * What the case, agreement, catalogue and form make of it is not judged. Throws Fault.
 */
export function judge(raw, { peer, recipient, nowMs, keys }) {
  if (raw.length > ENVELOPE_BYTES_MAX) throw new Fault('limit.envelope_bytes');
  const envelope = decodeStrict(Envelope, raw);
  if (envelope.salt.length !== 32) throw new Fault('wire.field_invalid', 'salt');
  const signatures = readSignatures(envelope.signatures);
  if (envelope.header.length > HEADER_BYTES_MAX) throw new Fault('limit.envelope_bytes');
  const h = decodeStrict(Header, envelope.header);
  if (h.digest_algorithm !== 0) throw new Fault('wire.digest_unsupported');
  if (h.kind < 1 || h.kind > KIND_MAX || h.mode > 3 || h.delegated_right > 4 || h.strength > 4) {
    throw new Fault('wire.field_invalid', 'kind, mode, right or strength');
  }
  if (envelope.attestation.length > 0) throw new Fault('wire.attestation_not_local');
  if (h.sender !== peer) throw new Fault('trust.peer_not_sender');
  const made = requireSigned(keys, signatures, pae(TYPES.header, envelope.header), nowMs);
  if (!commitment(envelope.salt, envelope.body).equals(h.body_commitment)) {
    throw new Fault('trust.body_mismatch');
  }
  requireWellFormed(h);
  if (h.recipient !== recipient) throw new Fault('delivery.wrong_recipient');
  requireTimely(h, nowMs);
  for (const suite of h.required_suites) {
    if (!SUITES.includes(suite)) throw new Fault('trust.suite_unknown');
    if (!made.includes(suite)) throw new Fault('trust.suite_missing');
  }
  const body = decodeStrict(Body, envelope.body);
  for (const { material_code: code, salt, commitment: named } of body.attachments) {
    if (code === '' || salt.length !== 32 || named.length !== 32) {
      throw new Fault('wire.field_invalid', 'attachment');
    }
  }
  return { header: h, headerBytes: envelope.header, body };
}

function requireWellFormed(h) {
  const invalid = (what) => new Fault('wire.field_invalid', what);
  if (h.version !== 1) throw new Fault('wire.version_unsupported');
  if (!isUuid7(h.message_id)) throw invalid('message_id');
  if (!isGateway(h.sender) || !isGateway(h.recipient)) throw invalid('sender or recipient');
  if (h.sent_at_ms <= 0n || h.expires_at_ms <= h.sent_at_ms) throw invalid('expires_at_ms');
  if (CASELESS.has(h.kind)) requireNoCase(h, invalid);
  else requireCase(h, invalid);
  if (h.in_reply_to.length > 0 && !isUuid7(h.in_reply_to)) throw invalid('in_reply_to');
  const texts = [h.item_code, h.item_version, h.purpose, h.acting_unit, h.staff_pseudonym,
    h.staff_capacity, h.trace_context, ...h.required_suites, ...h.critical];
  if (texts.some((text) => [...text].length > TEXT_MAX)) throw invalid('a text is too long');
  if (h.required_suites.length > 4 || h.critical.length > 8) throw invalid('too many');
  if (h.critical.length > 0) throw new Fault('wire.critical_unknown');
}

function requireNoCase(h, invalid) {
  const held = [h.case_origin, h.case_id, h.previous_digest, h.last_seen_digest];
  if (h.sequence > 0 || held.some((value) => value.length > 0)) throw invalid('case fields');
}

function requireCase(h, invalid) {
  if (!isGateway(h.case_origin) || !isUuid7(h.case_id)) throw invalid('case');
  if (h.sequence < 1) throw invalid('sequence');
  if (h.previous_digest.length !== (h.sequence === 1 ? 0 : 32)) throw invalid('previous_digest');
  if (![0, 32].includes(h.last_seen_digest.length)) throw invalid('last_seen_digest');
  if (h.mode === 0 || h.strength === 0) throw invalid('mode or strength');
  if (!(h.item_code && h.item_version && h.purpose && h.acting_unit)) throw invalid('a text');
  if (h.agreement_digest.length !== 32) throw invalid('agreement_digest');
}

function requireTimely(h, nowMs) {
  const sent = Number(h.sent_at_ms), expires = Number(h.expires_at_ms);
  if (nowMs > expires + SKEW_MS) throw new Fault('delivery.expired');
  if (sent > nowMs + SKEW_MS) throw new Fault('delivery.in_future');
  if (expires - sent > 30 * DAY_MS) throw new Fault('delivery.life_too_long');
  const drawn = h.message_id.readUIntBE(0, 6);
  if (Math.abs(drawn - sent) > MINUTE_MS) throw new Fault('delivery.id_time');
}
