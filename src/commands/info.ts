import type { Host } from '../host.ts';
import { HostError } from '../errors.ts';
import { EXIT } from './exit-codes.ts';
import { listPlugins } from './list.ts';
import { bold, formatTable, printable, writeJson, type Output } from './output.ts';
import { listParameters } from './tool-arguments.ts';

/** `plugbridge info NAME`: the manifest as it was understood, what the plugin asks for and what it was granted. */
export async function runInfo(
  host: Host,
  options: { readonly name: string; readonly json: boolean; readonly output: Output },
): Promise<number> {
  const { output } = options;
  const entry = host.catalog.current().findPlugin(options.name);
  if (!entry) throw unknownPlugin(host, options.name);
  const listed = (await listPlugins(host)).find((plugin) => plugin.name === options.name);
  const grants = entry.plugin ? host.grantsOf(entry.plugin) : [];
  if (options.json) {
    writeJson(output, {
      ...listed,
      directory: entry.directory,
      origin: entry.origin,
      warnings: entry.warnings,
      plugin: entry.plugin,
      grants,
    });
    return EXIT.ok;
  }
  const { plugin } = entry;
  output.write(`${bold(printable(`${entry.name} ${plugin?.version ?? ''}`), output)}\n${printable(plugin?.description ?? '')}\n`);
  output.write(
    formatTable([
      ['System', entry.system],
      ['Status', entry.error === undefined ? entry.status : `${entry.status}: ${printable(entry.error)}`],
      ['Directory', printable(`${entry.directory} (${entry.origin})`)],
      ['Isolation', listed?.tier ?? 'none'],
      ...(plugin
        ? [
            ['Digest', plugin.digest],
            ['Requests', plugin.requests.join(' ') || 'nothing'],
            ['Granted', grants.join(' ') || 'nothing'],
            ['Keywords', printable(plugin.keywords.join(', ')) || 'none'],
          ]
        : []),
    ]),
  );
  for (const warning of entry.warnings) output.write(`Warning    ${printable(warning)}`);
  for (const tool of host.catalog.current().tools.filter((one) => one.plugin === plugin)) {
    output.write(`\n${bold(tool.definition.name, output)}\n  ${printable(tool.command.description)}`);
    const rows = listParameters(tool.definition.inputSchema).map((one) => [
      `  ${printable(one.name)}`,
      one.type,
      one.required ? 'required' : '',
      printable(one.description),
    ]);
    if (rows.length > 0) output.write(formatTable(rows));
  }
  return EXIT.ok;
}

export function unknownPlugin(host: Host, name: string): HostError {
  const known = host.catalog.current().entries.map((entry) => entry.name);
  return new HostError('CATALOG_UNKNOWN_PLUGIN', { plugin: name, known: known.join(', ') });
}
