import { hash } from 'node:crypto';

import { RECORD_VERSION, type RecordKind } from './record.ts';

/** What the first record of a chain names as the one before it. */
export const NO_HASH = '0'.repeat(64);

/** No line is longer; a writer shrinks what would be, a reader refuses it. */
export const MAX_LINE_BYTES = 64 * 1024;

/** How every line begins; a fragment that begins otherwise was not torn off a record. */
const LINE_START = `{"v":${RECORD_VERSION},"chain":"`;

const HEADER =
  /^\{"v":1,"chain":"([0-9a-f]{16})","seq":(0|[1-9]\d{0,14}),"prev":"([0-9a-f]{64})","time":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)","kind":"(intent|outcome|event|open|close)",/;
const FRAGMENT_HEADER = /^\{"v":1,"chain":"([0-9a-f]{16})","seq":(0|[1-9]\d{0,14}),/;
/** More than any header has. */
const HEADER_BYTES = 256;
/** `,"hash":"<64 hex>"}` */
const SEAL_BYTES = 75;
const SEAL = /^,"hash":"([0-9a-f]{64})"\}$/;

export interface LineHeader {
  readonly chain: string;
  readonly seq: number;
  readonly prev: string;
  /** UTC with milliseconds, as `Date.toISOString` prints it. */
  readonly time: string;
  readonly kind: RecordKind;
}

export interface SealedLine {
  /** With its newline; a part of the scratch buffer, good until the next seal. */
  readonly bytes: Buffer;
  readonly hash: string;
}

/**
 * Builds the line of a record in `scratch`. Its hash is the SHA-256 of every byte of the line before `,"hash":`; since
 * `prev` is among them, each hash covers the whole chain up to it. `fieldsJson` is the JSON of an object with at least
 * one member and none of the header’s. Undefined when the line would be longer than `MAX_LINE_BYTES`.
 */
export function trySealLine(header: LineHeader, fieldsJson: string, scratch: Buffer): SealedLine | undefined {
  const body = `${LINE_START}${header.chain}","seq":${header.seq},"prev":"${header.prev}","time":"${header.time}","kind":"${header.kind}",${fieldsJson.slice(1, -1)}`;
  const maxBytes = Math.min(scratch.length - 1, MAX_LINE_BYTES) - SEAL_BYTES;
  // A UTF-16 unit is at most 3 bytes, so that most lines need no counting.
  if (body.length * 3 > maxBytes && Buffer.byteLength(body) > maxBytes) return undefined;
  const length = scratch.write(body, 0, 'utf8');
  const digest = hash('sha256', scratch.subarray(0, length), 'hex');
  const end = length + scratch.write(`,"hash":"${digest}"}\n`, length, 'latin1');
  return { bytes: scratch.subarray(0, end), hash: digest };
}

/** The header and hash of a line, newline excluded, whose hash is right; undefined when it is anything else. */
export function tryOpenLine(line: Buffer): (LineHeader & { readonly hash: string }) | undefined {
  if (line.length <= SEAL_BYTES || line.length > MAX_LINE_BYTES) return undefined;
  const seal = SEAL.exec(line.toString('latin1', line.length - SEAL_BYTES))?.[1];
  const header = HEADER.exec(line.toString('latin1', 0, HEADER_BYTES));
  if (seal === undefined || header === null) return undefined;
  if (hash('sha256', line.subarray(0, line.length - SEAL_BYTES), 'hex') !== seal) return undefined;
  const [, chain = '', seq = '', prev = '', time = '', kind = ''] = header;
  return { chain, seq: Number(seq), prev, time, kind: kind as RecordKind, hash: seal };
}

/** Where a record begins in a line that starts with a fragment; undefined when no whole record ends it. */
export function tryFindRecord(line: Buffer): number | undefined {
  for (let at = line.indexOf(LINE_START, 1); at !== -1; at = line.indexOf(LINE_START, at + 1)) {
    if (tryOpenLine(line.subarray(at)) !== undefined) return at;
  }
  return undefined;
}

/** Which record a torn line was going to be; undefined when too little of it is there to tell. */
export function tryIdentifyFragment(fragment: Buffer): { readonly chain: string; readonly seq: number } | undefined {
  const found = FRAGMENT_HEADER.exec(fragment.toString('latin1', 0, HEADER_BYTES));
  return found?.[1] === undefined ? undefined : { chain: found[1], seq: Number(found[2]) };
}

/** Whether a torn record could look like this. */
export function isFragment(bytes: Buffer): boolean {
  const start = bytes.toString('latin1', 0, LINE_START.length);
  if (start === '' || !LINE_START.startsWith(start)) return false;
  return bytes.length < HEADER_BYTES || tryIdentifyFragment(bytes) !== undefined;
}
