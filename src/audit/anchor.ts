import { createHash } from 'node:crypto';

/**
 * The state of a whole journal in one line that a person can keep elsewhere: how many records it had and a digest of
 * their hashes in order. A journal that has only grown since still fits it; one that was rewritten, heads and all, does not.
 */
export interface Anchor {
  readonly records: number;
  /** SHA-256 in hex. */
  readonly digest: string;
}

export const formatAnchor = (anchor: Anchor): string => `${anchor.records}:${anchor.digest}`;

/** Undefined for what `formatAnchor` cannot have printed. */
export function tryParseAnchor(text: string): Anchor | undefined {
  const [, records, digest] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text.trim()) ?? [];
  return records === undefined || digest === undefined ? undefined : { records: Number(records), digest };
}

/** Adds up the anchor of a journal while it is read, and compares with one kept elsewhere on the way. */
export interface AnchorCheck {
  take(recordHash: string): void;
  anchor(): Anchor;
  /** Why the journal does not fit the expected anchor; undefined when it does, or none is expected. */
  mismatch(): string | undefined;
}

export function createAnchorCheck(expected: Anchor | undefined): AnchorCheck {
  const running = createHash('sha256');
  let records = 0;
  let digestThen: string | undefined;
  const compare = (): void => {
    if (expected?.records === records) digestThen = running.copy().digest('hex');
  };
  compare();
  return {
    take(recordHash) {
      running.update(recordHash);
      records += 1;
      compare();
    },
    anchor: () => ({ records, digest: running.copy().digest('hex') }),
    mismatch() {
      if (expected === undefined) return undefined;
      if (digestThen === undefined) return `the journal has ${records} records, and had ${expected.records} when the anchor was taken`;
      return digestThen === expected.digest
        ? undefined
        : `the first ${expected.records} records are not the ones that the anchor was taken of`;
    },
  };
}
