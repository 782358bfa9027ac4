import { findSchemaProblem } from '../catalog/argument-check.ts';
import type { Tool } from '../catalog/catalog.ts';
import { normaliseInputSchema } from '../catalog/tool-schema.ts';
import type { Caller } from '../dispatch/outcome.ts';
import type { Plugin } from '../manifest/plugin.ts';
import { validateDirectory, type ContentCheck, type Validation } from '../manifest/validate.ts';
import type { GrantBook } from '../trust/grant-book.ts';
import { NO_GRANTS, openTrial, type TrialDeps } from './open-trial.ts';
import { planTests, planTrials, type PlannedTrial } from './plan-trials.ts';
import { runTrials, type TrialReport } from './run-trials.ts';
import { readTests, type PluginTest } from './test-file.ts';

/** What the runs of a plugin showed. */
export interface TrialRuns {
  /** Tests that cannot be read: one sentence each, with file and line. */
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
  readonly reports: readonly TrialReport[];
}

export interface TryOptions {
  readonly caller: Caller;
  readonly signal: AbortSignal;
  /** `tests`: what the test files ask for; `all`: also one run of every command that no test calls. */
  readonly runs: 'all' | 'tests';
  /** `none`: for what nobody has accepted yet; its commands that request anything are not run, all others are. */
  readonly grants: 'stored' | 'none';
  onReport?(report: TrialReport): void;
}

/** The steps between a plugin’s files and its being good for use (kaizen.md, “Pipeline”); no step asks or grants anything. */
export interface Trials {
  /** Manifest, schemas, and the runtime’s own check, such as the syntax of scripts. Runs nothing of the plugin. Never rejects. */
  check(directory: string): Promise<Validation>;
  /** Runs a plugin that `check` found no problem in, through the dispatch that every call goes through. */
  try(plugin: Plugin, options: TryOptions): Promise<TrialRuns>;
}

export function createTrials(deps: TrialDeps): Trials {
  return {
    async check(directory) {
      const found = validateDirectory(directory, { checks: [checkSchemas] });
      if (found.plugin === undefined) return found;
      const checked = await deps.executors[found.plugin.runtime.kind].check(found.plugin);
      return checked.ok
        ? { ...found, warnings: [...found.warnings, ...checked.warnings] }
        : { ...found, problems: [...found.problems, ...checked.problems] };
    },
    async try(plugin, options) {
      const { tests, problems } = readTests(plugin.directory);
      const trial = openTrial(deps, plugin, grantsFor(options, deps.grants));
      try {
        const planned = planRuns(trial.tools, tests, options);
        const reports = await runTrials(planned, { ...options, dispatch: trial.dispatch });
        return { problems, warnings: trial.warnings, reports };
      } finally {
        trial.close();
      }
    },
  };
}

const grantsFor = ({ grants }: TryOptions, stored: GrantBook): GrantBook => (grants === 'stored' ? stored : NO_GRANTS);

function planRuns(tools: readonly Tool[], tests: readonly PluginTest[], { runs, grants }: TryOptions): readonly PlannedTrial[] {
  if (runs === 'tests') return planTests(tools, tests);
  return grants === 'stored' ? planTrials(tools, tests) : planTrials(tools, tests, { harmless: true }).map(skipRequests);
}

/** Even what a policy allows everybody is not for something that no person has seen. */
function skipRequests(planned: PlannedTrial): PlannedTrial {
  if (planned.kind !== 'run') return planned;
  const { source, tool } = planned.trial;
  const requests = tool.command.requests ?? tool.plugin.requests;
  if (requests.length === 0) return planned;
  const reason = `needs ${requests.join(', ')}, which nothing gets before a person has accepted it`;
  return { kind: 'skip', source, command: tool.command.name, reason };
}

function checkSchemas(plugin: Plugin): ContentCheck {
  const problems = plugin.commands.flatMap((command) => {
    const input = normaliseInputSchema(command.inputSchema);
    const problem = input.ok ? findSchemaProblem(input.schema) : input.problem;
    return problem === undefined ? [] : [`command "${command.name}": its input schema cannot be used: ${problem}`];
  });
  return problems.length === 0 ? { ok: true, warnings: [] } : { ok: false, problems };
}
