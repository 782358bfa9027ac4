import type { Findings } from '../findings.ts';
import type { Command } from '../plugin.ts';
import { describeValue, formatKey, quote, type KeyPath } from '../problem.ts';
import { readAnnotations } from './annotations.ts';
import { readInput } from './input.ts';
import type { RequestsByPermission } from './requests.ts';
import { CommandTableSchema, type CommandTable } from './schema.ts';

const MAX_COMMANDS = 256;
const COMMAND_KEYS = Object.keys(CommandTableSchema.shape);

/** The commands of a manifest, `[[commands]]` or inline. What does not fit is left out, its problems recorded. */
export function readCommands(value: unknown, requests: RequestsByPermission, findings: Findings): readonly Command[] {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) {
    findings.warn([], 'has no commands: wanted [[commands]] tables, for every command becomes a tool');
    return [];
  }
  if (!Array.isArray(value)) {
    findings.problem(['commands'], `is ${describeValue(value)}: wanted a list of tables, written [[commands]]`);
    return [];
  }
  if (value.length > MAX_COMMANDS) {
    findings.problem(['commands'], `is a list of ${value.length}: wanted at most ${MAX_COMMANDS} commands`);
    return [];
  }
  const firstByName = new Map<string, KeyPath>();
  return value.flatMap((table: unknown, index): Command[] => {
    const path = ['commands', index];
    const command = findings.parse(CommandTableSchema, table, path);
    if (command === undefined) return [];
    findings.warnOfUnknownKeys(table as Readonly<Record<string, unknown>>, COMMAND_KEYS, path);
    const first = firstByName.get(command.name);
    if (first !== undefined) {
      findings.problem([...path, 'name'], `is ${quote(command.name)}, which ${formatKey(first)} has already: wanted a name of its own`);
      return [];
    }
    firstByName.set(command.name, path);
    return [readCommand(command, requests, { path, findings })];
  });
}

function readCommand(
  command: CommandTable,
  requests: RequestsByPermission,
  options: { readonly path: KeyPath; readonly findings: Findings },
): Command {
  const { path, findings } = options;
  if (command.description.trim() === '')
    findings.warn([...path, 'description'], 'is empty: wanted what the command does, for the model reads it');
  const narrowed = command.permissions === undefined ? undefined : narrow(command.permissions, requests, options);
  return {
    name: command.name,
    ...(command.title === undefined ? {} : { title: command.title }),
    description: command.description,
    inputSchema: readInput(command.input, [...path, 'input'], findings),
    annotations: readAnnotations(command, narrowed ?? [...requests.values()].flat(), options),
    ...(narrowed === undefined ? {} : { requests: narrowed }),
  };
}

/** The part of the plugin's requests that a command's own permissions stand for: it can only have less. */
function narrow(
  permissions: NonNullable<CommandTable['permissions']>,
  requests: RequestsByPermission,
  { path, findings }: { readonly path: KeyPath; readonly findings: Findings },
): string[] {
  const narrowed = new Set<string>();
  for (const [index, permission] of permissions.entries()) {
    const capabilities = requests.get(permission);
    if (capabilities === undefined) {
      const has = [...requests.keys()].join(', ') || 'none';
      findings.problem(
        [...path, 'permissions', index],
        `is ${quote(permission)}, which the plugin does not have: wanted some of its own (${has})`,
      );
    }
    for (const capability of capabilities ?? []) narrowed.add(capability);
  }
  return [...narrowed];
}
