import type { Plugin } from '../manifest/plugin.ts';
import { createArgumentCheck } from './argument-check.ts';
import { createBoundedRun, type BoundedRun } from './bounded-run.ts';
import type { Catalog, PluginEntry, Tool, ToolDefinition } from './catalog.ts';
import { nameTools } from './tool-name.ts';
import { normaliseInputSchema } from './tool-schema.ts';

/** Clients cut descriptions at 2 KB (mcp.md §6). */
const MAX_DESCRIPTION_LENGTH = 2_000;

interface PlannedTool {
  readonly entry: PluginEntry;
  readonly plugin: string;
  readonly command: string;
  readonly index: number;
}

/**
 * Makes the catalog of these plugins. Tools of plugins that `previous` already held are carried over with their compiled
 * validators; a command whose schema cannot be used costs its plugin that one tool, with a warning that says why.
 */
export function makeCatalog(entries: readonly PluginEntry[], previous?: Catalog): Catalog {
  const planned = entries.flatMap((entry): PlannedTool[] =>
    entry.callable && entry.plugin
      ? entry.plugin.commands.map((command, index) => ({ entry, plugin: entry.name, command: command.name, index }))
      : [],
  );
  const names = nameTools(planned);
  const taken = new Set<string>();
  const runBounded = createBoundedRun();
  const warnings = new Map<PluginEntry, string[]>();
  const warn = (entry: PluginEntry, warning: string): void => void warnings.set(entry, [...(warnings.get(entry) ?? []), warning]);
  const tools: Tool[] = [];
  for (const [plan, name] of names) {
    const { plugin } = plan.entry;
    const command = plugin?.commands[plan.index];
    if (!plugin || !command) continue;
    if (taken.has(name)) {
      warn(plan.entry, `command "${command.name}" is left out, another one has the same name`);
      continue;
    }
    taken.add(name);
    const kept = previous?.findTool(name);
    if (kept && kept.plugin === plugin && kept.command === command) {
      tools.push(kept);
      continue;
    }
    const made = makeTool(name, { plugin, command, runBounded });
    if (typeof made === 'string') warn(plan.entry, made);
    else tools.push(made);
  }
  tools.sort((a, b) => compare(a.definition.name, b.definition.name));
  const warned = entries.map((entry) => {
    const more = warnings.get(entry);
    return more ? { ...entry, warnings: [...entry.warnings, ...more] } : entry;
  });
  const byTool = new Map(tools.map((tool) => [tool.definition.name, tool]));
  const byPlugin = new Map<string, PluginEntry>();
  // A name belongs to the plugin that got it; those that lost it are listed, but not found.
  for (const entry of warned) {
    const known = byPlugin.get(entry.name);
    if (!known || holdOn(entry) > holdOn(known)) byPlugin.set(entry.name, entry);
  }
  return {
    generation: previous ? previous.generation + (sameTools(tools, previous.tools) ? 0 : 1) : 1,
    entries: warned,
    tools,
    findTool: (name) => byTool.get(name),
    findPlugin: (name) => byPlugin.get(name),
  };
}

function makeTool(
  name: string,
  { plugin, command, runBounded }: Pick<Tool, 'plugin' | 'command'> & { runBounded: BoundedRun },
): Tool | string {
  const input = normaliseInputSchema(command.inputSchema);
  if (!input.ok) return `command "${command.name}" is left out, its input schema cannot be used: ${input.problem}`;
  const { annotations, title, outputSchema } = command;
  const definition: ToolDefinition = {
    name,
    ...(title === undefined ? {} : { title }),
    description: cut(`[plugin:${plugin.name}] ${command.description}`),
    inputSchema: input.schema,
    ...(outputSchema === undefined ? {} : { outputSchema }),
    annotations: {
      ...(title === undefined ? {} : { title }),
      ...(annotations.readOnly === undefined ? {} : { readOnlyHint: annotations.readOnly }),
      ...(annotations.destructive === undefined ? {} : { destructiveHint: annotations.destructive }),
      ...(annotations.idempotent === undefined ? {} : { idempotentHint: annotations.idempotent }),
      ...(annotations.openWorld === undefined ? {} : { openWorldHint: annotations.openWorld }),
    },
    _meta: describeOrigin(plugin, command.name),
  };
  return { definition, plugin, command, checkArguments: createArgumentCheck(input.schema, runBounded) };
}

const holdOn = (entry: PluginEntry): number => (entry.callable ? 2 : entry.plugin ? 1 : 0);

const describeOrigin = (plugin: Plugin, command: string): Record<string, unknown> => ({
  'plugbridge/plugin': plugin.name,
  'plugbridge/command': command,
  'plugbridge/version': plugin.version,
  ...(plugin.keywords.length > 0 ? { 'plugbridge/keywords': plugin.keywords } : {}),
});

const cut = (text: string): string => (text.length > MAX_DESCRIPTION_LENGTH ? `${text.slice(0, MAX_DESCRIPTION_LENGTH - 1)}…` : text);

const sameTools = (now: readonly Tool[], before: readonly Tool[]): boolean =>
  now.length === before.length &&
  now.every((tool, i) => tool === before[i] || JSON.stringify(tool.definition) === JSON.stringify(before[i]?.definition));

/** By code unit, so that the order is the same under every locale. */
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
