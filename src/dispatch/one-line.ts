/** Control characters, line and paragraph separators, and marks that change the direction of text. */
const UNSAFE = /[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]+/gu;

/**
 * Text from outside as one line of at most `maxCharacters`, so that it cannot pretend to be more than one line of ours.
 * Longer text ends in “…”.
 */
export function toOneLine(text: string, maxCharacters: number): string {
  // The cut comes first as well, so that a flood is not searched as a whole.
  const line = text
    .slice(0, maxCharacters * 4)
    .replace(UNSAFE, ' ')
    .trim();
  if (line.length <= maxCharacters) return line;
  return `${line
    .slice(0, maxCharacters - 1)
    .replace(/[\ud800-\udbff]$/u, '')
    .trimEnd()}…`;
}
