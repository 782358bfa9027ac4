import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { createArtifactStore, type ArtifactStore } from '../../../src/artifacts/store.ts';
import { createFileKeeper, IMAGE_LIMITS, MAX_FILES } from '../../../src/dispatch/keep-files.ts';
import { GIF, makeJpeg, makeLargePng, makePng } from '../../helpers/images.ts';
import { useTmp } from '../../helpers/tmp.ts';

const useStore = (quotaBytes = 1e9): ArtifactStore =>
  createArtifactStore({ directory: join(useTmp(), 'artifacts'), quotaBytes, expiryMs: 1e9, clock: Date.now });
const bytes = (text: string): Buffer => Buffer.from(text);

describe('createFileKeeper().keep()', () => {
  test('keeps bytes under a safe name with type, size and digest', async () => {
    const store = useStore();
    const keeper = createFileKeeper(store, 'call');
    expect(await keeper.keep({ name: '../out/Bericht März.csv', bytes: bytes('a,b\n'), description: 'two\ncolumns\u202e' })).toEqual({
      kept: true,
      uri: 'artifact://call/Bericht_Marz.csv',
    });
    expect(keeper.kept).toEqual([
      {
        artifact: {
          uri: 'artifact://call/Bericht_Marz.csv',
          name: 'Bericht_Marz.csv',
          mimeType: 'text/csv',
          bytes: 4,
          digest: 'sha256:5be08c9684a1d25efcee09318204824278b08bbfb4aef973ffefd0b9d7478313',
        },
        description: 'two columns',
      },
    ]);
    expect((await store.read('artifact://call/Bericht_Marz.csv'))?.text).toBe('a,b\n');
  });

  test('loses nothing when many files of two calls want one name at once', async () => {
    const store = useStore();
    const [one, two] = [createFileKeeper(store, 'one'), createFileKeeper(store, 'two')];
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) => (at % 2 === 0 ? one : two).keep({ name: 'report.txt', bytes: bytes(`text ${at}`) })),
    );
    const uris = answers.map((answer) => (answer.kept ? answer.uri : ''));
    expect(new Set(uris).size).toBe(20);
    expect(await Promise.all(uris.map(async (uri) => (await store.read(uri))?.text))).toEqual(uris.map((_, at) => `text ${at}`));
    expect(one.kept.map(({ artifact }) => artifact.name)).toEqual([
      'report.txt',
      ...Array.from({ length: 9 }, (_, at) => `report-${at + 2}.txt`),
    ]);
  });

  test('says why when a quota refuses', async () => {
    const keeper = createFileKeeper(useStore(40_000), 'call');
    expect(await keeper.keep({ name: 'a', bytes: Buffer.alloc(1_000) })).toMatchObject({ kept: true });
    expect(await keeper.keep({ name: 'b', bytes: Buffer.alloc(9_000) })).toEqual({
      kept: false,
      reason: 'Cannot keep 9000 bytes as an artifact: this call has 5096 of 10000 bytes in use',
    });
    expect(keeper.kept).toHaveLength(1);
  });

  test('says why when the store breaks', async () => {
    const broken = { ...useStore(), putBytes: () => Promise.reject(new Error('the disk is on fire')) };
    expect(await createFileKeeper(broken, 'call').keep({ name: 'a', bytes: bytes('') })).toEqual({
      kept: false,
      reason: 'the disk is on fire',
    });
  });

  test('keeps a bounded number of files', async () => {
    const keeper = createFileKeeper(useStore(), 'call');
    const answers = [];
    for (let at = 0; at <= MAX_FILES; at++) answers.push(await keeper.keep({ name: 'x', bytes: bytes('') }));
    expect(answers.at(-1)).toEqual({ kept: false, reason: `Cannot keep more than ${MAX_FILES} files of one call` });
    expect(keeper.kept).toHaveLength(MAX_FILES);
  });
});

describe('createFileKeeper().keep() shows as an image', () => {
  const shownTypes = async (...files: { name: string; mimeType?: string; bytes: Buffer }[]): Promise<(string | undefined)[]> => {
    const keeper = createFileKeeper(useStore(), 'call');
    for (const file of files) expect(await keeper.keep(file)).toMatchObject({ kept: true });
    return keeper.kept.map(({ image }) => image?.mimeType);
  };

  test.for([
    ['a PNG by its name', { name: 'a.png', bytes: makePng() }, 'image/png'],
    ['a PNG by what is said', { name: 'a', mimeType: 'Image/PNG', bytes: makePng() }, 'image/png'],
    ['a JPEG by the name that many give it', { name: 'a', mimeType: 'image/jpg', bytes: makeJpeg() }, 'image/jpeg'],
    ['a GIF', { name: 'a.gif', bytes: GIF }, 'image/gif'],
    ['no JPEG that is a PNG', { name: 'a.jpg', bytes: makePng() }, undefined],
    ['no text that is called a PNG', { name: 'a.png', bytes: bytes('not an image') }, undefined],
    ['no PNG that was cut', { name: 'a.png', bytes: makePng().subarray(0, 40) }, undefined],
    ['no SVG', { name: 'a.svg', bytes: bytes('<svg xmlns="http://www.w3.org/2000/svg"/>') }, undefined],
    ['no image that is said to be something else', { name: 'a.png', mimeType: 'text/plain', bytes: makePng() }, undefined],
    ['no image that is larger than clients take', { name: 'a.png', bytes: makePng(IMAGE_LIMITS.sidePixels + 1, 1) }, undefined],
    ['an image of 1,000,000 bytes', { name: 'a.png', bytes: makeLargePng(1_000_000) }, 'image/png'],
    ['no image of a byte more', { name: 'a.png', bytes: makeLargePng(1_000_001) }, undefined],
  ] as const)('%s', async ([, file, wanted]) => {
    expect(await shownTypes(file)).toEqual([wanted]);
  });

  test('the bytes as they are', async () => {
    const keeper = createFileKeeper(useStore(), 'call');
    const png = makePng(5, 5);
    await keeper.keep({ name: 'a.png', bytes: new Uint8Array(png) });
    expect(keeper.kept[0]?.image).toEqual({ type: 'image', data: png.toString('base64'), mimeType: 'image/png' });
  });

  test('eight at most', async () => {
    const types = await shownTypes(...Array.from({ length: 10 }, () => ({ name: 'a.png', bytes: makePng() })));
    expect(types.map((type) => type !== undefined)).toEqual([...Array.from({ length: 8 }, () => true), false, false]);
  });

  test('2,000,000 bytes at most, and what is small enough still fits', async () => {
    const large = { name: 'a.png', bytes: makeLargePng(900_000) };
    expect(await shownTypes(large, large, large, { name: 'b.png', bytes: makePng() })).toEqual([
      'image/png',
      'image/png',
      undefined,
      'image/png',
    ]);
  });
});
