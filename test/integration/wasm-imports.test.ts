import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, test } from 'vitest';

import { callImport as callWith, READ_ONLY, type ImportSetup } from '../helpers/wasm-imports.ts';
import { useHostScript } from '../helpers/wasm-guests.ts';
import type { AzImportName } from '../../src/executors/wasm/az-imports.ts';
import { HAS_BUBBLEWRAP } from '../helpers/sandbox.ts';
import { useTmp } from '../helpers/tmp.ts';

const hostScript = useHostScript();
const callImport = (name: AzImportName, strings: readonly (string | Uint8Array)[], setup: Partial<ImportSetup> = {}) =>
  callWith(name, strings, { hostScript: hostScript(), ...setup });

describe.skipIf(!HAS_BUBBLEWRAP)('files of a WASM guest', () => {
  let root = '';
  beforeAll(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), 'plugbridge-test-')));
    mkdirSync(join(root, 'wiki/.hidden'), { recursive: true });
    writeFileSync(join(root, 'wiki/note.md'), 'Grüße 😀\n');
    writeFileSync(join(root, 'wiki/B.md'), '');
    writeFileSync(join(root, 'wiki/a.md'), '\ufeffmark');
    writeFileSync(join(root, 'wiki/.first'), '');
    writeFileSync(join(root, 'binary'), Buffer.of(0x61, 0xff, 0x62));
    writeFileSync(join(root, '.env'), 'TOKEN=1');
    symlinkSync('/etc', join(root, 'out'));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  test.for([
    ['read_file', 'wiki/note.md', 'Grüße 😀\n'],
    ['read_file', 'wiki/a.md', '\ufeffmark'],
    ['read_file', 'wiki/B.md', ''],
    ['read_file', 'wiki/missing.md', 'error'],
    ['read_file', 'wiki', 'error'],
    ['read_file', 'binary', 'error'],
    ['read_file', '../etc/passwd', 'error'],
    ['read_file', '/etc/passwd', 'error'],
    ['read_file', 'out/passwd', 'error'],
    ['read_file', '.env', 'error'],
    ['read_file', 'wiki/note.md\0', 'error'],
    ['list_dir', 'wiki', '[".first",".hidden","B.md","a.md","note.md"]'],
    ['list_dir', 'wiki/.hidden', '[]'],
    ['list_dir', 'wiki/note.md', 'error'],
    ['list_dir', 'missing', 'error'],
    ['list_dir', 'out', 'error'],
    ['file_exists', 'wiki/note.md', '0'],
    ['file_exists', 'wiki', '0'],
    ['file_exists', 'wiki/none', '1'],
    ['file_exists', 'no/parents/either', '1'],
    ['file_exists', '../x', 'error'],
    ['file_exists', '/etc/passwd', 'error'],
    ['file_exists', '.env', 'error'],
    ['file_exists', '.ssh/id_rsa', 'error'],
  ] as const)('%s of %j gives %j', async ([name, path, expected], { expect }) => {
    expect((await callImport(name, [path], { root })).answer).toBe(expected);
  });

  test.for(['read_file', 'list_dir', 'file_exists', 'create_dir'] as const)(
    '%s of a path that is not UTF-8 is an error',
    async (name, { expect }) => {
      const { answer } = await callImport(name, [Uint8Array.of(0x61, 0xc0, 0x80)], { root });
      expect(answer).toBe(name === 'create_dir' ? '1' : 'error');
    },
  );

  test('an absolute path in the root is a path in the root', async ({ expect }) => {
    expect((await callImport('read_file', [join(root, 'wiki/note.md')], { root })).answer).toBe('Grüße 😀\n');
  });

  test('refusals are told to the host and not to the guest', async ({ expect }) => {
    const { answer, refusals } = await callImport('read_file', ['out/passwd'], { root });
    expect(answer).toBe('error');
    expect(refusals).toEqual([expect.stringMatching(/^sandbox /)]);
    const env = await callImport('read_file', ['.env'], { root });
    expect(env.refusals).toEqual([expect.stringMatching(/^policy read:fs:/)]);
  });

  test('nothing is read that the manifest does not ask for', async ({ expect }) => {
    const { answer, refusals } = await callImport('read_file', ['wiki/note.md'], { root, manifest: 'permissions = []\n' });
    expect(answer).toBe('error');
    expect(refusals).toEqual([expect.stringMatching(/^request read:fs:/)]);
  });
});

describe.skipIf(!HAS_BUBBLEWRAP)('writing of a WASM guest', () => {
  test.for([
    ['write_file', 'new.md', '0', 'text'],
    ['write_file', 'old.md', '0', 'text'],
    ['append_file', 'old.md', '0', 'oldtext'],
    ['append_file', 'new.md', '0', 'text'],
    ['write_file', 'no-parent/new.md', '1', undefined],
    ['append_file', 'no-parent/new.md', '1', undefined],
    ['write_file', 'folder', '1', undefined],
    ['write_file', '../outside.md', '1', undefined],
    ['write_file', 'dangling', '1', undefined],
    ['write_file', '.env', '1', undefined],
  ] as const)('%s to %s gives %s', async ([name, path, code, content], { expect }) => {
    const root = join(useTmp(), 'root');
    mkdirSync(join(root, 'folder'), { recursive: true });
    writeFileSync(join(root, 'old.md'), 'old');
    symlinkSync(join(root, '../outside.md'), join(root, 'dangling'));
    expect((await callImport(name, [path, 'text'], { root })).answer).toBe(code);
    if (content === undefined) expect(existsSync(join(root, path)) && statSync(join(root, path)).isFile()).toBe(false);
    else expect(readFileSync(join(root, path), 'utf8')).toBe(content);
    expect(existsSync(join(root, '../outside.md'))).toBe(false);
  });

  test.for([
    ['a/b/c', '0'],
    ['there', '0'],
    ['there/already', '0'],
    ['file', '1'],
    ['file/below', '1'],
    ['../outside', '1'],
  ] as const)('create_dir of %s gives %s', async ([path, code], { expect }) => {
    const root = join(useTmp(), 'root');
    mkdirSync(join(root, 'there/already'), { recursive: true });
    writeFileSync(join(root, 'file'), 'as it was');
    expect((await callImport('create_dir', [path], { root })).answer).toBe(code);
    expect(existsSync(join(root, path)) && statSync(join(root, path)).isDirectory()).toBe(code === '0');
    expect(readFileSync(join(root, 'file'), 'utf8')).toBe('as it was');
  });

  test.for([
    ['the policy denies', { policy: READ_ONLY }, 'policy write:fs:'],
    ['the manifest does not ask', { manifest: 'permissions = ["file_read"]\n' }, 'request write:fs:'],
    ['nobody has granted', { policy: 'wasm_execution = "allow"\n' }, 'grant write:fs:'],
  ] as const)('nothing is written where %s', async ([, setup, refusal], { expect }) => {
    const root = useTmp();
    const { answer, refusals } = await callImport('write_file', ['x', 'y'], { root, ...setup });
    expect(answer).toBe('1');
    expect(refusals).toEqual([expect.stringContaining(refusal)]);
    expect(existsSync(join(root, 'x'))).toBe(false);
  });

  test('a grant opens what needs approval', async ({ expect }) => {
    const root = useTmp();
    const { answer } = await callImport('write_file', ['x', 'y'], {
      root,
      policy: 'wasm_execution = "allow"\n',
      grants: ['write:fs:$ROOT'],
    });
    expect(answer).toBe('0');
    expect(readFileSync(join(root, 'x'), 'utf8')).toBe('y');
  });
});

describe.skipIf(!HAS_BUBBLEWRAP)('time and log of a WASM guest', () => {
  test('now gives local RFC 3339 with nine digits and offset', async ({ expect }) => {
    const before = Date.now();
    const { answer } = await callImport('now', []);
    expect(answer).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}[+-]\d\d:\d\d$/);
    expect(Date.parse(answer)).toBeGreaterThanOrEqual(before);
    expect(Date.parse(answer)).toBeLessThanOrEqual(Date.now());
    const local = new Date(answer);
    expect(answer.slice(11, 13)).toBe(String(local.getHours()).padStart(2, '0'));
  });

  test.for([
    ['a line', 'Grüße', ['info Grüße']],
    ['no text', '', ['info ']],
    ['bytes that are no text', Uint8Array.of(0xff), []],
  ] as const)('log passes %s on', async ([, text, expected], { expect }) => {
    const { answer, logs } = await callImport('log', [text]);
    expect(answer).toBe('0');
    expect(logs).toEqual(expected);
  });
});
