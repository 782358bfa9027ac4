import {
  isInputRequiredResult,
  ProtocolError,
  ProtocolErrorCode,
  type CallToolResult,
  type ListToolsResult,
  type Server,
} from '@modelcontextprotocol/server';
import type { Authoring } from '../authoring/authoring.ts';
import type { Catalog, CatalogSource, ToolDefinition } from '../catalog/catalog.ts';
import type { CallRequest, Dispatch } from '../dispatch/outcome.ts';
import type { Log } from '../log.ts';
import { failedCall, toFailedCall } from './answers.ts';
import type { Approvals } from './approval.ts';
import type { ArtifactReader } from './artifacts.ts';
import { createAuthoringTools } from './authoring-tools.ts';
import { canAskPerson, identifyCaller, type Connection, type Era } from './caller.ts';
import type { Changes } from './changes.ts';
import { createLiveNotifications, type LiveRequest } from './live.ts';
import type { OwnTool, ToolAnswer, ToolRequest } from './own-tool.ts';
import { createProgressiveTools, isBehindSearch } from './progressive.ts';
import { createReadArtifactTool } from './read-artifact.ts';
import { toCallToolResult } from './results.ts';

export interface ToolsDeps {
  readonly catalog: CatalogSource;
  readonly dispatch: Dispatch;
  readonly artifacts: ArtifactReader;
  readonly approvals: Approvals;
  readonly changes: Changes;
  readonly connection: Connection;
  readonly progressive: boolean;
  /** Present when clients may write plugins. */
  readonly authoring?: Authoring;
  readonly log: Log;
}

/** `tools/list` and `tools/call`, on servers of either era. */
export interface Tools {
  register(server: Server, era: Era): void;
  /** Whether a call of this tool needs nothing of the SDK: it is a plugin’s, and no person will be asked. */
  canCallDirectly(name: string, server: Server): boolean;
  /** A call of the older era without `_meta`, as the SDK’s handler would answer it. Throws ProtocolError. */
  callDirectly(params: CallParams, request: DirectRequest): Promise<CallToolResult>;
}

/** Made once; every connection shares the list and the tools of plugbridge itself. */
export function createTools(deps: ToolsDeps): Tools {
  const own = createOwnTools(deps);
  const list = createToolList(deps, own);
  return {
    register(server, era) {
      server.setRequestHandler('tools/list', list);
      server.setRequestHandler('tools/call', async ({ params }, ctx) => {
        const tool = own.get(params.name);
        const request = { server, era, ctx };
        try {
          const answer = await (tool === undefined ? callPluginTool(deps, params, request) : tool.call(params.arguments ?? {}, request));
          if (answer !== undefined) return answer;
        } catch (error) {
          return toFailedCall(error, deps.log, params.name);
        }
        throw unknownTool(params.name);
      });
    },
    canCallDirectly: (name, server) =>
      !own.has(name) &&
      deps.catalog.current().findTool(name) !== undefined &&
      !(canAskPerson({ server, era: 'legacy' }) && deps.dispatch.mayAsk(name)),
    async callDirectly(params, { server, signal }) {
      const live = {
        signal,
        log: (level, data, logger) => server.sendLoggingMessage({ level, data, ...(logger === undefined ? {} : { logger }) }),
        notify: (notification) => server.notification(notification),
      } satisfies LiveRequest;
      const caller = identifyCaller({ server, era: 'legacy' }, deps.connection);
      try {
        const canAsk = canAskPerson({ server, era: 'legacy' });
        const answer = await runPluginTool(deps, params, { server, caller, canAsk, approval: undefined, live });
        if (answer === undefined) throw unknownTool(params.name);
        // A grant was taken back in this very moment; the next call goes the way on which a person can be asked.
        if (isInputRequiredResult(answer)) return failedCall('DISPATCH_APPROVAL_ASKED: a person has to be asked first: call again');
        return answer;
      } catch (error) {
        return toFailedCall(error, deps.log, params.name);
      }
    },
  };
}

const unknownTool = (name: string): ProtocolError => new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown tool: ${name}`);

export interface CallParams {
  readonly name: string;
  readonly arguments?: unknown;
}
export interface DirectRequest {
  readonly server: Server;
  readonly signal: AbortSignal;
}

function createOwnTools(deps: ToolsDeps): ReadonlyMap<string, OwnTool> {
  const progressive = createProgressiveTools({
    catalog: deps.catalog,
    callPluginTool: (call, request) => callPluginTool(deps, call, request),
  });
  const own = [
    createReadArtifactTool(deps.artifacts),
    ...(deps.progressive ? progressive : []),
    ...(deps.authoring ? createAuthoringTools({ ...deps, authoring: deps.authoring }) : []),
  ];
  return new Map(own.map((tool) => [tool.definition.name, tool]));
}

/** The list is one object per catalog: it is the same for every connection, and large where plugins are many. */
function createToolList(deps: ToolsDeps, own: ReadonlyMap<string, OwnTool>): () => ListToolsResult {
  let listed: { readonly catalog: Catalog; readonly result: ListToolsResult } | undefined;
  return () => {
    const catalog = deps.catalog.current();
    if (listed?.catalog !== catalog) {
      const visible = deps.progressive ? catalog.tools.filter((tool) => !isBehindSearch(tool)) : catalog.tools;
      const definitions = [...[...own.values()].map((tool) => tool.definition), ...visible.map((tool) => tool.definition)];
      listed = { catalog, result: toListResult(definitions) };
    }
    return listed.result;
  };
}

function toListResult(definitions: readonly ToolDefinition[]): ListToolsResult {
  const sorted = definitions.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  // Definitions are raw JSON Schema, checked when they were loaded; the SDK types schemas more narrowly than JSON.
  return { tools: sorted as unknown as ListToolsResult['tools'] };
}

/** A call that came through the SDK, which may carry the answer of a person. */
function callPluginTool(deps: ToolsDeps, params: CallParams, served: ToolRequest): Promise<ToolAnswer | undefined> {
  const { server, ctx } = served;
  const caller = identifyCaller(served, deps.connection);
  return runPluginTool(deps, params, {
    server,
    caller,
    canAsk: canAskPerson(served),
    approval: deps.approvals.readAnswer(ctx),
    live: ctx.mcpReq,
  });
}

interface RunRequest {
  readonly server: Server;
  readonly caller: CallRequest['caller'];
  readonly canAsk: boolean;
  readonly approval: CallRequest['approval'];
  readonly live: LiveRequest;
}

/** One call of a plugin’s tool; undefined when there is none of that name. */
async function runPluginTool(deps: ToolsDeps, params: CallParams, served: RunRequest): Promise<ToolAnswer | undefined> {
  const { server, caller, canAsk, approval } = served;
  const found = (): ReturnType<Catalog['findTool']> => deps.catalog.current().findTool(params.name);
  const live = createLiveNotifications(served.live, () => found()?.plugin.name ?? params.name);
  const request: CallRequest = {
    tool: params.name,
    arguments: params.arguments ?? {},
    caller,
    signal: served.live.signal,
    canAsk,
    onLog: live.onLog,
    onProgress: live.onProgress,
    ...(approval === undefined ? {} : { approval }),
  };
  try {
    const answer = await deps.dispatch.call(request);
    switch (answer.kind) {
      case 'done':
        if (answer.outcome.artifacts.length > 0) deps.changes.resourcesChanged();
        return projectResult(server, toCallToolResult(answer.outcome), () => found()?.definition.outputSchema);
      case 'ask':
        return await deps.approvals.ask(answer.request, server.getNegotiatedProtocolVersion());
      case 'unknown-tool':
        return undefined;
    }
  } finally {
    await live.end();
  }
}

function projectResult(server: Server, result: CallToolResult, outputSchema: () => ToolDefinition['outputSchema']): CallToolResult {
  return result.structuredContent === undefined ? result : server.projectCallToolResult(result, outputSchema());
}
