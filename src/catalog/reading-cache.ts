import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

import { fingerprintFiles } from '../manifest/digest.ts';
import type { Reading } from './load.ts';

/** What was read of a directory, and how its files looked then. */
interface CachedReading {
  /** The files looked at; `.` is the directory itself. */
  readonly files: readonly string[];
  readonly fingerprint: string;
  readonly reading: Reading;
}

export interface ReadingCache {
  /** The reading of an unchanged directory, else a new one. */
  read(candidate: { readonly directory: string; readonly manifestFile: string }, make: () => Reading): Reading;
  /** Writes what is new, best effort: without it the next start reads everything again. */
  save(): void;
}

interface ReadingCacheOptions {
  /** The cache file; it and its directory are the user’s own. */
  readonly file: string;
  /** Whatever else a reading depends on: our version, and options that change it. */
  readonly key: string;
}

/** Readings by directory, kept across starts, trusted as far as the files’ inodes, sizes and times are the same. */
export function createReadingCache({ file, key }: ReadingCacheOptions): ReadingCache {
  let stored: Map<string, CachedReading> | undefined;
  const used = new Map<string, CachedReading>();
  let changed = false;

  return {
    read(candidate, make) {
      stored ??= readStored(file, key);
      const known = used.get(candidate.directory) ?? stored.get(candidate.directory);
      if (known && known.fingerprint === fingerprintFiles(candidate.directory, known.files)) {
        used.set(candidate.directory, known);
        return known.reading;
      }
      // Before the files are read: a change in between then shows as a difference the next time.
      const before = (files: readonly string[]): string => fingerprintFiles(candidate.directory, files);
      const guessed = ['.', candidate.manifestFile];
      const guess = before(guessed);
      const reading = make();
      const files = ['.', ...(reading.ok ? Object.keys(reading.plugin.files) : [candidate.manifestFile])];
      changed = true;
      if (before(guessed) !== guess) {
        used.delete(candidate.directory);
        return reading;
      }
      used.set(candidate.directory, { files, fingerprint: before(files), reading });
      return reading;
    },
    save() {
      if (!changed) return;
      changed = false;
      writeStored(file, JSON.stringify({ key, readings: [...used] }));
    },
  };
}

function readStored(file: string, key: string): Map<string, CachedReading> {
  try {
    const parsed = JSON.parse(readFileSync(file, 'utf8')) as { key: string; readings: [string, CachedReading][] };
    return new Map(parsed.key === key ? parsed.readings : []);
  } catch {
    return new Map();
  }
}

function writeStored(file: string, text: string): void {
  const temporary = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(temporary, text, { mode: 0o600, flag: 'wx' });
    renameSync(temporary, file);
  } catch {
    rmSync(temporary, { force: true });
  }
}
