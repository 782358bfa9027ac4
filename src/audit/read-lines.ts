import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

import { MAX_LINE_BYTES } from './line.ts';

export interface Line {
  /** Without the newline; of a line that is too long, its beginning. Good until the next batch is asked for. */
  readonly bytes: Buffer;
  /** From 1, where reading began. */
  readonly number: number;
  /** Whether a newline ends it; only the last line can lack one. */
  readonly ended: boolean;
  /** Where the next line begins in the file. */
  readonly endOffset: number;
}

export interface ReadLinesOptions {
  /** Where to begin, which must be the beginning of a line. */
  readonly fromOffset?: number;
}

const CHUNK_BYTES = 256 * 1024;
/** A torn fragment and the record behind it fit in. */
const KEPT_BYTES = 3 * MAX_LINE_BYTES;

/**
 * The lines of a file, in batches, so that memory does not grow with the file, nor with lines that never end.
 * Throws the system’s errors.
 */
export async function* readLines(path: string, options: ReadLinesOptions = {}): AsyncGenerator<readonly Line[]> {
  const handle = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  try {
    if (!(await handle.stat()).isFile()) throw new Error('it must be a regular file');
    let position = options.fromOffset ?? 0;
    let number = 1;
    let rest = Buffer.alloc(0);
    for (;;) {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      const { bytesRead } = await handle.read(chunk, 0, CHUNK_BYTES, position);
      if (bytesRead === 0) break;
      const bytes = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
      const startOffset = position - rest.length;
      position += bytesRead;
      const lines: Line[] = [];
      let from = 0;
      for (let to = bytes.indexOf(0x0a); to !== -1; to = bytes.indexOf(0x0a, from)) {
        lines.push({ bytes: bytes.subarray(from, to), number: number++, ended: true, endOffset: startOffset + to + 1 });
        from = to + 1;
      }
      rest = bytes.subarray(from);
      // What is dropped of an endless line only makes it more wrong.
      if (rest.length > KEPT_BYTES) rest = rest.subarray(0, KEPT_BYTES);
      yield lines;
    }
    if (rest.length > 0) yield [{ bytes: rest, number, ended: false, endOffset: position }];
  } finally {
    await handle.close();
  }
}
