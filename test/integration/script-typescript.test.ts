import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { pino } from 'pino';
import { afterAll, describe, test } from 'vitest';

import { createSandbox } from '../../src/executors/sandbox/create-sandbox.ts';
import { createTypeScript, type TypeScriptPlugin } from '../../src/executors/script/languages/typescript.ts';
import { sha256Hex } from '../../src/manifest/digest.ts';
import { INTERPRETERS, LOADERS, runLoaded } from '../helpers/loaders.ts';
import { HAS_BUBBLEWRAP } from '../helpers/sandbox.ts';
import { useTmp } from '../helpers/tmp.ts';

const sandbox = createSandbox({ log: pino({ level: 'silent' }), unboxed: 'never' });
afterAll(() => sandbox.close());

function usePlugin(files: Readonly<Record<string, string>>, main = 'main.ts') {
  const directory = useTmp();
  const cacheDirectory = useTmp();
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), content);
  }
  const plugin = (): TypeScriptPlugin => ({
    directory,
    main,
    files: Object.fromEntries(
      Object.keys(files)
        .filter((name) => !name.startsWith('node_modules/'))
        .map((name) => [name, sha256Hex(readFileSync(join(directory, name)))]),
    ),
  });
  const create = () => createTypeScript({ sandbox, interpreters: INTERPRETERS, loadersDirectory: LOADERS, cacheDirectory });
  const typescript = create();
  const run = async (stdin = '', argument?: string) => {
    const prepared = await typescript.prepare(plugin());
    if (!prepared.ok) return prepared;
    const ran = await runLoaded(sandbox, { language: 'typescript', directory, main, stdin, prepared, ...(argument ? { argument } : {}) });
    return { ...ran, stdout: Buffer.from(ran.stdout, 'latin1').toString() };
  };
  return { directory, cacheDirectory, plugin, typescript, create, run };
}

describe.skipIf(!HAS_BUBBLEWRAP)('createTypeScript()', { timeout: 60_000 }, () => {
  test('runs what TypeScript has beyond JavaScript: types, enums, namespaces, decorators, parameter properties', async ({ expect }) => {
    const { run } = usePlugin({
      'main.ts': `
        enum Colour { Red = 'red', Blue = 'blue' }
        const enum Size { Small = 1 }
        namespace Names { export const one: string = 'one'; }
        function twice(_: (this: Point, ...args: never[]) => number, context: ClassMethodDecoratorContext) {
          return function (this: Point) { return this.x * 2 + String(context.name).length; };
        }
        class Point { constructor(public readonly x: number) {} @twice get() { return this.x; } }
        const input = JSON.parse(await new Response(ReadableStream.from(process.stdin)).text()) satisfies object;
        console.log(JSON.stringify({ input, colour: Colour.Blue, size: Size.Small, name: Names.one, point: new Point(20).get() }), process.argv[2]);
      `,
    });
    expect(await run('{"grüße":"世界"}', '{"a":1}')).toMatchObject({
      stdout: '{"input":{"grüße":"世界"},"colour":"blue","size":1,"name":"one","point":43} {"a":1}\n',
      stderr: '',
      code: 0,
      marks: [0, 0],
    });
  });

  test('follows its own imports however they are written, JSON, and its tsconfig', async ({ expect }) => {
    const { run } = usePlugin({
      'tsconfig.json': '{ // with comments\n "compilerOptions": { "experimentalDecorators": true, "paths": { "@/*": ["./lib/*"] } } }',
      'main.ts': `
        import { a } from './lib/a';
        import { b } from './lib/b.js';
        import { c } from './lib/c.mts';
        import { d } from '@/d';
        import data, { deep } from './lib/data.json';
        import './lib/effect.ts';
        const legacy = (_target: object, _key: string, _old: PropertyDescriptor) => ({ value: () => 'decorated' });
        class Old { @legacy method() { return ''; } }
        console.log(a, b, c, d, data.deep === deep, (globalThis as { effect?: number }).effect, new Old().method(), (await import('./lib/late')).late);
      `,
      'lib/a.ts': 'export const a = "a" as const;',
      'lib/b.ts': 'export { a as b } from "./a.ts";',
      'lib/c.mts': 'export const c: string = "c";',
      'lib/d/index.ts': 'export const d = require("./old.cjs").d;',
      'lib/d/old.cjs': 'exports.d = "d";',
      'lib/data.json': '{"deep":{"x":1}}',
      'lib/effect.ts': '(globalThis as { effect?: number }).effect = 7;',
      'lib/late.ts': 'export const late = "late";',
      'package.json': '{"sideEffects":false}',
    });
    expect(await run()).toMatchObject({ stdout: 'a a c d true 7 decorated late\n', stderr: '', code: 0 });
  });

  test('tells every file its own place, and the script its name', async ({ expect }) => {
    const { directory, run } = usePlugin({
      'main.ts': `#!/usr/bin/env tsx
        import { pathToFileURL } from 'node:url';
        import { place } from './lib/place.ts';
        console.log(import.meta.url === pathToFileURL(process.argv[1] ?? '').href, __filename, import.meta.dirname);
        console.log(place);
      `,
      'lib/place.ts':
        'import { readFileSync } from "node:fs";\nconst __filename = "mine";\nexport const place = [readFileSync(new URL("data.txt", import.meta.url), "utf8"), __dirname, __filename].join(" ");',
      'lib/data.txt': 'data',
    });
    expect(await run()).toMatchObject({
      stdout: `true ${directory}/main.ts ${directory}\ndata ${directory}/lib mine\n`,
      stderr: '',
      code: 0,
    });
  });

  test('leaves packages to Node.js, ES modules and CommonJS', async ({ expect }) => {
    const { run } = usePlugin({
      'main.ts':
        'import { esm } from "esm"; import cjs from "cjs"; const again = require("cjs"); console.log(esm, cjs.cjs, again === cjs);',
      'node_modules/esm/package.json': '{"type":"module","exports":"./index.js"}',
      'node_modules/esm/index.js': 'export const esm = import.meta.url.endsWith("/node_modules/esm/index.js");',
      'node_modules/cjs/package.json': '{"main":"index.js"}',
      'node_modules/cjs/index.js': 'exports.cjs = "cjs";',
    });
    expect(await run()).toMatchObject({ stdout: 'true cjs false\n', code: 0 });
  });

  test('shows errors where they are in the source', async ({ expect }) => {
    const { directory, run } = usePlugin({
      'main.ts': 'import { fail } from "./fail.ts";\ninterface Unused { x: number }\nfail();\n',
      'fail.ts': 'type Also = never;\n\nexport function fail(): Also {\n  throw new TypeError("here");\n}\n',
    });
    const ran = await run();
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect('stderr' in ran && ran.stderr).toContain(`${directory}/fail.ts:4`);
    expect('stderr' in ran && ran.stderr).toContain('TypeError: here');
  });

  test('names file and line of what cannot be compiled', async ({ expect }) => {
    const { plugin, typescript } = usePlugin({
      'main.ts': 'import { a } from "./a";\nimport "./missing.ts";\nconsole.log(a);\n',
      'a.ts': 'export const a = 1;\nexport const b: = 2;\n',
    });
    expect(await typescript.prepare(plugin())).toEqual({
      ok: false,
      problems: ['a.ts:2: Unexpected "="', 'main.ts:2: Could not resolve "./missing.ts"'],
    });
  });

  test('takes in nothing but the plugin’s files as they were read', async ({ expect }) => {
    const { directory, plugin, typescript } = usePlugin({ 'main.ts': 'import "./other.ts";\n', 'other.ts': 'console.log(1);\n' });
    const known = plugin();
    writeFileSync(join(directory, 'other.ts'), 'console.log(2);\n');
    const refused = { ok: false, problems: ['"other.ts" is not one of the plugin’s files as they were read: reload the plugin'] };
    expect(await typescript.prepare(known)).toEqual(refused);
    const { 'other.ts': _, ...fewer } = known.files;
    expect(await typescript.prepare({ ...known, files: fewer })).toEqual(refused);
    expect(await typescript.prepare(plugin())).toMatchObject({ ok: true });
  });

  test('reads nothing outside the plugin', async ({ expect }) => {
    const outside = useTmp();
    writeFileSync(join(outside, 'secret.json'), '{"key":"found-me"}');
    writeFileSync(join(outside, 'tsconfig.json'), '{"compilerOptions":{"paths":{"x":["./secret.json"]}}}');
    const { directory, plugin, typescript } = usePlugin({
      'main.ts': `import a from "${outside}/secret.json";\nimport b from "./link.json";\nimport c from "/etc/shadow";\nconsole.log(a, b, c);\n`,
      'tsconfig.json': `{"extends":"${outside}/tsconfig.json"}`,
    });
    symlinkSync(join(outside, 'secret.json'), join(directory, 'link.json'));
    const prepared = await typescript.prepare(plugin());
    expect(prepared).toMatchObject({ ok: false, problems: { length: 3 } });
    expect(JSON.stringify(prepared)).not.toContain('found-me');
  });

  test('makes one bundle of one content, whoever asks and however often', async ({ expect }) => {
    const { cacheDirectory, plugin, typescript, create } = usePlugin({ 'main.ts': 'console.log(1 as number);\n' });
    const prepared = await Promise.all([1, 2, 3].map(() => typescript.prepare(plugin())));
    expect(new Set(prepared.map((one) => JSON.stringify(one))).size).toBe(1);
    const [kept, ...more] = readdirSync(join(cacheDirectory, 'typescript'));
    expect(more).toEqual([]);
    const file = join(cacheDirectory, 'typescript', kept ?? '', 'main.mjs');
    const mark = '// kept\n';
    writeFileSync(file, mark);
    expect(await create().prepare(plugin())).toEqual(prepared[0]);
    expect(readFileSync(file, 'utf8')).toBe(mark);
    expect(existsSync(join(cacheDirectory, 'typescript', kept ?? '', 'node_modules'))).toBe(false);
  });

  test('checks files that the script does not import', async ({ expect }) => {
    const { directory, typescript } = usePlugin({ 'main.ts': '', 'good.ts': 'let x: number = 1;', 'bad.ts': '\n\nlet = = 1;' });
    expect(await typescript.check(directory, ['good.ts', 'bad.ts'])).toEqual(['bad.ts:3: Unexpected "="']);
    expect(await typescript.check(directory, [])).toEqual([]);
  });
});
