import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client as ModernClient, StreamableHTTPClientTransport as ModernHttp } from '@modelcontextprotocol/client';
import { StdioClientTransport as ModernStdio } from '@modelcontextprotocol/client/stdio';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as LegacyStdio } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as LegacyHttp } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  ElicitRequestSchema,
  LoggingMessageNotificationSchema,
  ResourceListChangedNotificationSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { build } from 'esbuild';

/** Real clients: the SDK of protocols up to 2025-11-25, and the current one in each way of choosing a protocol. */
export const CLIENT_MODES = ['v1', 'legacy', 'auto', 'pinned'] as const;
export type ClientMode = (typeof CLIENT_MODES)[number];
export const isModern = (mode: ClientMode): boolean => mode === 'auto' || mode === 'pinned';

export type ClientTarget =
  | { readonly kind: 'stdio'; readonly command: string; readonly args: readonly string[] }
  | { readonly kind: 'http'; readonly url: string; readonly token?: string };

export interface CallOptions {
  readonly signal?: AbortSignal;
  onProgress?(progress: { progress: number; total?: number | undefined; message?: string | undefined }): void;
  readonly meta?: Record<string, unknown>;
}

export interface CallResult {
  readonly content: readonly {
    readonly type: string;
    readonly text?: string;
    readonly uri?: string;
    readonly data?: string;
    readonly mimeType?: string;
  }[];
  readonly structuredContent?: Record<string, unknown>;
  readonly isError?: boolean;
  readonly _meta?: Record<string, unknown>;
}

/** The part of all clients that the tests use. */
export interface TestClient {
  readonly mode: ClientMode;
  /** Messages of `notifications/message`. */
  readonly logs: { level: string; data: unknown; logger?: string | undefined }[];
  /** Questions that a person was asked, in order. */
  readonly questions: Record<string, unknown>[];
  listTools(): Promise<{ name: string; _meta?: Record<string, unknown> | undefined; annotations?: unknown }[]>;
  call(name: string, args?: Record<string, unknown>, options?: CallOptions): Promise<CallResult>;
  listResources(cursor?: string): Promise<{ resources: { uri: string }[]; nextCursor?: string | undefined }>;
  listResourceTemplates(): Promise<{ uriTemplate: string }[]>;
  readResource(uri: string): Promise<{ text?: string; blob?: string; mimeType?: string }[]>;
  setLogLevel(level: 'debug' | 'info' | 'warning' | 'error'): Promise<unknown>;
  /** Resolves on the next notification of the kind. */
  nextToolsChanged(): Promise<void>;
  nextResourcesChanged(): Promise<void>;
  instructions(): string | undefined;
  close(): Promise<void>;
}

type Answer = { action: 'accept' | 'decline' | 'cancel'; content?: Record<string, string> };
export interface ConnectOptions {
  /** What the person answers; without it the client cannot ask. */
  readonly answer?: (question: Record<string, unknown>) => Answer | Promise<Answer>;
}

const INFO = { name: 'matrix', version: '1.2.3' };

export async function connectClient(mode: ClientMode, target: ClientTarget, options: ConnectOptions = {}): Promise<TestClient> {
  return mode === 'v1' ? connectV1(target, options) : connectV2(mode, target, options);
}

function createWaits(): { wait(): Promise<void>; fire(): void } {
  let waiting: (() => void)[] = [];
  return {
    wait: () => new Promise((resolve) => waiting.push(resolve)),
    fire() {
      for (const resolve of waiting) resolve();
      waiting = [];
    },
  };
}

const headersFor = (token: string | undefined): { requestInit?: RequestInit } =>
  token === undefined ? {} : { requestInit: { headers: { Authorization: `Bearer ${token}` } } };

async function connectV1(target: ClientTarget, { answer }: ConnectOptions): Promise<TestClient> {
  const client = new LegacyClient(INFO, { capabilities: answer === undefined ? {} : { elicitation: {} } });
  const tools = createWaits();
  const resources = createWaits();
  const logs: TestClient['logs'] = [];
  const questions: Record<string, unknown>[] = [];
  if (answer !== undefined) {
    client.setRequestHandler(ElicitRequestSchema, async ({ params }) => {
      questions.push(params);
      return answer(params);
    });
  }
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => void logs.push(params));
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => tools.fire());
  client.setNotificationHandler(ResourceListChangedNotificationSchema, () => resources.fire());
  const transport =
    target.kind === 'stdio'
      ? new LegacyStdio({ command: target.command, args: [...target.args], stderr: 'inherit' })
      : new LegacyHttp(new URL(target.url), headersFor(target.token));
  // The v1 types disagree with exactOptionalPropertyTypes about their own transport.
  await client.connect(transport as Parameters<typeof client.connect>[0]);
  return {
    mode: 'v1',
    logs,
    questions,
    listTools: async () => (await client.listTools()).tools,
    call: async (name, args = {}, { signal, onProgress, meta } = {}) =>
      (await client.callTool({ name, arguments: args, ...(meta === undefined ? {} : { _meta: meta }) }, undefined, {
        ...(signal === undefined ? {} : { signal }),
        ...(onProgress === undefined ? {} : { onprogress: onProgress }),
      })) as CallResult,
    listResources: (cursor) => client.listResources(cursor === undefined ? {} : { cursor }),
    listResourceTemplates: async () => (await client.listResourceTemplates()).resourceTemplates,
    readResource: async (uri) => (await client.readResource({ uri })).contents as { text?: string }[],
    setLogLevel: (level) => client.setLoggingLevel(level),
    nextToolsChanged: () => tools.wait(),
    nextResourcesChanged: () => resources.wait(),
    instructions: () => client.getInstructions(),
    close: () => client.close(),
  };
}

async function connectV2(mode: Exclude<ClientMode, 'v1'>, target: ClientTarget, { answer }: ConnectOptions): Promise<TestClient> {
  const tools = createWaits();
  const resources = createWaits();
  const logs: TestClient['logs'] = [];
  const questions: Record<string, unknown>[] = [];
  const client = new ModernClient(INFO, {
    capabilities: answer === undefined ? {} : { elicitation: { form: {} } },
    versionNegotiation: { mode: mode === 'pinned' ? { pin: '2026-07-28' } : mode },
    listChanged: {
      tools: { autoRefresh: false, debounceMs: 0, onChanged: () => tools.fire() },
      resources: { autoRefresh: false, debounceMs: 0, onChanged: () => resources.fire() },
    },
  });
  if (answer !== undefined) {
    client.setRequestHandler('elicitation/create', async ({ params }) => {
      questions.push(params);
      return answer(params);
    });
  }
  client.setNotificationHandler('notifications/message', ({ params }) => void logs.push(params));
  const transport =
    target.kind === 'stdio'
      ? new ModernStdio({ command: target.command, args: [...target.args], stderr: 'inherit' })
      : new ModernHttp(new URL(target.url), headersFor(target.token));
  await client.connect(transport);
  return {
    mode,
    logs,
    questions,
    listTools: async () => (await client.listTools()).tools,
    call: async (name, args = {}, { signal, onProgress, meta } = {}) =>
      (await client.callTool(
        { name, arguments: args, ...(meta === undefined ? {} : { _meta: meta }) },
        { ...(signal === undefined ? {} : { signal }), ...(onProgress === undefined ? {} : { onprogress: onProgress }) },
      )) as CallResult,
    listResources: (cursor) => client.listResources(cursor === undefined ? {} : { cursor }),
    listResourceTemplates: async () => (await client.listResourceTemplates()).resourceTemplates,
    readResource: async (uri) => (await client.readResource({ uri })).contents as { text?: string }[],
    setLogLevel: (level) => client.setLoggingLevel(level),
    nextToolsChanged: () => tools.wait(),
    nextResourcesChanged: () => resources.wait(),
    instructions: () => client.getInstructions(),
    close: () => client.close(),
  };
}

/** A test server as one file that plain Node can start; `remove` deletes it. */
export async function bundleServer(entry: string): Promise<{ file: string; remove(): void }> {
  const directory = mkdtempSync(join(tmpdir(), 'plugbridge-mcp-'));
  const file = join(directory, 'server.mjs');
  await build({
    entryPoints: [entry],
    outfile: file,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    // Packages in CommonJS reach for Node's modules through require.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'error',
  });
  return { file, remove: () => rmSync(directory, { recursive: true, force: true }) };
}
