import { z } from 'zod';
import type { Catalog, CatalogSource, Tool, ToolDefinition } from '../catalog/catalog.ts';
import { SERVER_LIMITS } from './limits.ts';
import { createOwnTool, type OwnTool, type ToolAnswer, type ToolRequest } from './own-tool.ts';
import { searchTools } from './search.ts';

const SearchSchema = z.strictObject({
  query: z.string().trim().min(1).max(500).describe('what the tool should be good for, in a few words'),
});
const CallSchema = z.strictObject({
  tool: z.string().max(200).describe('the name of a tool that plugbridge_search found'),
  arguments: z.record(z.string(), z.unknown()).default({}).describe('arguments as its inputSchema wants them'),
});

/** Whether a tool is found by search instead of being listed. */
export const isBehindSearch = (tool: Tool): boolean => tool.plugin.keywords.length > 0;

export interface ProgressiveDeps {
  readonly catalog: CatalogSource;
  /** Calls a plugin’s tool by name; undefined when there is none of that name. */
  readonly callPluginTool: (
    call: { readonly name: string; readonly arguments?: unknown },
    request: ToolRequest,
  ) => Promise<ToolAnswer | undefined>;
}

/** The two tools that stand for all plugins with keywords, so that a long list costs a client nothing until it needs it. */
export function createProgressiveTools({ catalog, callPluginTool }: ProgressiveDeps): readonly OwnTool[] {
  const search = createOwnTool({
    name: 'plugbridge_search',
    title: 'Search plugin tools',
    description:
      'Finds tools of installed plugins that are not in the tool list, by name, description and keywords. ' +
      'Returns their definitions with input schemas; call one with plugbridge_call.',
    input: SearchSchema,
    annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
    run: async ({ query }) => showFound(catalog.current(), query),
  });
  const call = createOwnTool({
    name: 'plugbridge_call',
    title: 'Call a plugin tool',
    description: 'Calls a tool that plugbridge_search found, with arguments that fit its input schema.',
    input: CallSchema,
    annotations: { readOnlyHint: false, openWorldHint: true },
    async run({ tool, arguments: args }, request) {
      const answer = await callPluginTool({ name: tool, arguments: args }, request);
      if (answer !== undefined) return answer;
      const text = `Unknown tool: ${tool}; plugbridge_search finds the names that there are`;
      return { content: [{ type: 'text', text }], isError: true };
    },
  });
  return [call, search];
}

function showFound(catalog: Catalog, query: string): ToolAnswer {
  const found = searchTools(catalog.tools, query, SERVER_LIMITS.searchHits).map((tool) => tool.definition);
  const { shown, text } = fitDefinitions(found);
  if (shown.length === 0) {
    const keywords = [...new Set(catalog.tools.flatMap((tool) => tool.plugin.keywords))].toSorted().slice(0, 50);
    const hint = keywords.length > 0 ? `; keywords that there are: ${keywords.join(', ')}` : '';
    return { content: [{ type: 'text', text: `No tool fits "${query}"${hint}` }], structuredContent: { tools: [] } };
  }
  return { content: [{ type: 'text', text }], structuredContent: { tools: shown } };
}

/** As many definitions, best first, as the size of one answer allows; the first always. */
function fitDefinitions(found: readonly ToolDefinition[]): { shown: ToolDefinition[]; text: string } {
  const shown: ToolDefinition[] = [];
  const texts: string[] = [];
  let characters = 0;
  for (const definition of found) {
    const text = JSON.stringify(definition);
    characters += text.length;
    if (shown.length > 0 && characters > SERVER_LIMITS.searchCharacters) break;
    shown.push(definition);
    texts.push(text);
  }
  return { shown, text: `{"tools":[${texts.join(',')}]}` };
}
