import { expect, test } from 'vitest';
import { z } from 'zod';

import { ConfigSchema } from '../../../src/config/config.ts';
import { readPage } from '../../helpers/console-examples.ts';
import { readTableBelow } from '../../helpers/markdown-table.ts';

const NodeSchema = z.looseObject({
  type: z.string(),
  description: z.string().optional(),
  default: z.unknown().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  enum: z.array(z.string()).optional(),
  get properties() {
    return z.record(z.string(), NodeSchema).optional();
  },
});
type Node = z.infer<typeof NodeSchema>;

function listKeys(node: Node, prefix = ''): readonly (readonly [key: string, node: Node])[] {
  return Object.entries(node.properties ?? {}).flatMap(([name, child]) => {
    const key = `${prefix}${name}`;
    return child.properties === undefined ? [[key, child] as const] : listKeys(child, `${key}.`);
  });
}

const grouped = (count: number): string => count.toLocaleString('en-US');

function describeValue({ type, minimum, maximum, enum: choices }: Node): string {
  if (choices !== undefined) return choices.map((choice) => `\`${choice}\``).join(' or ');
  if (type === 'integer') return `${grouped(minimum ?? 0)} to ${grouped(maximum ?? 0)}`;
  return { array: 'list of texts', boolean: 'true or false', string: 'text' }[type] ?? type;
}

function describeDefault({ default: value }: Node): string {
  if (value === undefined) return 'none';
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

const KEYS = listKeys(NodeSchema.parse(z.toJSONSchema(ConfigSchema, { io: 'input' })));
const ROWS = readTableBelow(readPage('docs/configuration.md'), '## Keys');

test('docs/configuration.md lists every key of config.toml with its values and default, and no other', () => {
  expect(ROWS.map((row) => row.slice(0, 3))).toEqual(KEYS.map(([key, node]) => [`\`${key}\``, describeValue(node), describeDefault(node)]));
});

test('docs/configuration.md says of each key what its schema says', () => {
  const meanings = KEYS.map(([key, { description }], at) => ({ key, description: description ?? '', meaning: ROWS[at]?.[3] ?? '' }));
  expect(meanings.filter(({ description, meaning }) => !meaning.startsWith(description) || meaning === '')).toEqual([]);
});
