import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

import { z } from 'zod';

import { digestFiles, fingerprintFiles } from '../manifest/digest.ts';
import { PluginSchema } from '../manifest/plugin.ts';
import type { Reading } from './load.ts';

/** What was read of a directory, and how its files looked then. Only what can be used is kept. */
const CachedReadingSchema = z.strictObject({
  files: z.array(z.string()).describe('the files looked at; `.` is the directory itself'),
  fingerprint: z.string(),
  reading: z.strictObject({ ok: z.literal(true), plugin: PluginSchema, warnings: z.array(z.string()) }),
});
type CachedReading = z.infer<typeof CachedReadingSchema>;

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

/**
 * Readings by directory, kept across starts, trusted as far as the files’ inodes, sizes and times are the same. What could
 * not be used is read again each time, for the reason may lie in a file that no reading names.
 */
export function createReadingCache({ file, key }: ReadingCacheOptions): ReadingCache {
  let stored: ReadonlyMap<string, unknown> | undefined;
  const used = new Map<string, CachedReading>();
  let changed = false;

  return {
    read(candidate, make) {
      stored ??= readStored(file, key);
      const known = used.get(candidate.directory) ?? CachedReadingSchema.safeParse(stored.get(candidate.directory)).data;
      if (known && known.fingerprint === fingerprintFiles(candidate.directory, known.files)) {
        used.set(candidate.directory, known);
        return known.reading;
      }
      const reading = make();
      if (used.delete(candidate.directory)) changed = true;
      if (!reading.ok) return reading;
      const names = Object.keys(reading.plugin.files);
      const files = ['.', ...names];
      const fingerprint = fingerprintFiles(candidate.directory, files);
      // A file that changed while it was read must not keep the old reading under its new fingerprint.
      const digested = digestFiles(candidate.directory, names);
      if (digested.ok && digested.digest === reading.plugin.digest) {
        used.set(candidate.directory, {
          files,
          fingerprint,
          reading: { ok: true, plugin: reading.plugin, warnings: [...reading.warnings] },
        });
        changed = true;
      }
      return reading;
    },
    save() {
      if (!changed) return;
      changed = false;
      writeStored(file, JSON.stringify({ key, readings: [...used] }));
    },
  };
}

const StoredSchema = z.strictObject({ key: z.string(), readings: z.array(z.tuple([z.string(), z.unknown()])) });

function readStored(file: string, key: string): ReadonlyMap<string, unknown> {
  try {
    const parsed = StoredSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    return new Map(parsed.key === key ? parsed.readings : []);
  } catch {
    return new Map();
  }
}

function writeStored(file: string, text: string): void {
  const temporary = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  } catch {
    return;
  }
  try {
    writeFileSync(temporary, text, { mode: 0o600, flag: 'wx' });
    renameSync(temporary, file);
  } catch {
    rmSync(temporary, { force: true });
  }
}
