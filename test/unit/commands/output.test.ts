import fc from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';

import { bold, formatTable, printable, writeJson, type Output } from '../../../src/commands/output.ts';

function useOutput(isTerminal = false): Output & { readonly written: string[] } {
  const written: string[] = [];
  return { written, isTerminal, write: (text) => void written.push(text), note: (text) => void written.push(text) };
}

describe('printable()', () => {
  test.for([
    ['\u001b[2Jx', '�[2Jx'],
    ['a\rb', 'a�b'],
    ['\u0007\u0000\u007f\u009b', '����'],
    ['\u202egnp.exe', '�gnp.exe'],
    ['\u061c\u200e\u200f\u2066\u2069', '�����'],
    ['tab\tline\n', 'tab\tline\n'],
    ['Grüße 日本 😀', 'Grüße 日本 😀'],
  ] as const)('makes of %o %o', ([text, wanted]) => {
    expect(printable(text)).toBe(wanted);
  });

  test('leaves no control and no bidirectional character but tab and newline', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(printable(text)).not.toMatch(/[^\P{Cc}\t\n]|\p{Bidi_Control}/u);
        expect(printable(text)).toHaveLength(text.length);
      }),
    );
  });
});

describe('formatTable()', () => {
  test('makes columns as wide as their widest cell, without spaces at the end', () => {
    expect(
      formatTable([
        ['NAME', 'VERSION', 'X'],
        ['a', '10.0.0-beta', ''],
        ['long-name', '1', 'last one as it is'],
      ]),
    ).toBe('NAME       VERSION      X\na          10.0.0-beta\nlong-name  1            last one as it is');
    expect(formatTable([])).toBe('');
  });
});

describe('bold()', () => {
  test.for([
    [true, undefined, '\u001b[1mx\u001b[22m'],
    [true, '1', 'x'],
    [false, undefined, 'x'],
  ] as const)('terminal %s, NO_COLOR %s', ([isTerminal, noColor, wanted]) => {
    vi.stubEnv('NO_COLOR', noColor);
    vi.stubEnv('FORCE_COLOR', noColor === undefined ? '1' : undefined);
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(bold('x', useOutput(isTerminal))).toBe(wanted);
  });
});

test('writeJson() writes indented JSON', () => {
  const output = useOutput();
  writeJson(output, { a: [1] });
  expect(output.written).toEqual(['{\n  "a": [\n    1\n  ]\n}']);
});
