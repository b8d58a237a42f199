// A client of one gateway: delivers until there is a receipt it can believe.
import fs from 'node:fs';
import path from 'node:path';
import crypto from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { CallFailed, Channel } from './grpc.mjs';
import { Fault, decodeLoose, encode } from './protobuf.mjs';
import * as pb from './messages.mjs';
import { believe } from './receipts.mjs';
import { seal } from './envelopes.mjs';
import { commitment, readCertificates, readSigner } from './signing.mjs';

const SERVICE = '/kuayu.v1.Exchange/';
const ATTEMPTS_MAX = 6, RETRY_FIRST_MS = 500, RETRY_MS_MAX = 300_000, CHUNK_BYTES = 262_144;

/** Read the configuration; paths in it are relative to its file. */
export function readConfig(file) {
  const config = JSON.parse(fs.readFileSync(file, 'utf8'));
  const here = (name) => path.resolve(path.dirname(file), name);
  const { gateway, own } = config;
  return {
    gateway: {
      ...gateway,
      authorities: here(gateway.authorities),
      signing_certificates: gateway.signing_certificates.map(here),
    },
    own: Object.fromEntries(
      Object.entries(own).map(([name, value]) => [name, name === 'id' ? value : here(value)]),
    ),
  };
}

export class Client {
  constructor(config) {
    this.config = config;
    this.keys = readCertificates(config.gateway.signing_certificates);
    this.signer = readSigner(config.own.signing_key);
    this.channel = new Channel({
      address: config.gateway.address,
      serverName: config.gateway.server_name,
      authorities: config.gateway.authorities,
      certificate: config.own.transport_certificate,
      key: config.own.transport_key,
    });
  }

  /** Ask whether the exchange serves. */
  async serving() {
    const asked = { service: 'kuayu.v1.Exchange' };
    const method = '/grpc.health.v1.Health/Check';
    const { HealthCheckRequest: ask, HealthCheckResponse: answer } = pb;
    return (await this.channel.unary(method, ask, asked, answer, 5_000)).status === 1;
  }

  /** Seal a message, see `seal` in envelopes.mjs. Store what is returned before it is sent. */
  seal(message) {
    return seal(this.signer, this.config.own.id, this.config.gateway.id, message, Date.now());
  }

  /** Upload a file for a case of ours; return how the message's body names it. */
  async upload(file, caseKey, agreementDigest) {
    const content = fs.readFileSync(file.path);
    const salt = file.salt ?? crypto.randomBytes(32);
    const attachment = {
      material_code: file.material_code,
      name: path.basename(file.path),
      media_type: file.media_type,
      size: BigInt(content.length),
      salt,
      commitment: commitment(salt, content),
    };
    const ref = {
      ...caseKey,
      agreement_digest: agreementDigest,
      salt,
      commitment: attachment.commitment,
      size: attachment.size,
      media_type: attachment.media_type,
    };
    await this.#patiently(async () => {
      const { AttachmentRef: ask, AttachmentState: answer } = pb;
      const state = await this.channel.unary(SERVICE + 'AttachmentStatus', ask, ref, answer);
      if (!state.complete) await this.#send(ref, content, Number(state.held));
    });
    return attachment;
  }

  async #send(ref, content, held) {
    const chunks = [encode(pb.AttachmentChunk, { open: ref, offset: BigInt(held) })];
    for (let at = held; at < content.length; at += CHUNK_BYTES) {
      const data = content.subarray(at, at + CHUNK_BYTES);
      chunks.push(encode(pb.AttachmentChunk, { data, offset: BigInt(at) }));
    }
    await this.channel.call(SERVICE + 'UploadAttachment', chunks, 600_000);
  }

  async #patiently(act) {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await act();
      } catch (error) {
        const again = error instanceof CallFailed && (error.retry || error.wrongOffset);
        if (!again || attempt >= ATTEMPTS_MAX) throw error;
        await sleep(waitMs(attempt, error.retryAfterMs));
      }
    }
  }

  /**
   * Deliver sealed messages, the same bytes until each has an answer to keep.
   *
   * Returns one outcome each: {receipt, ...what it says}, or {rule, retry, textEn} if it was not
   * taken in and waiting did not help. A receipt that cannot be believed is no answer.
   */
  async deliver(sealed, attemptsMax = ATTEMPTS_MAX) {
    const found = new Array(sealed.length).fill(undefined);
    for (let attempt = 1; ; attempt += 1) {
      const open = sealed.map((_, at) => at).filter((at) => found[at]?.final !== true);
      let waitAtLeastMs = 0;
      try {
        const answers = await this.#deliverOnce(open.map((at) => sealed[at]));
        open.forEach((at, n) => {
          found[at] = this.#read(answers[n], sealed[at]);
          waitAtLeastMs = Math.max(waitAtLeastMs, found[at].retryAfterMs ?? 0);
        });
      } catch (error) {
        if (!(error instanceof CallFailed)) throw error;
        for (const at of open) {
          found[at] = { rule: error.rule || 'no answer', textEn: error.message, final: !error.retry };
        }
        waitAtLeastMs = error.retryAfterMs;
      }
      if (attempt >= attemptsMax || found.every((one) => one.final)) return found;
      await sleep(waitMs(attempt, waitAtLeastMs));
    }
  }

  async #deliverOnce(sealed) {
    const asked = { envelopes: sealed.map((one) => one.envelope) };
    const { DeliverRequest: ask, DeliverResponse: answer } = pb;
    const { deliveries } = await this.channel.unary(SERVICE + 'Deliver', ask, asked, answer);
    if (deliveries.length !== sealed.length) throw new CallFailed(14, 'not as many answers');
    return deliveries;
  }

  #read(delivery, sealed) {
    if (delivery.signed_receipt !== undefined) {
      try {
        const said = believe(delivery.signed_receipt, sealed, this.keys, Date.now());
        return { ...said, receipt: delivery.signed_receipt, final: true };
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        return { rule: error.rule, textEn: 'a receipt that proves nothing', final: false };
      }
    }
    const told = delivery.not_taken_in;
    if (told === undefined) return { rule: 'no answer', final: false };
    const { rule, text_zh: textZh, text_en: textEn, retry_after_ms: retryAfterMs } = told;
    return { outcome: 'not_taken_in', rule, textZh, textEn, retryAfterMs, final: !told.retry };
  }

  /** Hand in receipts, then fetch up to `most` envelopes, waiting up to `waitMs` for a first. */
  async collect(signedReceipts, most, waitMs) {
    const asked = { signed_receipts: signedReceipts, envelopes_max: most, wait_ms_max: waitMs };
    const { CollectRequest: ask, CollectResponse: answer } = pb;
    return this.#patiently(() =>
      this.channel.unary(SERVICE + 'Collect', ask, asked, answer, waitMs + 20_000));
  }

  /** Write an attachment to `target`, from where an earlier call broke off; check it. */
  async download(header, attachment, target) {
    const { case_origin, case_id, agreement_digest } = header;
    const { salt, commitment: named, size, media_type } = attachment;
    const ref = { case_origin, case_id, agreement_digest, salt, commitment: named, size, media_type };
    await this.#patiently(async () => {
      const offset = BigInt(fs.existsSync(target) ? fs.statSync(target).size : 0);
      const asked = encode(pb.FetchAttachmentRequest, { attachment: ref, offset });
      await this.channel.call(SERVICE + 'FetchAttachment', [asked], 600_000, (part) =>
        fs.appendFileSync(target, decodeLoose(pb.AttachmentChunk, part).data));
    });
    const content = fs.readFileSync(target);
    if (BigInt(content.length) !== size || !commitment(salt, content).equals(named)) {
      fs.rmSync(target);
      throw new Fault('attachment.digest', path.basename(target));
    }
  }

  close() {
    return this.channel.close();
  }
}

function waitMs(attempt, atLeastMs) {
  const base = Math.min(RETRY_FIRST_MS * 2 ** (attempt - 1), RETRY_MS_MAX);
  return Math.max(base * (0.8 + 0.4 * Math.random()), atLeastMs);
}
