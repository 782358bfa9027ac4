import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';

import { describe, test } from 'vitest';

import type { Outcome } from '../../src/dispatch/outcome.ts';
import type { Host } from '../../src/host.ts';
import type { Language } from '../../src/manifest/plugin.ts';
import { PLUGINS } from '../helpers/guest.ts';
import { callCommand, readFirstArtifact, TEST_CALLER } from '../helpers/host-calls.ts';
import { HAS_BUBBLEWRAP } from '../helpers/sandbox.ts';
import { useScriptHost } from '../helpers/script-host.ts';
import { hasInterpreter } from '../helpers/script-plugins.ts';
import { useTmp } from '../helpers/tmp.ts';

const SAMPLES = [
  ['csv-chart', 'python'],
  ['image-resize', 'node'],
  ['json-transform', 'typescript'],
  ['log-scan', 'bash'],
  ['html-to-text', 'ruby'],
] as const satisfies readonly (readonly [string, Language])[];
const samples = SAMPLES.filter(([, language]) => hasInterpreter(language));

const SALES = 'Month,Revenue,Costs\nJan,12000,9000\nFeb,13500,-9400\n';

/** A host with one sample, copied, so that nothing can be left in the repository. */
function useSample(name: string): { host: Host; root: string; directory: string } {
  const base = useTmp();
  const directory = join(base, 'plugins', name);
  cpSync(join(PLUGINS, name), directory, { recursive: true });
  mkdirSync(join(base, 'root'));
  return { host: useScriptHost(base, { plugins: [join(base, 'plugins')] }), root: join(base, 'root'), directory };
}

/** The host has one plugin. */
const call = (host: Host, command: string, args: Readonly<Record<string, unknown>>): Promise<Outcome> =>
  callCommand(host, { plugin: host.catalog.current().entries[0]?.name ?? '', command, args });

/** Pixels of a PNG of ours: 8 bits, no interlacing, every row with any filter. */
function decodePng(png: Buffer): { width: number; height: number; channels: number; at(x: number, y: number): number[] } {
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  const channels = { 0: 1, 2: 3, 4: 2, 6: 4 }[png[25] ?? 9] ?? 0;
  const parts: Buffer[] = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT') parts.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  }
  const data = inflateSync(Buffer.concat(parts));
  const stride = width * channels;
  const rows = new Uint8Array(stride * height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < stride; x += 1) {
      const here = y * stride + x;
      const left = x >= channels ? (rows[here - channels] ?? 0) : 0;
      const up = y > 0 ? (rows[here - stride] ?? 0) : 0;
      const corner = x >= channels && y > 0 ? (rows[here - stride - channels] ?? 0) : 0;
      const guess = left + up - corner;
      const near = [left, up, corner].toSorted((a, b) => Math.abs(guess - a) - Math.abs(guess - b))[0] ?? 0;
      const predicted = [0, left, up, (left + up) >> 1, near][data[y * (stride + 1)] ?? 0] ?? 0;
      rows[here] = (data[y * (stride + 1) + 1 + x] ?? 0) + predicted;
    }
  }
  return { width, height, channels, at: (x, y) => [...rows.subarray((y * width + x) * channels, (y * width + x + 1) * channels)] };
}

describe.skipIf(!HAS_BUBBLEWRAP)('sample scripts', () => {
  test.for(samples)('%s passes the checks of validate and its own tests', async ([name], { expect }) => {
    const { host, directory } = useSample(name);
    const { plugin, problems, warnings } = await host.trials.check(directory);
    expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
    if (!plugin) return;
    const runs = await host.trials.try(plugin, {
      caller: TEST_CALLER,
      signal: new AbortController().signal,
      runs: 'tests',
      grants: 'stored',
    });
    expect(runs.problems).toEqual([]);
    expect(runs.reports.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(runs.reports.length).toBeGreaterThanOrEqual(5);
  });

  test.for(samples)('%s requests no more than to read the root, and most commands nothing', ([name], { expect }) => {
    const { host } = useSample(name);
    const plugin = host.catalog.current().entries[0]?.plugin;
    expect(plugin?.system).toBe('kaizen');
    expect([[], ['read:fs:$ROOT']]).toContainEqual(plugin?.requests);
    for (const command of plugin?.commands ?? [])
      expect([command.name, command.requests ?? plugin?.requests]).toEqual([
        command.name,
        command.name.endsWith('_file') ? ['read:fs:$ROOT'] : [],
      ]);
  });

  test('csv-chart draws a picture in which the bars stand where the numbers say', async ({ expect }) => {
    const { host, root } = useSample('csv-chart');
    writeFileSync(join(root, 'sales.csv'), SALES);
    const outcome = await call(host, 'draw_file', { path: 'sales.csv', y: ['Revenue', 'Costs'], width: 400, height: 300 });
    expect(outcome).toMatchObject({
      kind: 'ok',
      structured: { rows: 2, x: 'Month' },
      artifacts: [{ name: 'chart.png', mimeType: 'image/png' }],
    });
    expect(outcome.content.map(({ type }) => type)).toEqual(['text', 'image', 'resource_link']);
    const { width, height, at } = decodePng(await readFirstArtifact(host, outcome));
    expect([width, height]).toEqual([400, 300]);
    const count = (color: string): { rows: number[] } => {
      const rows: number[] = [];
      for (let y = 80; y < height; y += 1) for (let x = 0; x < width; x += 1) if (at(x, y).join() === color) rows.push(y);
      return { rows };
    };
    const [revenue, costs] = [count('0,114,178').rows, count('230,159,0').rows];
    expect(revenue.length).toBeGreaterThan(1000);
    // One cost is above zero and one as far below it, so that they stand on both sides of where all revenue begins.
    const zero = Math.max(...revenue);
    expect(costs.filter((y) => y > zero + 1).length).toBeGreaterThan(500);
    expect(costs.filter((y) => y < zero).length).toBeGreaterThan(500);
  });

  test('image-resize averages light and keeps what is transparent', async ({ expect }) => {
    const { host, root } = useSample('image-resize');
    const chart = useSample('csv-chart');
    const drawn = await call(chart.host, 'draw', { csv: SALES, width: 400, height: 300 });
    const path = join(root, 'a chart.png');
    writeFileSync(path, await readFirstArtifact(chart.host, drawn));
    expect((await call(host, 'inspect_file', { path })).structured).toMatchObject({ width: 400, height: 300, colours: 'rgb', bits: 8 });
    const padded = await call(host, 'resize_file', { path, width: 100, height: 100, fit: 'pad' });
    expect(padded).toMatchObject({ kind: 'ok', artifacts: [{ name: 'a_chart-100x100.png', mimeType: 'image/png' }] });
    const image = decodePng(await readFirstArtifact(host, padded));
    expect([image.width, image.height, image.channels]).toEqual([100, 100, 4]);
    // 75 rows of picture between rows of nothing.
    expect(image.at(50, 5)).toEqual([0, 0, 0, 0]);
    expect(image.at(2, 14)).toEqual([255, 255, 255, 255]);
    // A checkerboard of black and white is half the light, which is 188 and not 128.
    const board = decodePng(await readFirstArtifact(host, await call(host, 'resize', { png: CHECKERBOARD, width: 1 })));
    expect([board.width, board.height, board.at(0, 0)]).toEqual([1, 1, [188]]);
  });

  test('log-scan takes nothing of a hostile log for a command', async ({ expect }) => {
    const { host, root } = useSample('log-scan');
    const name = '$(touch made) `touch made` "; touch made; \' .log';
    writeFileSync(
      join(root, name),
      Buffer.concat([
        Buffer.from('2026-05-11T14:32:01Z ERROR $(touch made); `touch made` %s%n \\" } {"error":"forged"}\n'),
        Buffer.from([0x45, 0x52, 0x52, 0x4f, 0x52, 0x20, 0xff, 0xc3, 0x28, 0x00, 0x1b, 0x5b, 0x33, 0x31, 0x6d, 0x0a]),
        Buffer.from(`ERROR ${'x'.repeat(1_000_000)}`),
      ]),
    );
    const outcome = await call(host, 'scan_file', { path: join(root, name) });
    expect(outcome).toMatchObject({ kind: 'ok', artifacts: [], structured: { lines: 3, levels: { error: 3 } } });
    const top = outcome.structured?.['top'] as { message: string; example: string }[];
    expect(top.map(({ message }) => message.slice(0, 60))).toEqual([
      'ERROR $(touch made); `touch made` %s%n \\" } {"error":"forged',
      'ERROR \uFFFD\uFFFD(',
      `ERROR ${'x'.repeat(54)}`,
    ]);
    expect((await call(host, 'scan_file', { path: join(root, 'none"\n') })).error?.message).toContain('Cannot read');
  });

  test('html-to-text reads files in the encoding that they name', async ({ expect }) => {
    const { host, root } = useSample('html-to-text');
    writeFileSync(join(root, 'old.html'), Buffer.from('<meta charset=iso-8859-15><h1>Caf\xe9 \xa4</h1>', 'latin1'));
    expect((await call(host, 'convert_file', { path: 'old.html' })).structured).toMatchObject({ text: '# Café €' });
    const deep = await call(host, 'convert', { html: '<div>'.repeat(20_000) + 'x' });
    expect(deep).toMatchObject({ kind: 'ok', structured: { text: 'x' } });
  });

  test('files outside of the root and sensitive ones cannot be read through them', async ({ expect }) => {
    const { host, root } = useSample('log-scan');
    writeFileSync(join(root, '.env'), 'ERROR TOKEN=secret\n');
    symlinkSync('/etc/passwd', join(root, 'link.log'));
    for (const path of ['/etc/shadow', join(root, '.env'), join(root, 'link.log'), join(root, '..', 'own', 'config')]) {
      const outcome = await call(host, 'scan_file', { path });
      expect(JSON.stringify(outcome.content)).not.toMatch(/secret|root:/);
    }
  });

  test.for(samples)('%s leaves no file in its directory', async ([name], { expect }) => {
    const { host, directory } = useSample(name);
    const before = host.catalog.current().entries[0]?.plugin?.digest;
    const tool = host.catalog.current().tools[0];
    if (!tool) throw new Error('there is no tool');
    const [first] = ['bar', 'inside', 'pick', 'levels', 'page'].flatMap((file) =>
      tryReadArguments(join(directory, 'tests', `${file}.json`)),
    );
    expect(await call(host, tool.command.name, first ?? {})).toBeDefined();
    const again = await host.trials.check(directory);
    expect(again.plugin?.digest).toBe(before);
  });
});

function tryReadArguments(file: string): Record<string, unknown>[] {
  try {
    return [(JSON.parse(readFileSync(file, 'utf8')) as { arguments: Record<string, unknown> }).arguments];
  } catch {
    return [];
  }
}

/** 2 × 2 pixels of grey: black, white, white, black. */
const CHECKERBOARD = 'iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAAAAABX3VL4AAAADElEQVR42mNg+A+EAAYAAf+tLDclAAAAAElFTkSuQmCC';
