import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import type { Catalog, CatalogSource, PluginEntry, Tool, ToolDefinition } from '../../src/catalog/catalog.ts';
import type { ApprovalBinding, CallAnswer, CallRequest, Content, Dispatch, Outcome } from '../../src/dispatch/outcome.ts';
import { HostError } from '../../src/errors.ts';
import type { Log } from '../../src/log.ts';
import { DEFAULT_LIMITS, type Plugin } from '../../src/manifest/plugin.ts';
import { makeArtifacts, type FixtureArtifacts } from './mcp-artifacts.ts';
import { createMcpServers, type McpServers, type McpServersDeps } from '../../src/server/server.ts';

export function makePlugin(name: string, overrides: Partial<Plugin> = {}): Plugin {
  return {
    id: name,
    system: 'fixture',
    name,
    version: '1.0.0',
    description: `The ${name} plugin`,
    directory: `/nowhere/${name}`,
    manifestFile: 'manifest.json',
    files: {},
    digest: `sha256:${'0'.repeat(64)}`,
    runtime: { kind: 'wasm', modulePath: 'plugin.wasm' },
    requests: ['read:fs:$ROOT'],
    commands: [],
    tags: [],
    keywords: [],
    enabled: true,
    limits: DEFAULT_LIMITS,
    warnings: [],
    ...overrides,
  };
}

export function makeTool(plugin: Plugin, command: string, overrides: Partial<ToolDefinition> = {}): Tool {
  return {
    definition: {
      name: `plugin_${plugin.name}_${command}`,
      description: `Does ${command}`,
      inputSchema: { type: 'object', properties: { text: { type: 'string' } } },
      annotations: { readOnlyHint: true },
      _meta: { plugin: plugin.id, command, ...(plugin.keywords.length > 0 ? { keywords: plugin.keywords } : {}) },
      ...overrides,
    },
    plugin,
    command: { name: command, description: `Does ${command}`, inputSchema: { type: 'object' }, annotations: {} },
    checkArguments: () => [],
  };
}

export function makeCatalog(tools: readonly Tool[], generation = 1): Catalog {
  const plugins = [...new Map(tools.map((tool) => [tool.plugin.id, tool.plugin])).values()];
  const entries = plugins.map((plugin): PluginEntry => ({
    name: plugin.name,
    system: plugin.system,
    directory: plugin.directory,
    origin: 'user',
    status: 'ok',
    callable: true,
    plugin,
    warnings: [],
  }));
  const sorted = tools.toSorted((a, b) => (a.definition.name < b.definition.name ? -1 : 1));
  const byName = new Map(sorted.map((tool) => [tool.definition.name, tool]));
  return {
    generation,
    entries,
    tools: sorted,
    findTool: (name) => byName.get(name),
    findPlugin: (name) => entries.find((entry) => entry.name === name),
  };
}

export interface FixtureCatalog extends CatalogSource {
  replace(tools: readonly Tool[]): void;
}

export function makeCatalogSource(tools: readonly Tool[]): FixtureCatalog {
  let catalog = makeCatalog(tools);
  const listeners = new Set<(catalog: Catalog) => void>();
  return {
    current: () => catalog,
    onToolsChanged(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    replace(next) {
      catalog = makeCatalog(next, catalog.generation + 1);
      for (const listener of listeners) listener(catalog);
    },
  };
}

export function makeOutcome(overrides: Partial<Outcome> = {}): Outcome {
  return {
    kind: 'ok',
    durationMs: 1,
    content: [],
    artifacts: [],
    logs: [],
    refusals: [],
    truncated: false,
    tier: 'process',
    ...overrides,
  };
}

const text = (value: string): readonly Content[] => [{ type: 'text', text: value }];
const done = (overrides: Partial<Outcome>): CallAnswer => ({ kind: 'done', outcome: makeOutcome(overrides) });

/** The commands of the plugin `fixture`: one behaviour each. */
export const FIXTURE_COMMANDS = [
  'echo',
  'fail',
  'refuse',
  'time-out',
  'slow',
  'aborted',
  'noisy',
  'approve',
  'reload',
  'store',
  'host-fault',
  'caller-fault',
  'who',
] as const;

const digestOf = (args: unknown): string => createHash('sha256').update(JSON.stringify(args)).digest('hex');

export interface FixtureDispatch extends Dispatch {
  /** Calls that ended because their signal was aborted. */
  abortedCalls(): number;
}

/** A dispatch in memory that keeps the contract of approvals: bound to tool and arguments, each nonce taken once. */
export function makeDispatch(catalog: FixtureCatalog, artifacts: FixtureArtifacts): FixtureDispatch {
  const nonces = new Map<string, ApprovalBinding>();
  let aborted = 0;

  function approve(request: CallRequest): CallAnswer {
    const argumentsDigest = digestOf(request.arguments);
    const { approval } = request;
    if (approval === undefined) {
      if (!request.canAsk)
        return done({ kind: 'refused', error: { code: 'DISPATCH_NOT_PERMITTED', message: 'nobody can be asked' }, content: [] });
      const binding = { tool: request.tool, argumentsDigest, nonce: randomUUID() };
      nonces.set(binding.nonce, binding);
      return {
        kind: 'ask',
        request: { plugin: 'fixture', command: 'approve', message: 'May it?', capabilities: ['write:fs:$ROOT'], binding },
      };
    }
    const known = nonces.get(approval.binding.nonce);
    nonces.delete(approval.binding.nonce);
    const fits = known !== undefined && known.tool === request.tool && known.argumentsDigest === argumentsDigest;
    if (!fits)
      return done({ kind: 'refused', error: { code: 'DISPATCH_NOT_PERMITTED', message: 'the approval does not fit' }, content: [] });
    return done({ content: text(`answer: ${approval.answer}`) });
  }

  async function slow(request: CallRequest): Promise<CallAnswer> {
    try {
      await sleep(60_000, undefined, { signal: request.signal });
    } catch {
      aborted += 1;
      return done({ kind: 'cancelled' });
    }
    return done({ content: text('slept') });
  }

  const behaviours: Record<(typeof FIXTURE_COMMANDS)[number], (request: CallRequest) => CallAnswer | Promise<CallAnswer>> = {
    echo: ({ arguments: args }) => done({ content: text(JSON.stringify(args)), structured: args as Record<string, unknown> }),
    fail: () =>
      done({ kind: 'failed', error: { code: 'EXECUTION_PLUGIN_FAILED', message: 'it broke' }, content: [], structured: { no: 1 } }),
    refuse: () =>
      done({
        kind: 'refused',
        error: { code: 'DISPATCH_NOT_PERMITTED', message: 'not allowed' },
        content: text('DISPATCH_NOT_PERMITTED: not allowed'),
      }),
    'time-out': () => done({ kind: 'timed-out', error: { code: 'EXECUTION_INTERNAL', message: 'over 30000 ms' }, content: text('half') }),
    slow,
    aborted: () => done({ content: text(String(aborted)) }),
    async noisy(request) {
      request.onLog?.({ level: 'info', message: 'one' });
      request.onLog?.({ level: 'debug', message: 'two' });
      request.onProgress?.({ progress: 5, total: 10, message: 'half' });
      request.onProgress?.({ progress: 5, total: 10 });
      request.onLog?.({ level: 'error', message: 'three' });
      request.onProgress?.({ progress: 10, total: 10 });
      // Both SDK clients drop progress that they read in one piece with the result.
      await sleep(100);
      return done({ content: text('noise made') });
    },
    approve,
    reload() {
      const extra = makeTool(makePlugin('extra'), 'run');
      catalog.replace(
        catalog.current().tools.some((tool) => tool.definition.name === extra.definition.name)
          ? fixtureTools()
          : [...fixtureTools(), extra],
      );
      return done({ content: text('reloaded') });
    },
    store() {
      const artifact = artifacts.put('out.txt', 'text/plain', Buffer.from('stored text'));
      return done({ content: text('stored'), artifacts: [artifact] });
    },
    'host-fault': () => {
      throw new HostError('EXECUTION_INTERNAL', { what: 'secret detail' });
    },
    'caller-fault': () => {
      throw new HostError('CATALOG_UNKNOWN_PLUGIN', { plugin: 'x', known: 'y' });
    },
    who: ({ caller, canAsk }) => done({ content: text(JSON.stringify({ ...caller, canAsk })) }),
  };

  return {
    abortedCalls: () => aborted,
    mayAsk: (name) => catalog.current().findTool(name)?.command.name === 'approve',
    async call(request) {
      const tool = catalog.current().findTool(request.tool);
      if (tool === undefined) return { kind: 'unknown-tool', message: `Unknown tool: ${request.tool}` };
      const behaviour = behaviours[tool.command.name as keyof typeof behaviours];
      return behaviour === undefined ? done({ content: text('ran') }) : behaviour(request);
    },
  };
}

export function fixtureTools(): Tool[] {
  const plugin = makePlugin('fixture');
  const searchable = makePlugin('weather', { keywords: ['forecast', 'rain'], description: 'Tells the weather' });
  return [...FIXTURE_COMMANDS.map((command) => makeTool(plugin, command)), makeTool(searchable, 'today')];
}

/** A log whose lines can be looked at. */
export function makeLog(): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, callback) {
      lines.push(chunk.toString());
      callback();
    },
  });
  return { log: pino({ level: 'debug' }, sink), lines };
}

export interface Fixture {
  readonly servers: McpServers;
  readonly catalog: FixtureCatalog;
  readonly artifacts: FixtureArtifacts;
  readonly log: Log;
  readonly logLines: string[];
  abortedCalls(): number;
}

export function makeFixture(options: Partial<Pick<McpServersDeps, 'progressive' | 'connection' | 'dispatch'>> = {}): Fixture {
  const catalog = makeCatalogSource(fixtureTools());
  const artifacts = makeArtifacts();
  const { log, lines } = makeLog();
  const dispatch = makeDispatch(catalog, artifacts);
  const servers = createMcpServers({
    catalog,
    artifacts,
    dispatch,
    version: '9.9.9',
    connection: { transport: 'http', principal: 'tester' },
    progressive: false,
    log,
    ...options,
  });
  return { servers, catalog, artifacts, log, logLines: lines, abortedCalls: () => dispatch.abortedCalls() };
}
