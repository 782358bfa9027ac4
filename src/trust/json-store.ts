import { randomUUID } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

import type { z } from 'zod';

import { HostError, reasonOf } from '../errors.ts';
import { withLock } from './lock-file.ts';

export interface JsonStoreOptions<Content> {
  /** Absolute path; its directory is made with mode 0700 on the first write. */
  readonly file: string;
  readonly schema: z.ZodType<Content>;
  /** What a missing file means. */
  readonly empty: Content;
  /** The error for a file that cannot be used. */
  readonly invalid: 'TRUST_GRANTS_INVALID' | 'TRUST_STORE_INVALID';
}

/** A small JSON document of the person’s own, shared by every process of theirs. */
export interface JsonStore<Content> {
  /** What is stored now. Reads the file only when it changed; throws the store’s error when it cannot be used. */
  read(): Content;
  /** Replaces the content by what `change` makes of it, one process at a time; returns the new content. */
  update(change: (content: Content) => Content): Content;
  /** Grows whenever `read` would answer differently from before. */
  version(): number;
}

const MAX_STORE_BYTES = 8 * 1024 * 1024;
const OTHERS_MAY_WRITE = 0o022;

/** Opens a store; nothing is touched before the first read or update. */
export function createJsonStore<Content>(options: JsonStoreOptions<Content>): JsonStore<Content> {
  const { file } = options;
  let known: { readonly stamp: string; readonly content: Content; readonly version: number } | undefined;
  const refresh = (): { readonly content: Content; readonly version: number } => {
    const stamp = stampOf(file);
    if (known === undefined || known.stamp !== stamp) known = { stamp, content: readContent(options), version: (known?.version ?? 0) + 1 };
    return known;
  };
  return {
    read: () => refresh().content,
    version: () => refresh().version,
    update: (change) => {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      return withLock(`${file}.lock`, () => {
        const content = change(readContent(options));
        writeContent(file, `${JSON.stringify(content, undefined, 2)}\n`);
        return content;
      });
    },
  };
}

function stampOf(file: string): string {
  const stat = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? 'missing' : `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}:${stat.mode}`;
}

function readContent<Content>({ file, schema, empty, invalid }: JsonStoreOptions<Content>): Content {
  const fail = (reason: string, cause?: unknown): HostError => new HostError(invalid, { file, reason }, { cause });
  let descriptor: number;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return empty;
    throw fail(reasonOf(error), error);
  }
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) throw fail('it is not a regular file');
    if (process.platform !== 'win32' && (stat.mode & OTHERS_MAY_WRITE) !== 0) throw fail('others may write it; its mode must be 0600');
    if (stat.size > MAX_STORE_BYTES) throw fail(`it has ${stat.size} bytes, at most ${MAX_STORE_BYTES} are allowed`);
    const read = schema.safeParse(parseJson(readFileSync(descriptor, 'utf8'), fail));
    if (read.success) return read.data;
    const issue = read.error.issues[0];
    throw fail(`${issue?.path.join('.') || 'the document'}: ${issue?.message ?? 'it has another form'}`);
  } finally {
    closeSync(descriptor);
  }
}

function parseJson(text: string, fail: (reason: string, cause?: unknown) => HostError): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw fail(`it is not valid JSON: ${reasonOf(error)}`, error);
  }
}

/** Replaces a file whole: after a crash at any moment there is the old text or the new one. */
function writeContent(file: string, text: string): void {
  const temporary = `${file}.${randomUUID()}.tmp`;
  try {
    const descriptor = openSync(temporary, 'wx', 0o600);
    try {
      writeSync(descriptor, text);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncDirectory(dirname(file));
}

function syncDirectory(directory: string): void {
  if (process.platform === 'win32') return;
  const descriptor = openSync(directory, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
