import { mkdirSync, readdirSync, statSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { createArtifactStore, type ArtifactStore, type ArtifactStoreOptions, type PutAnswer } from '../../../src/artifacts/store.ts';
import { useTmp } from '../../helpers/tmp.ts';

const MIB = 1024 * 1024;

function useStore(options: Partial<ArtifactStoreOptions> = {}): { store: ArtifactStore; directory: string; again: () => ArtifactStore } {
  const directory = options.directory ?? join(useTmp(), 'artifacts');
  const again = (): ArtifactStore =>
    createArtifactStore({ quotaBytes: 16 * MIB, expiryMs: 1000, clock: () => 5000, ...options, directory });
  return { store: again(), directory, again };
}
const stored = (answer: PutAnswer): string => {
  if (answer.kind === 'refused') throw new Error(answer.reason);
  return answer.artifact.uri;
};

describe('putText() and read()', () => {
  test('keep a text with its digest, for its owner alone', async () => {
    const { store, directory } = useStore();
    const answer = await store.putText('call-1', 'a.txt', 'hello', 'text/markdown');
    expect(answer).toEqual({
      kind: 'stored',
      artifact: {
        uri: 'artifact://call-1/a.txt',
        name: 'a.txt',
        mimeType: 'text/markdown',
        bytes: 5,
        digest: 'sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824',
      },
    });
    expect(await store.read('artifact://call-1/a.txt')).toMatchObject({ text: 'hello', offsetBytes: 0 });
    expect(statSync(join(directory, 'call-1')).mode & 0o777).toBe(0o700);
    for (const file of readdirSync(join(directory, 'call-1'))) expect(statSync(join(directory, 'call-1', file)).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(directory, 'call-1'))).toEqual(['.a.txt.json', 'a.txt']);
  });

  test('never lose one of two with the same name', async () => {
    const { store } = useStore();
    const uris = await Promise.all(['1', '2', '3'].map(async (text) => stored(await store.putText('call', '../x.txt', text))));
    expect(uris).toEqual(['artifact://call/x.txt', 'artifact://call/x-2.txt', 'artifact://call/x-3.txt']);
    expect(await Promise.all(uris.map(async (uri) => (await store.read(uri))?.text))).toEqual(['1', '2', '3']);
  });

  test('never lose one of two stores’ with the same name', async () => {
    const { store, again } = useStore();
    const other = again();
    const uris = await Promise.all(
      [store, other, store, other].map(async (each, at) => stored(await each.putText('call', 'x', String(at)))),
    );
    expect(new Set(uris).size).toBe(4);
    expect(await Promise.all(uris.map(async (uri) => (await store.read(uri))?.text))).toEqual(['0', '1', '2', '3']);
  });

  test('page a text between characters', async () => {
    const { store } = useStore();
    const text = 'aé€😀'.repeat(50);
    const uri = stored(await store.putText('call', 'x', text));
    let joined = '';
    let offsetBytes: number | undefined = 0;
    while (offsetBytes !== undefined) {
      const page = await store.read(uri, { offsetBytes, limitBytes: 7 });
      expect(page?.bytes.length).toBeLessThanOrEqual(7);
      joined += page?.text ?? '';
      offsetBytes = page?.nextOffsetBytes;
    }
    expect(joined).toBe(text);
  });

  test('move an offset within a character back to its beginning', async () => {
    const { store } = useStore();
    const uri = stored(await store.putText('call', 'x', 'a😀b'));
    expect(await store.read(uri, { offsetBytes: 3, limitBytes: 4 })).toMatchObject({ text: '😀', offsetBytes: 1, nextOffsetBytes: 5 });
    expect(await store.read(uri, { offsetBytes: 3, limitBytes: 1 })).toMatchObject({ text: '😀', offsetBytes: 1, nextOffsetBytes: 5 });
    expect(await store.read(uri, { offsetBytes: 99 })).toMatchObject({ text: '', offsetBytes: 6 });
    expect(await store.read(uri, { offsetBytes: -5 })).toMatchObject({ text: 'a😀b', offsetBytes: 0 });
  });

  test('bound a page to 40,000 bytes unless asked, and 1 MiB if asked for more', async () => {
    const { store } = useStore();
    const uri = stored(await store.putBytes('call', 'x', Buffer.alloc(2 * MIB, 1)));
    expect((await store.read(uri))?.bytes.length).toBe(40_000);
    const page = await store.read(uri, { limitBytes: 1e12 });
    expect(page).toMatchObject({ nextOffsetBytes: MIB });
    expect(page?.text).toBeUndefined();
  });
});

test.for([
  ['text/html', Buffer.from('é'), true],
  ['application/json', Buffer.from('{}'), true],
  ['text/plain', Buffer.from([0xff, 0xfe]), false],
  ['image/png', Buffer.from('é'), false],
] as const)('putBytes() treats %s as text: %s', async ([mimeType, bytes, isText]) => {
  const { store } = useStore();
  const page = await store.read(stored(await store.putBytes('call', 'x', bytes, mimeType)));
  expect(page?.text !== undefined).toBe(isText);
  expect(page?.bytes).toEqual(bytes);
});

test('putBytes() does not pass on a MIME type that is none', async () => {
  const { store } = useStore();
  expect(await store.putBytes('call', 'x', Buffer.from('x'), 'text/html\r\nX: y')).toMatchObject({
    artifact: { mimeType: 'application/octet-stream' },
  });
});

describe('read()', () => {
  test('survives a restart', async () => {
    const { store, again } = useStore();
    const uri = stored(await store.putText('call', 'x', 'kept'));
    expect((await again().read(uri))?.text).toBe('kept');
    expect(await again().list()).toMatchObject([{ uri, bytes: 4, createdMs: 5000 }]);
  });

  test.for(['artifact://call/../../secret', 'artifact://../secret', 'artifact://call/.x.json', 'artifact://call/none', 'nonsense'])(
    'finds nothing at %s',
    async (uri) => {
      const { store, directory } = useStore();
      await store.putText('call', 'x', 'x');
      writeFileSync(join(directory, 'secret'), 'secret');
      expect(await store.read(uri)).toBeUndefined();
    },
  );

  test('does not follow a link, nor read a file that was cut', async () => {
    const { store, directory } = useStore();
    const uri = stored(await store.putText('call', 'x', 'long'));
    writeFileSync(
      join(directory, 'call', '.l.json'),
      JSON.stringify({
        uri: 'artifact://call/l',
        name: 'l',
        mimeType: 'text/plain',
        bytes: 4,
        digest: 'sha256:',
        createdMs: 1,
        encoding: 'utf8',
      }),
    );
    symlinkSync('x', join(directory, 'call', 'l'));
    expect(await store.read('artifact://call/l')).toBeUndefined();
    truncateSync(join(directory, 'call', 'x'), 2);
    expect(await store.read(uri)).toBeUndefined();
  });

  test('finds nothing where the sidecar is not ours', async () => {
    const { store, directory } = useStore();
    const uri = stored(await store.putText('call', 'x', 'x'));
    writeFileSync(join(directory, 'call', '.x.json'), '{"name":');
    expect(await store.read(uri)).toBeUndefined();
    expect(await store.list()).toEqual([]);
  });
});

describe('quota', () => {
  test('refuses what one call may not have', async () => {
    const { store } = useStore({ callQuotaBytes: 10_000 });
    stored(await store.putText('call', 'x', 'x'.repeat(1000)));
    expect(await store.putText('call', 'x', 'x'.repeat(1000))).toEqual({
      kind: 'refused',
      reason: 'Cannot keep 1000 bytes as an artifact: this call has 5096 of 10000 bytes in use',
    });
    expect((await store.putText('other', 'x', 'x'.repeat(1000))).kind).toBe('stored');
  });

  test('counts 4 KiB for each, so that empty ones end too', async () => {
    const { store } = useStore({ callQuotaBytes: 9000 });
    const kinds = [];
    for (let at = 0; at < 3; at++) kinds.push((await store.putText('call', 'x', '')).kind);
    expect(kinds).toEqual(['stored', 'stored', 'refused']);
  });

  test('makes room by removing the oldest of other calls', async () => {
    let nowMs = 5000;
    const { store } = useStore({ quotaBytes: 20_000, callQuotaBytes: 20_000, expiryMs: 1e9, clock: () => nowMs++ });
    const first = stored(await store.putText('one', 'x', 'x'.repeat(4000)));
    const second = stored(await store.putText('two', 'x', 'x'.repeat(4000)));
    const third = stored(await store.putText('three', 'x', 'x'.repeat(4000)));
    expect((await store.list()).map(({ uri }) => uri)).toEqual([third, second]);
    expect(await store.read(first)).toBeUndefined();
    expect(await store.putText('four', 'x', 'x'.repeat(20_001))).toEqual({
      kind: 'refused',
      reason: 'Cannot keep 20001 bytes as an artifact: this call has 0 of 20000 bytes in use',
    });
  });

  test('refuses rather than remove what the same call has stored', async () => {
    const { store } = useStore({ quotaBytes: 10_000, callQuotaBytes: 20_000 });
    stored(await store.putText('call', 'x', 'x'.repeat(5000)));
    expect(await store.putText('call', 'y', 'y'.repeat(5000))).toEqual({
      kind: 'refused',
      reason: 'Cannot keep 5000 bytes as an artifact: the store is limited to 10000 bytes',
    });
    expect(await store.list()).toHaveLength(1);
  });

  test('counts what an earlier process stored', async () => {
    const { store, again } = useStore({ callQuotaBytes: 10_000 });
    stored(await store.putText('call', 'x', 'x'.repeat(5000)));
    expect((await again().putText('call', 'x', 'x'.repeat(5000))).kind).toBe('refused');
  });
});

describe('expire()', () => {
  test('removes what is too old and nothing else', async () => {
    let nowMs = 5000;
    const { store, directory } = useStore({ expiryMs: 1000, clock: () => nowMs });
    stored(await store.putText('old', 'x', 'x'));
    nowMs = 5500;
    const young = stored(await store.putText('young', 'x', 'x'));
    nowMs = 6000;
    expect(await store.expire()).toBe(1);
    expect((await store.list()).map(({ uri }) => uri)).toEqual([young]);
    expect(readdirSync(directory)).toEqual(['young']);
  });

  test('removes what a killed writer left, once it is old enough', async () => {
    const { store, directory } = useStore({ clock: () => Date.now(), expiryMs: 1e9 });
    mkdirSync(join(directory, 'dead'), { recursive: true });
    for (const name of ['.new-0123', 'orphan', 'recent']) writeFileSync(join(directory, 'dead', name), 'x');
    for (const name of ['.new-0123', 'orphan']) utimesSync(join(directory, 'dead', name), 1, 1);
    expect(await store.expire()).toBe(0);
    expect(readdirSync(join(directory, 'dead'))).toEqual(['recent']);
  });
});

test('put refuses a call id that could be a path', async () => {
  const { store, directory } = useStore();
  await expect(store.putText('../x', 'x', 'x')).rejects.toThrow(
    expect.objectContaining({
      code: 'ARTIFACT_UNUSABLE',
      message: `Cannot use the artifact store "${directory}": "../x" is not a call id`,
    }),
  );
});

test('put throws when the directory cannot be used, and the next one goes on', async () => {
  const directory = join(useTmp(), 'file');
  writeFileSync(directory, '');
  const { store } = useStore({ directory });
  await expect(store.putText('call', 'x', 'x')).rejects.toThrow(expect.objectContaining({ code: 'ARTIFACT_UNUSABLE' }));
  await expect(store.putText('call', 'x', 'x')).rejects.toThrow(expect.objectContaining({ code: 'ARTIFACT_UNUSABLE' }));
});

test('locate() says where an artifact lies, and nothing of what is none', async () => {
  const { store, directory } = useStore();
  const uri = stored(await store.putBytes('call', 'a.bin', Uint8Array.of(1, 2)));
  expect(store.locate(uri)).toBe(join(directory, 'call', 'a.bin'));
  for (const wrong of ['artifact://../x', 'artifact://call/../../x', 'file:///etc/passwd', '']) expect(store.locate(wrong)).toBeUndefined();
});

test('putBytes() keeps bytes that expire like texts', async () => {
  let now = 5000;
  const { store } = useStore({ clock: () => now });
  const uri = stored(await store.putBytes('call', 'a.png', Uint8Array.of(1, 2), 'image/png'));
  expect(await store.read(uri)).toMatchObject({ artifact: { mimeType: 'image/png', bytes: 2 } });
  now += 1001;
  expect(await store.expire()).toBe(1);
  expect(await store.read(uri)).toBeUndefined();
});
