import { readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, test, vi, type ExpectStatic } from 'vitest';

import { isAlive } from '../../src/executors/sandbox/owner.ts';
import { tryMeasureMemory } from '../../src/executors/script/process-memory.ts';
import { LANGUAGES } from '../../src/manifest/plugin.ts';
import { isRunning } from '../helpers/processes.ts';
import { HAS_BUBBLEWRAP } from '../helpers/sandbox.ts';
import {
  callScript,
  hasInterpreter,
  useScriptExecutor,
  writeScript,
  type RunningScriptExecutor,
  type ScriptPlugin,
} from '../helpers/script-plugins.ts';
import { ECHOES } from '../helpers/script-sources.ts';
import { useTmp } from '../helpers/tmp.ts';

/** Waits until as many processes have been started. */
const untilStarted = (expect: ExpectStatic, { started }: RunningScriptExecutor, count: number): Promise<void> =>
  vi.waitFor(() => expect(started).toHaveLength(count), { timeout: 5000, interval: 2 });
const living = ({ started }: RunningScriptExecutor): number => started.filter(({ process }) => isRunning(process.pid)).length;

/** As the catalog reads it anew after a change. */
const reread = (plugin: ScriptPlugin, source: string): ScriptPlugin => ({
  ...writeScript(plugin.runtime.language, source),
  name: plugin.name,
});

describe.skipIf(!HAS_BUBBLEWRAP)('interpreters that wait for a call', () => {
  test.for(LANGUAGES.filter(hasInterpreter))(
    '%s: serve one call each, and have run nothing of the plugin before it',
    async (language, { expect }) => {
      const running = useScriptExecutor({ prestarted: 2 });
      const plugin = writeScript(language, ECHOES[language]);
      await callScript(running.executor, plugin, { args: { n: 0 } });
      const first = running.started.length;
      for (let call = 1; call <= 3; call += 1) {
        await untilStarted(expect, running, first + call);
        const { result } = await callScript(running.executor, plugin, { args: { n: call } });
        expect(result).toMatchObject({ kind: 'ok', output: { structured: { got: { n: call } } } });
        // The call was served by the spare: another one would have been started for it.
        expect(running.started).toHaveLength(first + call);
      }
    },
  );

  test('hold neither arguments nor state of another call', async ({ expect }) => {
    const running = useScriptExecutor({ prestarted: 2 });
    const source = `import json, os, sys
seen = sorted(os.listdir('/tmp') + os.listdir('.') + os.listdir('/dev/shm'))
open('/tmp/mark', 'w').write('x'); open('mark', 'w').write('x'); open('/dev/shm/mark', 'w').write('x')
print(json.dumps({'seen': [name for name in seen if name == 'mark'], 'got': json.load(sys.stdin)}))
`;
    const plugin = writeScript('python', source);
    for (let call = 0; call < 4; call += 1) {
      const { result } = await callScript(running.executor, plugin, { args: { call } });
      expect(result).toMatchObject({ output: { structured: { seen: [], got: { call } } } });
      await untilStarted(expect, running, call + 2);
    }
  });

  test('are not used for other permissions, variables or limits, and end when these change', async ({ expect }) => {
    const running = useScriptExecutor({ prestarted: 4 });
    const root = useTmp();
    writeFileSync(join(root, 'note.txt'), 'a note');
    const plugin = writeScript('bash', `cat ${root}/note.txt 2>/dev/null || echo none\necho "$EXTRA"\n`);
    const call = async (options: Parameters<typeof callScript>[2]) => {
      const before = running.started.length;
      const { result } = await callScript(running.executor, plugin, { root, ...options });
      await untilStarted(expect, running, before + 2);
      return result.kind === 'ok' ? result.output.text : result.kind;
    };
    expect(await call({})).toBe('none');
    expect(await call({ permissions: ['read:fs:$ROOT'] })).toBe('a note');
    expect(await call({ environment: { EXTRA: 'more' } })).toBe('none\nmore');
    expect(await call({ limits: { memoryBytes: 100 * 1024 * 1024 } })).toBe('none');
    await vi.waitFor(() => expect(living(running)).toBe(1));
  });

  test('are not used after the files changed, and such a call is refused', async ({ expect }) => {
    const running = useScriptExecutor({ prestarted: 1 });
    const plugin = writeScript('python', 'print("old")\n', { files: { 'lib/part.py': 'x = 1\n' } });
    const file = join(plugin.directory, 'main.py');
    expect((await callScript(running.executor, plugin)).result).toMatchObject({ output: { text: 'old' } });
    await untilStarted(expect, running, 2);
    writeFileSync(file, 'print("new")\n');
    const refused = { kind: 'failed', code: 'EXECUTION_MODULE_REFUSED', message: 'its files changed since they were read; call again' };
    expect((await callScript(running.executor, plugin)).result).toEqual(refused);
    // Back as they were: what waits may have read the other script, and is not used.
    writeFileSync(file, 'print("old")\n');
    expect((await callScript(running.executor, plugin)).result).toMatchObject({ output: { text: 'old' } });
    await untilStarted(expect, running, 4);
    writeFileSync(join(plugin.directory, 'lib', 'json.py'), 'x = 2\n');
    expect((await callScript(running.executor, plugin)).result).toEqual(refused);
    const next = reread(plugin, 'print("next")\n');
    expect((await callScript(running.executor, next)).result).toMatchObject({ output: { text: 'next' } });
  });

  test('survive a change of times alone', async ({ expect }) => {
    const { executor } = useScriptExecutor();
    const plugin = writeScript('python', 'print("{}")\n');
    await callScript(executor, plugin);
    utimesSync(join(plugin.directory, 'main.py'), 1, 1);
    expect((await callScript(executor, plugin)).result.kind).toBe('ok');
  });

  test('are few, end when nobody calls, and are gone after close()', async ({ expect }) => {
    const running = useScriptExecutor({ prestarted: 2, prestartedIdleMs: 400 });
    const plugins = ['1', '2', '3'].map((number) => writeScript('bash', `echo ${number}\n`));
    for (const [index, plugin] of plugins.entries()) {
      await callScript(running.executor, plugin);
      await untilStarted(expect, running, index * 2 + 2);
    }
    await vi.waitFor(() => expect(living(running)).toBeLessThanOrEqual(2));
    await vi.waitFor(() => expect(living(running)).toBe(0), { timeout: 3000 });
    await callScript(running.executor, plugins[0] ?? writeScript('bash', ''));
    await untilStarted(expect, running, 8);
    await running.executor.close();
    expect(living(running)).toBe(0);
  });

  test('end when they take more memory than they may together', async ({ expect }) => {
    const running = useScriptExecutor({ prestarted: 4, prestartedBytes: 1024 * 1024 });
    const plugin = writeScript('node', "console.log('{}');\n");
    await callScript(running.executor, plugin);
    await untilStarted(expect, running, 2);
    await vi.waitFor(() => expect(living(running)).toBe(0), { timeout: 3000 });
  });

  test('that were killed from outside are replaced', async ({ expect }) => {
    const running = useScriptExecutor({ prestarted: 1 });
    const plugin = writeScript('bash', 'echo "{}"\n');
    await callScript(running.executor, plugin);
    await untilStarted(expect, running, 2);
    const spare = running.started[1]?.process;
    process.kill(spare?.pid ?? 0, 'SIGKILL');
    // The server need not have heard of it, but it must have died.
    await expect.poll(() => isAlive(spare?.pid ?? 0), { interval: 1 }).toBe(false);
    expect((await callScript(running.executor, plugin)).result.kind).toBe('ok');
    await spare?.exited;
    expect((await callScript(running.executor, plugin)).result.kind).toBe('ok');
  });
});

describe.skipIf(process.platform !== 'linux')('tryMeasureMemory()', () => {
  test('adds up a process and what is below it', ({ expect }) => {
    const own = tryMeasureMemory(process.pid) ?? 0;
    const pss = /^Pss:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/smaps_rollup', 'utf8'))?.[1];
    expect(own).toBeGreaterThan(Number(pss) * 512);
    expect(tryMeasureMemory(2 ** 30)).toBeUndefined();
  });
});
