import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';

import { buildPlugins, callGuest, loadGuest, PLUGINS, type GuestReply } from '../helpers/guest.ts';
import { useTmp } from '../helpers/tmp.ts';

const TODAY = 'wiki/daily/2026-05-11.md';

let guest: WebAssembly.Module;
beforeAll(async () => {
  await buildPlugins();
  guest = loadGuest(join(PLUGINS, 'vault/vault.wasm'));
});

/** A root with a vault in it, unless `empty`, and calls of the guest on it. */
function useVault(options: { readonly empty?: boolean; readonly now?: string } = {}) {
  const root = useTmp();
  const host = { root, ...(options.now === undefined ? {} : { now: options.now }) };
  const call = (action: string, args: Readonly<Record<string, unknown>> = {}): GuestReply => callGuest(guest, { ...args, action }, host);
  if (!options.empty) call('init');
  return {
    root,
    call,
    text: (path: string): string => readFileSync(join(root, path), 'utf8'),
    write: (path: string, text: string | Uint8Array): void => {
      mkdirSync(join(root, path, '..'), { recursive: true });
      writeFileSync(join(root, path), text);
    },
  };
}

describe('init', () => {
  test('makes a vault once and leaves alone what is there', () => {
    const { root, call, text, write } = useVault({ empty: true });
    expect(call('init')).toEqual({
      success: true,
      output: `Made a vault in ${root}: wiki/daily/, wiki/notes/, wiki/index.md`,
      error: null,
    });
    expect(text('wiki/index.md')).toBe(
      '# Vault\n\n- `daily/`: one note a day, filled by captures\n- `notes/`: one note a topic; link them as [[name]]\n',
    );
    write('wiki/index.md', 'mine');
    rmSync(join(root, 'wiki/notes'), { recursive: true });
    expect(call('init').output).toBe(`Made a vault in ${root}: wiki/notes/`);
    expect(call('init').output).toBe(`The vault in ${root} is there already; nothing was changed`);
    expect(text('wiki/index.md')).toBe('mine');
  });

  test('says what it could not make', () => {
    const { call, write } = useVault({ empty: true });
    write('wiki', 'a file');
    expect(call('init').error).toBe(
      'Cannot create the folder "wiki/daily": the host refused or failed, check the permission file_write and that the path is free',
    );
  });

  test.for([
    ['capture', { message: 'x' }],
    ['today', {}],
    ['note', { title: 'x', body: 'y' }],
    ['read', { path: 'x' }],
    ['query', { term: 'x' }],
    ['backlinks', { note: 'x' }],
    ['recent', {}],
    ['status', {}],
  ] as const)('%s asks for it where there is no vault', ([action, args]) => {
    const { root, call } = useVault({ empty: true });
    expect(call(action, args)).toEqual({
      success: false,
      output: null,
      error: `Cannot ${action}: no vault in "${root}" (it has no wiki folder that can be read), call init first`,
    });
    expect(readdirSync(root)).toEqual([]);
  });
});

describe('capture', () => {
  test('makes the daily note and appends entries with the local time', () => {
    const { call, text } = useVault();
    expect(call('capture', { message: 'first "thought" \\ Grüße 😀' }).output).toBe(`Captured to ${TODAY} under "Captured"`);
    call('capture', { message: 'second\n\nwith a line  \r\n' });
    expect(text(TODAY)).toBe(
      '---\ndate: 2026-05-11\ntags: [daily]\n---\n\n# 2026-05-11\n\n## Captured\n\n- 14:32 first "thought" \\ Grüße 😀\n- 14:32 second\n\n  with a line\n',
    );
  });

  test('files under sections, new ones at the end, others where they are', () => {
    const { call, text } = useVault();
    call('capture', { message: 'a' });
    call('capture', { message: 'b', section: 'Ideas' });
    call('capture', { message: 'c', section: 'captured' });
    call('capture', { message: 'd', section: 'ideas' });
    expect(text(TODAY).split('# 2026-05-11\n')[1]).toBe('\n## Captured\n\n- 14:32 a\n- 14:32 c\n\n## Ideas\n\n- 14:32 b\n- 14:32 d\n');
  });

  test.for([
    ['## A\n', '## A\n\n- 14:32 x\n'],
    ['## A', '## A\n\n- 14:32 x\n'],
    ['## A\n- y', '## A\n- y\n- 14:32 x\n'],
    ['## A\n\n\n## B\n', '## A\n\n- 14:32 x\n\n\n## B\n'],
    ['## A\n- y\n### Sub\n- z\n\n# B\n', '## A\n- y\n### Sub\n- z\n- 14:32 x\n\n# B\n'],
    ['```\n## A\n```\n', '```\n## A\n```\n\n## A\n\n- 14:32 x\n'],
    ['## A\n~~~\n## no heading\n~~~\n## B\n', '## A\n~~~\n## no heading\n~~~\n- 14:32 x\n## B\n'],
    ['---\n## A\n---\ntext', '---\n## A\n---\ntext\n\n## A\n\n- 14:32 x\n'],
    ['', '\n## A\n\n- 14:32 x\n'],
  ] as const)('puts an entry into %j', ([before, after]) => {
    const { call, text, write } = useVault();
    write(TODAY, before);
    expect(call('capture', { message: 'x', section: 'A' }).success).toBe(true);
    expect(text(TODAY)).toBe(after);
  });

  test('keeps everything that was there, whatever is captured', () => {
    const { call, text } = useVault();
    const line = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).filter((value) => value.trim() !== '');
    let before = '';
    fc.assert(
      fc.property(line, fc.constantFrom('Captured', 'Ideas', 'Later'), (message, section) => {
        expect(call('capture', { message, section }).success).toBe(true);
        const after = text(TODAY);
        const rest = after.split('\n');
        expect(before.split('\n').every((kept) => kept === '' || rest.includes(kept))).toBe(true);
        before = after;
      }),
      { numRuns: 60 },
    );
  });

  test.for([
    [{}, 'Missing argument "message": wanted a text that is not empty'],
    [{ message: ' \n' }, 'Missing argument "message": wanted a text that is not empty'],
    [{ message: 5 }, 'Wrong argument "message": wanted a text'],
    [{ message: 'x'.repeat(20_001) }, 'Argument "message" is too long: 20001 characters, wanted at most 20000; use note'],
    [{ message: 'x', section: '' }, 'Wrong argument "section": wanted one line of 1 to 100 characters without a leading #'],
    [{ message: 'x', section: '# A' }, 'Wrong argument "section": wanted one line of 1 to 100 characters without a leading #'],
    [{ message: 'x', section: 'a\nb' }, 'Wrong argument "section": wanted one line of 1 to 100 characters without a leading #'],
    [{ message: 'x', date: '2026-02-29' }, 'Wrong argument "date": "2026-02-29" is not a day, wanted YYYY-MM-DD'],
    [{ message: 'x', date: '../../etc' }, 'Wrong argument "date": "../../etc" is not a day, wanted YYYY-MM-DD'],
  ] as const)('refuses %j', ([args, error]) => {
    const { root, call } = useVault();
    expect(call('capture', args)).toEqual({ success: false, output: null, error });
    expect(readdirSync(join(root, 'wiki/daily'))).toEqual([]);
  });

  test('takes null for absent, and days of leap years', () => {
    const { call, text } = useVault();
    expect(call('capture', { message: 'x', section: null, date: '2028-02-29' }).output).toBe(
      'Captured to wiki/daily/2028-02-29.md under "Captured"',
    );
    expect(text('wiki/daily/2028-02-29.md')).toContain('date: 2028-02-29');
  });

  test('says so when the host has no clock or the note is not text', () => {
    const { call, write } = useVault({ now: '' });
    expect(call('capture', { message: 'x' }).error).toBe("Cannot tell today's date: the host's clock gave no RFC 3339 time, pass date");
    write(TODAY, Buffer.from([0xff, 0xfe]));
    expect(call('capture', { message: 'x', date: '2026-05-11' }).error).toBe(
      `Cannot read "${TODAY}": the host refused or failed, check the permission file_read and that the path is free`,
    );
  });
});

describe('today and recent', () => {
  test('today shows the note, making it the first time', () => {
    const { call } = useVault();
    const empty = '---\ndate: 2026-05-11\ntags: [daily]\n---\n\n# 2026-05-11\n\n## Captured\n';
    expect(call('today').output).toBe(`Created ${TODAY}:\n\n${empty}`);
    expect(call('today').output).toBe(`From ${TODAY}:\n\n${empty}`);
    expect(call('today', { date: '2026-05-10' }).output).toContain('Created wiki/daily/2026-05-10.md');
  });

  test('recent shows the last days, newest first, without front matter and other files', () => {
    const { call, write } = useVault();
    expect(call('recent').output).toBe('There is no daily note yet; capture makes the first');
    for (const day of ['2025-12-31', '2026-05-09', '2026-05-10']) call('capture', { message: `on ${day}`, date: day });
    write('wiki/daily/template.md', 'not a day');
    write('wiki/daily/2026-05-11.md', Buffer.from([0xff]));
    expect(call('recent', { limit: 3 }).output).toBe(
      `3 daily notes, newest first\n\n(${TODAY} can't be read)\n\n# 2026-05-10\n\n## Captured\n\n- 14:32 on 2026-05-10\n\n` +
        '# 2026-05-09\n\n## Captured\n\n- 14:32 on 2026-05-09',
    );
    write('wiki/daily/2026-05-11.md', 'x'.repeat(10_001));
    expect(call('recent', { limit: '1' }).output).toMatch(/x\n… 1 more characters, read wiki\/daily\/2026-05-11\.md$/);
    expect(call('recent', { limit: 0 }).error).toBe('Wrong argument "limit": wanted a whole number from 1 to 31');
  });
});

describe('files that are no notes', () => {
  test('status counts notes only, in folders of any depth', () => {
    const { root, call, write } = useVault();
    call('capture', { message: 'a' });
    call('capture', { message: 'b', section: 'Ideas' });
    call('today', { date: '2026-01-01' });
    write('wiki/projects/a/b/deep.md', 'x');
    write('wiki/image.png', 'x');
    write('wiki/Makefile', 'x');
    write('wiki/.obsidian/hidden.md', 'x');
    write('outside.md', 'x');
    expect(call('status').output).toBe(
      `Vault in ${root}\n\n- notes: 2\n- daily notes: 2 (2026-01-01 to 2026-05-11)\n- captured on 2026-05-11: 2`,
    );
    expect(call('status', { date: '2026-01-01' }).output).toMatch(/captured on 2026-01-01: 0$/);
  });

  test('refused changes are told in words', () => {
    const { root, call, write } = useVault();
    rmSync(join(root, 'wiki/daily'), { recursive: true });
    write('wiki/daily', 'a file');
    expect(call('capture', { message: 'x' }).error).toBe(
      `Cannot write "${TODAY}": the host refused or failed, check the permission file_write and that the path is free`,
    );
    expect(call('status').success).toBe(true);
  });

  test('a vault that was copied elsewhere works there', () => {
    const { root, call } = useVault();
    call('capture', { message: 'moved' });
    const copy = useVault({ empty: true });
    cpSync(root, copy.root, { recursive: true });
    expect(copy.call('query', { term: 'MOVED' }).output).toContain('- line 10: - 14:32 moved');
  });
});
