#!/usr/bin/env node
// Fetch what a gateway has for a partner that can only call out, and hand in receipts.
import fs from 'node:fs';
import path from 'node:path';
import { Client, readConfig } from './client.mjs';
import { Fault } from './protobuf.mjs';
import { judge } from './envelopes.mjs';
import { takenIn } from './receipts.mjs';

const USAGE = `usage: node collect.mjs CLIENT.json FOLDER [WAIT_MS]

Fetches waiting messages with their files into FOLDER, one folder a message, then hands in a receipt
for each and prints one line of JSON. Waits up to WAIT_MS (default 0) for a first one. A message that
proves nothing gets no receipt. One that comes again gets the receipt it was given before.

Exit code 0: every message is settled, or there was none. 1: some are not. 2: wrong use.`;
const BATCH = 16;

/** Store a message and its files; return its receipt, the same bytes every time. */
async function keep(client, config, folder, raw) {
  const { header, headerBytes, body } = judge(raw, {
    peer: config.gateway.id,
    recipient: config.own.id,
    nowMs: Date.now(),
    keys: client.keys,
  });
  const own = path.join(folder, header.message_id.toString('hex'));
  const receipt = path.join(own, 'receipt.bin');
  if (!fs.existsSync(receipt)) {
    fs.mkdirSync(own, { recursive: true });
    fs.writeFileSync(path.join(own, 'envelope.bin'), raw);
    fs.writeFileSync(path.join(own, 'form.json'), body.form);
    for (const attachment of body.attachments) {
      const name = attachment.commitment.toString('hex');
      await client.download(header, attachment, path.join(own, name));
    }
    // A system of one's own judges the form here, and signs a refusal with its rule if need be.
    fs.writeFileSync(receipt, takenIn(client.signer, headerBytes, header, Date.now()));
  }
  return { id: header.message_id.toString('hex'), kind: header.kind, raw: fs.readFileSync(receipt) };
}

async function main([configFile, folder, waitMs = '0', ...more]) {
  if (folder === undefined || more.length > 0 || !/^[0-9]+$/.test(waitMs)) {
    console.error(USAGE);
    return 2;
  }
  const config = readConfig(configFile);
  const client = new Client(config);
  let open = 0;
  try {
    for (let wait = Number(waitMs); ; wait = 0) {
      const { envelopes } = await client.collect([], BATCH, wait);
      if (envelopes.length === 0) return open === 0 ? 0 : 1;
      const kept = [];
      for (const raw of envelopes) {
        try {
          kept.push(await keep(client, config, folder, raw));
        } catch (error) {
          if (!(error instanceof Fault)) throw error;
          open += 1;
          console.log(JSON.stringify({ rule: error.rule, text: error.message }));
        }
      }
      const { receipts } = await client.collect(kept.map((one) => one.raw), 0, 0);
      receipts.forEach(({ rule }, at) => {
        open += rule === '' ? 0 : 1;
        console.log(JSON.stringify({ message_id: kept[at].id, kind: kept[at].kind, rule }));
      });
    }
  } finally {
    await client.close();
  }
}

main(process.argv.slice(2)).then(
  (code) => { process.exitCode = code; },
  (error) => {
    console.error(`collect: ${error.rule ? error.rule + ': ' : ''}${error.message}`);
    process.exitCode = 1;
  },
);
