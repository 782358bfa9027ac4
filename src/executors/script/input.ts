import type { ScriptRuntime } from '../../manifest/plugin.ts';
import type { ScriptInput } from './script-process.ts';

/** What fits into one argument of a process with room to spare; kaizen.md, “Input”. */
export const MAX_ARGUMENT_BYTES = 32 * 1024;

export type InputReading = { readonly ok: true; readonly input: ScriptInput } | { readonly ok: false; readonly reason: string };

/** The arguments of a call as the script gets them (kaizen.md, “Input”): one JSON object on a line. */
export function toScriptInput(input: ScriptRuntime['input'], args: Readonly<Record<string, unknown>>): InputReading {
  const json = JSON.stringify(args);
  const argument = input === 'stdin' ? '' : json;
  const bytes = Buffer.byteLength(argument);
  if (bytes > MAX_ARGUMENT_BYTES) {
    const reason = `they have ${bytes} bytes as JSON and the script takes them as an argument of at most ${MAX_ARGUMENT_BYTES}; pass less, or let it read stdin`;
    return { ok: false, reason };
  }
  // Without the line end `read` of a shell says that it failed.
  return { ok: true, input: { argument, stdin: input === 'argv' ? '' : `${json}\n` } };
}
