import { join } from 'node:path';

import { parseTree, printParseErrorCode, type Node, type ParseError } from 'jsonc-parser';
import type { z } from 'zod';

import { listDirectory } from '../manifest/directory-listing.ts';
import { readPlainJson } from '../manifest/plain-json.ts';
import { readPluginFile } from '../manifest/plugin-file.ts';
import { quote } from '../manifest/problem.ts';
import { TEST_DIRECTORY, TestFileSchema, type TestCase } from './test-case.ts';

const MAX_TEST_FILES = 64;
const MAX_TEST_BYTES = 1024 * 1024;
const MAX_ENTRIES = 1_000;
const MAX_DEPTH = 64;

export interface PluginTest {
  /** The file, relative to the plugin directory. */
  readonly file: string;
  readonly test: TestCase;
}

export interface PluginTests {
  /** By file name. */
  readonly tests: readonly PluginTest[];
  /** One sentence each, with file and line. */
  readonly problems: readonly string[];
}

/** Reads `tests/*.json` of a plugin. `directory` is absolute and canonical. Never throws; no `tests` directory means no tests. */
export function readTests(directory: string): PluginTests {
  const listing = listDirectory(join(directory, TEST_DIRECTORY), MAX_ENTRIES);
  if (!listing.ok) return { tests: [], problems: listing.reason === 'it does not exist' ? [] : [`${TEST_DIRECTORY}: ${listing.reason}`] };
  const names = listing.entries.map((entry) => entry.name).filter((name) => name.endsWith('.json') && !name.startsWith('.'));
  const tests: PluginTest[] = [];
  const problems: string[] = [];
  if (names.length > MAX_TEST_FILES) problems.push(`${TEST_DIRECTORY}: holds ${names.length} tests: wanted at most ${MAX_TEST_FILES}`);
  for (const name of names.slice(0, MAX_TEST_FILES)) {
    const file = `${TEST_DIRECTORY}/${name}`;
    const read = readPluginFile(directory, file, MAX_TEST_BYTES);
    if (!read.ok) {
      problems.push(`${file}: cannot be read: ${read.reason}`);
      continue;
    }
    const parsed = parseTest(file, Buffer.from(read.bytes).toString('utf8'));
    if (parsed.ok) tests.push({ file, test: parsed.test });
    else problems.push(...parsed.problems);
  }
  return { tests, problems };
}

export type TestReading =
  | { readonly ok: true; readonly test: TestCase }
  | { readonly ok: false; /** With file and line. */ readonly problems: readonly string[] };

/** Reads the text of one test file. Never throws. */
export function parseTest(file: string, text: string): TestReading {
  const at = (offset: number): string => `${file}:${text.slice(0, offset).split('\n').length}`;
  if (nestsDeeper(text, MAX_DEPTH)) return { ok: false, problems: [`${file}: is nested more than ${MAX_DEPTH} deep: wanted less`] };
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { disallowComments: true, allowTrailingComma: false, allowEmptyContent: false });
  const [error] = errors;
  if (error !== undefined || tree === undefined) {
    const what = error === undefined ? 'it is empty' : describeParseError(error);
    return { ok: false, problems: [`${at(error?.offset ?? 0)}: is not valid JSON: ${what}`] };
  }
  const plain = readPlainJson(JSON.parse(text));
  if (!plain.ok)
    return { ok: false, problems: [`${at(findNode(tree, plain.path)?.offset ?? 0)}: ${plain.path.join('.')} ${plain.message}`] };
  const parsed = TestFileSchema.safeParse(plain.value);
  if (parsed.success) return { ok: true, test: parsed.data };
  const problems = parsed.error.issues.slice(0, 10).map((issue) => {
    const path = issue.path.filter((part) => typeof part !== 'symbol');
    const key = path.length === 0 ? '' : `${path.join('.')}: `;
    return `${at(findNode(tree, path)?.offset ?? 0)}: ${key}${describeIssue(issue)}`;
  });
  return { ok: false, problems };
}

function describeIssue(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'unrecognized_keys') return issue.message;
  return `${issue.keys.slice(0, 5).map(quote).join(', ')} is unknown: wanted are ${Object.keys(TestFileSchema.shape).join(', ')}`;
}

const describeParseError = ({ error }: ParseError): string =>
  printParseErrorCode(error)
    .replaceAll(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase();

function findNode(tree: Node, path: readonly (string | number)[]): Node | undefined {
  let node: Node | undefined = tree;
  for (const step of path) {
    const next: Node | undefined =
      typeof step === 'number'
        ? node.children?.[step]
        : node.children?.find((property) => property.children?.[0]?.value === step)?.children?.[1];
    if (next === undefined) return node;
    node = next;
  }
  return node;
}

/** The parser is recursive, so that depth is looked at before it. Brackets in texts count for nothing. */
function nestsDeeper(text: string, maxDepth: number): boolean {
  let depth = 0;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.?)*(?:"|$)|[[\]{}]/gs)) {
    if (token === '[' || token === '{') depth++;
    else if (token === ']' || token === '}') depth--;
    if (depth > maxDepth) return true;
  }
  return false;
}
