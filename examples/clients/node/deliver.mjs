#!/usr/bin/env node
// Deliver messages to a gateway and verify each receipt.
import fs from 'node:fs';
import path from 'node:path';
import { Client, readConfig } from './client.mjs';
import { uuid7 } from './envelopes.mjs';
import { numberOf } from './messages.mjs';
import { sha256 } from './signing.mjs';

const USAGE = `usage: node deliver.mjs CLIENT.json MESSAGE.json [--out FOLDER] [--times N] [--attempts N]

Delivers the message in MESSAGE.json, N times under ids of their own in one call (default 1), and
verifies the receipts. What has no answer is sent again, --attempts times in all (default 6),
longer apart each time. Prints one line of JSON for each. With --out it keeps the envelope, the
receipt and what verify.mjs needs, before anything is sent. README.md shows both files.

Exit code 0: all taken in. 1: refused or not taken in. 2: wrong use.`;

function options(args) {
  const found = { out: undefined, times: 1, attempts: 6, files: [] };
  for (let at = 0; at < args.length; at += 1) {
    if (args[at] === '--out') found.out = args[++at];
    else if (args[at] === '--times') found.times = Number(args[++at]);
    else if (args[at] === '--attempts') found.attempts = Number(args[++at]);
    else found.files.push(args[at]);
  }
  const counts = found.times >= 1 && found.times <= 256 && found.attempts >= 1;
  return counts && found.files.length === 2 ? found : undefined;
}

/** Return what `seal` takes: names become numbers, files are uploaded, a case gets its id. */
async function prepare(client, config, file) {
  const said = JSON.parse(fs.readFileSync(file, 'utf8'));
  const of = (name) => path.resolve(path.dirname(file), name);
  if (said.case === undefined) return { kind: said.kind, form: said.form };
  const { agreement, mode, delegated_right: right = 'RIGHT_NONE', ...header } = said.case;
  const key = { case_origin: config.own.id, case_id: uuid7(Date.now()) };
  const digest = sha256(fs.readFileSync(of(agreement)));
  const attachments = [];
  for (const given of said.files ?? []) {
    attachments.push(await client.upload({ ...given, path: of(given.path) }, key, digest));
  }
  return {
    kind: said.kind,
    form: said.form,
    attachments,
    header: {
      ...header,
      ...key,
      sequence: 1,
      agreement_digest: digest,
      mode: numberOf(mode),
      delegated_right: numberOf(right),
      strength: numberOf('STRENGTH_SIGNED'),
    },
  };
}

function keep(folder, at, sealed) {
  const { envelope, messageId, headerDigest, ...rest } = sealed;
  const text = { ...rest, messageId: messageId.toString('hex'), headerDigest: headerDigest.toString('hex') };
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, `${at}.envelope.bin`), envelope);
  fs.writeFileSync(path.join(folder, `${at}.sent.json`), JSON.stringify(text, null, 1) + '\n');
}

async function main() {
  const given = options(process.argv.slice(2));
  if (given === undefined) {
    console.error(USAGE);
    return 2;
  }
  const config = readConfig(given.files[0]);
  const client = new Client(config);
  try {
    if (!(await client.serving())) throw new Error('the gateway does not serve now');
    const sealed = [];
    for (let at = 0; at < given.times; at += 1) {
      const message = await prepare(client, config, given.files[1]);
      sealed.push({ ...client.seal(message), caseId: message.header?.case_id.toString('hex') ?? '' });
      if (given.out !== undefined) keep(given.out, at, sealed[at]);
    }
    const outcomes = await client.deliver(sealed, given.attempts);
    outcomes.forEach(({ receipt, final: _, ...said }, at) => {
      if (given.out !== undefined && receipt !== undefined) {
        fs.writeFileSync(path.join(given.out, `${at}.receipt.bin`), receipt);
      }
      const ids = { message_id: sealed[at].messageId.toString('hex'), case_id: sealed[at].caseId };
      console.log(JSON.stringify({ ...ids, ...said }));
    });
    return outcomes.every((one) => one.outcome === 'taken_in') ? 0 : 1;
  } finally {
    await client.close();
  }
}

main().then(
  (code) => { process.exitCode = code; },
  (error) => {
    console.error(`deliver: ${error.rule ? error.rule + ': ' : ''}${error.message}`);
    process.exitCode = 1;
  },
);
