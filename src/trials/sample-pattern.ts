/** More characters than a sensible default input needs; `{1000000}` must not cost memory. */
const MAX_SAMPLE_CHARACTERS = 256;
const MAX_PATTERN_CHARACTERS = 1_000;
const MAX_GROUP_DEPTH = 16;

/** What stands for a class of characters in a sample. */
const CLASS_SAMPLES: Readonly<Record<string, string>> = { d: '0', w: 'a', s: ' ', D: 'a', W: '-', S: 'a', n: '\n', t: '\t', r: '\r' };
/** Tried in this order where a class excludes characters. */
const CANDIDATES = ['a', '0', 'A', '_', '-', ' ', '.', 'b', '1', 'B'] as const;
const QUANTIFIER = /^(?:([*?])|(\+)|\{(\d{1,6})(?:,\d{0,6})?\})[?+]?/;

/** The rest of a pattern that could not be understood. */
class NotUnderstood extends Error {}

/**
 * A short text that fits a pattern of JSON Schema, built from literals, classes, groups and quantifiers; undefined for
 * patterns with anything else, such as look-around. The caller checks the text against the schema: this is a guess.
 */
export function trySamplePattern(pattern: string): string | undefined {
  if (pattern.length > MAX_PATTERN_CHARACTERS) return undefined;
  try {
    const { sample, rest } = readAlternatives(pattern, 0);
    return rest === '' && sample.length <= MAX_SAMPLE_CHARACTERS ? sample : undefined;
  } catch (error) {
    if (error instanceof NotUnderstood) return undefined;
    throw error;
  }
}

interface Read {
  readonly sample: string;
  readonly rest: string;
}

/** The first branch counts; the others are read to find where they end. */
function readAlternatives(text: string, depth: number): Read {
  if (depth > MAX_GROUP_DEPTH) throw new NotUnderstood();
  let { sample, rest } = readSequence(text, depth);
  while (rest.startsWith('|')) rest = readSequence(rest.slice(1), depth).rest;
  return { sample, rest };
}

function readSequence(text: string, depth: number): Read {
  let sample = '';
  let rest = text;
  while (rest !== '' && !rest.startsWith('|') && !rest.startsWith(')')) {
    const atom = readAtom(rest, depth);
    const quantifier = QUANTIFIER.exec(atom.rest);
    const [whole = '', optional, , count] = quantifier ?? [];
    const times = quantifier === null ? 1 : optional !== undefined ? 0 : Number(count ?? 1);
    if (sample.length + atom.sample.length * times > MAX_SAMPLE_CHARACTERS) throw new NotUnderstood();
    sample += atom.sample.repeat(times);
    rest = atom.rest.slice(whole.length);
  }
  return { sample, rest };
}

function readAtom(text: string, depth: number): Read {
  const [first = ''] = text;
  switch (first) {
    case '^':
    case '$':
      return { sample: '', rest: text.slice(1) };
    case '.':
      return { sample: 'a', rest: text.slice(1) };
    case '(':
      return readGroup(text, depth);
    case '[':
      return readClass(text);
    case '\\':
      return readEscape(text);
    case '*':
    case '+':
    case '?':
    case '{':
      throw new NotUnderstood();
    default: {
      const character = String.fromCodePoint(text.codePointAt(0) ?? 0);
      return { sample: character, rest: text.slice(character.length) };
    }
  }
}

function readGroup(text: string, depth: number): Read {
  const [opening = ''] = /^\((?:\?:|\?P?<[A-Za-z]\w*>|(?!\?))/.exec(text) ?? [];
  if (opening === '') throw new NotUnderstood();
  const { sample, rest } = readAlternatives(text.slice(opening.length), depth + 1);
  if (!rest.startsWith(')')) throw new NotUnderstood();
  return { sample, rest: rest.slice(1) };
}

function readEscape(text: string): Read {
  const [, escaped = ''] = /^\\(.)/su.exec(text) ?? [];
  const known = CLASS_SAMPLES[escaped];
  // A letter or digit that is no class has a meaning of its own: a boundary, a reference, a code point.
  if (escaped === '' || (known === undefined && /[A-Za-z0-9]/.test(escaped))) throw new NotUnderstood();
  return { sample: known ?? escaped, rest: text.slice(1 + escaped.length) };
}

const CLASS = /^\[(\^?)((?:\\.|[^\]\\])+)\]/su;

function readClass(text: string): Read {
  const [whole = '', negated = '', members = ''] = CLASS.exec(text) ?? [];
  if (whole === '') throw new NotUnderstood();
  const rest = text.slice(whole.length);
  if (negated === '') {
    const sample = members.startsWith('\\') ? readEscape(members).sample : String.fromCodePoint(members.codePointAt(0) ?? 0);
    return { sample, rest };
  }
  // Ranges are not spelled out: what a candidate is in is decided by the class itself, which cannot backtrack.
  const excluded = tryClass(members);
  const sample = CANDIDATES.find((candidate) => !excluded?.test(candidate));
  if (sample === undefined || excluded === undefined) throw new NotUnderstood();
  return { sample, rest };
}

function tryClass(members: string): RegExp | undefined {
  try {
    return new RegExp(`^[${members}]$`, 'u');
  } catch {
    return undefined;
  }
}
