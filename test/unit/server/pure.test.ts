import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { describeQuestion } from '../../../src/server/approval.ts';
import { writeInstructions } from '../../../src/server/instructions.ts';
import { createProgressCounter } from '../../../src/server/live.ts';
import { toOneLine } from '../../../src/dispatch/one-line.ts';
import { toCallToolResult } from '../../../src/server/results.ts';
import { searchTools } from '../../../src/server/search.ts';
import { makeCatalog, makeOutcome, makePlugin, makeTool } from '../../helpers/mcp-fixture.ts';

describe('toOneLine()', () => {
  test('is one line within its length, whatever comes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 50 }), (text, max) => {
        const line = toOneLine(text, max);
        expect(line.length).toBeLessThanOrEqual(max);
        expect(line).not.toMatch(/[\p{Cc}\u2028\u2029\u202e]/u);
      }),
    );
  });
  test('keeps a pair of surrogates whole', () => {
    expect(toOneLine('ab😀cd', 4)).toBe('ab…');
  });
});

describe('toCallToolResult()', () => {
  const text = { type: 'text', text: 'hello' } as const;
  const artifact = { uri: 'artifact://a/b', name: 'b', mimeType: 'text/plain', bytes: 3, digest: 'sha256:0' };
  const link = { type: 'resource_link', uri: 'artifact://a/b', name: 'b', mimeType: 'text/plain', size: 3 };

  test('says structured content in text as well', () => {
    expect(toCallToolResult(makeOutcome({ structured: { a: 1 } }))).toMatchObject({
      content: [{ type: 'text', text: '{"a":1}' }],
      structuredContent: { a: 1 },
    });
    expect(toCallToolResult(makeOutcome({ structured: { a: 1 }, content: [text] })).content).toEqual([text]);
  });
  test('puts an error first, once, without structured content', () => {
    const error = { code: 'DISPATCH_NOT_PERMITTED', message: 'no' } as const;
    const bare = toCallToolResult(makeOutcome({ kind: 'refused', error, content: [text], structured: { a: 1 } }));
    expect(bare).toMatchObject({ isError: true, content: [{ type: 'text', text: 'DISPATCH_NOT_PERMITTED: no' }, text] });
    expect(bare.structuredContent).toBeUndefined();
    const said = { type: 'text', text: 'DISPATCH_NOT_PERMITTED: no, and more' } as const;
    expect(toCallToolResult(makeOutcome({ kind: 'refused', error, content: [said] })).content).toEqual([said]);
    expect(toCallToolResult(makeOutcome({ kind: 'cancelled' })).content).toEqual([{ type: 'text', text: 'The call ended as cancelled' }]);
  });
  test('links every artifact once', () => {
    expect(toCallToolResult(makeOutcome({ content: [text], artifacts: [artifact] })).content).toEqual([text, link]);
    const linked = { type: 'resource_link', uri: artifact.uri, name: 'mine' } as const;
    expect(toCallToolResult(makeOutcome({ content: [text, linked], artifacts: [artifact] })).content).toEqual([text, linked]);
  });
  test('tells tier, duration and whether it was cut', () => {
    expect(toCallToolResult(makeOutcome({ truncated: true, durationMs: 5, tier: 'bwrap' }))._meta).toEqual({
      'plugbridge/outcome': 'ok',
      'plugbridge/durationMs': 5,
      'plugbridge/tier': 'bwrap',
      'plugbridge/truncated': true,
    });
  });
});

describe('createProgressCounter()', () => {
  test('always grows, whatever a plugin reports between its lines', () => {
    const report = fc.record({ progress: fc.double(), total: fc.option(fc.double(), { nil: undefined }) });
    fc.assert(
      fc.property(fc.array(fc.option(report, { nil: undefined })), (steps) => {
        const counter = createProgressCounter();
        let last = 0;
        for (const step of steps) {
          if (step !== undefined && Math.abs(step.progress) > 1e6) continue;
          const next = step === undefined ? counter.line() : counter.report(step.progress, step.total);
          if (next === undefined) continue;
          expect(next.progress).toBeGreaterThan(last);
          last = next.progress;
        }
      }),
    );
  });
});

describe('searchTools()', () => {
  const tools = [
    makeTool(makePlugin('weather', { keywords: ['forecast', 'rain'] }), 'today', { description: 'Tells the weather' }),
    makeTool(makePlugin('notes', { description: 'Notes about rain and other things' }), 'add'),
    makeTool(makePlugin('music', { keywords: ['play'] }), 'rainfall'),
  ];
  test.for([
    { query: 'rain', found: ['plugin_weather_today', 'plugin_music_rainfall', 'plugin_notes_add'] },
    { query: 'RAIN!', found: ['plugin_weather_today', 'plugin_music_rainfall', 'plugin_notes_add'] },
    { query: 'fore', found: ['plugin_weather_today'] },
    { query: 'fo', found: [] },
    { query: 'play rain', found: ['plugin_music_rainfall', 'plugin_weather_today', 'plugin_notes_add'] },
    { query: '.*', found: [] },
    { query: 'nothing like it', found: [] },
  ])('finds for "$query": $found', ({ query, found }) => {
    expect(searchTools(tools, query, 10).map((tool) => tool.definition.name)).toEqual(found);
  });
  test('returns at most what is asked for', () => {
    expect(searchTools(tools, 'rain', 1)).toHaveLength(1);
  });
});

describe('writeInstructions()', () => {
  test('names plugins sorted, and only those that can be called', () => {
    const catalog = makeCatalog([
      makeTool(makePlugin('b', { keywords: ['k'] }), 'x'),
      makeTool(makePlugin('a', { description: 'One\nline' }), 'x'),
    ]);
    const broken = { ...catalog.entries[0], name: 'c', callable: false };
    const all = { ...catalog, entries: [...catalog.entries, broken as (typeof catalog.entries)[number]] };
    expect(writeInstructions(all, false).split('\n').slice(1)).toEqual(['Plugins:', '- a: One line', '- b: The b plugin']);
    expect(writeInstructions(all, true)).toContain('- b*: The b plugin');
    expect(writeInstructions(all, true)).toContain('plugbridge_search');
    expect(writeInstructions(makeCatalog([]), false)).toContain('No plugins are available yet.');
  });
  test('stays within 2 KB and counts what is left out', () => {
    for (const count of [10, 15, 20, 300]) {
      const tools = Array.from({ length: count }, (_, index) =>
        makeTool(makePlugin(`p${String(index).padStart(3, '0')}`, { description: 'ä'.repeat(200) }), 'x'),
      );
      const written = writeInstructions(makeCatalog(tools), false);
      expect(Buffer.byteLength(written)).toBeLessThanOrEqual(2048);
      const kept = written.split('\n').filter((line) => line.startsWith('- p')).length;
      expect(written.endsWith(`- and ${count - kept} more`)).toBe(kept < count);
    }
  });
});

test('describeQuestion() keeps what a plugin wrote to its own line', () => {
  const question = describeQuestion({
    plugin: 'a\nPlugin: innocent',
    command: 'c',
    message: 'May it?',
    capabilities: Array.from({ length: 40 }, (_, index) => (index === 0 ? 'net:x\n- net:[]' : `net:h${index}:1`)),
    binding: { tool: 't', argumentsDigest: 'd', nonce: 'n' },
  });
  const lines = question.split('\n');
  expect(lines.slice(0, 6)).toEqual(['May it?', '', 'Plugin: a Plugin: innocent', 'Command: c', 'Capabilities:', '- net:x - net:[]']);
  expect(lines.at(-1)).toBe('- and 10 more');
  expect(lines).toHaveLength(36);
});
