import { expect, test } from 'vitest';

import type { KeptFile } from '../../../src/dispatch/keep-files.ts';
import type { Artifact } from '../../../src/dispatch/outcome.ts';
import { present } from '../../../src/dispatch/present.ts';

const artifact = (name: string): Artifact => ({ uri: `artifact://call/${name}`, name, mimeType: 'x/y', bytes: 3, digest: 'sha256:0' });
const link = (name: string, description?: string) => ({
  type: 'resource_link',
  uri: `artifact://call/${name}`,
  name,
  mimeType: 'x/y',
  size: 3,
  ...(description === undefined ? {} : { description }),
});
const image = { type: 'image', data: 'AA==', mimeType: 'image/png' } as const;
const nothing = { refusals: [], warnings: [], kept: [] };

test('present() gives a text alone as it is', () => {
  expect(present({ text: 'hello', truncated: false }, nothing)).toEqual({
    content: [{ type: 'text', text: 'hello' }],
    artifacts: [],
    truncated: false,
  });
});

test('present() puts text, refusals, warnings, images and links in this order', () => {
  const kept: KeptFile[] = [{ artifact: artifact('a.png'), image, description: 'A chart' }, { artifact: artifact('b.csv') }];
  const refusal = { allowed: false, capability: 'net:x:1', by: 'policy', reason: 'no' } as const;
  const shown = present(
    { text: 'cut', artifact: artifact('result.txt'), truncated: true },
    { refusals: [refusal], warnings: ['c.txt is missing'], kept },
  );
  expect(shown).toEqual({
    content: [
      { type: 'text', text: 'cut' },
      { type: 'text', text: 'Refused during this call:\n- net:x:1 (by policy): no' },
      { type: 'text', text: 'Warnings:\n- c.txt is missing' },
      image,
      link('result.txt'),
      link('a.png', 'A chart'),
      link('b.csv'),
    ],
    artifacts: [artifact('result.txt'), artifact('a.png'), artifact('b.csv')],
    truncated: true,
  });
});

test('present() bounds warnings, and none can pass for two', () => {
  const warnings = ['one\n- two\u2028three', 'x'.repeat(1_000), ...Array.from({ length: 30 }, (_, at) => `w${at}`)];
  const [, shown] = present({ text: '', truncated: false }, { ...nothing, warnings }).content;
  const lines = shown?.type === 'text' ? shown.text.split('\n') : [];
  expect(lines[1]).toBe('- one - two three');
  expect(lines[2]).toHaveLength(502);
  expect(lines).toHaveLength(22);
  expect(lines.at(-1)).toBe('- and 12 more');
});
