import { mkdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { createArtifactStore, type ArtifactStore } from './artifacts/store.ts';
import { createJournal, type Journal } from './audit/journal.ts';
import { createLiveCatalog, type LiveCatalog } from './catalog/live-catalog.ts';
import { createReadingCache } from './catalog/reading-cache.ts';
import { loadConfig, type Config } from './config/config.ts';
import { findOwnPaths, findRoot, type OwnPaths, type Root } from './config/paths.ts';
import { discoverCandidates } from './discover/candidates.ts';
import { searchDirectories } from './discover/directories.ts';
import { createApprovalDesk } from './dispatch/approval.ts';
import { createAuthority } from './dispatch/authority.ts';
import { createDispatch } from './dispatch/call.ts';
import type { Dispatch } from './dispatch/outcome.ts';
import { createCallQueue } from './dispatch/queue.ts';
import { createExecutors } from './executors/executors.ts';
import type { ExecutionPaths, Executor, Tier } from './executors/executor.ts';
import { createEgress, DEFAULT_EGRESS_LIMITS } from './executors/egress/egress.ts';
import { createEgressProxy } from './executors/egress/proxy.ts';
import { createSandbox } from './executors/sandbox/create-sandbox.ts';
import { createCommandRunner } from './executors/sandbox/run-command.ts';
import type { Sandbox } from './executors/sandbox/sandbox.ts';
import { createDependencyInstaller, type DependencyInstaller } from './executors/script/dependencies/install-dependencies.ts';
import type { ScriptSettings } from './executors/script/script-executor.ts';
import { describeInterpreters, type InterpreterFinding } from './executors/script/languages/interpreter-versions.ts';
import { createInterpreters } from './executors/script/languages/interpreters.ts';
import { createLog, type Log } from './log.ts';
import { readManifest } from './manifest/formats.ts';
import type { Limits, Plugin, RuntimeKind } from './manifest/plugin.ts';
import { createTrials, type Trials } from './trials/trials.ts';
import { classifyAddress } from './policy/addresses.ts';
import type { EffectivePolicy } from './policy/policy.ts';
import { readPolicy } from './policy/read-policy.ts';
import { findSensitiveName } from './policy/sensitive-names.ts';
import type { ArtifactReader } from './server/artifacts.ts';
import { createGrantBook, type GrantBook } from './trust/grant-book.ts';
import { createGrantStore } from './trust/grants.ts';
import { createTrustStore, type TrustStore } from './trust/trust.ts';
import { VERSION } from './version.ts';

export interface HostOptions {
  /** The directories of `--plugins`. */
  readonly plugins: readonly string[];
  readonly root: string | undefined;
  readonly configFile: string | undefined;
  readonly policyFile: string | undefined;
  readonly environment: NodeJS.ProcessEnv;
  readonly workingDirectory: string;
  /** Where the bundled WASM host process is; beside the bundle by default. */
  readonly wasmHostScript?: string;
  /** Where the loaders of scripts are; beside the bundle by default. */
  readonly scriptLoaders?: string;
  readonly log?: Log;
}

/** Everything, composed. Nothing is read or started before it is needed. */
export interface Host {
  readonly own: OwnPaths;
  readonly root: Root;
  readonly config: Config;
  readonly configFile: string | undefined;
  readonly policy: EffectivePolicy;
  readonly catalog: LiveCatalog;
  readonly dispatch: Dispatch;
  /** Checks and trial runs, also of plugins that are not in the catalog. */
  readonly trials: Trials;
  readonly artifacts: ArtifactStore;
  readonly artifactReader: ArtifactReader;
  readonly executors: Readonly<Record<RuntimeKind, Executor>>;
  /** Its findings are what `doctor` shows. */
  readonly sandbox: Sandbox;
  readonly grants: GrantBook;
  readonly trust: TrustStore;
  readonly journal: Journal;
  readonly log: Log;
  grantsOf(plugin: Plugin): readonly string[];
  tierOf(plugin: Plugin): Promise<Tier>;
  /** Installs what script plugins declare. */
  readonly dependencies: DependencyInstaller;
  /** The interpreters of scripts, asked for their versions; for `doctor`. */
  findInterpreters(): Promise<readonly InterpreterFinding[]>;
  /** For servers: follows the plugin files, starts what makes the first call quick, tidies up. */
  keepCurrent(): void;
  close(): Promise<void>;
}

const MIB = 1024 * 1024;
const DAY_MS = 86_400_000;
/** A server that has just started first answers its client; warming up would take the processor from it. */
const SETTLE_MS = 300;

/** The composition root: the one place that sees all folders. */
export function createHost(options: HostOptions): Host {
  const log = options.log ?? createLog();
  const own = findOwnPaths(options.environment);
  const { config, file: configFile } = loadConfig(own, options.configFile);
  const root = findRoot({
    flag: options.root,
    configured: config.root,
    environment: options.environment,
    workingDirectory: options.workingDirectory,
    own,
  });
  if (root.isOwn) mkdirSync(root.path, { recursive: true, mode: 0o700 });

  const journal = createJournal({
    directory: join(own.state, 'audit'),
    clock: Date.now,
    sync: config.audit.sync,
    syncIntervalMs: config.audit.sync_interval_ms,
    log,
  });
  const artifacts = createArtifactStore({
    directory: join(own.state, 'artifacts'),
    quotaBytes: config.artifacts.quota_mb * MIB,
    expiryMs: config.artifacts.expiry_days * DAY_MS,
    clock: Date.now,
  });
  const policy = readPolicy({
    policyFile: options.policyFile === undefined ? undefined : resolve(options.workingDirectory, options.policyFile),
    userFile: join(own.config, 'policy.toml'),
    root: root.path,
  });
  const grants = createGrantBook(createGrantStore({ stateDirectory: own.state }), journal);
  const trust = createTrustStore({ stateDirectory: own.state });

  // The WASM runtime contains its guests itself and may go without; commands look at the tier and then refuse.
  const sandbox = createSandbox({ log, unboxed: 'when-missing' });
  const protectedDirectories = [own.config, own.data, own.cache, own.state];
  const interpreters = createInterpreters({ configured: config.scripts.interpreters });
  const loadersDirectory = options.scriptLoaders ?? fileURLToPath(new URL('./loaders', import.meta.url));
  const executors = createExecutors({
    hostScript: options.wasmHostScript ?? fileURLToPath(new URL('./wasm-host.js', import.meta.url)),
    cacheDirectory: own.cache,
    sandbox,
    services: {
      createEgress: (permit) => createEgress({ permit, limits: DEFAULT_EGRESS_LIMITS }),
      runCommand: createCommandRunner({ sandbox, isHidden: (segments) => findSensitiveName(segments, 'read') !== undefined }),
      now: () => new Date(),
    },
    interpreters,
    loadersDirectory,
    hiding: { isHidden: (segments, access) => findSensitiveName(segments, access) !== undefined, protectedDirectories },
    createSocketEgress: () => createEgressProxy(),
    settings: toScriptSettings(config),
    // The watcher does not look everywhere that scripts may load from.
    onFilesChanged: () => catalog.reloadSoon(),
    clock: Date.now,
    log,
  });

  const bases = {
    root: root.path,
    home: homedir(),
    configHome: options.environment['XDG_CONFIG_HOME'] || join(homedir(), '.config'),
    dataHome: options.environment['XDG_DATA_HOME'] || join(homedir(), '.local', 'share'),
  };
  const directories = searchDirectories({
    flags: options.plugins,
    config: config.plugins,
    workingDirectory: options.workingDirectory,
    bases,
    ownData: own.data,
  });
  const cache = createReadingCache({
    file: join(own.cache, 'plugins.json'),
    key: `${VERSION} ${statSync(fileURLToPath(import.meta.url)).mtimeMs} ${JSON.stringify(config.limits)}`,
  });
  const catalog = createLiveCatalog({
    discover: () => discoverCandidates(directories, { recall: (directory) => cache.recall(directory) }),
    // A server must notice `plugbridge trust` of another process.
    watched: [...directories.map((directory) => directory.path), join(own.state, 'trust.json')],
    readManifest,
    inspect: (plugin) => executors[plugin.runtime.kind].inspect(plugin),
    judgeTrust: (plugin, { origin }) =>
      trust.isTrusted({ origin, plugin: plugin.name, directory: plugin.directory, digest: plugin.digest }),
    capLimits: (limits) => capLimits(limits, config),
    cache,
    log,
  });

  const pathsOf = (plugin: Plugin): ExecutionPaths => ({
    root: root.path,
    plugin: plugin.directory,
    data: join(own.data, 'plugin-data', plugin.id),
  });
  const calls = {
    grants,
    approvals: createApprovalDesk(Date.now),
    queue: createCallQueue({ maxRunning: config.limits.calls, maxWaiting: config.limits.queue }),
    executors,
    journal,
    artifacts,
    pathsOf,
    environment: options.environment,
    maxCharacters: config.limits.text_bytes,
  };
  const authority = createAuthority({ policy, grants, executors, pathsOf, protectedDirectories });
  const dispatch = createDispatch({ ...calls, catalog, authority });
  const trials = createTrials({
    ...calls,
    policy,
    protectedDirectories,
    capLimits: (limits) => capLimits(limits, config),
    directory: join(own.state, 'trials'),
  });
  let settling: NodeJS.Timeout | undefined;

  return {
    own,
    root,
    config,
    configFile,
    policy,
    catalog,
    dispatch,
    trials,
    artifacts,
    artifactReader: readArtifacts(artifacts),
    executors,
    sandbox,
    grants,
    trust,
    journal,
    log,
    grantsOf: (plugin) => grants.of(plugin),
    tierOf: (plugin) => executors[plugin.runtime.kind].tier(plugin),
    dependencies: createDependencyInstaller({
      sandbox,
      interpreters,
      loadersDirectory,
      registries: {
        python: config.dependencies.python_index,
        node: config.dependencies.npm_registry,
        ruby: config.dependencies.gem_source,
      },
      reachOf: (address) => {
        const kind = classifyAddress(address);
        return kind === 'public' ? 'public' : kind === 'private' || kind === 'shared' ? 'inside' : 'closed';
      },
    }),
    findInterpreters: () => describeInterpreters({ interpreters, sandbox }),
    keepCurrent() {
      settling = setTimeout(() => {
        catalog.watch((changed) =>
          journal.event({ event: 'catalog-reloaded', detail: { plugins: changed.entries.length, tools: changed.tools.length } }),
        );
        for (const kind of new Set(catalog.current().tools.map((tool) => tool.plugin.runtime.kind))) executors[kind].warm();
        void sandbox.sweep().catch((error: unknown) => log.warn({ err: error }, 'cannot look for left-over processes'));
        void artifacts.expire().catch((error: unknown) => log.warn({ err: error }, 'cannot expire artifacts'));
      }, SETTLE_MS);
    },
    async close() {
      clearTimeout(settling);
      await catalog.close();
      await Promise.all(Object.values(executors).map(async (executor) => executor.close()));
      await sandbox.close();
      journal.close();
    },
  };
}

const capLimits = (limits: Limits, { limits: caps }: Config): Limits => ({
  ...limits,
  timeoutMs: Math.min(limits.timeoutMs, caps.timeout_ms ?? limits.timeoutMs),
  memoryBytes: Math.min(limits.memoryBytes, (caps.memory_mb ?? Infinity) * MIB),
});

const toScriptSettings = ({ scripts }: Config): ScriptSettings => ({
  prestarted: scripts.prestarted,
  prestartedBytes: scripts.prestarted_memory_mb * MIB,
  prestartedIdleMs: scripts.prestarted_idle_seconds * 1000,
  dataBytes: scripts.data_mb * MIB,
  unisolated: scripts.unisolated,
});

/** The artifact store as the server wants it. */
const readArtifacts = (artifacts: ArtifactStore): ArtifactReader => ({
  list: () => artifacts.list(),
  async read(uri, range) {
    const page = await artifacts.read(uri, range);
    return page
      ? { kind: 'found', page }
      : { kind: 'missing', reason: `Cannot read "${uri}": there is no such artifact, or it has expired` };
  },
});
