import { describe, test } from 'vitest';

import { readAnswer } from '../../../../../src/executors/script/output/answer.ts';
import { formatEnding, readEnding, type ScriptEnding } from '../../../../../src/executors/script/ending.ts';
import { addWarnings } from '../../../../../src/executors/script/report.ts';
import { SCRIPT_LIMITS } from '../../../../../src/manifest/plugin.ts';

const answer = (stdout: string | Uint8Array, ending: ScriptEnding = { kind: 'exited', code: 0 }, stderrTail = '') =>
  readAnswer(
    { ending, stdout: Buffer.from(stdout as string), stderrTail, logBytesDropped: 0, bytesIn: 2 },
    { limits: SCRIPT_LIMITS, dataBytes: 1000 },
  );

describe('readAnswer()', () => {
  test('gives objects as structure and text, and hands on their files', ({ expect }) => {
    expect(answer('{"sum": 3, "files": ["a.png"]}')).toEqual({
      result: { kind: 'ok', output: { text: '{"sum": 3, "files": ["a.png"]}', structured: { sum: 3, files: ['a.png'] } } },
      files: ['a.png'],
    });
  });

  test('warns where the output was not what the contract wants', ({ expect }) => {
    expect(answer('').result).toEqual({ kind: 'ok', output: { text: '', warnings: ['the script printed nothing'] } });
  });

  test.for<[error: unknown, message: string]>([
    ['no such city', 'no such city'],
    [{ message: 'no such city', code: 7 }, 'no such city'],
    [{ code: 7 }, '{"code":7}'],
    [['a'], '["a"]'],
    [true, 'the script reported an error without saying which'],
    [3, 'the script reported the error 3'],
  ])('fails for the error %j', ([error, message], { expect }) => {
    expect(answer(JSON.stringify({ error })).result).toEqual({ kind: 'failed', code: 'EXECUTION_PLUGIN_FAILED', message });
  });

  test.for([null, '', ' ', false, 0, {}, []])('takes the empty error %j for none', (error, { expect }) => {
    expect(answer(JSON.stringify({ error })).result.kind).toBe('ok');
  });

  test('fails with what was printed, the end of stderr and the files, whatever the exit code', ({ expect }) => {
    expect(answer('half of it', { kind: 'exited', code: 3 }, 'Traceback').result).toEqual({
      kind: 'failed',
      code: 'EXECUTION_PLUGIN_FAILED',
      message: 'the script ended with exit code 3\n\nIt printed:\nhalf of it\n\nThe end of its stderr:\nTraceback',
    });
    expect(answer('{"error":"x","files":["log.txt"],"row":4}', { kind: 'exited', code: 1 })).toEqual({
      result: { kind: 'failed', code: 'EXECUTION_PLUGIN_FAILED', message: 'x\n\nIt printed:\n{"error":"x","files":["log.txt"],"row":4}' },
      files: ['log.txt'],
    });
    expect(answer(Uint8Array.of(255), { kind: 'exited', code: 2 }).result).toMatchObject({ message: 'the script ended with exit code 2' });
  });

  test('names the bytes of an answer that is no text, and what to do instead', ({ expect }) => {
    expect(answer(Uint8Array.of(0x89, 0x50, 0xff)).result).toEqual({
      kind: 'failed',
      code: 'EXECUTION_BAD_OUTPUT',
      message: '3 bytes of its output are not UTF-8 text; a script hands over such data as a file that its "files" array names',
    });
  });

  test.for<[ending: ScriptEnding, result: object]>([
    [
      { kind: 'signal', signal: 'SIGSEGV' },
      { code: 'EXECUTION_DIED', message: 'the script was ended by SIGSEGV\n\nThe end of its stderr:\nwords' },
    ],
    [{ kind: 'memory' }, { code: 'EXECUTION_DIED', message: 'it used more than 536870912 bytes of memory' }],
    [{ kind: 'setup' }, { code: 'EXECUTION_NO_HOST', message: 'the sandbox could not be made: words' }],
    [{ kind: 'stopped', by: 'cancelled' }, { kind: 'cancelled' }],
    [
      { kind: 'stopped', by: 'timeoutMs' },
      { kind: 'timed-out', limit: 'timeoutMs' },
    ],
    [
      { kind: 'stopped', by: 'outputBytes' },
      { code: 'EXECUTION_OUTPUT_TOO_LARGE', message: 'the script printed more than 16777216 bytes and was killed' },
    ],
    [{ kind: 'stopped', by: 'stderrBytes' }, { code: 'EXECUTION_OUTPUT_TOO_LARGE' }],
    [
      { kind: 'stopped', by: 'data' },
      { code: 'EXECUTION_DIED', message: 'its data directory grew beyond 1000 bytes and it was killed' },
    ],
  ])('says what ended it: %j', ([ending, result], { expect }) => {
    expect(answer('{"files":["x"]}', ending, 'words')).toMatchObject({ result, files: undefined });
  });

  test('recognises a heap of V8 that is full', ({ expect }) => {
    const { result } = answer('', { kind: 'signal', signal: 'SIGABRT' }, 'FATAL ERROR: JavaScript heap out of memory');
    expect(result).toMatchObject({ code: 'EXECUTION_DIED', message: 'it used more than 536870912 bytes of memory' });
  });
});

test.for<[Parameters<typeof readEnding>[0], string]>([
  [{ code: 0, signal: null }, 'exit 0'],
  [{ code: 3, signal: null }, 'exit 3'],
  [{ code: 128, signal: null }, 'exit 128'],
  [{ code: 139, signal: null }, 'signal SIGSEGV'],
  [{ code: 134, signal: null }, 'signal SIGABRT'],
  [{ code: 255, signal: null }, 'exit 255'],
  [{ code: null, signal: 'SIGKILL' }, 'signal SIGKILL'],
  [{ code: 137, signal: null, cause: 'memory' }, 'killed: memoryBytes'],
  [{ code: 1, signal: null, cause: 'setup' }, 'not started'],
  [{ code: null, signal: null }, 'not started'],
])('readEnding() of %j is %s', ([exit, text], { expect }) => {
  expect(formatEnding(readEnding(exit))).toBe(text);
});

test('addWarnings() shows warnings with every kind of result but a cancelled one', ({ expect }) => {
  expect(addWarnings({ kind: 'ok', output: { text: '', warnings: ['a'] } }, ['b'])).toMatchObject({ output: { warnings: ['a', 'b'] } });
  expect(addWarnings({ kind: 'failed', code: 'EXECUTION_DIED', message: 'm' }, ['b'])).toMatchObject({ message: 'm\n\nWarnings:\n- b' });
  expect(addWarnings({ kind: 'cancelled' }, ['b'])).toEqual({ kind: 'cancelled' });
  expect(addWarnings({ kind: 'ok', output: { text: '' } }, [])).toEqual({ kind: 'ok', output: { text: '' } });
});
