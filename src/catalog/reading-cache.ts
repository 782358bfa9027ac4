import { readFileSync } from 'node:fs';

import { tryWriteCacheFile } from '../cache-file.ts';
import { fingerprintFiles, sha256Hex } from '../manifest/digest.ts';
import { digestPlugin, fingerprintPlugin } from '../manifest/digest-plugin.ts';
import { tryRecognise, type RecognisedDirectory } from '../manifest/formats.ts';
import type { Reading } from './load.ts';

/** What was read of a directory, and how its files looked then. Only what can be used is kept. */
interface CachedReading {
  /** What the directory was recognised by. */
  readonly recognised: RecognisedDirectory;
  /** Of the plugin’s files, see `fingerprintPlugin`. */
  readonly fingerprint: string;
  readonly reading: Extract<Reading, { ok: true }>;
}

export interface ReadingCache {
  /** The reading of an unchanged directory, else a new one, of what the directory is by now. */
  read(candidate: RecognisedDirectory, make: (candidate: RecognisedDirectory) => Reading): Reading;
  /** What a directory was recognised by, if its entries are still the same; a manifest’s content may say something else by now. */
  recall(directory: string): RecognisedDirectory | undefined;
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
  let stored: ReadonlyMap<string, CachedReading> | undefined;
  const used = new Map<string, CachedReading>();
  let changed = false;

  const find = (directory: string): CachedReading | undefined => {
    stored ??= readStored(file, key);
    return used.get(directory) ?? stored.get(directory);
  };

  return {
    recall(directory) {
      const known = find(directory);
      // The directory itself is the first line of the fingerprint.
      return known?.fingerprint.startsWith(`${fingerprintFiles(directory, ['.'])}\n`) ? known.recognised : undefined;
    },
    read(candidate, make) {
      const known = find(candidate.directory);
      if (known && known.fingerprint === fingerprintPlugin(known.reading.plugin)) {
        used.set(candidate.directory, known);
        return known.reading;
      }
      // What was recalled may be another system’s since its manifest was written over.
      const current = known === undefined ? candidate : (tryRecognise(candidate) ?? candidate);
      const reading = make(current);
      if (used.delete(current.directory)) changed = true;
      if (!reading.ok) return reading;
      const fingerprint = fingerprintPlugin(reading.plugin);
      // A file that changed while it was read must not keep the old reading under its new fingerprint.
      const digested = digestPlugin(reading.plugin);
      if (digested.ok && digested.digest === reading.plugin.digest) {
        const { directory, names, manifestFile, system } = current;
        used.set(directory, {
          recognised: { directory, names, manifestFile, system },
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
      const content = JSON.stringify([key, ...used]);
      tryWriteCacheFile(file, sha256Hex(content) + content);
    },
  };
}

/**
 * The digest in front of the content tells that this is what some process of this version wrote, whole: checking it takes a
 * hundredth of the time that a schema takes for a thousand plugins.
 */
function readStored(file: string, key: string): ReadonlyMap<string, CachedReading> {
  try {
    const text = readFileSync(file, 'utf8');
    const content = text.slice(DIGEST_LENGTH);
    if (text.slice(0, DIGEST_LENGTH) !== sha256Hex(content)) return new Map();
    const [writtenFor, ...readings] = JSON.parse(content) as [string, ...[string, CachedReading][]];
    return new Map(writtenFor === key ? readings : []);
  } catch {
    return new Map();
  }
}

const DIGEST_LENGTH = 64;
