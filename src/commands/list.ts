import type { PluginEntry } from '../catalog/catalog.ts';
import type { Host } from '../host.ts';
import { EXIT } from './exit-codes.ts';
import { bold, formatTable, printable, writeJson, type Output } from './output.ts';

export interface ListedPlugin {
  readonly name: string;
  readonly system: string;
  readonly version: string;
  readonly status: PluginEntry['status'];
  readonly tools: readonly { readonly tool: string; readonly command: string; readonly description: string }[];
  /** One sentence, when not ok. */
  readonly error?: string;
  /** The isolation that its calls get on this machine. */
  readonly tier: string;
}

/** All plugins that were found, callable or not, in the shape of DESIGN.md (`list --json`). */
export async function listPlugins(host: Host): Promise<readonly ListedPlugin[]> {
  const catalog = host.catalog.current();
  return Promise.all(
    catalog.entries.map(async (entry) => ({
      name: entry.name,
      system: entry.system,
      version: entry.plugin?.version ?? '',
      status: entry.status,
      tools: catalog.tools
        .filter((tool) => tool.plugin === entry.plugin)
        .map(({ definition, command }) => ({ tool: definition.name, command: command.name, description: command.description })),
      ...(entry.error === undefined ? {} : { error: entry.error }),
      tier: entry.plugin ? await host.tierOf(entry.plugin) : 'none',
    })),
  );
}

/** `plugbridge list`: a table, or JSON. */
export async function runList(host: Host, options: { readonly json: boolean; readonly output: Output }): Promise<number> {
  const plugins = await listPlugins(host);
  const { output } = options;
  if (options.json) writeJson(output, plugins);
  else if (plugins.length === 0) output.write('No plugins found. Name a directory with --plugins DIR.');
  else {
    const rows = plugins.map((plugin) => [
      printable(plugin.name),
      printable(plugin.version),
      plugin.system,
      plugin.status,
      String(plugin.tools.length),
      plugin.tier,
    ]);
    output.write(formatTable([['NAME', 'VERSION', 'SYSTEM', 'STATUS', 'TOOLS', 'ISOLATION'], ...rows]));
    for (const plugin of plugins)
      if (plugin.error !== undefined) output.write(`\n${bold(printable(plugin.name), output)}: ${printable(plugin.error)}`);
  }
  return EXIT.ok;
}
