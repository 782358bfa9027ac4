import { measureJson } from './json-shape.ts';

/** What a script printed, understood. */
export type ScriptOutput =
  /** `text` is the object as the script wrote it. */
  | {
      readonly kind: 'object';
      readonly value: Readonly<Record<string, unknown>>;
      readonly text: string;
      readonly warnings: readonly string[];
    }
  | { readonly kind: 'text'; readonly text: string; readonly warnings: readonly string[] }
  /** Not UTF-8. */
  | { readonly kind: 'binary'; readonly bytes: number };

/** Deeper objects overflow the recursive serialisers of clients. */
const MAX_DEPTH = 200;
/** A value of JSON takes tens of bytes of memory, so that the bytes of the output do not bound it. */
const MAX_VALUES = 500_000;
const PREVIEW_CHARACTERS = 200;

/**
 * Reads stdout (kaizen.md, “Output”): all of it as JSON, else the last line that is a JSON object, else text. Objects
 * become structured, all other values text. What could not be taken as it was meant has a warning, one sentence each.
 */
export function readOutput(stdout: Uint8Array): ScriptOutput {
  const decoded = tryDecode(stdout);
  if (decoded === undefined) return { kind: 'binary', bytes: stdout.length };
  const text = decoded.trim();
  if (text === '') return { kind: 'text', text: '', warnings: ['the script printed nothing'] };
  const whole = tryParse(text);
  if (whole.kind === 'object') return { ...whole, text, warnings: [] };
  if (whole.kind === 'value') return { kind: 'text', text: typeof whole.value === 'string' ? whole.value : text, warnings: [] };
  const found = findLastObject(text);
  if (found) {
    const { object, line, rest } = found;
    return { ...object, text: line, warnings: [`the output was more than JSON, left out was ${preview(rest)}`] };
  }
  return { kind: 'text', text, warnings: [whole.kind === 'refused' ? whole.reason : 'the output is not JSON and was taken as text'] };
}

type Parsed =
  | { readonly kind: 'object'; readonly value: Readonly<Record<string, unknown>> }
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'no-json' }
  /** JSON perhaps, but not to be taken apart. */
  | { readonly kind: 'refused'; readonly reason: string };

function tryParse(text: string): Parsed {
  const { depth, values } = measureJson(text);
  if (depth > MAX_DEPTH) return refused(`it is nested deeper than ${MAX_DEPTH} levels`);
  if (values > MAX_VALUES) return refused(`it has more than ${MAX_VALUES} values`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: 'no-json' };
  }
  if (!isObject(value)) return { kind: 'value', value };
  return hasPrototypeKey(value) ? refused('it has a member "__proto__"') : { kind: 'object', value };
}

const refused = (reason: string): Parsed => ({ kind: 'refused', reason: `the output was taken as text, for ${reason}` });

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Parsing makes it a plain member, but whoever copies the object member by member later would change a prototype. */
function hasPrototypeKey(root: object): boolean {
  const open: object[] = [root];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (Object.hasOwn(next, '__proto__')) return true;
    for (const member of Object.values(next) as unknown[]) if (typeof member === 'object' && member !== null) open.push(member);
  }
  return false;
}

/** Every line is parsed at most once, so that the work stays in proportion to the output. */
function findLastObject(text: string) {
  for (let end = text.length; end >= 0;) {
    const start = text.lastIndexOf('\n', end - 1) + 1;
    const line = text.slice(start, end).trim();
    if (line.startsWith('{') && line.endsWith('}')) {
      const object = tryParse(line);
      if (object.kind === 'object') return { object, line, rest: `${text.slice(0, start)}${text.slice(end)}`.trim() };
    }
    if (start === 0) return undefined;
    end = start - 1;
  }
  return undefined;
}

const preview = (text: string): string =>
  JSON.stringify(text.length > PREVIEW_CHARACTERS ? `${Buffer.from(text.slice(0, PREVIEW_CHARACTERS)).toString('utf8')}…` : text);

function tryDecode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
