import { expect, test } from 'vitest';

import type { Tool } from '../../../src/catalog/catalog.ts';
import { createArgumentCheck } from '../../../src/catalog/argument-check.ts';
import { planTrials } from '../../../src/trials/plan-trials.ts';
import { makePlugin, makeTool } from '../../helpers/mcp-fixture.ts';

const plugin = makePlugin('planned');

function tool(name: string, readOnly: boolean, inputSchema: Tool['definition']['inputSchema'] = { type: 'object' }): Tool {
  const made = makeTool(plugin, name, { inputSchema });
  return { ...made, command: { ...made.command, annotations: { readOnly } }, checkArguments: createArgumentCheck(inputSchema) };
}

test('planTrials() takes the tests, and derives arguments for commands that none calls', () => {
  const [read, look] = [
    tool('read', true),
    tool('look', true, { type: 'object', properties: { at: { type: 'integer' } }, required: ['at'] }),
  ];
  const case1 = { command: 'read', arguments: { x: 1 } };
  expect(planTrials([read, look], [{ file: 'tests/1.json', test: case1 }])).toEqual([
    { kind: 'run', trial: { source: 'tests/1.json', tool: read, arguments: { x: 1 }, test: case1 } },
    { kind: 'run', trial: { source: 'derived', tool: look, arguments: { at: 1 } } },
  ]);
});

test('planTrials() runs nothing with made-up arguments that may change something, or that has none', () => {
  const impossible = tool('impossible', true, {
    type: 'object',
    properties: { x: { type: 'string', pattern: '(?=a)b' } },
    required: ['x'],
  });
  expect(planTrials([tool('write', false), impossible], [])).toMatchObject([
    {
      kind: 'skip',
      command: 'write',
      reason: 'it may change something, and made-up arguments could do harm: add a test, such as tests/example.json',
    },
    { kind: 'skip', command: 'impossible', reason: 'no arguments can be made from its schema: add a test, such as tests/example.json' },
  ]);
});

test('planTrials() runs what a test asks for, whatever it may change', () => {
  expect(planTrials([tool('write', false)], [{ file: 'tests/1.json', test: { arguments: {} } }])).toMatchObject([{ kind: 'run' }]);
});

test('planTrials() names tests whose command is not there or not said', () => {
  const tools = [tool('a', true), tool('b', true)];
  const planned = planTrials(tools, [
    { file: 'tests/1.json', test: { arguments: {} } },
    { file: 'tests/2.json', test: { command: 'c', arguments: {} } },
  ]);
  expect(planned.filter((one) => one.kind === 'wrong').map(({ reason }) => reason)).toEqual([
    '"command" is missing: wanted is one of a, b',
    '"command" is "c", which the plugin does not have: wanted is one of a, b',
  ]);
});

test('planTrials() runs whatever nobody tests when it can do no harm', () => {
  expect(planTrials([tool('write', false)], [], { harmless: true })).toMatchObject([{ kind: 'run', trial: { source: 'derived' } }]);
});
