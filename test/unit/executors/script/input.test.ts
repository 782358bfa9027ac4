import { test } from 'vitest';

import { MAX_ARGUMENT_BYTES, toScriptInput } from '../../../../src/executors/script/input.ts';

const ARGS = { text: 'ü' };
const JSON_TEXT = '{"text":"ü"}';

test.for([
  ['stdin', { argument: '', stdin: `${JSON_TEXT}\n` }],
  ['argv', { argument: JSON_TEXT, stdin: '' }],
  ['both', { argument: JSON_TEXT, stdin: `${JSON_TEXT}\n` }],
] as const)('toScriptInput() puts arguments where %s says', ([input, wanted], { expect }) => {
  expect(toScriptInput(input, ARGS)).toEqual({ ok: true, input: wanted });
});

test('toScriptInput() refuses an argument beyond the limit, in bytes', ({ expect }) => {
  const fits = { a: 'x'.repeat(MAX_ARGUMENT_BYTES - '{"a":""}'.length) };
  expect(toScriptInput('argv', fits).ok).toBe(true);
  expect(toScriptInput('argv', { a: `${fits.a}x` })).toEqual({
    ok: false,
    reason: 'they have 32769 bytes as JSON and the script takes them as an argument of at most 32768; pass less, or let it read stdin',
  });
  expect(toScriptInput('both', { a: 'ü'.repeat(MAX_ARGUMENT_BYTES / 2) }).ok).toBe(false);
  expect(toScriptInput('stdin', { a: 'x'.repeat(MAX_ARGUMENT_BYTES) }).ok).toBe(true);
});
