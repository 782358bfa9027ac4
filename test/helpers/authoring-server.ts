import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { onTestFinished } from 'vitest';

import { openAuthoring } from '../../src/commands/serve.ts';
import type { Host } from '../../src/host.ts';
import { serveMcpHttp } from '../../src/server/http.ts';
import { createMcpServers } from '../../src/server/server.ts';
import { connectClient, type CallResult, type ClientMode, type ClientTarget, type ConnectOptions, type TestClient } from './mcp-clients.ts';
import { useScriptHost } from './script-host.ts';
import { useTmp } from './tmp.ts';

const TOKEN = 'a-token-for-tests';

/** Serves a host over HTTP with the tools of `--authoring`, or without, for as long as the test lasts. */
export async function serveAuthoring(host: Host, { authoring = true } = {}): Promise<ClientTarget> {
  const servers = createMcpServers({
    catalog: host.catalog,
    dispatch: host.dispatch,
    artifacts: host.artifactReader,
    version: '9.9.9',
    connection: { transport: 'http', principal: 'tester' },
    progressive: false,
    ...(authoring ? { authoring: await openAuthoring(host) } : {}),
    log: host.log,
  });
  const endpoint = await serveMcpHttp(servers, {
    address: { host: '127.0.0.1', port: 0 },
    token: TOKEN,
    log: host.log,
    limits: { graceMs: 100 },
  });
  onTestFinished(async () => {
    await endpoint.close();
    servers.close();
  });
  return { kind: 'http', url: endpoint.url, token: TOKEN };
}

export const textOf = (result: CallResult): string => result.content.map((part) => part.text ?? '').join('\n');

const GOOD = ['import json, sys', 'arguments = json.load(sys.stdin)', 'print(json.dumps({"double": arguments["n"] * 2}))', ''].join('\n');
/** A draft that passes. */
export const DRAFT = {
  name: 'doubler',
  language: 'python',
  description: 'Doubles a number',
  parameters: [{ name: 'n', type: 'integer', description: 'the number', required: true }],
  code: GOOD,
  tests: [{ arguments: { n: 21 }, expect: { double: 42 } }],
};
/** The same with a fault that its test finds. */
export const BROKEN = { ...DRAFT, code: GOOD.replace('* 2', '* 3') };
/** One edit of its script. */
export const mend = (from: string, to: string) => ({ name: 'doubler', edits: [{ file: 'main.py', find: from, replace: to }] });

interface Workshop {
  readonly base: string;
  readonly host: Host;
  open(mode?: ClientMode, options?: ConnectOptions): Promise<TestClient>;
}

/** A host of its own, served with the tools of `--authoring`, or without. */
export function useWorkshop(serverOptions: { authoring?: boolean } = {}): Workshop {
  const base = useTmp();
  const host = useScriptHost(base);
  const target = serveAuthoring(host, serverOptions);
  return {
    base,
    host,
    async open(mode = 'pinned', options = {}) {
      const client = await connectClient(mode, await target, options);
      onTestFinished(() => client.close());
      return client;
    },
  };
}

export const namesOf = async (client: TestClient): Promise<string[]> => (await client.listTools()).map(({ name }) => name);

/** All records of the journal. */
export function readRecords(
  base: string,
): { event?: string; kind: string; version?: string; plugin?: string; detail?: Record<string, unknown> }[] {
  const directory = join(base, 'own/state/audit');
  return readdirSync(directory)
    .filter((name) => name.endsWith('.jsonl'))
    .flatMap((name) => readFileSync(join(directory, name), 'utf8').trim().split('\n'))
    .map((line) => JSON.parse(line) as { kind: string });
}
