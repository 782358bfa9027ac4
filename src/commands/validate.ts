import { userInfo } from 'node:os';

import { formToolName } from '../catalog/tool-name.ts';
import type { Caller } from '../dispatch/outcome.ts';
import type { Host } from '../host.ts';
import type { Validation } from '../manifest/validate.ts';
import type { TrialRuns } from '../trials/trials.ts';
import { VERSION } from '../version.ts';
import { EXIT } from './exit-codes.ts';
import { bold, printable, writeJson, type Output } from './output.ts';
import { toJsonReport, writeReport } from './trial-output.ts';

interface ValidateOptions {
  readonly directory: string;
  /** Whether commands are run. */
  readonly run: boolean;
  readonly json: boolean;
  readonly output: Output;
  readonly signal: AbortSignal;
}

/** `plugbridge validate DIR`: every problem of a plugin at once, then a trial run of its commands. */
export async function runValidate(host: Host, { directory, run, json, output, signal }: ValidateOptions): Promise<number> {
  const found = await host.trials.check(directory);
  if (!json) writeFindings(found, output);
  const { plugin } = found;
  const checked = found.problems.length === 0 && plugin !== undefined;
  if (checked && !json) {
    const count = plugin.commands.length;
    output.write(
      `${bold('ok', output)}       ${printable(plugin.name)} ${printable(plugin.version)}, ${count} ${count === 1 ? 'command' : 'commands'}`,
    );
  }
  const runs: TrialRuns =
    checked && run
      ? await host.trials.try(plugin, {
          caller: cliCaller(),
          signal,
          runs: 'all',
          grants: 'stored',
          onReport: (report) => {
            if (!json) writeReport(host, report, output);
          },
        })
      : { problems: [], warnings: [], reports: [] };
  if (!json) writeFindings(runs, output);
  const ok = checked && runs.problems.length === 0 && !runs.reports.some((report) => report.status === 'failed');
  if (json) {
    writeJson(output, {
      ok,
      directory: found.directory,
      system: found.system,
      name: plugin?.name,
      tools: plugin?.commands.map((command) => formToolName({ plugin: plugin.name, command: command.name })) ?? [],
      problems: [...found.problems, ...runs.problems],
      warnings: [...found.warnings, ...runs.warnings],
      runs: runs.reports.map((report) => toJsonReport(host, report)),
    });
  }
  return ok ? EXIT.ok : EXIT.failure;
}

function writeFindings({ problems, warnings }: Pick<Validation, 'problems' | 'warnings'>, output: Output): void {
  for (const problem of problems) output.write(`${bold('problem', output)}  ${printable(problem)}`);
  for (const warning of warnings) output.write(`${bold('warning', output)}  ${printable(warning)}`);
}

/** Who calls, when a verb does. */
export const cliCaller = (): Caller => ({ client: 'cli', clientVersion: VERSION, transport: 'cli', principal: userInfo().username });
