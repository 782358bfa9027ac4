import type { Findings, Place } from './findings.ts';
import { readLines } from './read-lines.ts';

/**
 * Each chain names, when it opens, the last record that was there: a chain that was dropped whole is missed by the one
 * that opened after it.
 */
export interface OriginCheck {
  open(after: string | null, place: Place): void;
  take(recordHash: string): void;
  /** Looks through the files once more for origins that were not seen shortly before their chain. */
  end(paths: readonly string[]): Promise<void>;
}

/** An opening chain reads the end of the newest file, so that its origin stands only a few records before it. */
const RECENT = 4096;
const HASH_AT_END = /,"hash":"([0-9a-f]{64})"\}$/;

export function createOriginCheck(problems: Findings): OriginCheck {
  const recent = new Set<string>();
  const missing = new Map<string, Place>();
  return {
    open(after, place) {
      if (after !== null && !recent.has(after)) missing.set(after, { file: place.file, line: place.line });
    },
    take(recordHash) {
      recent.add(recordHash);
      const [oldest] = recent;
      if (recent.size > RECENT && oldest !== undefined) recent.delete(oldest);
    },
    async end(paths) {
      for (const path of paths) {
        if (missing.size === 0) return;
        try {
          for await (const lines of readLines(path)) {
            for (const { bytes } of lines) {
              const found = HASH_AT_END.exec(bytes.toString('latin1', Math.max(0, bytes.length - 75)))?.[1];
              if (found !== undefined) missing.delete(found);
            }
          }
        } catch {
          // Told already when the file was read for its records.
        }
      }
      for (const place of missing.values()) problems.add(place, 'the last record that was there when this chain opened is missing');
    },
  };
}
