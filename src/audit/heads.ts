import { appendFileSync, closeSync, constants, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import { z } from 'zod';

/**
 * Where a chain stands, kept beside the journal, so that records dropped off its end are missed.
 * A running chain has a file of its own, a closed one a line in `closed.jsonl`.
 */
const HeadSchema = z.strictObject({
  chain: z.string().regex(/^[0-9a-f]{16}$/),
  seq: z.int().min(-1).describe('-1 before the first record'),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
});
export type Head = z.infer<typeof HeadSchema>;
export interface FoundHead extends Head {
  readonly closed: boolean;
}

const CLOSED = 'closed.jsonl';
/** Fixed, so that one write in place replaces the whole of it. */
const HEAD_BYTES = 160;

export const headsDirectory = (directory: string): string => join(directory, 'heads');

export interface HeadWriter {
  /** Moves the head; cheap, in place. */
  write(head: Head): void;
  /** Hands the last head over to `closed.jsonl`. */
  close(head: Head): void;
}

/** Makes the head file of a new chain, mode 0600. All of its functions throw the system’s errors. */
export function createHeadWriter(directory: string, chain: string): HeadWriter {
  const heads = headsDirectory(directory);
  const path = join(heads, `${chain}.json`);
  mkdirSync(heads, { recursive: true, mode: 0o700 });
  const descriptor = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  return {
    write(head) {
      writeSync(descriptor, `${JSON.stringify(head).padEnd(HEAD_BYTES - 1)}\n`, 0);
    },
    close(head) {
      // Appended before the file goes: a reader that looks between the two finds both, never neither.
      appendFileSync(join(heads, CLOSED), `${JSON.stringify(head)}\n`, { mode: 0o600, flag: 'a' });
      closeSync(descriptor);
      rmSync(path, { force: true });
    },
  };
}

export interface Heads {
  readonly byChain: ReadonlyMap<string, FoundHead>;
  /** Files and lines that are no heads. */
  readonly unreadable: readonly { readonly file: string; readonly line: number }[];
}

/** Reads all heads. A missing directory has none; other errors of the system are thrown. */
export function readHeads(directory: string): Heads {
  const heads = headsDirectory(directory);
  const byChain = new Map<string, FoundHead>();
  const unreadable: { file: string; line: number }[] = [];
  const take = (text: string, file: string, line: number): void => {
    const head = tryParseHead(text);
    if (head === undefined) unreadable.push({ file: `heads/${file}`, line });
    else byChain.set(head.chain, { ...head, closed: file === CLOSED });
  };
  const running = tryRead(() => readdirSync(heads))?.filter((name) => name.endsWith('.json')) ?? [];
  for (const name of running) {
    const text = tryRead(() => readFileSync(join(heads, name), 'utf8'));
    // Empty: the process ended, or lost power, before its first record was anchored.
    if (text !== undefined && text.trim() !== '') take(text, name, 1);
    else if (text !== undefined) byChain.set(name.slice(0, -'.json'.length), { chain: name, seq: -1, hash: '', closed: false });
  }
  // Read last: a chain that closes meanwhile is in here by the time that its file is gone.
  const closed = tryRead(() => readFileSync(join(heads, CLOSED), 'utf8'))?.split('\n') ?? [];
  closed.forEach((text, index) => {
    if (text !== '') take(text, CLOSED, index + 1);
  });
  return { byChain, unreadable };
}

function tryParseHead(text: string): Head | undefined {
  try {
    return HeadSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function tryRead<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
