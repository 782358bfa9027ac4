import { HostError } from '../errors.ts';
import type { Host } from '../host.ts';
import { TEST_DIRECTORY } from '../trials/test-case.ts';
import { EXIT } from './exit-codes.ts';
import { unknownPlugin } from './info.ts';
import { bold, printable, writeJson, type Output } from './output.ts';
import { toJsonReport, writeReport } from './trial-output.ts';
import { cliCaller } from './validate.ts';

interface TestOptions {
  readonly plugin: string;
  readonly json: boolean;
  readonly output: Output;
  readonly signal: AbortSignal;
}

/** `plugbridge test PLUGIN`: runs the plugin’s own tests. A plugin without tests has shown nothing, which is a failure. */
export async function runTest(host: Host, { plugin: name, json, output, signal }: TestOptions): Promise<number> {
  const entry = host.catalog.current().findPlugin(name);
  if (!entry) throw unknownPlugin(host, name);
  if (!entry.callable || !entry.plugin) {
    throw new HostError('CATALOG_NOT_CALLABLE', { plugin: name, status: entry.status, reason: entry.error ?? 'see plugbridge info' });
  }
  const { problems, reports } = await host.trials.try(entry.plugin, {
    caller: cliCaller(),
    signal,
    runs: 'tests',
    grants: 'stored',
    onReport: (report) => {
      if (!json) writeReport(host, report, output);
    },
  });
  const passed = reports.filter((report) => report.status === 'ok').length;
  const ok = problems.length === 0 && reports.length > 0 && passed === reports.length;
  if (json) {
    writeJson(output, {
      ok,
      plugin: name,
      passed,
      failed: reports.length - passed,
      problems,
      runs: reports.map((one) => toJsonReport(host, one)),
    });
    return ok ? EXIT.ok : EXIT.failure;
  }
  for (const problem of problems) output.write(`${bold('problem', output)}  ${printable(problem)}`);
  if (reports.length === 0 && problems.length === 0)
    output.write(describeFirstTest(name, entry.directory, entry.plugin.commands[0]?.name ?? ''));
  else output.write(`${passed} of ${reports.length} tests passed`);
  return ok ? EXIT.ok : EXIT.failure;
}

const describeFirstTest = (name: string, directory: string, command: string): string =>
  printable(
    [
      `"${name}" has no tests. Add one, such as ${directory}/${TEST_DIRECTORY}/example.json:`,
      JSON.stringify({ command, arguments: {}, expect: {} }, undefined, 2),
    ].join('\n'),
  );
