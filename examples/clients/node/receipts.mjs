// Believing a receipt: docs/wire.md section 9.
import { Fault, decodeStrict, encode } from './protobuf.mjs';
import { Receipt, SignedReceipt } from './messages.mjs';
import { TYPES, pae, readSignatures, requireSigned, sha256 } from './signing.mjs';

const SKEW_MS = 300_000;
const OUTCOMES = { 1: 'taken_in', 2: 'refused', 3: 'void' };

/**
 * Return what a receipt says, or throw the Fault that makes it worth nothing.
 *
 * `sent` is {sender, recipient, messageId, headerDigest, madeAtMs}; `keys` are those registered
 * for the recipient.
 */
export function believe(raw, sent, keys, nowMs) {
  const signed = decodeStrict(SignedReceipt, raw);
  const receipt = decodeStrict(Receipt, signed.receipt);
  if (receipt.version !== 1) throw new Fault('wire.version_unsupported', 'receipt');
  const outcome = OUTCOMES[receipt.outcome];
  if (outcome === undefined || receipt.header_digest.length !== 32) {
    throw new Fault('wire.field_invalid', 'receipt');
  }
  const signatures = readSignatures(signed.signatures);
  if (signed.attestation.length > 0) throw new Fault('wire.attestation_not_local');
  const bound =
    receipt.sender === sent.sender &&
    receipt.recipient === sent.recipient &&
    receipt.message_id.equals(sent.messageId) &&
    receipt.header_digest.equals(sent.headerDigest);
  if (!bound) throw new Fault('receipt.invalid', 'of another message');
  const atMs = Number(receipt.received_at_ms);
  if (atMs < sent.madeAtMs - SKEW_MS || atMs > nowMs + SKEW_MS) {
    throw new Fault('receipt.invalid', 'received_at_ms');
  }
  requireSigned(keys, signatures, pae(TYPES.receipt, signed.receipt), atMs);
  const batchSize = Math.max(...signatures.map((s) => s.batch?.read.size ?? 1));
  const { rule, text_zh: textZh, text_en: textEn } = receipt;
  return { outcome, rule, textZh, textEn, receivedAtMs: atMs, batchSize };
}

/** Sign that a message was taken in: who collects answers so. Keep the bytes: they never change. */
export function takenIn(signer, headerBytes, header, nowMs) {
  const receipt = encode(Receipt, {
    version: 1,
    sender: header.sender,
    recipient: header.recipient,
    message_id: header.message_id,
    header_digest: sha256(headerBytes),
    received_at_ms: BigInt(nowMs),
    outcome: 1,
  });
  const signature = signer.sign(pae(TYPES.receipt, receipt));
  return encode(SignedReceipt, { receipt, signatures: [{ key_id: signer.keyId, signature }] });
}
