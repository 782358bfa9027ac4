/** How a JSON text is built, found without parsing it. */
export interface JsonShape {
  /** How deep arrays and objects are nested; 0 for a lone value. */
  readonly depth: number;
  /** Values it holds at most: every bracket and comma outside of strings begins one. */
  readonly values: number;
}

const QUOTE = 34;
const COMMA = 44;
const BACKSLASH = 92;
const isOpening = (code: number): boolean => code === 91 || code === 123;
const isClosing = (code: number): boolean => code === 93 || code === 125;

/**
 * Measures a text that may be JSON before it is parsed: sixteen megabytes of `[` or of `{},` cost a parser a hundred times
 * that in memory, and deep values overflow the recursive serialisers that they meet later. One pass, no memory.
 */
export function measureJson(text: string): JsonShape {
  let depth = 0;
  let deepest = 0;
  let values = 1;
  let inString = false;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (inString) {
      if (code === BACKSLASH) index += 1;
      else if (code === QUOTE) inString = false;
    } else if (code === QUOTE) {
      inString = true;
    } else if (isOpening(code)) {
      depth += 1;
      values += 1;
      if (depth > deepest) deepest = depth;
    } else if (isClosing(code)) {
      depth -= 1;
    } else if (code === COMMA) {
      values += 1;
    }
  }
  return { depth: deepest, values };
}
