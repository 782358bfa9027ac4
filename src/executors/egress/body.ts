import type { IncomingMessage } from 'node:http';
import { Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';

import { EgressProblem } from './result.ts';

const MAX_ENCODINGS = 2;

const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

export interface ReadBodyOptions {
  readonly maxBytes: number;
  /** False when the response describes a body without having one: HEAD, 204, 304. */
  readonly hasBody: boolean;
  readonly signal: AbortSignal;
}

/**
 * Reads a response’s body as text. Neither what is sent nor what it decodes to may pass `maxBytes`; the connection is
 * gone at the first byte too many, so that a decompression bomb costs no more than that. Rejects with EgressProblem,
 * or with the signal’s reason.
 */
export async function readBody(response: IncomingMessage, { maxBytes, hasBody, signal }: ReadBodyOptions): Promise<string> {
  const decoded: Buffer[] = [];
  try {
    const stages = [capBytes(maxBytes), ...(hasBody ? decodersOf(response) : []), capBytes(maxBytes)];
    await pipeline([response, ...stages, collectInto(decoded)], { signal });
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error instanceof EgressProblem) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new EgressProblem('bad-response', `the body broke off or could not be decoded (${code})`);
  } finally {
    response.destroy();
  }
  return new TextDecoder().decode(Buffer.concat(decoded));
}

/** RFC 9110 §8.4: codings are listed in the order they were applied. */
function decodersOf({ headers }: IncomingMessage): Transform[] {
  const codings = (headers['content-encoding'] ?? '')
    .split(',')
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== '' && coding !== 'identity');
  if (codings.length > MAX_ENCODINGS)
    throw new EgressProblem('bad-response', `the body is encoded ${codings.length} times, at most ${MAX_ENCODINGS} are decoded`);
  return codings.toReversed().map((coding) => {
    const create = Object.hasOwn(DECODERS, coding) ? DECODERS[coding] : undefined;
    if (create === undefined)
      throw new EgressProblem('bad-response', `the body has the encoding ${JSON.stringify(coding.slice(0, 40))}, which was not asked for`);
    return create();
  });
}

function capBytes(maxBytes: number): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > maxBytes) done(new EgressProblem('too-large', `the response is larger than ${maxBytes} bytes`));
      else done(null, chunk);
    },
  });
}

const collectInto = (chunks: Buffer[]): Writable =>
  new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
