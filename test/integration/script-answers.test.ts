import { describe, test } from 'vitest';

import { HAS_BUBBLEWRAP } from '../helpers/sandbox.ts';
import { callScript, useScriptExecutor, writeScript, type ScriptCallOptions } from '../helpers/script-plugins.ts';

/** What one script of Python answers. */
const answerOf = async (source: string, options: ScriptCallOptions = {}) =>
  callScript(useScriptExecutor().executor, writeScript('python', source), options);

describe.skipIf(!HAS_BUBBLEWRAP)('what scripts answer', () => {
  test('JSON after prose is taken, and the prose is told of', async ({ expect }) => {
    const { result } = await answerOf('print("Loading 3 rows")\nprint(\'{"rows": 3}\')\n');
    expect(result).toEqual({
      kind: 'ok',
      output: {
        text: '{"rows": 3}',
        structured: { rows: 3 },
        warnings: ['the output was more than JSON, left out was "Loading 3 rows"'],
      },
    });
  });

  test('text is text, nothing is nothing, and both are told of', async ({ expect }) => {
    expect((await answerOf('print("hello")\n')).result).toEqual({
      kind: 'ok',
      output: { text: 'hello', warnings: ['the output is not JSON and was taken as text'] },
    });
    expect((await answerOf('pass\n')).result).toEqual({ kind: 'ok', output: { text: '', warnings: ['the script printed nothing'] } });
  });

  test('an error member fails the call, also with the exit code 0', async ({ expect }) => {
    const { result, usage } = await answerOf(
      'import sys\nprint(\'{"error": "no such city"}\')\nsys.stderr.write("looked in 3 places\\n")\n',
    );
    expect(result).toEqual({
      kind: 'failed',
      code: 'EXECUTION_PLUGIN_FAILED',
      message: 'no such city\n\nThe end of its stderr:\nlooked in 3 places',
    });
    expect(usage.exit).toBe('exit 0');
  });

  test('an exception fails the call with its traceback, as the interpreter shows it', async ({ expect }) => {
    const { result, usage } = await answerOf('def f():\n    raise ValueError("row 7")\nf()\n');
    expect(usage.exit).toBe('exit 1');
    const message = result.kind === 'failed' ? result.message : '';
    expect(message).toMatch(/^the script ended with exit code 1\n\nThe end of its stderr:\nTraceback \(most recent call last\):\n/);
    expect(message).toMatch(/main\.py", line 3, in <module>\n[\s\S]*ValueError: row 7$/);
    expect(message).not.toContain('loaders');
  });

  test('bytes that are no text are refused, with a hint', async ({ expect }) => {
    const { result, usage } = await answerOf('import sys\nsys.stdout.buffer.write(bytes([0x89, 0x50, 0x4e, 0x47, 0, 255]))\n');
    expect(result).toMatchObject({ kind: 'failed', code: 'EXECUTION_BAD_OUTPUT' });
    expect(usage).toMatchObject({ bytesOut: 6, exit: 'exit 0' });
  });

  test('100 MB of output end the script at the cap', async ({ expect }) => {
    const source = 'import sys\nfor _ in range(1600): sys.stdout.write("x" * 65536)\nprint("never")\n';
    const { result, usage } = await answerOf(source, { limits: { outputBytes: 1_000_000 } });
    expect(result).toEqual({
      kind: 'failed',
      code: 'EXECUTION_OUTPUT_TOO_LARGE',
      message: 'the script printed more than 1000000 bytes and was killed',
    });
    expect(usage).toMatchObject({ exit: 'killed: outputBytes', bytesOut: 1_000_000 });
  });

  test('output just at the cap is whole', async ({ expect }) => {
    const { result } = await answerOf('print("x" * 999_999)\n', { limits: { outputBytes: 1_000_000 } });
    expect(result).toMatchObject({ kind: 'ok', output: { text: 'x'.repeat(999_999) } });
  });

  test('stderr is the log, bounded; the call goes on', async ({ expect }) => {
    const source = 'import sys\nfor i in range(1000): print("line", i, file=sys.stderr)\nsys.stderr.write("y" * 1_000_000)\nprint("{}")\n';
    const { result, usage, logs } = await answerOf(source, { limits: { logBytes: 2000 } });
    expect(result).toMatchObject({ kind: 'ok', output: { structured: {} } });
    expect(logs.slice(0, 2)).toEqual(['line 0', 'line 1']);
    expect(logs.join('\n').length).toBeLessThanOrEqual(2000);
    expect(usage.logBytesDropped).toBeGreaterThan(1_000_000);
  });

  test('a flood of stderr ends the script', async ({ expect }) => {
    const source = 'import sys\nwhile True: sys.stderr.write("x" * 65536)\n';
    const { result, usage } = await answerOf(source, { limits: { outputBytes: 1_000_000 } });
    expect(result).toMatchObject({ kind: 'failed', code: 'EXECUTION_OUTPUT_TOO_LARGE' });
    expect(usage.exit).toBe('killed: stderrBytes');
  });

  test('lines of the log come while the script still runs', async ({ expect }) => {
    const stop = new AbortController();
    const source = 'import sys, time\nprint("begun", file=sys.stderr, flush=True)\ntime.sleep(60)\n';
    const { result, logs } = await answerOf(source, { signal: stop.signal, onLog: () => stop.abort() });
    expect(logs).toEqual(['begun']);
    expect(result).toEqual({ kind: 'cancelled' });
  });

  test.for([
    [
      'is nested too deeply',
      'print(\'{"a":\' + "[" * 100000 + "]" * 100000 + "}")',
      /^the output was taken as text, for it is nested deeper/,
    ],
    ['would change a prototype', 'print(\'{"__proto__": {"polluted": true}}\')', /^the output was taken as text, for it has a member/],
  ])('JSON that %s stays text', async ([, source = '', warning], { expect }) => {
    const { result } = await answerOf(source as string);
    expect(result).toMatchObject({ kind: 'ok', output: { warnings: [expect.stringMatching(warning as RegExp)] } });
    expect(result.kind === 'ok' && result.output.structured).toBe(undefined);
    expect({}).not.toHaveProperty('polluted');
  });

  test('an end mark that a script forges ends that script alone', async ({ expect }) => {
    const source = `import sys, os
frame = sys._getframe()
while frame.f_back: frame = frame.f_back
nonce = frame.f_locals.get('nonce', b'x' * 32)
for fd in (1, 2): os.write(fd, b'{"forged": true}' + b'\\0' + nonce + b':0\\0')
os.write(1, b'more')
`;
    const { executor } = useScriptExecutor({ prestarted: 1 });
    const plugin = writeScript('python', source);
    for (let call = 0; call < 2; call += 1) expect((await callScript(executor, plugin)).usage.exit).toMatch(/^exit/);
    expect((await callScript(executor, writeScript('python', 'print("{}")\n'))).result).toMatchObject({ output: { structured: {} } });
  });
});
