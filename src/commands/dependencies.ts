import { HostError } from '../errors.ts';
import type { InstallResult } from '../executors/script/dependencies/install-dependencies.ts';
import type { Host } from '../host.ts';
import type { Plugin } from '../manifest/plugin.ts';
import { EXIT } from './exit-codes.ts';
import { unknownPlugin } from './info.ts';
import { printable, writeJson, type Output } from './output.ts';
import type { ProgressLine } from './progress-line.ts';

interface DependenciesOptions {
  readonly plugin: string;
  /** Whether code of the packages may run while they are installed. */
  readonly allowScripts: boolean;
  readonly json: boolean;
  readonly output: Output;
  readonly progress: ProgressLine;
  readonly signal: AbortSignal;
}

type Failed = Extract<InstallResult, { kind: 'failed' }>;
type Installed = Extract<InstallResult, { kind: 'installed' }>;

const MAX_NAMED = 50;

const EXIT_OF_FAILURE: Record<Failed['why'], number> = {
  refused: EXIT.failure,
  integrity: EXIT.integrity,
  cancelled: EXIT.failure,
  failed: EXIT.failure,
};

/** `plugbridge dependencies PLUGIN`: installs the packages that a plugin declares into its own directory. */
export async function runDependencies(host: Host, options: DependenciesOptions): Promise<number> {
  const { plugin: name, json, output, progress } = options;
  const result = await installRecorded(host, findPlugin(host, name), options);
  progress.clear();
  if (json) {
    const { kind, ...rest } = result;
    writeJson(output, { plugin: name, ok: kind !== 'failed', ...rest });
  }
  switch (result.kind) {
    case 'failed':
      if (!json)
        output.note(printable(`Cannot install the packages of "${name}": ${result.reason}; what was installed before is unchanged`));
      return EXIT_OF_FAILURE[result.why];
    case 'nothing':
      if (!json) output.write(printable(`"${name}" declares no packages`));
      return EXIT.ok;
    case 'installed':
      if (!json) showInstalled(host, { name, result, output });
      return EXIT.ok;
  }
}

/** What a workspace has brought along runs nothing before it is trusted, and that includes its packages. */
function findPlugin(host: Host, name: string): Plugin {
  const entry = host.catalog.current().findPlugin(name);
  if (!entry) throw unknownPlugin(host, name);
  const { plugin, status, error } = entry;
  if (!plugin || status === 'untrusted' || status === 'changed') {
    throw new HostError('CATALOG_NOT_CALLABLE', { plugin: name, status, reason: error ?? 'see plugbridge info' });
  }
  return plugin;
}

/** In the journal before anything runs, and once more with what came of it. */
async function installRecorded(
  host: Host,
  plugin: Plugin,
  { allowScripts, progress, signal }: DependenciesOptions,
): Promise<InstallResult> {
  const planned = host.dependencies.plan(plugin);
  if (planned.kind !== 'intent') return planned;
  const { id } = plugin;
  const about = { ...planned.intent, scripts: allowScripts };
  host.journal.event({ event: 'dependencies-wanted', plugin: id, detail: { ...about, digest: plugin.digest } });
  const result = await host.dependencies.install({ plugin, allowScripts, signal, onLine: progress.show });
  if (result.kind === 'installed') {
    const packages = result.packages.map((one) => `${one.name} ${one.version}`);
    host.journal.event({ event: 'dependencies-installed', plugin: id, detail: { ...about, bytes: result.bytes, packages } });
  } else {
    host.journal.event({
      event: 'dependencies-failed',
      plugin: id,
      detail: { ...about, reason: 'reason' in result ? result.reason : 'nothing' },
    });
  }
  return result;
}

/** Packages are part of what a plugin is: what was trusted and granted before them was another plugin. */
function showInstalled(host: Host, { name, result, output }: { name: string; result: Installed; output: Output }): void {
  const { packages, registry, source } = result;
  const named = packages.slice(0, MAX_NAMED).map((one) => `${one.name} ${one.version}`);
  const more = packages.length > MAX_NAMED ? ` and ${packages.length - MAX_NAMED} more` : '';
  output.write(printable(`Installed from ${registry}, as ${source} says: ${named.join(', ') || 'none'}${more}`));
  const entry = host.catalog.reload().findPlugin(name);
  if (entry?.status === 'untrusted' || entry?.status === 'changed') {
    output.note(printable(`Its files are others now; trust them with: plugbridge trust ${name}`));
  }
  const lost = entry?.plugin ? host.grants.earlierOf(entry.plugin) : [];
  if (lost.length > 0) output.note(printable(`Its files are others now; grant again with: plugbridge grant ${name} ${lost.join(' ')}`));
}
