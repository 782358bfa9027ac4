import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';

import { buildPlugins, callGuest, callGuestRaw, loadGuest, PLUGINS } from '../helpers/guest.ts';

/** A guest that shows what the SDK makes of texts. */
const PROBE = `
import { parseJson, quoteJson, JsonValue } from "../../guest-sdk/assembly/json";
import { encodeText } from "../../guest-sdk/assembly/memory";
import { Reply, respond, succeed } from "../../guest-sdk/assembly/reply";
import { Request } from "../../guest-sdk/assembly/request";
export { alloc } from "../../guest-sdk/assembly/memory";
export function run(pointer: i32, bytes: i32): i64 { return respond(pointer, bytes, handle); }
function handle(request: Request): Reply {
  const text = request.optionalText("text", "");
  if (request.action == "echo") return succeed(text);
  if (request.action == "churn") return churn(text);
  const value = parseJson(Uint8Array.wrap(encodeText(text)));
  if (request.action == "number") return succeed(value!.number.toString());
  return succeed(value ? print(value) : "invalid");
}
function print(value: JsonValue): string {
  if (value.isNull) return "null";
  if (value.isFlag) return value.flag ? "true" : "false";
  if (value.isNumber) return value.text;
  if (value.isText) return quoteJson(value.text);
  const parts: string[] = [];
  const items = value.items;
  if (items) {
    for (let i = 0; i < items.length; i++) parts.push(print(items[i]));
    return "[" + parts.join(",") + "]";
  }
  const members = value.members!;
  const names = members.keys();
  for (let i = 0; i < names.length; i++) parts.push(quoteJson(names[i]) + ":" + print(members.get(names[i])));
  return "{" + parts.join(",") + "}";
}
function churn(text: string): Reply {
  let last = "";
  for (let i = 0; i < 2000; i++) last = print(parseJson(Uint8Array.wrap(encodeText(text)))!);
  return succeed(last + " in " + (memory.size() <= 64 ? "bounds" : memory.size().toString()));
}
`;

describe('guest SDK', () => {
  let guest: WebAssembly.Module;
  const host = { root: '/' };
  beforeAll(async () => {
    const directory = mkdtempSync(join(tmpdir(), 'plugbridge-test-'));
    try {
      cpSync(join(PLUGINS, 'guest-sdk'), join(directory, 'guest-sdk'), { recursive: true });
      mkdirSync(join(directory, 'probe/assembly'), { recursive: true });
      writeFileSync(join(directory, 'probe/assembly/index.ts'), PROBE);
      await buildPlugins('--plugins', directory);
      guest = loadGuest(join(directory, 'probe/probe.wasm'));
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
  const probe = (action: string, text: string) => callGuest(guest, { action, text }, host).output;

  test('respond() gives back every text as it came, lone surrogates as U+FFFD', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => probe('echo', text) === Buffer.from(text).toString()));
    expect(probe('echo', '\ud83d\ude00 \ud83d \0\u001f"\\/\b\f\n\r\t')).toBe('😀 \ufffd \0\u001f"\\/\b\f\n\r\t');
  });

  test('parseJson() reads what JSON.parse() reads', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'grapheme', maxDepth: 5 }), fc.constantFrom(0, 1), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        expect(probe('parse', text)).toBe(JSON.stringify(value));
      }),
    );
  });

  test('parseJson() reads numbers exactly up to 15 digits, and within 1e-14 beyond', () => {
    const number = (text: string) => Number(probe('number', text));
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.integer({ min: -22, max: 22 }), (mantissa, power) => {
        const text = `${Math.trunc(mantissa / 100)}e${power}`;
        expect(number(text)).toBe(JSON.parse(text) + 0);
      }),
    );
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e300, max: 1e300 }), (value) => {
        if (Math.abs(value) > 1e-290) expect(Math.abs(number(JSON.stringify(value)) / value - 1)).toBeLessThan(1e-14);
      }),
    );
    expect(
      ['1e999', '-1e99999999999', '1e-999', '0e999', '123456789012345678901234567890', '0.00000000000000000000012'].map(number),
    ).toEqual([Infinity, -Infinity, 0, 0, 1.2345678901234568e29, 1.2e-22]);
  });

  test('parseJson() takes no other text for JSON than JSON.parse() does', () => {
    const pieces = [
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '"a"',
      '"a":1',
      '\\',
      '\\u00e9',
      '0',
      '01',
      '-',
      '1.5',
      'e9',
      '.',
      'true',
      'nul',
      'null',
      ' ',
      '\n',
      '\u0001',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 8 }), (parts) => {
        const text = parts.join('');
        let valid = true;
        try {
          JSON.parse(text);
        } catch {
          valid = false;
        }
        // Stricter in one way: duplicate names.
        if (!valid) expect(probe('parse', text)).toBe('invalid');
      }),
      { numRuns: 2_000 },
    );
  });

  test.for([
    ['{"a":1,"a":2}', 'invalid'],
    [`${'['.repeat(64)}${']'.repeat(64)}`, `${'['.repeat(64)}${']'.repeat(64)}`],
    [`${'['.repeat(65)}${']'.repeat(65)}`, 'invalid'],
    ['"\\ud83d\\ude00"', '"😀"'],
    ['"\\ud83d"', '"\ufffd"'],
    ['"\\ud83d\\u0041"', '"\ufffdA"'],
    ['"\\ud83d\\ud83d\\ude00"', '"\ufffd😀"'],
    ['"\\u12"', 'invalid'],
    ['"\\x"', 'invalid'],
    ['"open', 'invalid'],
    ['"open\\', 'invalid'],
    ['1 2', 'invalid'],
    ['', 'invalid'],
    ['-0.5e-2', '-0.5e-2'],
    ['01', 'invalid'],
    ['1.', 'invalid'],
    ['1e', 'invalid'],
    ['+1', 'invalid'],
  ] as const)('parseJson() reads %j as %j', ([text, expected]) => {
    expect(probe('parse', text)).toBe(expected);
  });

  test.for(['', 'null', '[]', '{"action":"echo"', '{"action":"echo"}x'])('respond() answers the request %j with an error', (text) => {
    expect(JSON.parse(callGuestRaw(guest, text, host))).toEqual({
      success: false,
      output: null,
      error: 'Cannot read the request: wanted a JSON object',
    });
  });

  test('garbage is collected while a call runs', () => {
    const text = JSON.stringify({ list: Array.from({ length: 50 }, (_, i) => ({ name: `item ${i}`, text: 'ä\n'.repeat(20) })) });
    expect(probe('churn', text)).toBe(`${text} in bounds`);
  });

  test('alloc() answers a text above 16 MiB with an address outside the memory', () => {
    const instance = new WebAssembly.Instance(guest, { az: { log: () => undefined } });
    const alloc = instance.exports['alloc'] as (bytes: number) => number;
    expect(alloc(16 * 1024 * 1024 + 1)).toBe(-1);
    expect(alloc(-5)).toBe(-1);
    expect(alloc(16 * 1024 * 1024)).toBeGreaterThan(0);
  });

  test('a trap is logged with its place first', () => {
    const logs: string[] = [];
    expect(() => callGuest(guest, { action: 'churn', text: 'no JSON' }, { root: '/', logs })).toThrow('unreachable');
    expect(logs).toEqual([expect.stringMatching(/^aborted at probe\/assembly\/index\.ts:\d+:\d+: /)]);
  });
});
