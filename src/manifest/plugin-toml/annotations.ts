import type { Findings } from '../findings.ts';
import type { Annotations } from '../plugin.ts';
import type { KeyPath } from '../problem.ts';
import type { CommandTable } from './schema.ts';

/**
 * What a command does to the world: as far as its capabilities tell, unless its own hints say more. A hint that its
 * capabilities contradict is a problem, since clients ask people less about tools that change nothing.
 */
export function readAnnotations(
  command: Pick<CommandTable, 'read_only' | 'destructive' | 'idempotent'>,
  requests: readonly string[],
  options: { readonly path: KeyPath; readonly findings: Findings },
): Annotations {
  const { path, findings } = options;
  const writes = requests.some((capability) => capability.startsWith('write:'));
  const reaches = requests.some((capability) => capability.startsWith('net:') && capability !== 'net:[]');
  const executes = requests.some((capability) => capability.startsWith('exec:'));

  if (command.read_only === true && writes) {
    findings.problem([...path, 'read_only'], 'is true, but the command may write: wanted permissions without file_write beside it');
  }
  if (command.read_only === true && command.destructive === true) {
    findings.problem([...path, 'destructive'], 'is true beside read_only: wanted one of them');
  }
  const readOnly = command.read_only ?? !(writes || reaches || executes);
  return {
    readOnly,
    destructive: command.destructive ?? (writes && !readOnly),
    ...(command.idempotent === undefined ? {} : { idempotent: command.idempotent }),
    openWorld: reaches,
  };
}
