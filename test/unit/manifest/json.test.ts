import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { readJson } from '../../../src/manifest/json.ts';

const read = (text: string): ReturnType<typeof readJson> => readJson(Buffer.from(text));

test('readJson() gives the value, a byte order mark passed over', () => {
  expect(read('\uFEFF{"a": [1, "x"]}')).toMatchObject({ ok: true, value: { a: [1, 'x'] } });
});

test('readJson() gives what JSON.parse() gives, for any text', () => {
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
      let value: unknown;
      let parses = true;
      try {
        value = JSON.parse(text.replace(/^\uFEFF/, ''));
      } catch {
        parses = false;
      }
      const json = read(text);
      expect(json.ok).toBe(parses);
      if (json.ok) expect(json.value).toEqual(value);
      else expect(json.message).toMatch(/^cannot be read/);
    }),
  );
});

describe('readJson() says where it cannot be read:', () => {
  test.for<[text: string, line: number | undefined, message: string]>([
    ['{\n  "a": }', 2, 'cannot be read at column 8: value expected'],
    ['{\n  "a": 1,\n}', 3, 'cannot be read at column 1: property name expected'],
    ['{"a": 1 // x\n}', 1, 'cannot be read at column 9: invalid comment token'],
    ['', 1, 'cannot be read at column 1: value expected'],
    ['{} {}', 1, 'cannot be read at column 4: end of file expected'],
  ])('%j', ([text, line, message], { expect }) => {
    expect(read(text)).toEqual({ ok: false, line, message });
  });

  test('bytes that are no UTF-8', ({ expect }) => {
    expect(readJson(Uint8Array.of(0x22, 0xff, 0x22))).toEqual({ ok: false, message: 'is not UTF-8: wanted JSON text in UTF-8' });
  });
});

test('readJson() knows the line of every member, or of what is around it', () => {
  const json = read('{\n"a": 1,\n"list": [\n{ "x": 1 },\n{\n"y": 2 }\n]\n}');
  if (!json.ok) throw new Error(json.message);
  const lines = [['a'], ['list'], ['list', 0], ['list', 1, 'y'], ['list', 1, 'z'], ['list', 7], ['gone'], []].map((path) =>
    json.lineOf(path),
  );
  expect(lines).toEqual([2, 3, 4, 6, 5, 3, undefined, undefined]);
});
