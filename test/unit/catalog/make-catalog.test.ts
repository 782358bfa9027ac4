import { describe, expect, test } from 'vitest';

import { makeCatalog } from '../../../src/catalog/make-catalog.ts';
import { aCommand, anEntry, aPlugin } from './fixtures.ts';

const names = (catalog: ReturnType<typeof makeCatalog>): string[] => catalog.tools.map((tool) => tool.definition.name);

describe('makeCatalog()', () => {
  test('makes a tool of every command, sorted by name, found by name', () => {
    const catalog = makeCatalog([anEntry(aPlugin('b', { commands: [aCommand('z'), aCommand('a')] })), anEntry(aPlugin('a'))]);
    expect(names(catalog)).toEqual(['plugin_a_go', 'plugin_b_a', 'plugin_b_z']);
    expect(catalog.findTool('plugin_b_a')?.command.name).toBe('a');
    expect(catalog.findTool('plugin_b_none')).toBeUndefined();
    expect(catalog.findTool('constructor')).toBeUndefined();
    expect(catalog.generation).toBe(1);
  });

  test('describes a tool completely', () => {
    const command = aCommand('capture', {
      title: 'Capture',
      outputSchema: { type: 'object' },
      annotations: { readOnly: false, destructive: true, idempotent: false, openWorld: true },
    });
    const [tool] = makeCatalog([anEntry(aPlugin('vault', { commands: [command], keywords: ['notes'] }))]).tools;
    expect(tool?.definition).toEqual({
      name: 'plugin_vault_capture',
      title: 'Capture',
      description: '[plugin:vault] Does capture',
      inputSchema: command.inputSchema,
      outputSchema: { type: 'object' },
      annotations: { title: 'Capture', readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
      _meta: {
        'plugbridge/plugin': 'vault',
        'plugbridge/command': 'capture',
        'plugbridge/version': '1.0.0',
        'plugbridge/keywords': ['notes'],
      },
    });
  });

  test('leaves out what is absent', () => {
    const [tool] = makeCatalog([anEntry(aPlugin('a'))]).tools;
    expect(tool?.definition.annotations).toEqual({});
    expect(Object.keys(tool?.definition ?? {})).toEqual(['name', 'description', 'inputSchema', 'annotations', '_meta']);
  });

  test('cuts a description that clients would cut', () => {
    const [tool] = makeCatalog([anEntry(aPlugin('a', { commands: [aCommand('go', { description: 'x'.repeat(5_000) })] }))]).tools;
    expect(tool?.definition.description).toHaveLength(2_000);
    expect(tool?.definition.description.endsWith('x…')).toBe(true);
  });

  test('leaves out one command whose schema is unusable, and says so', () => {
    const plugin = aPlugin('a', { commands: [aCommand('good'), aCommand('bad', { inputSchema: { type: 'string' } })] });
    const catalog = makeCatalog([anEntry(plugin, { warnings: ['first'] })]);
    expect(names(catalog)).toEqual(['plugin_a_good']);
    expect(catalog.findPlugin('a')?.warnings).toEqual([
      'first',
      'command "bad" is left out, its input schema cannot be used: the root type is "string", wanted is "object"',
    ]);
  });

  test('leaves out the second command of the same name', () => {
    const catalog = makeCatalog([anEntry(aPlugin('a', { commands: [aCommand('go', { title: 'first' }), aCommand('go')] }))]);
    expect(names(catalog)).toEqual(['plugin_a_go']);
    expect(catalog.tools[0]?.definition.title).toBe('first');
    expect(catalog.entries[0]?.warnings).toEqual(['command "go" is left out, another one has the same name']);
  });

  test.for(['disabled', 'untrusted', 'changed', 'broken'] as const)('makes no tools of a plugin that is %s and not callable', (status) => {
    const catalog = makeCatalog([anEntry(aPlugin('a'), { status, callable: false, error: 'no' })]);
    expect(catalog.tools).toEqual([]);
    expect(catalog.findPlugin('a')?.status).toBe(status);
  });

  test('makes tools of a broken plugin whose last good version is callable', () => {
    expect(names(makeCatalog([anEntry(aPlugin('a'), { status: 'broken' })]))).toEqual(['plugin_a_go']);
  });

  test.for([true, false])('finds by name the plugin that got the name, not the one that lost it (loser last: %s)', (isLast) => {
    const winner = anEntry(aPlugin('a'));
    const { plugin: _plugin, ...rest } = anEntry(aPlugin('a', { directory: '/other/a' }), {
      status: 'broken',
      callable: false,
      error: 'taken',
    });
    const catalog = makeCatalog(isLast ? [winner, rest] : [rest, winner]);
    expect(catalog.findPlugin('a')).toBe(winner);
    expect(catalog.entries).toHaveLength(2);
  });
});

describe('makeCatalog() after another', () => {
  test('carries over the tools of plugins that stayed the same object', () => {
    const kept = anEntry(aPlugin('kept'));
    const before = makeCatalog([kept, anEntry(aPlugin('other'))]);
    const after = makeCatalog([kept, anEntry(aPlugin('other'))], before);
    expect(after.findTool('plugin_kept_go')).toBe(before.findTool('plugin_kept_go'));
    expect(after.findTool('plugin_other_go')).not.toBe(before.findTool('plugin_other_go'));
    expect(after.generation).toBe(1);
  });

  test.for([
    ['a description', aPlugin('a', { commands: [aCommand('go', { description: 'Other' })] })],
    ['a schema', aPlugin('a', { commands: [aCommand('go', { inputSchema: { type: 'object' } })] })],
    ['a version', aPlugin('a', { version: '2.0.0' })],
    ['a command', aPlugin('a', { commands: [aCommand('go'), aCommand('stop')] })],
  ] as const)('counts up when %s differs', ([, changed]) => {
    const before = makeCatalog([anEntry(aPlugin('a'))]);
    expect(makeCatalog([anEntry(changed)], before).generation).toBe(2);
  });

  test('counts up when a tool is gone, and not when only a status differs', () => {
    const before = makeCatalog([anEntry(aPlugin('a'))]);
    expect(makeCatalog([], before).generation).toBe(2);
    expect(makeCatalog([anEntry(aPlugin('a'), { status: 'broken', error: 'x' })], before).generation).toBe(1);
  });

  test('checks arguments by the new schema once it changed', () => {
    const before = makeCatalog([anEntry(aPlugin('a'))]);
    const strict = aCommand('go', { inputSchema: { type: 'object', required: ['text'] } });
    const after = makeCatalog([anEntry(aPlugin('a', { commands: [strict] }))], before);
    expect(before.findTool('plugin_a_go')?.checkArguments({})).toEqual([]);
    expect(after.findTool('plugin_a_go')?.checkArguments({})).toEqual([{ path: '', message: "must have required property 'text'" }]);
  });
});
