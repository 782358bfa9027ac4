import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, test } from 'vitest';

import { LANGUAGES, type Language } from '../../src/manifest/plugin.ts';
import { HAS_BUBBLEWRAP } from '../helpers/sandbox.ts';
import { callScript, dataOf, hasInterpreter, useScriptExecutor, writeScript } from '../helpers/script-plugins.ts';
import { ECHOES, FAILS, TELLS_INPUT, TELLS_SURROUNDINGS } from '../helpers/script-sources.ts';
import { useTmp } from '../helpers/tmp.ts';

const MODES = ['cold', 'pre-started'] as const;
const matrix = LANGUAGES.filter(hasInterpreter).flatMap((language) => MODES.map((mode): readonly [Language, string] => [language, mode]));

/** An executor, and with `pre-started` one that has a spare for every call after the first. */
const useExecutor = (mode: string) => useScriptExecutor({ prestarted: mode === 'cold' ? 0 : 2 });

describe.skipIf(!HAS_BUBBLEWRAP)('script calls', () => {
  test.for(matrix)('%s, %s: take arguments and answer', async ([language, mode], { expect }) => {
    const { executor, started } = useExecutor(mode);
    const plugin = writeScript(language, ECHOES[language]);
    for (const city of ['Zürich', '東京', '"quoted" \\ and \n more']) {
      const { result, usage } = await callScript(executor, plugin, { args: { city } });
      expect(result).toMatchObject({ kind: 'ok', output: { structured: { got: { city } } } });
      expect(usage).toMatchObject({ exit: 'exit 0', hostCalls: 0, logBytesDropped: 0 });
      expect(usage.tier).toMatch(/^bwrap/);
      expect(usage.bytesIn).toBeGreaterThan(20);
      // A spare is started after the answer has gone out.
      if (mode === 'pre-started') await expect.poll(() => started.length).toBeGreaterThan(1);
    }
  });

  test.for(matrix)(
    '%s, %s: have a run directory of their own and the variables they were promised',
    async ([language, mode], { expect }) => {
      const { executor } = useExecutor(mode);
      const plugin = writeScript(language, TELLS_SURROUNDINGS[language]);
      for (let call = 0; call < 3; call += 1) {
        const { result, kept, logs } = await callScript(executor, plugin, { command: 'go', environment: { GRANTED: 'yes' } });
        expect(result).toMatchObject({ kind: 'ok' });
        const structured = result.kind === 'ok' ? result.output.structured : undefined;
        const run = structured?.['cwd'];
        expect(structured).toMatchObject({
          before: [],
          variables: {
            TEST_NAME: 'scripted',
            TEST_PLUGIN: plugin.directory,
            TEST_RUN: run,
            TEST_DATA: dataOf(plugin),
            TEST_COMMAND: 'go',
            HOME: '/tmp',
            PATH: '/usr/local/bin:/usr/bin:/bin',
            LANG: 'C.UTF-8',
            GRANTED: 'yes',
          },
        });
        expect(Object.keys(structured?.['variables'] as object).filter((name) => /PLUGBRIDGE|VITEST|npm_/.test(name))).toEqual([]);
        expect(kept.map(({ name, bytes }) => [name, Buffer.from(bytes).toString()])).toEqual([['out.txt', 'made']]);
        expect(logs).toEqual(['a word']);
      }
    },
  );

  test.for(LANGUAGES.filter(hasInterpreter))('%s: get their arguments where they want them', async (language, { expect }) => {
    const { executor } = useScriptExecutor();
    const args = { text: 'ü € \' " $(x) `y`' };
    const json = JSON.stringify(args);
    const tell = async (input: 'stdin' | 'argv' | 'both') => {
      const { result } = await callScript(executor, writeScript(language, TELLS_INPUT[language], { input }), { args });
      return result.kind === 'ok' ? result.output.structured : result;
    };
    expect(await tell('stdin')).toEqual({ argv: [], stdin: `${json}\n` });
    expect(await tell('argv')).toEqual({ argv: [json], stdin: '' });
    expect(await tell('both')).toEqual({ argv: [json], stdin: `${json}\n` });
  });

  test.for(matrix)('%s, %s: fail with their exit code and what they said', async ([language, mode], { expect }) => {
    const { executor } = useExecutor(mode);
    const plugin = writeScript(language, FAILS[language]);
    for (let call = 0; call < 2; call += 1) {
      const { result, usage, logs } = await callScript(executor, plugin);
      expect(result).toEqual({
        kind: 'failed',
        code: 'EXECUTION_PLUGIN_FAILED',
        message: 'the script ended with exit code 3\n\nThe end of its stderr:\nno such row',
      });
      expect(usage.exit).toBe('exit 3');
      expect(logs).toEqual(['no such row']);
    }
  });

  test('keep their data from call to call, and nothing else', async ({ expect }) => {
    const { executor } = useScriptExecutor({ prestarted: 1 });
    const source = `import json, os
path = os.environ['TEST_DATA'] + '/count'
count = int(open(path).read()) + 1 if os.path.exists(path) else 1
open(path, 'w').write(str(count))
left = [place for place in ('/tmp/left', '/dev/shm/left', 'left') if os.path.exists(place)]
for place in ('/tmp/left', '/dev/shm/left', 'left'): open(place, 'w').write('x')
try: open(os.environ['TEST_PLUGIN'] + '/x', 'w'); wrote = True
except OSError: wrote = False
print(json.dumps({'count': count, 'left': left, 'wrote': wrote}))
`;
    const plugin = writeScript('python', source);
    for (const count of [1, 2, 3]) {
      const { result } = await callScript(executor, plugin);
      expect(result).toMatchObject({ output: { structured: { count, left: [], wrote: false } } });
    }
  });

  test('take large arguments on stdin, and refuse them as an argument', async ({ expect }) => {
    const { executor } = useScriptExecutor();
    const args = { text: 'x'.repeat(2_000_000) };
    const source = 'import sys, json\nprint(len(json.load(sys.stdin)["text"]))\n';
    expect((await callScript(executor, writeScript('python', source), { args })).result).toEqual({
      kind: 'ok',
      output: { text: '2000000' },
    });
    expect((await callScript(executor, writeScript('python', source, { input: 'argv' }), { args })).result).toMatchObject({
      kind: 'failed',
      code: 'DISPATCH_ARGUMENTS_INVALID',
    });
  });

  test('answer although nobody reads their input', async ({ expect }) => {
    const { executor } = useScriptExecutor();
    const { result } = await callScript(executor, writeScript('bash', 'echo done\n'), { args: { text: 'x'.repeat(1_000_000) } });
    expect(result).toMatchObject({ kind: 'ok', output: { text: 'done' } });
  });

  test('see the granted paths and no others', async ({ expect }) => {
    const { executor } = useScriptExecutor();
    const root = useTmp();
    writeFileSync(join(root, 'note.txt'), 'a note');
    writeFileSync(join(root, '.env'), 'SECRET');
    const plugin = writeScript('bash', `cat ${root}/note.txt; cat ${root}/.env || true\n`);
    const denied = await callScript(executor, plugin, { root });
    expect(denied.result).toMatchObject({ kind: 'ok', output: { text: '' } });
    expect(denied.logs[0]).toMatch(/note.txt: No such file or directory/);
    const granted = await callScript(executor, plugin, { root, permissions: ['read:fs:$ROOT'] });
    expect(granted.result).toMatchObject({ kind: 'ok', output: { text: 'a note' } });
    const wildcard = await callScript(executor, plugin, { root, permissions: ['read:fs:$ROOT/*.txt'] });
    expect(wildcard.result).toMatchObject({ kind: 'failed', code: 'EXECUTION_MODULE_REFUSED' });
  });
});
