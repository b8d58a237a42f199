// Protobuf by hand: writes the one encoding of docs/wire.md section 2, and reads nothing else.
//
// A message type is a list of fields {number, name, kind, repeated, oneof}. `kind` is one of
// uint32, int64, uint64, bool, enum, bytes, string, or another message type.
// 64-bit integers are BigInt, bytes are Buffer.

/** A rule of the wire that is broken: `rule` is its id. */
export class Fault extends Error {
  constructor(rule, detail = '') {
    super(detail ? `${rule}: ${detail}` : rule);
    this.rule = rule;
  }
}

const VARINT = 0, FIXED64 = 1, LENGTH = 2, GROUP = 3, END = 4, FIXED32 = 5;
const DEPTH_MAX = 100;
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const isMessage = (kind) => typeof kind === 'object';
const wireType = (kind) => (isMessage(kind) || kind === 'bytes' || kind === 'string' ? LENGTH : VARINT);

function varint(value) {
  let left = BigInt.asUintN(64, BigInt(value));
  const out = [];
  while (left > 0x7fn) {
    out.push(Number(left & 0x7fn) | 0x80);
    left >>= 7n;
  }
  out.push(Number(left));
  return Buffer.from(out);
}

function lengthDelimited(raw) {
  return Buffer.concat([varint(raw.length), raw]);
}

function encodeOne(kind, value) {
  if (isMessage(kind)) return lengthDelimited(encode(kind, value));
  if (kind === 'bytes') return lengthDelimited(value);
  if (kind === 'string') return lengthDelimited(Buffer.from(value, 'utf8'));
  return varint(value === true ? 1 : value === false ? 0 : value);
}

function isDefault(kind, value) {
  if (isMessage(kind)) return false; // present, even if empty
  if (kind === 'bytes' || kind === 'string') return value.length === 0;
  return BigInt(value) === 0n;
}

/** Write a value: fields in order of number, defaults left out (but for members of a oneof). */
export function encode(type, value) {
  const parts = [];
  for (const field of type.fields) {
    const given = value[field.name];
    if (given === undefined || given === null) continue;
    const tag = varint((field.number << 3) | wireType(field.kind));
    for (const one of field.repeated ? given : [given]) {
      if (!field.repeated && !field.oneof && isDefault(field.kind, one)) continue;
      parts.push(tag, encodeOne(field.kind, one));
    }
  }
  return Buffer.concat(parts);
}

class Reader {
  constructor(raw) {
    this.raw = raw;
    this.at = 0;
  }

  get ended() {
    return this.at >= this.raw.length;
  }

  varint() {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (this.ended) throw new Fault('wire.unparseable', 'varint');
      const byte = this.raw[this.at++];
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new Fault('wire.unparseable', 'varint');
  }

  take(size) {
    if (size > BigInt(this.raw.length - this.at)) throw new Fault('wire.unparseable', 'length');
    const begin = this.at;
    this.at += Number(size);
    return this.raw.subarray(begin, this.at);
  }

  tag() {
    const tag = this.varint();
    const number = tag >> 3n;
    if (number === 0n || number > 0x1fffffffn) throw new Fault('wire.unparseable', 'field number');
    return [Number(number), Number(tag & 7n)];
  }

  skip(number, type, depth = 0) {
    if (depth > DEPTH_MAX) throw new Fault('wire.unparseable', 'depth');
    if (type === VARINT) this.varint();
    else if (type === FIXED64) this.take(8n);
    else if (type === FIXED32) this.take(4n);
    else if (type === LENGTH) this.take(this.varint());
    else if (type === GROUP) this.skipGroup(number, depth);
    else throw new Fault('wire.unparseable', 'wire type');
  }

  skipGroup(number, depth) {
    for (;;) {
      const [inner, type] = this.tag();
      if (type === END && inner === number) return;
      this.skip(inner, type, depth + 1);
    }
  }
}

function scalar(kind, value) {
  switch (kind) {
    case 'bool': return value !== 0n;
    case 'int64': return BigInt.asIntN(64, value);
    case 'uint64': return value;
    case 'enum': return Number(BigInt.asIntN(32, value));
    default: return Number(BigInt.asUintN(32, value));
  }
}

function text(raw) {
  try {
    return UTF8.decode(raw);
  } catch {
    throw new Fault('wire.unparseable', 'UTF-8');
  }
}

function empty(kind) {
  if (isMessage(kind)) return undefined;
  if (kind === 'bytes') return Buffer.alloc(0);
  if (kind === 'string') return '';
  if (kind === 'bool') return false;
  return kind === 'int64' || kind === 'uint64' ? 0n : 0;
}

function parse(type, raw, seen) {
  const value = {};
  for (const field of type.fields) {
    value[field.name] = field.repeated ? [] : field.oneof ? undefined : empty(field.kind);
  }
  const reader = new Reader(raw);
  while (!reader.ended) {
    const [number, wire] = reader.tag();
    const field = type.fields.find((f) => f.number === number);
    if (field === undefined || wire !== wireType(field.kind)) {
      reader.skip(number, wire);
      seen.unknown = true;
      continue;
    }
    let one;
    if (wire === VARINT) one = scalar(field.kind, reader.varint());
    else {
      const inside = reader.take(reader.varint());
      if (isMessage(field.kind)) one = parse(field.kind, inside, seen);
      else one = field.kind === 'string' ? text(inside) : inside;
    }
    if (field.repeated) value[field.name].push(one);
    else value[field.name] = one;
  }
  return value;
}

/** Read strictly: writing the value again must give the same bytes. Throws Fault. */
export function decodeStrict(type, raw) {
  const seen = { unknown: false };
  const value = parse(type, raw, seen);
  if (seen.unknown) throw new Fault('wire.unknown_field', type.name);
  if (!encode(type, value).equals(raw)) throw new Fault('wire.not_minimal', type.name);
  return value;
}

/** Read an unsigned answer: fields that a later version adds are passed over. */
export function decodeLoose(type, raw) {
  return parse(type, raw, { unknown: false });
}
