import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { HostError, reasonOf } from '../../../errors.ts';
import type { Language, Plugin } from '../../../manifest/plugin.ts';
import { createEgressProxy, DEFAULT_EGRESS_PROXY_LIMITS } from '../../egress/proxy.ts';
import type { Refusal } from '../../executor.ts';
import { watchDirectorySize } from '../../sandbox/data-quota.ts';
import type { Sandbox, SandboxMount } from '../../sandbox/sandbox.ts';
import type { Interpreters } from '../languages/interpreters.ts';
import { LANGUAGE_TABLE } from '../languages/languages.ts';
import { adoptTree } from './check-tree.ts';
import type { DependencyPlan, InstalledPackage } from './dependency-plan.ts';
import { DEFAULT_INSTALL_LIMITS, describeInstall, type InstallLimits } from './describe-install.ts';
import { explainEnd, type FailureKind } from './explain-end.ts';
import { writeRecord } from './installed-record.ts';
import type { PackageManager } from './package-manager.ts';
import { tryFindManager } from './package-managers.ts';
import { createRegistryPermit, isSameRegistry, readRegistry, type AddressReach, type Registry } from './registry.ts';
import { runPackageManager } from './run-package-manager.ts';
import { createStaging, type Staging } from './staging.ts';

export interface InstallerOptions {
  readonly sandbox: Sandbox;
  readonly interpreters: Interpreters;
  /** Where our loaders are, absolute and canonical. */
  readonly loadersDirectory: string;
  /** Registries in place of the public ones. */
  readonly registries: { readonly python?: string | undefined; readonly node?: string | undefined; readonly ruby?: string | undefined };
  readonly reachOf: (address: string) => AddressReach;
  readonly limits?: InstallLimits;
}

export interface InstallRequest {
  readonly plugin: Pick<Plugin, 'directory' | 'runtime'>;
  /** Whether code of the packages may run while they are installed; inside the sandbox even then. */
  readonly allowScripts: boolean;
  readonly signal: AbortSignal;
  /** What the package manager says, for a person who waits; bounded in number and length, but may hold control characters. */
  readonly onLine: (line: string) => void;
}

/** What an installation would do: known before anything runs. */
export interface InstallIntent {
  readonly language: Language;
  readonly source: string;
  readonly locked: boolean;
  readonly registry: string;
}

export type InstallResult =
  | (InstallIntent & { readonly kind: 'installed'; readonly packages: readonly InstalledPackage[]; readonly bytes: number })
  /** Nothing is declared. */
  | { readonly kind: 'nothing' }
  /** What was installed before is still there. `reason` is a sentence fragment; `integrity`: a package is not what the lock says. */
  | { readonly kind: 'failed'; readonly why: FailureKind; readonly reason: string };

/** Installs what plugins declare. */
export interface DependencyInstaller {
  /** What `install` would do; reads files and runs nothing. */
  plan(
    plugin: Pick<Plugin, 'directory' | 'runtime'>,
  ): { readonly kind: 'intent'; readonly intent: InstallIntent } | Exclude<InstallResult, { kind: 'installed' }>;
  /** Never rejects for anything that packages, registries or the plugin’s files do. */
  install(request: InstallRequest): Promise<InstallResult>;
}

type Failed = Extract<InstallResult, { kind: 'failed' }>;
const failed = (why: Failed['why'], reason: string): Failed => ({ kind: 'failed', why, reason });

/** Everything about one installation that is known before it begins. */
interface Job extends InstallIntent {
  readonly manager: PackageManager;
  readonly plan: DependencyPlan;
  readonly place: Registry;
}

/**
 * Makes the installer of scripts’ packages: from a lock where there is one, in the sandbox with only the registry
 * reachable, into a directory that takes the old one’s place once it is complete and checked.
 */
export function createDependencyInstaller(options: InstallerOptions): DependencyInstaller {
  return {
    plan(plugin) {
      const job = prepare(plugin, options);
      if (job.kind !== 'job') return job;
      const { language, source, locked, registry } = job.job;
      return { kind: 'intent', intent: { language, source, locked, registry } };
    },
    async install(request) {
      const prepared = prepare(request.plugin, options);
      if (prepared.kind !== 'job') return prepared;
      try {
        return await stage(prepared.job, request, options);
      } catch (error) {
        if (error instanceof HostError) return failed('failed', error.message);
        // The file system: a full disk, a directory that may not be written.
        if (error instanceof Error && 'code' in error) return failed('failed', reasonOf(error));
        throw error;
      }
    },
  };
}

function prepare(
  { directory, runtime }: InstallRequest['plugin'],
  { registries }: InstallerOptions,
): { kind: 'job'; job: Job } | Failed | { kind: 'nothing' } {
  if (runtime.kind !== 'script') return { kind: 'nothing' };
  const { language } = runtime;
  const manager = tryFindManager(language);
  if (manager === undefined || language === 'bash') {
    return runtime.dependencies.length === 0 ? { kind: 'nothing' } : failed('refused', 'Bash scripts have no package manager');
  }
  const found = manager.readPlan(directory, runtime.dependencies);
  if (found.kind === 'nothing') return found;
  if (found.kind === 'refused') return failed('refused', found.reason);
  const { plan } = found;
  const configured = registries[language === 'typescript' ? 'node' : language];
  const read = readRegistry(configured ?? manager.publicRegistry, {
    furtherHosts: manager.furtherHosts,
    isConfigured: configured !== undefined,
  });
  if (!read.ok) return failed('refused', read.reason);
  const foreign = plan.registries?.find((named) => !isSameRegistry(named, read.registry, manager.publicRegistry));
  if (foreign !== undefined) {
    return failed(
      'refused',
      `${plan.source} names the registry ${JSON.stringify(foreign.slice(0, 200))}, and ${read.registry.url} is in use`,
    );
  }
  return {
    kind: 'job',
    job: { language, manager, plan, place: read.registry, source: plan.source, locked: plan.locked, registry: read.registry.url },
  };
}

async function stage(job: Job, request: InstallRequest, options: InstallerOptions): Promise<InstallResult> {
  const tier = await options.sandbox.tier();
  if (tier === 'none' || tier === 'process') {
    return failed('refused', 'package managers only run isolated, and nothing here can isolate them; see plugbridge doctor');
  }
  const made = await createStaging({
    directory: request.plugin.directory,
    dependencyDirectory: LANGUAGE_TABLE[job.language].dependencyDirectory,
    targetName: job.manager.targetName,
  });
  if (!made.ok) return failed('refused', made.reason);
  const { staging } = made;
  try {
    for (const [name, text] of Object.entries(job.plan.files)) writeFileSync(join(staging.project, name), text);
    const problem = await fill(job, { staging, request, options });
    return problem ?? finish(job, { staging, request, options });
  } finally {
    await staging.remove();
  }
}

interface Stage {
  readonly staging: Staging;
  readonly request: InstallRequest;
  readonly options: InstallerOptions;
}

/** Runs the package manager into the staging directory; tells why that failed. */
async function fill(job: Job, { staging, request, options }: Stage): Promise<Failed | undefined> {
  const { interpreters, loadersDirectory, limits = DEFAULT_INSTALL_LIMITS } = options;
  const interpreter = interpreters.find(job.language);
  if (!interpreter.ok) return failed('refused', interpreter.reason);
  const relay = interpreters.find('node');
  if (!relay.ok) return failed('refused', relay.reason);
  const { project, target } = staging;
  const tool = job.manager.toCommand({
    program: interpreter.program,
    plan: job.plan,
    registryUrl: job.registry,
    project,
    target,
    loadersDirectory,
    allowScripts: request.allowScripts,
  });
  if (!tool.ok) return failed('refused', tool.reason);

  const refusals: Refusal[] = [];
  const onRefused = (refusal: Refusal): void => void (refusals.length < MAX_REFUSALS && refusals.push(refusal));
  const proxy = await createEgressProxy({ limits: { ...DEFAULT_EGRESS_PROXY_LIMITS, totalBytes: 2 * limits.maxBytes } });
  proxy.attach(createRegistryPermit({ registry: job.place, reachOf: options.reachOf, onRefused }));
  try {
    const mounts: readonly SandboxMount[] = [
      ...interpreter.mounts,
      ...tool.shown.map((file) => ({ source: file, target: file, access: 'read' as const })),
    ];
    const end = await runPackageManager({
      sandbox: options.sandbox,
      description: describeInstall({ tool, mounts, staging, relay, loadersDirectory, socketFile: proxy.socketFile, limits }),
      signal: request.signal,
      timeoutMs: limits.timeoutMs,
      onLine: request.onLine,
      // Downloads and what was unpacked of them lie side by side for a while.
      watchSize: (onOverflow) =>
        watchDirectorySize(staging.box, { maxBytes: 2 * limits.maxBytes, maxEntries: 3 * limits.maxEntries }, onOverflow),
    });
    const failure = explainEnd(end, { manager: job.manager, limits, refusal: refusals[0] });
    return failure && failed(failure.why, failure.reason);
  } finally {
    await proxy.close();
  }
}

const MAX_REFUSALS = 16;

/** Checks what has been installed, records it, and puts it in place. */
function finish(job: Job, { staging, request, options }: Stage): InstallResult {
  const { language, source, locked, registry } = job;
  // Where every package is for other platforms, none has made it.
  mkdirSync(staging.target, { recursive: true });
  const tree = adoptTree(staging.target, options.limits ?? DEFAULT_INSTALL_LIMITS);
  if (!tree.ok) return failed('refused', tree.reason);
  const packages = job.manager.listInstalled(staging.target);
  const names = new Set(job.plan.wanted.map(({ name }) => name));
  const extra = locked ? packages.find(({ name }) => !names.has(name)) : undefined;
  if (extra !== undefined)
    return failed('integrity', `${source} does not name "${extra.name}", which the packages in it need: renew the lock`);
  writeRecord(staging.target, {
    version: 1,
    source,
    registry,
    scripts: request.allowScripts,
    wanted: job.plan.wanted.map(({ spec }) => spec),
    packages: [...packages],
  });
  if (request.signal.aborted) return failed('cancelled', 'it was cancelled');
  staging.swapIn();
  return { kind: 'installed', language, source, locked, registry, packages, bytes: tree.bytes };
}
