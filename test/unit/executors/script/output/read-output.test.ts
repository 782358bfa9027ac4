import fc from 'fast-check';
import { describe, test } from 'vitest';

import { measureJson } from '../../../../../src/executors/script/output/json-shape.ts';
import { readOutput } from '../../../../../src/executors/script/output/read-output.ts';

const read = (text: string) => readOutput(Buffer.from(text));

describe('readOutput()', () => {
  test('takes a whole object, whatever space stands around it', ({ expect }) => {
    expect(read('\n {"a": 1,\n "b": [2]} \n')).toEqual({
      kind: 'object',
      value: { a: 1, b: [2] },
      text: '{"a": 1,\n "b": [2]}',
      warnings: [],
    });
    expect(read('\uFEFF{"a":1}')).toMatchObject({ kind: 'object', value: { a: 1 } });
  });

  test.for([
    ['[1, 2]', '[1, 2]'],
    ['42', '42'],
    ['true', 'true'],
    ['null', 'null'],
    ['"two\\nlines"', 'two\nlines'],
  ])('takes the value %s as text', ([printed = '', text = ''], { expect }) => {
    expect(read(printed)).toEqual({ kind: 'text', text, warnings: [] });
  });

  test('takes the last line that is an object, and says what stood around it', ({ expect }) => {
    expect(read('Loading…\n{"a":1}\n{"b":2}\n{broken}\ndone\n')).toEqual({
      kind: 'object',
      value: { b: 2 },
      text: '{"b":2}',
      warnings: ['the output was more than JSON, left out was "Loading…\\n{\\"a\\":1}\\n\\n{broken}\\ndone"'],
    });
  });

  test('takes anything else as text, with a warning', ({ expect }) => {
    expect(read('hello\n[1]\n')).toEqual({ kind: 'text', text: 'hello\n[1]', warnings: ['the output is not JSON and was taken as text'] });
    expect(read(' \n')).toEqual({ kind: 'text', text: '', warnings: ['the script printed nothing'] });
  });

  test('counts bytes that are not UTF-8', ({ expect }) => {
    expect(readOutput(Uint8Array.of(0x89, 0x50, 0x4e, 0x47))).toEqual({ kind: 'binary', bytes: 4 });
  });

  test('does not take apart what is too deep or has too many values', ({ expect }) => {
    const deep = `{"a":${'['.repeat(200)}${']'.repeat(200)}}`;
    expect(read(deep)).toEqual({
      kind: 'text',
      text: deep,
      warnings: ['the output was taken as text, for it is nested deeper than 200 levels'],
    });
    expect(read(deep.replace('[]', ''))).toMatchObject({ kind: 'object' });
    const many = `[${'{},'.repeat(300_000)}{}]`;
    expect(read(many)).toMatchObject({ kind: 'text', warnings: ['the output was taken as text, for it has more than 500000 values'] });
    const open = '['.repeat(8 * 1024 * 1024);
    expect(read(open)).toMatchObject({ kind: 'text', text: open });
  });

  test.for(['{"__proto__": {"admin": true}}', '{"a": [{"\\u005f_proto__": 1}]}'])('leaves %s text', (text, { expect }) => {
    expect(read(text)).toEqual({ kind: 'text', text, warnings: ['the output was taken as text, for it has a member "__proto__"'] });
    expect({}).not.toHaveProperty('admin');
  });

  test('reads back every object that is printed, alone and after prose', ({ expect }) => {
    const object = fc.dictionary(
      fc.string().filter((key) => key !== '__proto__'),
      fc.jsonValue({ noUnicodeString: false }),
    );
    fc.assert(
      fc.property(object, fc.constantFrom('', 'some prose\n', '{"first":1}\n'), (value, before) => {
        const printed = JSON.parse(JSON.stringify(value)) as Record<string, unknown>;
        if (JSON.stringify(printed).includes('__proto__')) return;
        expect(read(`${before}${JSON.stringify(printed)}\n`)).toMatchObject({ kind: 'object', value: printed });
      }),
    );
  });

  test('understands or shows every output, and never throws', ({ expect }) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
        expect(['object', 'text', 'binary']).toContain(readOutput(bytes).kind);
      }),
    );
  });
});

describe('measureJson()', () => {
  test('finds depth and at least as many values as there are', ({ expect }) => {
    const countValues = (value: unknown): number =>
      1 + (typeof value === 'object' && value !== null ? Object.values(value).reduce<number>((sum, one) => sum + countValues(one), 0) : 0);
    const depthOf = (value: unknown): number =>
      typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const shape = measureJson(JSON.stringify(value));
        expect(shape.depth).toBe(depthOf(value));
        expect(shape.values).toBeGreaterThanOrEqual(countValues(value) / 2);
      }),
    );
  });
});
