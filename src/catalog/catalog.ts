import type { Origin } from '../discover/origin.ts';
import type { Command, JsonSchema, Plugin } from '../manifest/plugin.ts';

export const PLUGIN_STATUSES = ['ok', 'broken', 'disabled', 'untrusted', 'changed'] as const;
export type PluginStatus = (typeof PLUGIN_STATUSES)[number];

/** One plugin as people see it, whether it can be called or not. */
export interface PluginEntry {
  readonly name: string;
  readonly system: string;
  readonly directory: string;
  readonly origin: Origin;
  readonly status: PluginStatus;
  /** One sentence, when not ok. */
  readonly error?: string;
  /** Absent when the manifest could not be read and there is no last good version. */
  readonly plugin?: Plugin;
  /** Whether its tools are listed and run; a broken plugin whose last good version is still here stays callable. */
  readonly callable: boolean;
  readonly warnings: readonly string[];
}

/** What MCP clients get to see of a tool; nothing in it varies by connection. */
export interface ToolDefinition {
  readonly name: string;
  readonly title?: string;
  readonly description: string;
  readonly inputSchema: JsonSchema & { readonly type: 'object' };
  readonly outputSchema?: JsonSchema;
  readonly annotations: {
    readonly title?: string;
    readonly readOnlyHint?: boolean;
    readonly destructiveHint?: boolean;
    readonly idempotentHint?: boolean;
    readonly openWorldHint?: boolean;
  };
  readonly _meta: Readonly<Record<string, unknown>>;
}

/** Where arguments fail their schema. `path` is a JSON pointer, empty for the root. */
export interface ArgumentIssue {
  readonly path: string;
  readonly message: string;
}

export interface Tool {
  readonly definition: ToolDefinition;
  readonly plugin: Plugin;
  readonly command: Command;
  /** Compiled on first use, once per load. */
  checkArguments(args: unknown): readonly ArgumentIssue[];
}

/** An immutable picture of all plugins. A reload makes a new one; calls in flight keep theirs. */
export interface Catalog {
  /** Counts the pictures that differed from the one before. */
  readonly generation: number;
  readonly entries: readonly PluginEntry[];
  /** Sorted by name. */
  readonly tools: readonly Tool[];
  findTool(name: string): Tool | undefined;
  findPlugin(name: string): PluginEntry | undefined;
}

/** The current catalog and word of the next. */
export interface CatalogSource {
  current(): Catalog;
  /** Called once for every catalog whose tool list differs; returns what ends the subscription. */
  onToolsChanged(listener: (catalog: Catalog) => void): () => void;
}
