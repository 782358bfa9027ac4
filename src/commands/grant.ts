import type { PluginEntry } from '../catalog/catalog.ts';
import type { Host } from '../host.ts';
import type { Plugin } from '../manifest/plugin.ts';
import { expandGrant } from '../policy/shorthand.ts';
import { EXIT } from './exit-codes.ts';
import { unknownPlugin } from './info.ts';
import { writeJson, type Output } from './output.ts';

interface GrantOptions {
  readonly plugin: string;
  /** Capability strings or policy keys. */
  readonly capabilities: readonly string[];
  readonly json: boolean;
  readonly output: Output;
}

/** `plugbridge grant PLUGIN CAPABILITY…`: stored for the plugin as it is now; a changed plugin has to be granted anew. */
export function runGrant(host: Host, options: GrantOptions): Promise<number> {
  const plugin = findPlugin(host, options.plugin);
  const capabilities = expandAll(plugin, options.capabilities);
  host.grants.add(plugin, capabilities);
  return show(host, plugin, options);
}

/** `plugbridge revoke PLUGIN [CAPABILITY…]`, from every version of the plugin. */
export function runRevoke(host: Host, options: GrantOptions): Promise<number> {
  const entry = host.catalog.current().findPlugin(options.plugin);
  // What is no longer installed can still hold grants, which are then named as they were stored.
  const named = entry?.plugin ? expandAll(entry.plugin, options.capabilities) : options.capabilities;
  const removed = host.grants.remove(options.plugin, named.length > 0 ? named : undefined);
  if (options.json) writeJson(options.output, { plugin: options.plugin, revoked: removed });
  else
    options.output.write(
      removed.length > 0 ? `Revoked from ${options.plugin}: ${removed.join(' ')}` : `${options.plugin} held nothing of that`,
    );
  return Promise.resolve(EXIT.ok);
}

const expandAll = (plugin: Plugin, words: readonly string[]): readonly string[] =>
  words.flatMap((word) => expandGrant(word, { requests: plugin.requests, runtimeKind: plugin.runtime.kind }));

function findPlugin(host: Host, name: string): Plugin {
  const entry: PluginEntry | undefined = host.catalog.current().findPlugin(name);
  if (!entry?.plugin) throw unknownPlugin(host, name);
  return entry.plugin;
}

function show(host: Host, plugin: Plugin, { json, output }: GrantOptions): Promise<number> {
  const granted = host.grantsOf(plugin);
  if (json) writeJson(output, { plugin: plugin.name, digest: plugin.digest, granted });
  else output.write(`Granted to ${plugin.name} ${plugin.version}: ${granted.join(' ')}`);
  return Promise.resolve(EXIT.ok);
}
