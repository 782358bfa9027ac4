import { ProtocolError, ProtocolErrorCode, type CallToolResult, type ListToolsResult, type Server } from '@modelcontextprotocol/server';
import type { Catalog, CatalogSource, ToolDefinition } from '../catalog/catalog.ts';
import type { CallRequest, Dispatch } from '../dispatch/outcome.ts';
import type { Log } from '../log.ts';
import { toFailedCall } from './answers.ts';
import type { Approvals } from './approval.ts';
import type { ArtifactReader } from './artifacts.ts';
import { canAskPerson, identifyCaller, type Connection, type Era } from './caller.ts';
import type { Changes } from './changes.ts';
import { createLiveNotifications } from './live.ts';
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
  readonly log: Log;
}

/** `tools/list` and `tools/call`, on servers of either era. */
export interface Tools {
  register(server: Server, era: Era): void;
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
        throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown tool: ${params.name}`);
      });
    },
  };
}

function createOwnTools(deps: ToolsDeps): ReadonlyMap<string, OwnTool> {
  const progressive = createProgressiveTools({
    catalog: deps.catalog,
    callPluginTool: (call, request) => callPluginTool(deps, call, request),
  });
  const own = [createReadArtifactTool(deps.artifacts), ...(deps.progressive ? progressive : [])];
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

/** One call of a plugin’s tool; undefined when there is none of that name. */
async function callPluginTool(
  deps: ToolsDeps,
  params: { readonly name: string; readonly arguments?: unknown },
  served: ToolRequest,
): Promise<ToolAnswer | undefined> {
  const { server, ctx } = served;
  const approval = deps.approvals.readAnswer(ctx);
  const found = (): ReturnType<Catalog['findTool']> => deps.catalog.current().findTool(params.name);
  const live = createLiveNotifications(ctx, () => found()?.plugin.name ?? params.name);
  const request: CallRequest = {
    tool: params.name,
    arguments: params.arguments ?? {},
    caller: identifyCaller(served, deps.connection),
    signal: ctx.mcpReq.signal,
    canAsk: canAskPerson(served),
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
