import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { parse } from 'jsonc-parser';
import { describe, expect, test } from 'vitest';

import { applyEdit, planEdit } from '../../../src/commands/client-files.ts';
import { useTmp } from '../../helpers/tmp.ts';

const PATH = ['mcpServers', 'plugins'] as const;
const ENTRY = { command: '/usr/bin/node', args: ['/cli.js', 'serve'] };

function useFile(text?: string): { file: string; tmp: string; connect: () => string } {
  const tmp = useTmp();
  const file = join(tmp, 'client.json');
  if (text !== undefined) writeFileSync(file, text);
  const connect = (): string => {
    applyEdit(planEdit(file, PATH, ENTRY));
    return readFileSync(file, 'utf8');
  };
  return { file, tmp, connect };
}

describe('planEdit() and applyEdit()', () => {
  test.for([undefined, '', '\n', '{}', '{ "mcpServers": {} }', '{ "mcpServers": null }'])('enter the server into %o', (text) => {
    const after = useFile(text).connect();
    expect(parse(after)).toEqual({ mcpServers: { plugins: ENTRY } });
  });

  test('make a new file for the owner alone, with the directories above it', () => {
    const tmp = useTmp();
    const file = join(tmp, 'a', 'b', 'client.json');
    applyEdit(planEdit(file, PATH, ENTRY));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).toBe(`${JSON.stringify({ mcpServers: { plugins: ENTRY } }, undefined, 2)}\n`);
  });

  test('change nothing else: comments, trailing commas, other servers', () => {
    const before = '// mine\n{\n  "theme": "dark", /* keep */\n  "mcpServers": {\n    "other": { "command": "x" }, // here\n  },\n}\n';
    const after = useFile(before).connect();
    for (const line of ['// mine', '"theme": "dark", /* keep */', '// here']) expect(after).toContain(line);
    expect(parse(after, [], { allowTrailingComma: true })).toEqual({
      theme: 'dark',
      mcpServers: { other: { command: 'x' }, plugins: ENTRY },
    });
  });

  test('replace an entry of the same name', () => {
    const after = useFile('{"mcpServers":{"plugins":{"url":"http://old"},"other":{}}}').connect();
    expect(parse(after)).toEqual({ mcpServers: { plugins: ENTRY, other: {} } });
  });

  test.for([
    ['CRLF', '{\r\n  "a": 1\r\n}\r\n', /^\{\r\n {2}"a": 1,\r\n {2}"mcpServers": \{\r\n {4}"plugins": \{\r\n/],
    ['tabs', '{\n\t"a": 1\n}\n', /^\{\n\t"a": 1,\n\t"mcpServers": \{\n\t\t"plugins": \{\n/],
    ['four spaces', '{\n    "a": 1\n}\n', /^\{\n {4}"a": 1,\n {4}"mcpServers": \{\n {8}"plugins": \{\n/],
  ] as const)('keep the form: %s', ([, before, wanted]) => {
    const after = useFile(before).connect();
    expect(after).toMatch(wanted);
    if (before.includes('\r\n')) expect(after.replaceAll('\r\n', '')).not.toContain('\n');
  });

  test('do the same twice with the same result', () => {
    const { connect, file } = useFile('{\n  // c\n  "a": 1\n}\n');
    const once = connect();
    const { before, after } = planEdit(file, PATH, ENTRY);
    expect(before).toBe(once);
    expect(after).toBe(once);
  });

  test.for([
    ['{ "a": ', 'it is not valid JSON'],
    ['{ "a": 1 } x', 'it is not valid JSON'],
    ['[]', '"mcpServers" is not an object'],
    ['null', '"mcpServers" is not an object'],
    ['"text"', '"mcpServers" is not an object'],
    ['{ "mcpServers": [] }', '"mcpServers" is not an object'],
    ['{ "mcpServers": "x" }', '"mcpServers" is not an object'],
  ] as const)('leave alone what they do not understand: %s', ([text, reason]) => {
    const { file, connect } = useFile(text);
    expect(connect).toThrow(
      expect.objectContaining({
        code: 'CONNECT_UNREADABLE',
        message: `Cannot change "${file}": ${reason}; use --print and enter it by hand`,
      }),
    );
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  test('refuse a directory in place of the file', () => {
    const tmp = useTmp();
    expect(() => planEdit(tmp, PATH, ENTRY)).toThrow(expect.objectContaining({ code: 'CONNECT_UNREADABLE' }));
  });

  test('follow a symbolic link and keep the permissions of the file', () => {
    const { file, tmp } = useFile('{}');
    chmodSync(file, 0o640);
    const link = join(tmp, 'link.json');
    symlinkSync(file, link);
    applyEdit(planEdit(link, PATH, ENTRY));
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(parse(readFileSync(file, 'utf8'))).toEqual({ mcpServers: { plugins: ENTRY } });
    expect(statSync(file).mode & 0o777).toBe(0o640);
    expect(readdirSync(tmp).toSorted()).toEqual(['client.json', 'link.json']);
  });

  test('say so when the file cannot be written, and leave nothing behind', () => {
    const tmp = useTmp();
    writeFileSync(join(tmp, 'file'), '');
    mkdirSync(join(tmp, 'taken'));
    for (const file of [join(tmp, 'file', 'client.json'), join(tmp, 'taken')]) {
      expect(() => applyEdit({ file, before: '', after: '{}' })).toThrow(expect.objectContaining({ code: 'CONNECT_UNWRITABLE' }));
    }
    expect(readdirSync(tmp).toSorted()).toEqual(['file', 'taken']);
  });
});
