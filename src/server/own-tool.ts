import type { CallToolResult, InputRequiredResult, Server, ServerContext } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { ToolDefinition } from '../catalog/catalog.ts';
import { failedCall } from './answers.ts';
import type { Era } from './caller.ts';

export type ToolAnswer = CallToolResult | InputRequiredResult;

/** The request that a tool call came with, and the instance that serves it. */
export interface ToolRequest {
  readonly server: Server;
  readonly era: Era;
  readonly ctx: ServerContext;
}

/** A tool of plugbridge itself, beside those of plugins. */
export interface OwnTool {
  readonly definition: ToolDefinition;
  call(args: unknown, request: ToolRequest): Promise<ToolAnswer>;
}

export interface OwnToolOptions<Schema extends z.ZodType> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly input: Schema;
  readonly annotations: ToolDefinition['annotations'];
  readonly run: (args: z.output<Schema>, request: ToolRequest) => Promise<ToolAnswer>;
}

/** Makes a tool whose schema is both what clients see and what its arguments are checked against. */
export function createOwnTool<Schema extends z.ZodType>(options: OwnToolOptions<Schema>): OwnTool {
  const { name, title, description, input, annotations, run } = options;
  const { $schema: _, ...inputSchema } = z.toJSONSchema(input, { io: 'input' });
  return {
    definition: { name, title, description, inputSchema: { ...inputSchema, type: 'object' }, annotations, _meta: {} },
    async call(args, request) {
      const parsed = input.safeParse(args);
      return parsed.success ? run(parsed.data, request) : failedCall(describeIssues(name, parsed.error));
    },
  };
}

function describeIssues(name: string, error: z.ZodError): string {
  const issues = error.issues.slice(0, 10).map((issue) => `${issue.path.length > 0 ? `/${issue.path.join('/')}: ` : ''}${issue.message}`);
  return `Cannot call "${name}" with these arguments: ${issues.join('; ')}`;
}
