#!/usr/bin/env node
// Verify a receipt that deliver.mjs has kept: long after, without a connection.
import fs from 'node:fs';
import { readConfig } from './client.mjs';
import { Fault } from './protobuf.mjs';
import { believe } from './receipts.mjs';
import { readCertificates } from './signing.mjs';

const files = process.argv.slice(2);
if (files.length !== 3) {
  console.error('usage: node verify.mjs CLIENT.json SENT.json RECEIPT.bin');
  process.exitCode = 2;
} else {
  const config = readConfig(files[0]);
  const kept = JSON.parse(fs.readFileSync(files[1], 'utf8'));
  const sent = {
    ...kept,
    messageId: Buffer.from(kept.messageId, 'hex'),
    headerDigest: Buffer.from(kept.headerDigest, 'hex'),
  };
  const keys = readCertificates(config.gateway.signing_certificates);
  try {
    console.log(JSON.stringify(believe(fs.readFileSync(files[2]), sent, keys, Date.now())));
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    console.log(JSON.stringify({ rule: error.rule, text: error.message }));
    process.exitCode = 1;
  }
}
