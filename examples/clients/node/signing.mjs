// What is signed and how: docs/wire.md sections 3 and 5.
import crypto from 'node:crypto';
import fs from 'node:fs';
import { Fault, decodeStrict } from './protobuf.mjs';
import { BatchHead } from './messages.mjs';

export const TYPES = {
  header: 'application/vnd.kuayu.v1.header',
  receipt: 'application/vnd.kuayu.v1.receipt',
  batchHead: 'application/vnd.kuayu.v1.batch-head',
};
const SIGNATURES_MAX = 4, LEAVES_MAX = 512, PATH_MAX = 9, HEAD_BYTES_MAX = 256;

export function sha256(...parts) {
  const hash = crypto.createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** Pre-authentication encoding: what a signature is over. */
export function pae(type, raw) {
  const name = Buffer.from(type, 'ascii');
  return Buffer.concat([Buffer.from(`DSSEv1 ${name.length} ${type} ${raw.length} `, 'ascii'), raw]);
}

/** Commitment to `content`: tells nothing about it without the salt. */
export function commitment(salt, content) {
  return sha256(salt, content);
}

function suiteOf(publicKey) {
  if (publicKey.asymmetricKeyType === 'ed25519') return 'EdDSA';
  const curve = publicKey.asymmetricKeyDetails?.namedCurve;
  if (publicKey.asymmetricKeyType === 'ec' && curve === 'prime256v1') return 'ES256';
  throw new Error('a signing key is P-256 or Ed25519');
}

function registered(publicKey, notBeforeMs, notAfterMs) {
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return { keyId: sha256(spki), suite: suiteOf(publicKey), publicKey, notBeforeMs, notAfterMs };
}

/** Read registered keys from signing certificates; the operator has checked whose they are. */
export function readCertificates(paths) {
  return paths.map((path) => {
    const certificate = new crypto.X509Certificate(fs.readFileSync(path));
    const { validFrom, validTo, publicKey } = certificate;
    return registered(publicKey, Date.parse(validFrom), Date.parse(validTo));
  });
}

/** Make a registered key of a SubjectPublicKeyInfo (DER). */
export function fromSpki(spki, notBeforeMs, notAfterMs) {
  const publicKey = crypto.createPublicKey({ key: spki, format: 'der', type: 'spki' });
  return registered(publicKey, notBeforeMs, notAfterMs);
}

/** Read our own signing key (PKCS8 PEM). */
export function readSigner(path) {
  const privateKey = crypto.createPrivateKey(fs.readFileSync(path));
  const { keyId, suite } = registered(crypto.createPublicKey(privateKey), 0, 0);
  const hash = suite === 'ES256' ? 'sha256' : null;
  return { keyId, suite, sign: (message) => crypto.sign(hash, message, privateKey) };
}

/** Tell whether a signature over `message` is by the key; the suite is the key's own. */
export function verify(key, message, signature) {
  try {
    return crypto.verify(key.suite === 'ES256' ? 'sha256' : null, message, key.publicKey, signature);
  } catch {
    return false; // not even the form of a signature
  }
}

const node = (left, right) => sha256(Buffer.from([1]), left, right);
export const leafHash = (leaf) => sha256(Buffer.from([0]), leaf);

/** Return the root of a whole tree (RFC 6962), for who signs batches and for tests. */
export function rootOf(leaves) {
  if (leaves.length === 1) return leafHash(leaves[0]);
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return node(rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split)));
}

/** Return the root that a path leads to; undefined if it cannot (RFC 9162, 2.1.3.2). */
export function rootOfPath(leaf, index, size, path) {
  if (index >= size) return undefined;
  let fn = index, sn = size - 1, found = leaf;
  for (const sibling of path) {
    if (sn === 0) return undefined;
    if (fn % 2 === 1 || fn === sn) {
      found = node(sibling, found);
      while (fn % 2 === 0 && fn !== 0) {
        fn >>= 1;
        sn >>= 1;
      }
    } else {
      found = node(found, sibling);
    }
    fn >>= 1;
    sn >>= 1;
  }
  return sn === 0 ? found : undefined;
}

/** Check the forms of signatures as they are read; throws Fault. */
export function readSignatures(signatures) {
  if (signatures.length > SIGNATURES_MAX) throw new Fault('trust.signature_invalid', 'too many');
  return signatures.map((given) => {
    if (given.key_id.length !== 32) throw new Fault('wire.field_invalid', 'key_id');
    if (given.batch === undefined) return given;
    const { head, path } = given.batch;
    if (path.length > PATH_MAX || path.some((step) => step.length !== 32)) {
      throw new Fault('trust.batch_invalid', 'path');
    }
    if (head.length > HEAD_BYTES_MAX) throw new Fault('trust.batch_invalid', 'head');
    const read = decodeStrict(BatchHead, head);
    if (read.version !== 1) throw new Fault('wire.version_unsupported', 'batch head');
    if (read.root.length !== 32 || read.key_id.length !== 32) {
      throw new Fault('wire.field_invalid', 'batch head');
    }
    return { ...given, batch: { ...given.batch, read } };
  });
}

/** Every signature present must verify over `signed` (a PAE) by a key valid at `atMs`. */
export function requireSigned(keys, signatures, signed, atMs) {
  if (signatures.length === 0) throw new Fault('trust.unsigned');
  const named = new Set(signatures.map((s) => s.key_id.toString('hex')));
  if (named.size !== signatures.length) throw new Fault('trust.signature_invalid', 'one key twice');
  const checks = signatures.map((given) => {
    const key = keys.find((k) => k.keyId.equals(given.key_id));
    if (key === undefined) throw new Fault('trust.key_unknown');
    if (atMs < key.notBeforeMs) throw new Fault('trust.key_not_yet_valid');
    if (atMs > key.notAfterMs) throw new Fault('trust.key_expired');
    return [key, given.batch === undefined ? signed : walk(given, key, signed), given.signature];
  });
  for (const [key, message, signature] of checks) {
    if (!verify(key, message, signature)) throw new Fault('trust.signature_invalid');
  }
  return checks.map(([key]) => key.suite);
}

function walk(given, key, signed) {
  const { read, head, path, leaf_index: index } = given.batch;
  if (read.suite !== key.suite) throw new Fault('trust.suite_mismatch');
  if (!read.key_id.equals(given.key_id)) throw new Fault('trust.batch_invalid', 'key id');
  if (read.size < 1 || read.size > LEAVES_MAX) throw new Fault('trust.batch_invalid', 'size');
  const root = rootOfPath(leafHash(signed), index, read.size, path);
  if (root === undefined || !root.equals(read.root)) throw new Fault('trust.batch_invalid', 'path');
  return pae(TYPES.batchHead, head);
}
