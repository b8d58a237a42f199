// gRPC over node:http2 with a client certificate: docs/wire.md sections 1 and 10.
import fs from 'node:fs';
import http2 from 'node:http2';
import { decodeLoose, encode } from './protobuf.mjs';
import { ErrorInfo, Status } from './messages.mjs';

const ANSWER_BYTES_MAX = 20 * 1024 * 1024;
const UNAVAILABLE = 14, OUT_OF_RANGE = 11;

/** A call ended with a status that is not OK; `rule` is empty if the gateway named none. */
export class CallFailed extends Error {
  constructor(code, message, details) {
    super(message);
    this.code = code;
    const info = details === undefined ? undefined : errorInfo(details);
    this.rule = info?.reason ?? '';
    this.textZh = info?.metadata.text_zh ?? '';
    this.textEn = info?.metadata.text_en ?? '';
    this.retry = info === undefined ? code === UNAVAILABLE || code === 4 : info.metadata.retry === 'true';
    this.retryAfterMs = Number(info?.metadata.retry_after_ms ?? 0);
  }

  get wrongOffset() {
    return this.code === OUT_OF_RANGE;
  }
}

/** Return the ErrorInfo of an encoded google.rpc.Status; undefined if there is none of ours. */
export function errorInfo(details) {
  for (const packed of decodeLoose(Status, details).details) {
    if (!packed.type_url.endsWith('/google.rpc.ErrorInfo')) continue;
    const info = decodeLoose(ErrorInfo, packed.value);
    if (info.domain !== 'kuayu.v1') continue;
    const metadata = Object.fromEntries(info.metadata.map((e) => [e.key, e.value]));
    return { reason: info.reason, metadata };
  }
  return undefined;
}

function frame(raw) {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(raw.length, 1);
  return Buffer.concat([head, raw]);
}

/** One connection to a gateway. */
export class Channel {
  /** `tls`: {address, serverName, authorities, certificate, key}, the last three paths of PEM. */
  constructor(tls) {
    this.session = http2.connect(`https://${tls.address}`, {
      ca: fs.readFileSync(tls.authorities),
      cert: fs.readFileSync(tls.certificate),
      key: fs.readFileSync(tls.key),
      servername: tls.serverName,
      minVersion: 'TLSv1.2',
    });
    this.broken = undefined;
    this.session.on('error', (error) => { this.broken = error; }); // each call under way tells it
  }

  /**
   * Call `method` with encoded requests; return the encoded answers. Throws CallFailed.
   *
   * With `each`, every answer is given to it as it comes, and none is kept.
   */
  call(method, requests, timeoutMs = 20_000, each = undefined) {
    return new Promise((resolve, reject) => {
      if (this.session.destroyed) {
        reject(this.#down());
        return;
      }
      const stream = this.session.request({
        ':method': 'POST',
        ':path': method,
        'content-type': 'application/grpc',
        te: 'trailers',
        'grpc-timeout': `${timeoutMs}m`,
      });
      const got = [];
      let rest = Buffer.alloc(0), ended, failed;
      const told = (headers) => {
        if (headers['grpc-status'] !== undefined) ended = headers;
      };
      stream.setTimeout(timeoutMs + 1_000, () => stream.close(http2.constants.NGHTTP2_CANCEL));
      stream.on('response', told);
      stream.on('trailers', told);
      stream.on('data', (part) => {
        try {
          const [answers, left] = unframed(Buffer.concat([rest, part]));
          rest = left;
          for (const answer of answers) (each ?? ((one) => got.push(one)))(answer);
        } catch (error) {
          failed = error;
          stream.close(http2.constants.NGHTTP2_CANCEL);
        }
      });
      stream.on('error', (error) => reject(this.#down(error)));
      stream.on('close', () => {
        if (failed !== undefined) {
          reject(failed);
        } else if (ended === undefined) {
          reject(this.#down());
        } else if (Number(ended['grpc-status']) !== 0) {
          const details = ended['grpc-status-details-bin'];
          const message = decodeURIComponent(ended['grpc-message'] ?? '');
          const raw = details === undefined ? undefined : Buffer.from(details, 'base64');
          reject(new CallFailed(Number(ended['grpc-status']), message, raw));
        } else if (rest.length > 0) {
          reject(new CallFailed(UNAVAILABLE, 'half a frame'));
        } else {
          resolve(got);
        }
      });
      for (const request of requests) stream.write(frame(request));
      stream.end();
    });
  }

  #down(error) {
    return new CallFailed(UNAVAILABLE, (this.broken ?? error)?.message ?? 'no answer');
  }

  /** Call a unary method: one value in, one value out. */
  async unary(method, askType, asked, answerType, timeoutMs) {
    const answers = await this.call(method, [encode(askType, asked)], timeoutMs);
    if (answers.length !== 1) throw new CallFailed(UNAVAILABLE, 'not one answer');
    return decodeLoose(answerType, answers[0]);
  }

  close() {
    if (this.session.destroyed) return Promise.resolve();
    return new Promise((resolve) => { this.session.close(resolve); });
  }
}

/** Return the whole messages at the beginning of `raw`, and what is left. */
function unframed(raw) {
  const found = [];
  let at = 0;
  while (raw.length - at >= 5) {
    const size = raw.readUInt32BE(at + 1);
    if (raw[at] !== 0 || size > ANSWER_BYTES_MAX) throw new CallFailed(UNAVAILABLE, 'not a frame');
    if (raw.length < at + 5 + size) break;
    found.push(raw.subarray(at + 5, at + 5 + size));
    at += 5 + size;
  }
  return [found, raw.subarray(at)];
}
