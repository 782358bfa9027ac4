import type { Execution, LiveEnds, Permit } from '../executor.ts';
import { createFileAccess, DEFAULT_FILE_LIMITS, type FileAccess, type FileResult } from '../files/files.ts';
import type { Egress } from '../egress/egress.ts';
import type { CommandRunner } from '../sandbox/run-command.ts';
import { AZ_IMPORTS } from './az-imports.ts';
import type { AzReply } from './host-frames.ts';
import { formatLocalTime } from './local-time.ts';

/** What the imports work with, beside the files. */
export interface AzServices {
  createEgress(permit: LiveEnds['permit']): Egress;
  readonly runCommand: CommandRunner;
  now(): Date;
}

interface AzHostOptions {
  readonly execution: Execution;
  readonly live: Pick<LiveEnds, 'permit' | 'refused' | 'log'>;
  readonly services: AzServices;
}

/** The server’s side of the imports, for one call. */
export interface AzHost {
  /** Answers the import with this index in AZ_IMPORTS. Never throws or rejects: the guest gets an error value. */
  answer(index: number, strings: readonly string[]): AzReply | Promise<AzReply>;
  /** Stops what still runs for the guest. */
  stop(): void;
  /** Stops and waits for what still runs, and lets go of the files. */
  close(): Promise<void>;
}

type Handler = (strings: readonly string[]) => AzReply | Promise<AzReply>;

const NAMES = Object.keys(AZ_IMPORTS) as (keyof typeof AZ_IMPORTS)[];
const FAILED: AzReply = { code: 1 };
const DONE: AzReply = { code: 0 };
const MISSING: AzReply = { code: 1 };
const NOT_ALLOWED: AzReply = { code: -1 };
/** Any reply without text is the packed error value −1 in the guest. */
const NO_TEXT: AzReply = { code: -1 };

/** The ten `az::*` imports with the semantics of agentzero.md §2; the guest never learns more than its error values. */
export function createAzHost({ execution, live, services }: AzHostOptions): AzHost {
  let opened: FileAccess | undefined;
  let stopping: AbortController | undefined;
  let stopped = false;
  let underWay: Promise<unknown> | undefined;
  const files = (): FileAccess =>
    (opened ??= createFileAccess({ root: execution.paths.root, permit: live.permit, limits: DEFAULT_FILE_LIMITS }));

  /** Made when it is first needed: most guests ask for nothing that could be stopped, and aborting is costly. */
  const signal = (): AbortSignal => {
    stopping ??= new AbortController();
    if (stopped) stopping.abort();
    return stopping.signal;
  };
  const stop = (): void => {
    stopped = true;
    stopping?.abort();
  };

  /** What `permit` refused is recorded there; the rest was refused before it could be asked. */
  const note = <Result extends FileResult<object>>(result: Result): Result => {
    if (!result.ok && result.refusal?.by === 'sandbox') live.refused(result.refusal);
    return result;
  };

  const handlers: Record<keyof typeof AZ_IMPORTS, Handler> = {
    read_file: ([path = '']) => {
      const read = note(files().readText(path));
      return read.ok ? { text: read.text } : NO_TEXT;
    },
    write_file: ([path = '', text = '']) => (note(files().write(path, text)).ok ? DONE : FAILED),
    append_file: ([path = '', text = '']) => (note(files().append(path, text)).ok ? DONE : FAILED),
    list_dir: ([path = '']) => {
      const listed = note(files().list(path));
      return listed.ok ? { text: JSON.stringify(listed.names) } : NO_TEXT;
    },
    create_dir: ([path = '']) => (note(files().createDirectory(path)).ok ? DONE : FAILED),
    file_exists: ([path = '']) => {
      const found = note(files().exists(path));
      if (!found.ok) return found.why === 'missing' ? MISSING : NOT_ALLOWED;
      return found.exists ? DONE : MISSING;
    },
    now: () => ({ text: formatLocalTime(services.now()) }),
    // Answered in the host process, which counts and caps the lines.
    log: () => DONE,
    http_request: async ([url = '', method = '', headers = '', body = '']) => {
      const response = await services.createEgress(live.permit).request({
        url,
        method: method.toUpperCase(),
        headers: readHeaders(headers),
        body,
        signal: signal(),
      });
      if (!response.ok) {
        live.log({ level: 'warning', message: `http_request refused: ${response.message}` });
        return NO_TEXT;
      }
      return { text: JSON.stringify({ status: response.status, body: response.body }) };
    },
    run_command: async ([program = '', list = '']) => {
      const args = readArguments(list);
      if (!args) return NO_TEXT;
      const permit: Permit = live.permit({ kind: 'exec', program, args });
      if (!permit.allowed) return NO_TEXT;
      const ran = await services.runCommand({ program, args: permit.args ?? args, root: execution.paths.root, signal: signal() });
      if (!ran.ok) {
        live.log({ level: 'warning', message: `run_command refused: ${ran.message}` });
        return NO_TEXT;
      }
      return { text: JSON.stringify({ exit_code: ran.exitCode, stdout: ran.stdout, stderr: ran.stderr }) };
    },
  };

  return {
    answer(index, strings) {
      const name = NAMES[index];
      if (name === undefined) return NO_TEXT;
      try {
        const reply = handlers[name](strings);
        if (!(reply instanceof Promise)) return reply;
        const safe = reply.catch((error: unknown) => fail(live, name, error));
        underWay = safe;
        return safe;
      } catch (error) {
        return fail(live, name, error);
      }
    },
    stop,
    async close() {
      stop();
      await underWay;
      opened?.close();
    },
  };
}

function fail(live: Pick<LiveEnds, 'log'>, name: keyof typeof AZ_IMPORTS, error: unknown): AzReply {
  live.log({ level: 'error', message: `${name} failed: ${error instanceof Error ? error.message : String(error)}` });
  return AZ_IMPORTS[name].results[0] === 'i64' || name === 'file_exists' ? NO_TEXT : FAILED;
}

/** Upstream drops all headers when one value is not a string (agentzero.md §2, “http_request”). */
function readHeaders(json: string): Record<string, string> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    return {};
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return {};
  const entries = Object.entries(parsed);
  return entries.every(([, value]) => typeof value === 'string') ? (Object.fromEntries(entries) as Record<string, string>) : {};
}

function readArguments(json: string): readonly string[] | undefined {
  try {
    const parsed: unknown = json === '' ? [] : JSON.parse(json);
    return Array.isArray(parsed) && parsed.every((item) => typeof item === 'string') ? parsed : undefined;
  } catch {
    return undefined;
  }
}
