import type { z } from 'zod';

import type { Findings } from '../findings.ts';
import type { Command } from '../plugin.ts';
import { describeValue, formatKey, quote, type KeyPath } from '../problem.ts';
import { readAnnotations } from './annotations.ts';
import { readInput } from './input.ts';
import { allRequests, type Requests } from './requests.ts';
import type { CommandTable } from './schema.ts';

const MAX_COMMANDS = 256;

/** The commands of a system's plugins. */
export interface CommandsKind {
  readonly schema: z.ZodObject & z.ZodType<CommandTable>;
  /** Names that no argument can have, see `readInput`. */
  readonly reservedArguments: readonly string[];
}

interface CommandOptions {
  readonly kind: CommandsKind;
  readonly requests: Requests;
  readonly findings: Findings;
}

/** The commands of a manifest, `[[commands]]` or inline. What does not fit is left out, its problems recorded. */
export function readCommands(value: unknown, options: CommandOptions): readonly Command[] {
  const { kind, findings } = options;
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
    const command = findings.parse<z.ZodType<CommandTable>>(kind.schema, table, path);
    if (command === undefined) return [];
    findings.warnOfUnknownKeys(table as Readonly<Record<string, unknown>>, Object.keys(kind.schema.shape), path);
    const first = firstByName.get(command.name);
    if (first !== undefined) {
      findings.problem([...path, 'name'], `is ${quote(command.name)}, which ${formatKey(first)} has already: wanted a name of its own`);
      return [];
    }
    firstByName.set(command.name, path);
    return [readCommand(command, path, options)];
  });
}

function readCommand(command: CommandTable, path: KeyPath, { kind, requests, findings }: CommandOptions): Command {
  if (command.description.trim() === '')
    findings.warn([...path, 'description'], 'is empty: wanted what the command does, for the model reads it');
  const narrowed = narrow(command, requests, { path, findings });
  return {
    name: command.name,
    ...(command.title === undefined ? {} : { title: command.title }),
    description: command.description,
    inputSchema: readInput(command.input, { path: [...path, 'input'], findings, reserved: kind.reservedArguments }),
    annotations: readAnnotations(command, narrowed ?? allRequests(requests), { path, findings }),
    ...(narrowed === undefined ? {} : { requests: narrowed }),
  };
}

/** The part of the plugin's requests that a command's own lists stand for: it can only have less. Undefined means all. */
function narrow(
  command: CommandTable,
  requests: Requests,
  { path, findings }: { readonly path: KeyPath; readonly findings: Findings },
): string[] | undefined {
  const { permissions, capabilities } = command;
  if (permissions === undefined && capabilities === undefined) return undefined;
  const narrowed = new Set<string>();
  for (const [index, permission] of (permissions ?? []).entries()) {
    const behind = requests.byPermission.get(permission);
    if (behind === undefined) {
      const has = [...requests.byPermission.keys()].join(', ') || 'none';
      findings.problem(
        [...path, 'permissions', index],
        `is ${quote(permission)}, which the plugin does not have: wanted some of its own (${has})`,
      );
    }
    for (const capability of behind ?? []) narrowed.add(capability);
  }
  for (const [index, capability] of (capabilities ?? []).entries()) {
    if (requests.capabilities.includes(capability)) narrowed.add(capability);
    else {
      findings.problem(
        [...path, 'capabilities', index],
        `is ${quote(capability)}, which the plugin does not have: wanted some of its own capabilities`,
      );
    }
  }
  return [...narrowed];
}
