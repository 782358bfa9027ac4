import { accessSync, constants, mkdirSync } from 'node:fs';

import { findSchemaProblem } from '../catalog/argument-check.ts';
import { reasonOf } from '../errors.ts';
import type { Host } from '../host.ts';
import { VERSION } from '../version.ts';
import { EXIT } from './exit-codes.ts';
import { bold, formatTable, printable, writeJson, type Output } from './output.ts';

interface Check {
  readonly area: 'system' | 'isolation' | 'interpreters' | 'files' | 'policy' | 'plugins';
  readonly subject: string;
  readonly state: 'ok' | 'warning' | 'problem';
  readonly detail: string;
}

/** `plugbridge doctor`: what this machine enforces, found by running it, and why plugins or tools are missing. */
export async function runDoctor(host: Host, options: { readonly json: boolean; readonly output: Output }): Promise<number> {
  const checks = [
    ...checkSystem(host),
    ...(await checkIsolation(host)),
    ...(await checkInterpreters(host)),
    ...checkDirectories(host),
    ...host.policy.warnings.map((detail): Check => ({ area: 'policy', subject: 'policy', state: 'warning', detail })),
    ...checkPlugins(host),
  ];
  const healthy = checks.every((check) => check.state !== 'problem');
  const { output } = options;
  if (options.json) writeJson(output, { healthy, checks });
  else {
    for (const area of new Set(checks.map((check) => check.area))) {
      output.write(bold(area, output));
      const rows = checks
        .filter((check) => check.area === area)
        .map((check) => [`  ${check.state}`, printable(check.subject), printable(check.detail)]);
      output.write(`${formatTable(rows)}\n`);
    }
    output.write(healthy ? 'No problems found.' : 'There are problems: see above.');
  }
  return healthy ? EXIT.ok : EXIT.failure;
}

const checkSystem = (host: Host): readonly Check[] => [
  {
    area: 'system',
    subject: 'version',
    state: 'ok',
    detail: `plugbridge ${VERSION}, Node.js ${process.versions.node}, ${process.platform} ${process.arch}`,
  },
  {
    area: 'system',
    subject: 'root',
    state: host.root.isOwn ? 'warning' : 'ok',
    detail: host.root.isOwn ? `${host.root.path} (no workspace: name one with --root)` : host.root.path,
  },
  { area: 'system', subject: 'configuration', state: 'ok', detail: host.configFile ?? 'none, the defaults hold' },
  {
    area: 'policy',
    subject: 'policy',
    state: 'ok',
    detail: host.policy.base.file ?? 'none: reading and running are allowed, everything else asks',
  },
];

async function checkIsolation(host: Host): Promise<readonly Check[]> {
  const tiers = await Promise.all(Object.entries(host.executors).map(async ([kind, executor]) => [kind, await executor.tier()] as const));
  const findings = await host.sandbox.findings();
  const kinds = new Set(host.catalog.current().entries.map(({ plugin }) => plugin?.runtime.kind as string | undefined));
  return [
    ...tiers.map(([kind, tier]): Check => ({
      area: 'isolation',
      subject: `${kind} plugins`,
      state: tier === 'none' && kinds.has(kind) ? 'problem' : tier === 'none' || tier === 'process' ? 'warning' : 'ok',
      detail: tier === 'none' ? 'none: nothing here can isolate them, and their calls are refused' : tier,
    })),
    ...(await checkUnisolated(host)),
    ...findings.map(({ capability, state, detail }): Check => ({
      area: 'isolation',
      subject: capability,
      state: state === 'enforced' ? 'ok' : 'warning',
      detail: `${state}: ${detail}`,
    })),
  ];
}

/** Plugins that a person allowed to run without isolation. */
const checkUnisolated = (host: Host): Promise<readonly Check[]> =>
  Promise.all(
    host.config.scripts.unisolated.map(async (name): Promise<Check> => {
      const plugin = host.catalog.current().findPlugin(name)?.plugin;
      const now = plugin === undefined ? 'no plugin of this name was found' : `now it gets ${await host.tierOf(plugin)}`;
      return {
        area: 'isolation',
        subject: name,
        state: 'warning',
        detail: `scripts.unisolated lets it run where nothing can isolate it; ${now}`,
      };
    }),
  );

/** A missing interpreter is a problem of the plugins that want it, and is shown as theirs. */
async function checkInterpreters(host: Host): Promise<readonly Check[]> {
  return (await host.findInterpreters()).map(({ languages, program, version, problem }): Check => ({
    area: 'interpreters',
    subject: languages.join(', '),
    state: problem === undefined ? 'ok' : 'warning',
    detail: problem ?? `${program}${version === undefined ? '' : `: ${version}`}`,
  }));
}

function checkDirectories({ own }: Host): readonly Check[] {
  return Object.entries(own).map(([name, path]): Check => {
    try {
      mkdirSync(path, { recursive: true, mode: 0o700 });
      accessSync(path, constants.W_OK);
      return { area: 'files', subject: name, state: 'ok', detail: path };
    } catch (error) {
      return { area: 'files', subject: name, state: name === 'cache' ? 'warning' : 'problem', detail: reasonOf(error) };
    }
  });
}

function checkPlugins(host: Host): readonly Check[] {
  const catalog = host.catalog.current();
  const discovery = host.catalog.discovery();
  const entries = catalog.entries.flatMap((entry): Check[] => [
    {
      area: 'plugins',
      subject: entry.name,
      state: entry.status === 'ok' ? 'ok' : entry.status === 'broken' ? 'problem' : 'warning',
      detail:
        entry.error === undefined
          ? `${catalog.tools.filter((tool) => tool.plugin === entry.plugin).length} tools`
          : `${entry.status}: ${entry.error}`,
    },
    ...entry.warnings.map((detail): Check => ({ area: 'plugins', subject: entry.name, state: 'warning', detail })),
  ]);
  const schemas = catalog.tools.flatMap((tool): Check[] => {
    const problem = findSchemaProblem(tool.definition.inputSchema);
    return problem === undefined
      ? []
      : [{ area: 'plugins', subject: tool.definition.name, state: 'problem', detail: `its input schema cannot be used: ${problem}` }];
  });
  return [
    ...entries,
    ...schemas,
    ...discovery.problems.map((problem): Check => ({ area: 'plugins', subject: 'search', state: 'problem', detail: problem.message })),
    ...discovery.skipped.map(({ directory, reason }): Check => ({
      area: 'plugins',
      subject: 'skipped',
      state: 'warning',
      detail: `${directory}: ${reason}`,
    })),
  ];
}
