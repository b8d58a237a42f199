#!/usr/bin/env node
// Run this client's code over tests/vectors/wire/ and say what differs.
import fs from 'node:fs';
import path from 'node:path';
import { Fault, decodeStrict, encode } from './protobuf.mjs';
import * as pb from './messages.mjs';
import { errorInfo } from './grpc.mjs';
import { judge } from './envelopes.mjs';
import { believe } from './receipts.mjs';
import { commitment, fromSpki, leafHash, pae, rootOf, rootOfPath, verify } from './signing.mjs';

const BEYOND = /^(schema|case|agreement|catalogue)\.|^delivery\.chain_gap$/;
const hex = (text) => Buffer.from(text, 'hex');
const folder = process.argv[2];
const wrong = [];
let done = 0;

function check(what, right) {
  done += 1;
  if (!right) wrong.push(what);
}

function read(name) {
  return JSON.parse(fs.readFileSync(path.join(folder, `${name}.json`), 'utf8'));
}

/** Return the rule that `act` breaks; empty if none. */
function ruleOf(act) {
  try {
    act();
    return '';
  } catch (error) {
    if (error instanceof Fault) return error.rule;
    throw error;
  }
}

/** Turn protobuf's JSON form into the values of protobuf.mjs. */
function fromJson(type, given) {
  const value = {};
  for (const field of type.fields) {
    if (given[field.name] === undefined) continue;
    const one = (v) => {
      if (typeof field.kind === 'object') return fromJson(field.kind, v);
      if (field.kind === 'bytes') return Buffer.from(v, 'base64');
      if (field.kind === 'enum') return pb.numberOf(v);
      return field.kind === 'int64' || field.kind === 'uint64' ? BigInt(v) : v;
    };
    const v = given[field.name];
    value[field.name] = field.repeated ? v.map(one) : one(v);
  }
  return value;
}

function structures() {
  for (const vector of read('structures').vectors) {
    const type = pb[vector.type.replace('kuayu.v1.', '')];
    const raw = hex(vector.bytes);
    check(`structures: written: ${vector.name}`, encode(type, fromJson(type, vector.fields)).equals(raw));
    const again = ruleOf(() => decodeStrict(type, raw));
    check(`structures: read: ${vector.name}: ${again}`, again === '');
  }
}

function inputs() {
  for (const vector of read('signed_inputs')) {
    check(`signed_inputs: ${vector.type}`, pae(vector.type, hex(vector.payload)).equals(hex(vector.pae)));
  }
  for (const vector of read('commitments')) {
    const made = commitment(hex(vector.salt), hex(vector.content));
    check(`commitments: ${vector.salt}`, made.equals(hex(vector.commitment)));
  }
}

function trees() {
  for (const { leaves, root, paths } of read('trees')) {
    check(`trees: root of ${leaves.length}`, rootOf(leaves.map(hex)).equals(hex(root)));
    paths.forEach((steps, at) => {
      leaves.forEach((_, n) => {
        const led = rootOfPath(leafHash(hex(leaves[at])), n, leaves.length, steps.map(hex));
        const right = led !== undefined && led.equals(hex(root));
        check(`trees: leaf ${at} at ${n} of ${leaves.length}`, right === (n === at));
      });
    });
  }
}

const keys = read('keys').map((k) => ({
  gateway: k.gateway,
  ...fromSpki(hex(k.public_key_spki), k.not_before_ms, k.not_after_ms),
  named: k.key_id,
}));

function signatures() {
  for (const key of keys) check(`keys: ${key.named}`, key.keyId.equals(hex(key.named)));
  for (const vector of read('signatures')) {
    const key = keys.find((k) => k.named === vector.key_id);
    const right = verify(key, hex(vector.message), hex(vector.signature));
    check(`signatures: ${vector.suite}: ${vector.name}`, right === vector.valid);
  }
}

function receipts() {
  const { vectors, ...of } = read('receipts');
  const sent = {
    sender: of.sender,
    recipient: of.recipient,
    messageId: hex(of.message_id),
    headerDigest: hex(of.header_digest),
    madeAtMs: of.made_at_ms,
  };
  const theirs = keys.filter((k) => k.gateway === of.recipient);
  for (const vector of vectors) {
    const rule = ruleOf(() => believe(hex(vector.signed_receipt), sent, theirs, of.now_ms));
    check(`receipts: ${vector.name}: ${rule}, not ${vector.rule}`, rule === vector.rule);
  }
}

function envelopes() {
  for (const name of ['envelopes', 'refusals']) {
    const { vectors, peer, recipient, now_ms: nowMs } = read(name);
    const known = { peer, recipient, nowMs, keys: keys.filter((k) => k.gateway === peer) };
    for (const vector of vectors) {
      const wanted = BEYOND.test(vector.rule ?? '') ? '' : (vector.rule ?? '');
      const rule = ruleOf(() => judge(hex(vector.envelope), known));
      check(`${name}: ${vector.name}: ${rule}, not ${wanted}`, rule === wanted);
    }
  }
}

function statuses() {
  for (const vector of read('statuses')) {
    const info = errorInfo(hex(vector.details));
    check(`statuses: ${vector.rule}`, info?.reason === vector.rule);
  }
}

for (const run of [structures, inputs, trees, signatures, receipts, envelopes, statuses]) run();
for (const line of wrong) console.error(line);
console.log(`${done} checks, ${wrong.length} wrong`);
process.exitCode = wrong.length === 0 ? 0 : 1;
