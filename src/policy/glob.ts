/**
 * Whether a text matches a pattern in which `*` stands for any run of characters and `?` for one.
 * Two pointers instead of a regular expression: patterns come from manifests, and no pattern may be slow
 * (at most `pattern.length × text.length` steps, no backtracking beyond the last `*`).
 */
export function matchesText(pattern: string, text: string): boolean {
  return matchesItems(Array.from(pattern), Array.from(text), {
    isRun: (item) => item === '*',
    matchesOne: (item, candidate) => item === '?' || item === candidate,
  });
}

/**
 * Whether path segments match pattern segments: `**` stands for any number of segments, none included; inside a
 * segment `*` and `?` as in `matchesText`. Leading dots are nothing special.
 */
export function matchesSegments(pattern: readonly string[], segments: readonly string[]): boolean {
  return matchesItems(pattern, segments, { isRun: (item) => item === '**', matchesOne: matchesText });
}

/** Whether a text holds a wildcard of ours. */
export const hasWildcard = (text: string): boolean => text.includes('*') || text.includes('?');

interface ItemRules {
  readonly isRun: (patternItem: string) => boolean;
  readonly matchesOne: (patternItem: string, item: string) => boolean;
}

function matchesItems(pattern: readonly string[], items: readonly string[], rules: ItemRules): boolean {
  let at = 0;
  let inPattern = 0;
  let runAt = -1;
  let runItem = 0;
  while (at < items.length) {
    const wanted = pattern[inPattern];
    const item = items[at];
    if (wanted !== undefined && rules.isRun(wanted)) {
      runAt = inPattern;
      runItem = at;
      inPattern += 1;
    } else if (wanted !== undefined && item !== undefined && rules.matchesOne(wanted, item)) {
      inPattern += 1;
      at += 1;
    } else if (runAt >= 0) {
      // Only the last run ever needs to grow: an earlier one could not make more of the rest match.
      runItem += 1;
      at = runItem;
      inPattern = runAt + 1;
    } else {
      return false;
    }
  }
  while (inPattern < pattern.length && rules.isRun(pattern[inPattern] ?? '')) inPattern += 1;
  return inPattern === pattern.length;
}
