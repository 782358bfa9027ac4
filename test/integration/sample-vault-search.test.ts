import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';

import { buildPlugins, callGuest, loadGuest, PLUGINS, type GuestReply } from '../helpers/guest.ts';
import { useTmp } from '../helpers/tmp.ts';

let guest: WebAssembly.Module;
beforeAll(async () => {
  await buildPlugins();
  guest = loadGuest(join(PLUGINS, 'vault/vault.wasm'));
});

/** A vault with these notes, and calls of the guest on it. */
function useNotes(notes: Readonly<Record<string, string | Uint8Array>>) {
  const root = useTmp();
  const call = (action: string, args: Readonly<Record<string, unknown>> = {}): GuestReply =>
    callGuest(guest, { ...args, action }, { root });
  call('init');
  const write = (path: string, text: string | Uint8Array): void => {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  for (const [path, text] of Object.entries(notes)) write(path, text);
  const query = (term: string, args: Readonly<Record<string, unknown>> = {}) =>
    JSON.parse(call('query', { term, json: true, ...args }).output ?? '') as {
      truncated: boolean;
      searched: number;
      unreadable: string[];
      matches: { path: string; line: number; text: string }[];
    };
  return { root, call, write, query };
}

describe('query', () => {
  test('answers in Markdown, newest daily notes first, each line once', () => {
    const { call } = useNotes({
      'wiki/notes/b.md': 'nothing\nWasm and wasm\n',
      'wiki/notes/a.md': '# WASM\n\n  * wasm  \n',
      'wiki/daily/2026-05-10.md': 'wasm',
      'wiki/daily/2026-05-11.md': 'about wasm',
    });
    expect(call('query', { term: 'wasm' }).output).toBe(
      [
        '5 matches for "wasm" in 5 notes',
        '\n### wiki/daily/2026-05-11.md\n\n- line 1: about wasm',
        '\n### wiki/daily/2026-05-10.md\n\n- line 1: wasm',
        '\n### wiki/notes/a.md\n\n- line 1: # WASM\n- line 3: * wasm',
        '\n### wiki/notes/b.md\n\n- line 2: Wasm and wasm',
      ].join('\n'),
    );
    expect(call('query', { term: 'nowhere' }).output).toBe('No match for "nowhere" in 5 notes');
    expect(call('query', { term: 'about' }).output).toMatch(/^1 match for "about" in 5 notes\n/);
    expect(call('query', { term: 'wasm', limit: 1 }).output).toMatch(
      /^1 match for "wasm"; there are more, raise limit or narrow the term\n/,
    );
  });

  test.for([
    ['straße', 'STRAßE', true],
    ['ÄPFEL', 'äpfel', true],
    ['привет', 'ПРИВЕТ', true],
    ['Ωμέγα', 'ωΜΈΓΑ', true],
    ['日本', '今日は日本語', true],
    ['😀', 'so 😀!', true],
    ['р', 'Ѡ', false],
    ['é', 'è', false],
    ['ẞ', 'ß', false],
    ['a.c', 'abc', false],
    ['"quote\\', 'a "QUOTE\\ b', true],
  ] as const)('finds %j in %j: %j', ([term, text, found]) => {
    const { query } = useNotes({ 'wiki/notes/a.md': `x\n${text}\n` });
    expect(query(term).matches).toEqual(found ? [{ path: 'wiki/notes/a.md', line: 2, text }] : []);
  });

  test('finds the lines that a naive search finds', () => {
    const letters = fc.constantFrom('a', 'A', 'b', 'B', 'ä', 'Ä', 'ß', 'я', 'Я', '😀', ' ', '\n');
    const { write, query } = useNotes({});
    fc.assert(
      fc.property(
        fc.string({ unit: letters, maxLength: 60 }),
        fc.string({ unit: letters, minLength: 1, maxLength: 4 }).map((term) => term.replaceAll(/\s/g, 'a')),
        (text, term) => {
          write('wiki/notes/a.md', text);
          const lines = text.split('\n').flatMap((line, i) => (line.toLowerCase().includes(term.toLowerCase()) ? [i + 1] : []));
          const matches = query(term, { limit: 200 }).matches.filter((match) => match.path === 'wiki/notes/a.md');
          expect(matches.map((match) => match.line)).toEqual(lines);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('cuts long lines around the match without breaking characters', () => {
    const { query } = useNotes({ 'wiki/notes/a.md': `${'ä😀'.repeat(2_000)}needle${'😀ü'.repeat(2_000)}` });
    const [match] = query('needle').matches;
    expect(match?.text).toMatch(/^…[ä😀]{20,}needle[😀ü]+…$/u);
    expect(match?.text.length).toBeLessThanOrEqual(242);
  });

  test('names notes that can not be read and goes on', () => {
    const notes = {
      'wiki/notes/a.md': Buffer.from([0x66, 0xff]),
      'wiki/notes/b.md': 'found',
      'wiki/notes/big.md': 'x'.repeat(16 * 1024 * 1024 + 1),
    };
    const { call, query } = useNotes(notes);
    expect(query('found')).toEqual({
      term: 'found',
      searched: 2,
      truncated: false,
      unreadable: ['wiki/notes/a.md', 'wiki/notes/big.md'],
      matches: [{ path: 'wiki/notes/b.md', line: 1, text: 'found' }],
    });
    expect(call('query', { term: 'found' }).output).toMatch(
      /\n\nNot searched, because not readable as UTF-8 text or larger than 16 MiB: wiki\/notes\/a\.md, wiki\/notes\/big\.md$/,
    );
  });

  test('searches many large notes within 64 MiB', () => {
    const notes = Object.fromEntries(
      Array.from({ length: 12 }, (_, i) => [`wiki/notes/${i}.md`, `${'lorem ipsum\n'.repeat(500_000)}end ${i}`]),
    );
    const { query } = useNotes(notes);
    expect(query('end 11').matches).toEqual([{ path: 'wiki/notes/11.md', line: 500_001, text: 'end 11' }]);
    expect(query('ipsum').truncated).toBe(true);
  });

  test('stops at 20,000 entries and 16 levels and says so', () => {
    const { root, call, write, query } = useNotes({ [`wiki/${'d/'.repeat(16)}deep.md`]: 'deep' });
    expect(query('deep')).toMatchObject({ truncated: true, matches: [] });
    for (let i = 0; i < 20_000; i++) writeFileSync(join(root, `wiki/notes/${i}.txt`), '');
    write('wiki/notes/z.md', 'needle');
    expect(call('status').output).toMatch(/\n\nThe vault is larger than one call looks at: 20000 entries, 16 levels$/);
  });

  test.for([
    [{}, 'Missing argument "term": wanted a text that is not empty'],
    [{ term: 'a\nb' }, 'Wrong argument "term": wanted one line of at most 200 characters'],
    [{ term: 'x'.repeat(201) }, 'Wrong argument "term": wanted one line of at most 200 characters'],
    [{ term: 'x', limit: 201 }, 'Wrong argument "limit": wanted a whole number from 1 to 200'],
    [{ term: 'x', limit: 1.5 }, 'Wrong argument "limit": wanted a whole number from 1 to 200'],
    [{ term: 'x', limit: 'many' }, 'Wrong argument "limit": wanted a whole number from 1 to 200'],
    [{ term: 'x', json: 'yes' }, 'Wrong argument "json": wanted true or false'],
  ] as const)('refuses %j', ([args, error]) => {
    expect(useNotes({}).call('query', args)).toEqual({ success: false, output: null, error });
  });
});

describe('note, read and backlinks', () => {
  test('note creates, refuses to replace, and appends when asked', () => {
    const { root, call } = useNotes({});
    const made = call('note', { title: 'WASM: "Sandboxing" & more', body: 'One\n' });
    expect(made.output).toBe('Created wiki/notes/wasm-sandboxing-more.md; link to it as [[wasm-sandboxing-more]]');
    expect(call('note', { title: 'wasm sandboxing more', body: 'Two' }).error).toBe(
      'Cannot create "wiki/notes/wasm-sandboxing-more.md": it is there already, pass append=true to add to it or choose another title',
    );
    expect(call('note', { title: 'wasm sandboxing more', body: 'Two', append: true }).output).toBe(
      'Appended to wiki/notes/wasm-sandboxing-more.md; link to it as [[wasm-sandboxing-more]]',
    );
    expect(call('read', { path: 'WASM-sandboxing-more' }).output).toBe(
      'From wiki/notes/wasm-sandboxing-more.md:\n\n---\ntitle: "WASM: \\"Sandboxing\\" & more"\ncreated: 2026-05-11\n---\n\n# WASM: "Sandboxing" & more\n\nOne\n\nTwo\n',
    );
    expect(root).not.toBe('');
  });

  test.for([
    ['Grüße aus Köln', 'grüße-aus-köln'],
    ['日本語 ノート', '日本語-ノート'],
    ['../../etc/passwd', 'etc-passwd'],
    ['.env', 'env'],
    ['a'.repeat(120), 'a'.repeat(60)],
  ])('note makes the file name of %j %j', ([title, slug]) => {
    expect(useNotes({}).call('note', { title, body: 'x' }).output).toBe(`Created wiki/notes/${slug}.md; link to it as [[${slug}]]`);
  });

  test.for(['', '...', '😀', 'a\nb', 'x'.repeat(121)])('note refuses the title %j', (title) => {
    expect(useNotes({}).call('note', { title, body: 'x' }).error).toMatch(/^(Missing|Wrong) argument "title": /);
  });

  test.for(['wiki/notes/a.md', 'notes/a.md', 'notes/a', 'a', 'A.md'])('read finds a note as %j', (path) => {
    expect(useNotes({ 'wiki/notes/a.md': 'text' }).call('read', { path }).output).toBe('From wiki/notes/a.md:\n\ntext');
  });

  test.for(['../secret.md', '/etc/passwd', 'notes/../../secret', 'a//b', 'a\\b', './a'])('read refuses %j', (path) => {
    expect(useNotes({ 'secret.md': 'x' }).call('read', { path }).error).toBe(
      `Wrong argument "path": "${path}" is neither a path below the root nor a name as in [[name]]`,
    );
  });

  test('read points to query for what is not there, files outside the wiki included', () => {
    expect(useNotes({ 'secret.md': 'x' }).call('read', { path: 'secret' }).error).toBe(
      'Cannot read "secret": the vault has no such note that can be read, call query to find it',
    );
  });

  test('backlinks knows links of both kinds and nothing else', () => {
    const { call } = useNotes({
      'wiki/notes/ideas.md': '[[ideas]] itself',
      'wiki/notes/yes.md': '[[ideas]]\n[[Ideas|text]]\n[[notes/ideas#part]]\n[x](ideas.md)\n[x](../notes/ideas.md#y)\n',
      'wiki/notes/no.md': 'ideas\n[[ideas-2]]\n[[my ideas]]\n[ideas](other.md)\n[x](ideas.txt)\n[[a]]/ideas]]\n',
    });
    expect(call('backlinks', { note: 'wiki/notes/ideas.md' }).output).toBe(
      '5 lines linking to [[ideas]]\n\n### wiki/notes/yes.md\n\n- line 1: [[ideas]]\n- line 2: [[Ideas|text]]\n' +
        '- line 3: [[notes/ideas#part]]\n- line 4: [x](ideas.md)\n- line 5: [x](../notes/ideas.md#y)',
    );
    expect(call('backlinks', { note: 'nobody' }).output).toBe('Nothing links to [[nobody]] in 4 notes');
    expect(call('backlinks', { note: '../x' }).error).toBe('Wrong argument "note": wanted a name as in [[name]] or a path below the root');
  });
});
