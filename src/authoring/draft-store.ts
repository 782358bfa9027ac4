import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { readPluginFile } from '../manifest/plugin-file.ts';
import { isSafeRelativePath } from '../manifest/text.ts';
import { DraftStateSchema, type DraftState } from './attempts.ts';

/** Bounds of what clients may leave on the disk. */
export const DRAFT_LIMITS = {
  /** Drafts at a time, closed ones included. */
  drafts: 20,
  /** Files of one draft. */
  files: 64,
  /** Bytes of one draft. */
  bytes: 1024 * 1024,
  /** A draft that nobody changed for so long is removed. */
  idleMs: 7 * 86_400_000,
} as const;

/** Relative path → bytes. */
export type DraftFiles = ReadonlyMap<string, Uint8Array>;

/** The drafts on the disk: a directory for each, and its state in a hidden file beside it. */
export interface DraftStore {
  directoryOf(name: string): string;
  /** Undefined when there is no such draft, or nothing that we wrote. */
  state(name: string): DraftState | undefined;
  /** The files of a draft, relative to its directory. */
  fileNames(name: string): readonly string[];
  /** How many there are. */
  count(): number;
  /** Puts files in the place of those before, whole. Throws what the file system says. */
  write(name: string, files: DraftFiles, state: DraftState): void;
  setState(name: string, state: DraftState): void;
  remove(name: string): void;
  /** Removes what nobody has changed for long, and what killed processes left. */
  expire(nowMs: number): void;
}

const STATE_SUFFIX = '.json';
const TEMPORARY = '.new-';
const LEFTOVER_MS = 3_600_000;

/** Opens the drafts in a directory, which is made with mode 0700 by the first of them. Names are safe names. */
export function createDraftStore(directory: string): DraftStore {
  const directoryOf = (name: string): string => join(directory, name);
  const stateFile = (name: string): string => join(directory, `.${name}${STATE_SUFFIX}`);
  const list = (): readonly string[] => tryList(directory).filter((name) => !name.startsWith('.'));
  const setState = (name: string, state: DraftState): void => {
    const temporary = join(directory, `${TEMPORARY}${randomUUID()}`);
    writeFileSync(temporary, JSON.stringify(state), { flag: 'wx', mode: 0o600 });
    renameSync(temporary, stateFile(name));
  };
  const remove = (name: string): void => {
    rmSync(directoryOf(name), { recursive: true, force: true });
    rmSync(stateFile(name), { force: true });
  };
  const state = (name: string): DraftState | undefined => {
    try {
      statSync(directoryOf(name));
      return DraftStateSchema.parse(JSON.parse(readFileSync(stateFile(name), 'utf8')));
    } catch {
      return undefined;
    }
  };
  return {
    directoryOf,
    state,
    setState,
    remove,
    count: () => list().length,
    fileNames: (name) =>
      tryList(directoryOf(name), true)
        .filter((file) => statSync(join(directoryOf(name), file), { throwIfNoEntry: false })?.isFile() === true)
        .toSorted(),
    write(name, files, next) {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      replaceDirectory(directoryOf(name), files, join(directory, `${TEMPORARY}${randomUUID()}`));
      setState(name, next);
    },
    expire(nowMs) {
      for (const name of list()) {
        const changedAtMs = state(name)?.changedAtMs ?? 0;
        if (nowMs - changedAtMs > DRAFT_LIMITS.idleMs) remove(name);
      }
      for (const name of tryList(directory).filter((one) => one.startsWith(TEMPORARY))) {
        const stats = statSync(join(directory, name), { throwIfNoEntry: false });
        if (stats !== undefined && nowMs - stats.mtimeMs > LEFTOVER_MS) rmSync(join(directory, name), { recursive: true, force: true });
      }
    },
  };
}

/**
 * Makes a directory of these files and puts it in the place of what was there: a reader sees the old ones or the new ones.
 * Readable for everybody, because a sandbox may run as somebody else; the directories above are not.
 */
export function replaceDirectory(directory: string, files: DraftFiles, temporary: string): void {
  const old = `${temporary}-old`;
  try {
    mkdirSync(temporary, { mode: 0o755 });
    for (const [file, bytes] of files) {
      if (!isSafeRelativePath(file)) throw new Error(`"${file}" is no path below a directory`);
      const path = join(temporary, file);
      mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
      writeFileSync(path, bytes, { flag: 'wx', mode: 0o644 });
    }
    if (statSync(directory, { throwIfNoEntry: false })) renameSync(directory, old);
    renameSync(temporary, directory);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
    rmSync(old, { recursive: true, force: true });
  }
}

export type FilesReading = { readonly ok: true; readonly files: DraftFiles } | { readonly ok: false; readonly reason: string };

/** Reads files of a plugin as a draft holds them: few, small, and inside its directory. Never throws. */
export function readDraftFiles(directory: string, names: readonly string[]): FilesReading {
  if (names.length > DRAFT_LIMITS.files) return { ok: false, reason: `it has ${names.length} files, more than ${DRAFT_LIMITS.files}` };
  const files = new Map<string, Uint8Array>();
  let leftBytes: number = DRAFT_LIMITS.bytes;
  for (const name of names) {
    const read = readPluginFile(directory, name, leftBytes);
    if (!read.ok) return { ok: false, reason: `"${name}": ${read.reason}` };
    leftBytes -= read.bytes.length;
    files.set(name, read.bytes);
  }
  return { ok: true, files };
}

/** The files that are text, and can be patched. */
export const textsOf = (files: DraftFiles): Map<string, string> =>
  new Map([...files].flatMap(([name, bytes]) => (isUtf8(bytes) ? [[name, Buffer.from(bytes).toString('utf8')]] : [])));

function tryList(directory: string, recursive = false): readonly string[] {
  try {
    return readdirSync(directory, { recursive, encoding: 'utf8' });
  } catch {
    return [];
  }
}
