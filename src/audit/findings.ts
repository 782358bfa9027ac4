/** Where in the journal something is: `line` is 0 for a file as a whole. */
export interface Place {
  readonly file: string;
  readonly line: number;
}
export interface Finding extends Place {
  readonly reason: string;
}

/** A list that keeps the first of what it is told and counts the rest. */
export interface Findings {
  add(place: Place, reason: string): void;
  list(): readonly Finding[];
  count(): number;
}

const MAX_KEPT = 500;

/** Sorted by file and line. */
export function createFindings(): Findings {
  const kept: Finding[] = [];
  let count = 0;
  return {
    add({ file, line }, reason) {
      count += 1;
      if (kept.length < MAX_KEPT) kept.push({ file, line, reason });
    },
    list: () => kept.toSorted((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1)),
    count: () => count,
  };
}
