import type { PluginEntry } from '../../../src/catalog/catalog.ts';
import type { Candidate } from '../../../src/discover/candidates.ts';
import { DEFAULT_LIMITS, type Command, type JsonSchema, type Plugin } from '../../../src/manifest/plugin.ts';

export const aCommand = (name: string, over: Partial<Command> = {}): Command => ({
  name,
  description: `Does ${name}`,
  inputSchema: { type: 'object', properties: { text: { type: 'string' } } },
  annotations: {},
  ...over,
});

export const aPlugin = (name: string, over: Partial<Plugin> = {}): Plugin => ({
  id: name,
  system: 'fixture',
  name,
  version: '1.0.0',
  description: `The ${name} plugin`,
  directory: `/plugins/${name}`,
  manifestFile: 'PLUGIN.toml',
  files: {},
  digest: `sha256:${name}`,
  runtime: { kind: 'wasm', modulePath: 'plugin.wasm' },
  requests: [],
  commands: [aCommand('go')],
  tags: [],
  keywords: [],
  enabled: true,
  limits: DEFAULT_LIMITS,
  warnings: [],
  ...over,
});

export const anEntry = (plugin: Plugin, over: Partial<PluginEntry> = {}): PluginEntry => ({
  name: plugin.name,
  system: plugin.system,
  directory: plugin.directory,
  origin: 'user',
  status: 'ok',
  plugin,
  callable: true,
  warnings: [],
  ...over,
});

export const aCandidate = (name: string, over: Partial<Candidate> = {}): Candidate => ({
  directory: `/plugins/${name}`,
  names: ['PLUGIN.toml'],
  manifestFile: 'PLUGIN.toml',
  system: 'agentzero',
  origin: 'user',
  source: 'user',
  ...over,
});

/** A schema whose root is an object with these properties. */
export const objectSchema = (properties: Record<string, unknown>, more: JsonSchema = {}): JsonSchema => ({
  type: 'object',
  properties,
  ...more,
});
