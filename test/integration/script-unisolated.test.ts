import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, onTestFinished, test, vi } from 'vitest';

import { createInterpreters } from '../../src/executors/script/languages/interpreters.ts';
import { LANGUAGES } from '../../src/manifest/plugin.ts';
import { findByCommand } from '../helpers/process-tree.ts';
import { HAS_BUBBLEWRAP } from '../helpers/sandbox.ts';
import { callScript, hasInterpreter, useScriptExecutor, writeScript } from '../helpers/script-plugins.ts';
import { ECHOES, TELLS_SURROUNDINGS } from '../helpers/script-sources.ts';
import { useTmp } from '../helpers/tmp.ts';

/** As on a machine without bubblewrap. */
const BARE = { unboxed: 'when-missing', programs: { bwrap: '/nonexistent' } } as const;
const WARNING = 'it ran without isolation, with all rights of the person who runs plugbridge, because scripts.unisolated names it';

describe('scripts where nothing isolates', () => {
  test('are refused, with what to install, and run nothing', async ({ expect }) => {
    const marker = join(useTmp(), 'ran');
    const { executor, started } = useScriptExecutor({ sandbox: BARE, unisolated: ['another'] });
    const { result, usage } = await callScript(executor, writeScript('bash', `touch ${marker}\n`));
    expect(result).toEqual({
      kind: 'failed',
      code: 'EXECUTION_NOT_ISOLATED',
      message: expect.stringMatching(
        /^nothing on this machine isolates processes: .*nonexistent.*; install .* or put "scripted" into scripts\.unisolated/,
      ) as string,
    });
    expect(usage.tier).toBe('none');
    expect(started).toEqual([]);
    expect(existsSync(marker)).toBe(false);
    expect(await executor.tier()).toBe('none');
    expect(await executor.tier({ name: 'scripted' })).toBe('none');
    expect(await executor.tier({ name: 'another' })).toBe('process');
  });

  test.for(LANGUAGES.filter(hasInterpreter))(
    '%s: run for a plugin that a person has named, and every result says so',
    async (language, { expect }) => {
      const { executor } = useScriptExecutor({ sandbox: BARE, unisolated: ['scripted'], prestarted: 2 });
      const fine = await callScript(executor, writeScript(language, TELLS_SURROUNDINGS[language]));
      expect(fine.result).toMatchObject({ kind: 'ok', output: { warnings: [WARNING] } });
      expect(fine.kept.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(['made']);
      expect(fine.usage).toMatchObject({ tier: 'process', exit: 'exit 0', unenforced: ['namespaces'] });
      const failing = await callScript(executor, writeScript(language, 'exit(3)\n'));
      expect(failing.result).toMatchObject({ kind: 'failed', message: expect.stringContaining(`Warnings:\n- ${WARNING}`) as string });
    },
  );

  test('are killed with their group, and leave no temporary directory', async ({ expect }) => {
    vi.stubEnv('TMPDIR', useTmp());
    onTestFinished(() => void vi.unstubAllEnvs());
    const { executor } = useScriptExecutor({ sandbox: BARE, unisolated: ['scripted'] });
    const plugin = writeScript('bash', 'sleep 5432.1 & sleep 5432.1\n');
    const before = readdirSync(tmpdir());
    const { result } = await callScript(executor, plugin, { limits: { timeoutMs: 300 } });
    expect(result).toMatchObject({ kind: 'timed-out', message: expect.stringContaining(WARNING) as string });
    await executor.close();
    await vi.waitFor(() => expect(findByCommand('5432.1')).toEqual([]));
    await vi.waitFor(() => expect(readdirSync(tmpdir())).toEqual(before));
  });
});

describe.skipIf(!HAS_BUBBLEWRAP)('what a script call is refused for before it begins', () => {
  test('a missing interpreter, with what to install', async ({ expect }) => {
    const { executor, started } = useScriptExecutor({ over: { interpreters: createInterpreters({ configured: {}, directories: [] }) } });
    const plugin = writeScript('ruby', ECHOES.ruby);
    const { result } = await callScript(executor, plugin);
    expect(result).toMatchObject({
      kind: 'failed',
      code: 'EXECUTION_INTERPRETER_MISSING',
      message: expect.stringMatching(/^Ruby is not installed: install it/) as string,
    });
    expect(executor.inspect(plugin)).toMatchObject({ ok: false });
    expect(started).toEqual([]);
  });

  test('a main file that is none of its files, and a syntax error in the closer look', async ({ expect }) => {
    const { executor } = useScriptExecutor();
    const plugin = writeScript('python', 'print("fine")\n');
    expect(executor.inspect(plugin)).toEqual({ ok: true, warnings: [] });
    expect(await executor.check(plugin)).toEqual({ ok: true, warnings: [] });
    const missing = { ...plugin, runtime: { ...plugin.runtime, main: 'other.py' } };
    expect(executor.inspect(missing)).toEqual({
      ok: false,
      problems: [`the script "${join(plugin.directory, 'other.py')}" is not among its files`],
    });
    const broken = await executor.check(writeScript('python', 'x = 1\ndef f(:\n'));
    expect(broken).toEqual({ ok: false, problems: [expect.stringMatching(/^main\.py:2: /) as string] });
  });

  test('TypeScript that cannot be compiled', async ({ expect }) => {
    const { executor } = useScriptExecutor();
    const { result } = await callScript(executor, writeScript('typescript', 'const x: number = ;\n'));
    expect(result).toMatchObject({
      kind: 'failed',
      code: 'EXECUTION_MODULE_REFUSED',
      message: expect.stringMatching(/^main\.ts:1/) as string,
    });
  });

  test('packages that are missing are named when the script fails', async ({ expect }) => {
    const { executor } = useScriptExecutor();
    const plugin = writeScript('python', 'import nowhere_to_be_found\n', { dependencies: ['nowhere-to-be-found==1.0'] });
    const { result } = await callScript(executor, plugin);
    expect(result).toMatchObject({
      kind: 'failed',
      code: 'EXECUTION_PLUGIN_FAILED',
      message: expect.stringMatching(/nowhere-to-be-found==1\.0; see plugbridge dependencies$/) as string,
    });
  });

  test('nothing of the person is in the environment, and nothing of the server', async ({ expect }) => {
    vi.stubEnv('SECRET_OF_THE_SERVER', 'hunter2');
    onTestFinished(() => void vi.unstubAllEnvs());
    const { executor } = useScriptExecutor({ prestarted: 1 });
    const marker = join(useTmp(), 'x');
    writeFileSync(marker, 'x');
    const plugin = writeScript(
      'bash',
      'cat /proc/*/environ 2>/dev/null | tr "\\0" "\\n" | grep -c hunter2 || true\nls /root /home 2>&1 | head -5\n',
    );
    for (let call = 0; call < 2; call += 1) {
      const { result } = await callScript(executor, plugin);
      expect(result).toMatchObject({ kind: 'ok', output: { text: expect.stringMatching(/^0\n/) as string } });
    }
    expect(readFileSync(marker, 'utf8')).toBe('x');
  });
});
