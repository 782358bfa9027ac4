import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { expect, test } from 'vitest';

const SOURCE = fileURLToPath(new URL('../../src', import.meta.url));

/**
 * What each folder may import of the others, beside itself, `errors.ts` and `log.ts` (DESIGN.md, “One call, one
 * direction”). Types count too: a type is knowledge.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  config: [],
  manifest: [],
  discover: ['manifest'],
  policy: ['manifest'],
  trust: ['manifest', 'audit'],
  catalog: ['discover', 'manifest', 'trust', 'executors'],
  artifacts: [],
  audit: [],
  executors: ['manifest'],
  dispatch: ['artifacts', 'audit', 'catalog', 'executors', 'manifest', 'policy', 'trust'],
  trials: ['artifacts', 'catalog', 'dispatch', 'executors', 'manifest', 'trust'],
  authoring: ['audit', 'catalog', 'dispatch', 'manifest', 'trials', 'trust'],
  server: ['artifacts', 'authoring', 'catalog', 'dispatch', 'executors', 'manifest', 'trials'],
};

/** Files that see everything: the composition root, the command line and its verbs. */
const isRoot = (folder: string): boolean => folder === '' || folder === 'commands';

const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
const folderOf = (file: string): string => (file.includes('/') ? (file.split('/')[0] ?? '') : '');
const importsOf = (file: string): string[] =>
  [...readFileSync(join(SOURCE, file), 'utf8').matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(([, path = '']) =>
    relative(SOURCE, resolve(SOURCE, dirname(file), path)),
  );

test('src imports run in one direction', () => {
  const wrong = files
    .filter((file) => !isRoot(folderOf(file)))
    .flatMap((file) =>
      importsOf(file)
        .filter((imported) => folderOf(imported) !== '' && folderOf(imported) !== folderOf(file))
        .filter((imported) => !MAY_IMPORT[folderOf(file)]?.includes(folderOf(imported)))
        .map((imported) => `${file} → ${imported}`),
    );
  expect(wrong).toEqual([]);
});

test('src folders are all in the table', () => {
  const folders = new Set(files.map(folderOf).filter((folder) => !isRoot(folder)));
  expect([...folders].sort()).toEqual(Object.keys(MAY_IMPORT).sort());
});

/** A policy file of one system is read in the policy folder: the only reader of a system’s own format past `manifest/`. */
const NAMES_SYSTEM = new Set([
  'policy/parse-agentzero-policy.ts',
  'policy/read-policy.ts',
  'policy/policy.ts',
  'policy/sensitive-names.ts',
]);

test('src past manifest/ names no plugin system in its code', () => {
  const naming = files
    .filter((file) => folderOf(file) !== 'manifest' && !NAMES_SYSTEM.has(file))
    .filter((file) => /agentzero|kaizen|\bkaged?\b|crystal/i.test(withoutComments(readFileSync(join(SOURCE, file), 'utf8'))));
  expect(naming).toEqual([]);
});

test('src past executors/ names no runtime but where they are listed', () => {
  const naming = files
    .filter((file) => !['executors', 'manifest', 'policy'].includes(folderOf(file)) && file !== 'host.ts')
    .filter((file) => /\b(?:wasm|lua)\b/i.test(withoutComments(readFileSync(join(SOURCE, file), 'utf8'))));
  expect(naming).toEqual([]);
});

const withoutComments = (text: string): string => text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
