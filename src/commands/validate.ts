import { findSchemaProblem } from '../catalog/argument-check.ts';
import { formToolName } from '../catalog/tool-name.ts';
import { normaliseInputSchema } from '../catalog/tool-schema.ts';
import type { Host } from '../host.ts';
import type { Plugin } from '../manifest/plugin.ts';
import { validateDirectory, type ContentCheck } from '../manifest/validate.ts';
import { EXIT } from './exit-codes.ts';
import { bold, printable, writeJson, type Output } from './output.ts';

/** `plugbridge validate DIR`: every problem of a plugin at once, without running any of it. */
export function runValidate(
  host: Host,
  options: { readonly directory: string; readonly json: boolean; readonly output: Output },
): Promise<number> {
  const { output } = options;
  const found = validateDirectory(options.directory, {
    checks: [checkSchemas, (plugin) => host.executors[plugin.runtime.kind].inspect(plugin)],
  });
  const ok = found.problems.length === 0;
  if (options.json) {
    const { plugin } = found;
    const tools = plugin?.commands.map((command) => formToolName({ plugin: plugin.name, command: command.name })) ?? [];
    writeJson(output, {
      ok,
      directory: found.directory,
      system: found.system,
      name: plugin?.name,
      tools,
      problems: found.problems,
      warnings: found.warnings,
    });
  } else {
    for (const problem of found.problems) output.write(`${bold('problem', output)}  ${printable(problem)}`);
    for (const warning of found.warnings) output.write(`${bold('warning', output)}  ${printable(warning)}`);
    const { plugin } = found;
    if (ok && plugin)
      output.write(
        `${bold('ok', output)}       ${printable(plugin.name)} ${printable(plugin.version)}, ${plugin.commands.length} commands`,
      );
  }
  return Promise.resolve(ok ? EXIT.ok : EXIT.failure);
}

function checkSchemas(plugin: Plugin): ContentCheck {
  const problems = plugin.commands.flatMap((command) => {
    const input = normaliseInputSchema(command.inputSchema);
    const problem = input.ok ? findSchemaProblem(input.schema) : input.problem;
    return problem === undefined ? [] : [`command "${command.name}": its input schema cannot be used: ${problem}`];
  });
  return problems.length === 0 ? { ok: true, warnings: [] } : { ok: false, problems };
}
