import { Server, type McpRequestContext } from '@modelcontextprotocol/server';
import type { Authoring } from '../authoring/authoring.ts';
import type { Catalog, CatalogSource } from '../catalog/catalog.ts';
import type { Dispatch } from '../dispatch/outcome.ts';
import type { Log } from '../log.ts';
import { createApprovals } from './approval.ts';
import type { ArtifactReader } from './artifacts.ts';
import type { Connection } from './caller.ts';
import { createChanges, type Changes } from './changes.ts';
import { writeInstructions } from './instructions.ts';
import { registerResources } from './resources.ts';
import { createTools, type Tools } from './tools.ts';

export interface McpServersDeps {
  readonly catalog: CatalogSource;
  readonly dispatch: Dispatch;
  readonly artifacts: ArtifactReader;
  /** Of plugbridge. */
  readonly version: string;
  /** Over what, and as whom, all clients of these servers call. */
  readonly connection: Connection;
  /** Whether plugins that have keywords are found by search instead of being listed. */
  readonly progressive: boolean;
  /** Present when clients may write plugins. */
  readonly authoring?: Authoring;
  readonly log: Log;
}

/** Where server instances come from: one per connection, or per request over HTTP since 2026-07-28. */
export interface McpServers {
  /** A server for either era; the transport is for the caller to connect. */
  create(request: Pick<McpRequestContext, 'era'>): Server;
  readonly changes: Changes;
  readonly tools: Tools;
  /** Ends the subscription to the catalog. Connections are for their transports to close. */
  close(): void;
}

/** One factory for both protocol eras: everything costly is made here once, an instance only registers handlers. */
export function createMcpServers(deps: McpServersDeps): McpServers {
  const { catalog, artifacts, log } = deps;
  const changes = createChanges(catalog);
  const approvals = createApprovals();
  const tools = createTools({ ...deps, approvals, changes });
  const instructions = createInstructions(deps);
  return {
    create({ era }) {
      const server = new Server(
        { name: 'plugbridge', title: 'plugbridge', version: deps.version },
        {
          // Nothing is declared that is not served: there are no prompts, and single resources do not change.
          capabilities: { tools: { listChanged: true }, resources: { listChanged: true }, logging: {} },
          instructions: instructions(),
          requestState: { verify: approvals.verify },
          debouncedNotificationMethods: ['notifications/tools/list_changed', 'notifications/resources/list_changed'],
        },
      );
      server.onerror = (error) => log.debug({ err: error, era }, 'A client broke the protocol or went away');
      tools.register(server, era);
      registerResources(server, { catalog, artifacts, log });
      return server;
    },
    changes,
    tools,
    close: () => changes.close(),
  };
}

function createInstructions({ catalog, progressive }: McpServersDeps): () => string {
  let written: { readonly catalog: Catalog; readonly text: string } | undefined;
  return () => {
    const current = catalog.current();
    if (written?.catalog !== current) written = { catalog: current, text: writeInstructions(current, progressive) };
    return written.text;
  };
}
