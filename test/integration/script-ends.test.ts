import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';

import { describe, onTestFinished, test, vi } from 'vitest';

import { LANGUAGES } from '../../src/manifest/plugin.ts';
import { findByCommand } from '../helpers/process-tree.ts';
import { HAS_BUBBLEWRAP } from '../helpers/sandbox.ts';
import { callScript, dataOf, hasInterpreter, useScriptExecutor, writeScript, type ScriptCallReport } from '../helpers/script-plugins.ts';
import { ECHOES, LOOPS } from '../helpers/script-sources.ts';
import { useTmp } from '../helpers/tmp.ts';

const MODES = ['cold', 'pre-started'] as const;
const useExecutor = (mode: string) => useScriptExecutor({ prestarted: mode === 'cold' ? 0 : 2 });

describe.skipIf(!HAS_BUBBLEWRAP)('how scripts end', () => {
  test.for(LANGUAGES.filter(hasInterpreter))(
    '%s: an endless loop ends at the deadline, and the next call answers',
    async (language, { expect }) => {
      const { executor } = useScriptExecutor({ prestarted: 1 });
      const plugin = writeScript(language, LOOPS[language]);
      for (let call = 0; call < 2; call += 1) {
        const { result, usage } = await callScript(executor, plugin, { limits: { timeoutMs: 800 } });
        expect(result).toEqual({ kind: 'timed-out', limit: 'timeoutMs', message: 'the script did not end within 800 ms and was killed' });
        expect(usage.exit).toBe('killed: timeoutMs');
      }
      expect((await callScript(executor, writeScript(language, ECHOES[language]))).result.kind).toBe('ok');
      await executor.close();
      expect(findByCommand(plugin.directory)).toEqual([]);
    },
  );

  test.for(MODES)('a call that is cancelled ends at once (%s)', async (mode, { expect }) => {
    const { executor } = useExecutor(mode);
    const plugin = writeScript('python', 'import sys, time\nprint("begun", file=sys.stderr, flush=True)\nwhile True: time.sleep(1)\n');
    for (let call = 0; call < 3; call += 1) {
      const stop = new AbortController();
      const { result, usage } = await callScript(executor, plugin, { signal: stop.signal, onLog: () => stop.abort() });
      expect(result).toEqual({ kind: 'cancelled' });
      expect(usage.exit).toBe('killed: cancelled');
    }
    const stop = new AbortController();
    stop.abort();
    expect((await callScript(executor, plugin, { signal: stop.signal })).result).toEqual({ kind: 'cancelled' });
  });

  test.for(MODES)('a grandchild that holds stdout keeps no call waiting, and does not outlive it (%s)', async (mode, { expect }) => {
    const { executor } = useExecutor(mode);
    const scripts = [
      writeScript('bash', 'sleep 4321.5 & disown\nread -r got\necho "$got"\n'),
      writeScript('python', 'import subprocess\nsubprocess.Popen(["sleep", "4321.5"])\nprint("{}")\n'),
      writeScript('ruby', 'spawn("sleep", "4321.5")\nputs "{}"\n'),
      writeScript(
        'node',
        "require('child_process').spawn('sleep', ['4321.5'], { stdio: 'inherit', detached: true }).unref();\nconsole.log('{}');\n",
      ),
    ];
    for (const plugin of scripts.filter(({ runtime }) => hasInterpreter(runtime.language))) {
      for (let call = 0; call < 2; call += 1) {
        const { result } = await callScript(executor, plugin, { limits: { timeoutMs: 10_000 } });
        expect(result).toMatchObject({ kind: 'ok', output: { structured: {} } });
      }
    }
    await executor.close();
    expect(findByCommand('4321.5')).toEqual([]);
  });

  test.for(MODES)('daemons of their own session that ignore every signal are killed with the script (%s)', async (mode, { expect }) => {
    const { executor } = useExecutor(mode);
    const source = `import os, signal, sys, time
for _ in range(5):
    if os.fork() == 0:
        os.setsid()
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT): signal.signal(number, signal.SIG_IGN)
        if os.fork(): os._exit(0)
        while True: time.sleep(9876)
print('{}', flush=True)
`;
    const plugin = writeScript('python', source);
    for (let call = 0; call < 2; call += 1) expect((await callScript(executor, plugin)).result.kind).toBe('ok');
    await executor.close();
    expect(findByCommand(plugin.directory)).toEqual([]);
  });

  test('a signal ends the call with its name', async ({ expect }) => {
    const { executor } = useScriptExecutor();
    const { result, usage } = await callScript(
      executor,
      writeScript('python', 'import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n'),
    );
    expect(result).toMatchObject({ kind: 'failed', code: 'EXECUTION_DIED', message: 'the script was ended by SIGSEGV' });
    expect(usage.exit).toBe('signal SIGSEGV');
  });

  test.for([
    ['python', 'held = []\nwhile True: held.append(bytearray(1 << 20))\n'],
    ['node', "const held = [];\nfor (;;) held.push(Buffer.alloc(1 << 20, 'x'));\n"],
    ['ruby', 'held = []\nloop { held << "x" * (1 << 20) }\n'],
    ['bash', 'held=x\nwhile :; do held="$held$held"; done\n'],
  ] as const)('%s: more memory than its limit ends the call, and only that', async ([language, source], { expect }) => {
    if (!hasInterpreter(language)) return;
    const { executor } = useScriptExecutor();
    const { result, usage } = await callScript(executor, writeScript(language, source), { limits: { memoryBytes: 64 * 1024 * 1024 } });
    expect(result).toMatchObject({ kind: 'failed' });
    expect(['EXECUTION_DIED', 'EXECUTION_PLUGIN_FAILED']).toContain(result.kind === 'failed' ? result.code : '');
    if (usage.tier === 'bwrap+seccomp+cgroup') {
      expect(result).toMatchObject({ code: 'EXECUTION_DIED', message: 'it used more than 67108864 bytes of memory' });
      expect(usage.exit).toBe('killed: memoryBytes');
    }
    expect((await callScript(executor, writeScript(language, ECHOES[language]))).result.kind).toBe('ok');
  });

  test('data beyond the quota ends the script, and the next call is refused until somebody has made room', async ({ expect }) => {
    const { executor } = useScriptExecutor({ dataBytes: 1024 * 1024 });
    const source = `import os, time
for number in range(100):
    with open(os.environ['TEST_DATA'] + '/%d' % number, 'wb') as file: file.write(b'x' * (1 << 20))
while True: time.sleep(1)
`;
    const plugin = writeScript('python', source);
    const { result, usage } = await callScript(executor, plugin);
    expect(result).toMatchObject({
      kind: 'failed',
      code: 'EXECUTION_DIED',
      message: 'its data directory grew beyond 1048576 bytes and it was killed',
    });
    expect(usage.exit).toBe('killed: data');
    expect((await callScript(executor, plugin)).result).toMatchObject({
      kind: 'failed',
      code: 'EXECUTION_MODULE_REFUSED',
      message: expect.stringContaining(dataOf(plugin)) as string,
    });
  });

  test('a script that closes its streams has simply said nothing', async ({ expect }) => {
    const { executor } = useScriptExecutor({ prestarted: 1 });
    for (const source of [
      'import os\nos.close(1)\nos.close(2)\n',
      'import os\nos.close(2)\n',
      'import os\nos.closerange(0, 10)\nos._exit(0)\n',
    ]) {
      const { result, usage } = await callScript(executor, writeScript('python', source));
      expect(result).toMatchObject({ kind: 'ok', output: { text: '' } });
      expect(usage.exit).toBe('exit 0');
    }
  });

  test('close() ends what runs', async ({ expect }) => {
    const { executor } = useScriptExecutor({ prestarted: 1 });
    const plugin = writeScript('python', 'import sys, time\nprint("begun", file=sys.stderr, flush=True)\ntime.sleep(600)\n');
    let call: Promise<ScriptCallReport> | undefined;
    await new Promise<void>((resolve) => {
      call = callScript(executor, plugin, { onLog: () => resolve() });
    });
    await executor.close();
    expect((await call)?.result).toMatchObject({ kind: 'failed', code: 'EXECUTION_DIED' });
    expect(findByCommand(plugin.directory)).toEqual([]);
  });

  test('200 calls leave no process, no descriptor and no file', { timeout: 60_000 }, async ({ expect }) => {
    vi.stubEnv('TMPDIR', useTmp());
    onTestFinished(() => void vi.unstubAllEnvs());
    const { executor, started } = useScriptExecutor({ prestarted: 2 });
    const plugin = writeScript('bash', 'read -r got\necho "$got" > out.txt\necho "{\\"files\\":[\\"out.txt\\"]}"\n');
    const call = async () => expect((await callScript(executor, plugin)).kept).toHaveLength(1);
    for (let warm = 0; warm < 5; warm += 1) await call();
    await vi.waitFor(() => expect(findByCommand(plugin.directory).length).toBeGreaterThan(0));
    const countDescriptors = (): number => readdirSync('/proc/self/fd').length;
    const before = countDescriptors();
    const temporary = readdirSync(tmpdir());
    for (let round = 0; round < 50; round += 1) await Promise.all([call(), call(), call(), call()]);
    await vi.waitFor(() => expect(countDescriptors()).toBeLessThanOrEqual(before + 20), { timeout: 5000 });
    expect(started.length).toBeGreaterThanOrEqual(200);
    await executor.close();
    await vi.waitFor(() => expect(countDescriptors()).toBeLessThan(before), { timeout: 5000 });
    expect(findByCommand(plugin.directory)).toEqual([]);
    expect(readdirSync(tmpdir()).filter((name) => !temporary.includes(name))).toEqual([]);
  });
});
