import type { Catalog } from '../catalog/catalog.ts';
import { SERVER_LIMITS } from './limits.ts';
import { toOneLine } from '../dispatch/one-line.ts';

const INTRODUCTION =
  'Tools named plugin_<plugin>_<command> belong to plugins installed on this machine; each call runs sandboxed, permitted and audited. ' +
  'A refused call says what a person can do about it. Long outputs are cut and stored: read the rest with plugbridge_read_artifact.';
const SEARCHING = ' Plugins marked * are not in the tool list: find their tools with plugbridge_search, call them with plugbridge_call.';

/**
 * What a client tells its model about this server: which plugins are there, sorted by name, in at most 2 KB.
 * Plugins that no longer fit are counted.
 */
export function writeInstructions(catalog: Catalog, progressive: boolean): string {
  const plugins = catalog.entries
    .flatMap((entry) => (entry.callable && entry.plugin !== undefined ? [entry.plugin] : []))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const hidden = progressive && plugins.some((plugin) => plugin.keywords.length > 0);
  const head = INTRODUCTION + (hidden ? SEARCHING : '');
  if (plugins.length === 0) return `${head}\nNo plugins are available yet.`;
  const lines = plugins.map((plugin) => {
    const mark = progressive && plugin.keywords.length > 0 ? '*' : '';
    return `- ${toOneLine(plugin.name, 64)}${mark}: ${toOneLine(plugin.description, 120)}`;
  });
  return fitLines(`${head}\nPlugins:`, lines);
}

function fitLines(head: string, lines: readonly string[]): string {
  const sizes = lines.map((line) => Buffer.byteLength(line) + 1);
  const room = SERVER_LIMITS.instructionsBytes - Buffer.byteLength(head);
  const whole = sizes.reduce((sum, size) => sum + size, 0);
  if (whole <= room) return [head, ...lines].join('\n');
  const reserve = Buffer.byteLength(`\n- and ${lines.length} more`);
  let used = 0;
  const kept = sizes.findIndex((size) => (used += size) > room - reserve);
  return [head, ...lines.slice(0, kept), `- and ${lines.length - kept} more`].join('\n');
}
