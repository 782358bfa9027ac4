import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { pino } from 'pino';
import { afterAll, describe, test } from 'vitest';

import { createSandbox } from '../../src/executors/sandbox/create-sandbox.ts';
import { checkSyntax } from '../../src/executors/script/languages/check-syntax.ts';
import { createInterpreters } from '../../src/executors/script/languages/interpreters.ts';
import { createTypeScript } from '../../src/executors/script/languages/typescript.ts';
import { sha256Hex } from '../../src/manifest/digest.ts';
import type { Language } from '../../src/manifest/plugin.ts';
import { hasInterpreter, INTERPRETERS, LOADERS } from '../helpers/loaders.ts';
import { HAS_BUBBLEWRAP } from '../helpers/sandbox.ts';
import { useTmp } from '../helpers/tmp.ts';

const sandbox = createSandbox({ log: pino({ level: 'silent' }), unboxed: 'never' });
afterAll(() => sandbox.close());

async function check(language: Language, files: Readonly<Record<string, string>>, interpreters = INTERPRETERS) {
  const directory = useTmp();
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), content);
  }
  const [main = ''] = Object.keys(files);
  const shared = { sandbox, interpreters, loadersDirectory: LOADERS };
  const typescript = createTypeScript({ ...shared, cacheDirectory: useTmp() });
  const hashes = Object.fromEntries(Object.entries(files).map(([name, content]) => [name, sha256Hex(content)]));
  const inspection = await checkSyntax({ directory, files: hashes, main, language }, { ...shared, typescript });
  return { directory, inspection };
}

const GOOD: Readonly<Record<Language, Readonly<Record<string, string>>>> = {
  python: { 'main.py': '# coding: latin-1\nimport missing\nmatch 1:\n    case _: pass\n', 'helper.py': '' },
  node: {
    'main.js': '#!/usr/bin/env node\nreturn require("missing")',
    'module.mjs': 'import missing from "missing"; await 1; export default missing',
    'either.js': 'import missing from "missing"; await 1; export {}',
    'old.cjs': 'with (exports) {}',
    'kind/package.json': '{"type":"module"}',
    'kind/strict.js': 'await 1',
  },
  typescript: {
    'main.ts': '#!/usr/bin/env tsx\nimport missing from "missing"; enum A { B } console.log(A.B, missing)',
    'helper.mts': 'let a: number',
  },
  bash: { 'main.sh': 'set -e\nmissing <<< "$1"\n[[ a =~ b ]]', 'helper.sh': 'f() { :; }' },
  ruby: { 'main.rb': 'require "missing"\nputs DATA.read\n__END__\n(((', 'helper.rb': 'BEGIN { exit 9 }' },
};

const BAD: Readonly<Record<Language, { files: Readonly<Record<string, string>>; problems: readonly RegExp[] }>> = {
  python: {
    files: { 'main.py': 'x = 1\nx = (\n', 'b.py': 'if True:\nprint(1)', 'c.py': 'a\0b', 'lib/d.py': 'return 1' },
    problems: [
      /^main\.py:2: '\(' was never closed$/,
      /^b\.py:2: expected an indented block/,
      /^c\.py: .*null bytes$/,
      /^lib\/d\.py:1: 'return' outside function$/,
    ],
  },
  node: {
    files: {
      'main.js': 'import a from "a"\nlet b = ;',
      'b.cjs': '\n\nimport a from "a"',
      'c.mjs': '\nwith (a) {}',
      'd.js': 'const a = 1\nconst a = 2',
      'kind/package.json': '{"type":"module"}',
      'kind/e.js': 'require("a"); return',
    },
    problems: [
      /^main\.js:2: Unexpected token ';'$/,
      /^b\.cjs:3: Cannot use import statement outside a module$/,
      /^c\.mjs:2: Strict mode code may not include a with statement$/,
      /^d\.js:2: Identifier 'a' has already been declared$/,
      /^kind\/e\.js:1: Illegal return statement$/,
    ],
  },
  typescript: {
    files: { 'main.ts': 'import { a } from "./a"\nlet = ;', 'a.ts': 'export const a: = 1', 'unused.ts': '\nenum {}' },
    problems: [/^main\.ts:2: Unexpected ";"$/, /^a\.ts:1: Unexpected "="$/, /^unused\.ts:2: Expected identifier but found "\{"$/],
  },
  bash: {
    files: { 'main.sh': 'echo a\nif true; then\n', 'b.sh': 'echo )\n', 'c.sh': 'echo "' },
    problems: [
      /^main\.sh:3: syntax error: unexpected end of file$/,
      /^b\.sh:1: syntax error near unexpected token `\)'$/,
      /^c\.sh:1: unexpected EOF/,
    ],
  },
  ruby: {
    files: { 'main.rb': 'puts 1\ndef f(\n', 'b.rb': '1 +\n', 'c.rb': '# encoding: nonsense\n' },
    problems: [/^main\.rb:\d+: .+/, /^b\.rb:\d+: .+/, /^c\.rb(?::\d+)?: .*nonsense/],
  },
};

describe.skipIf(!HAS_BUBBLEWRAP).each(['python', 'node', 'typescript', 'bash', 'ruby'] as const)('checkSyntax() of %s', (language) => {
  const run = test.skipIf(!hasInterpreter(language));

  run('finds nothing wrong with what is right, whether or not it would run', async ({ expect }) => {
    const { inspection } = await check(language, GOOD[language]);
    expect(inspection).toEqual({ ok: true, warnings: [] });
  });

  run('names file and line of every mistake', async ({ expect }) => {
    const { files, problems } = BAD[language];
    const { inspection } = await check(language, files);
    expect(inspection).toEqual({ ok: false, problems: problems.map((pattern) => expect.stringMatching(pattern)) });
  });
});

describe.skipIf(!HAS_BUBBLEWRAP)('checkSyntax()', () => {
  test('runs nothing of the plugin', async ({ expect }) => {
    const proof = join(useTmp(), 'ran');
    const scripts = {
      python: { 'main.py': `open(${JSON.stringify(proof)}, "w")`, 'encodings.py': `open(${JSON.stringify(proof)}, "w")` },
      bash: { 'main.sh': `: > ${proof}\n$(: > ${proof})` },
      ruby: { 'main.rb': `BEGIN { File.write(${JSON.stringify(proof)}, "") }` },
      node: { 'main.js': `require("fs").writeFileSync(${JSON.stringify(proof)}, "")` },
    } as const;
    for (const [language, files] of Object.entries(scripts)) {
      const { inspection } = await check(language as keyof typeof scripts, files);
      expect(inspection).toEqual({ ok: true, warnings: [] });
    }
    expect(existsSync(proof)).toBe(false);
  });

  test('leaves installed packages and files of other kinds alone', async ({ expect }) => {
    const { inspection } = await check('python', {
      'main.py': '',
      '.dependencies/python/bad.py': '(',
      'node_modules/a/bad.py': '(',
      'notes.txt': '(',
    });
    expect(inspection).toEqual({ ok: true, warnings: [] });
  });

  test('reports names with odd characters on one line', async ({ expect }) => {
    const { inspection } = await check('bash', { '-n\n\t0\t1\tx.sh': 'if', '$(id).sh': '(' });
    expect(inspection).toMatchObject({ ok: false, problems: { length: 2 } });
    for (const problem of inspection.ok ? [] : inspection.problems)
      expect(problem).toMatch(/^(?:-n 0 1 x\.sh|\$\(id\)\.sh)(?::\d+)?: [^\n]+$/);
  });

  test('says which interpreter is missing', async ({ expect }) => {
    const { inspection } = await check('ruby', { 'main.rb': '' }, createInterpreters({ configured: { ruby: '/nowhere/ruby' } }));
    expect(inspection).toEqual({
      ok: false,
      problems: ['"/nowhere/ruby" cannot be run: set scripts.interpreters.ruby to the absolute path of Ruby'],
    });
  });
});
