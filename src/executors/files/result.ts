import type { Refusal } from '../executor.ts';

/**
 * Why a file call did not happen. `missing` and the four about kinds are ordinary answers; the others are refusals or
 * faults of the machine.
 */
export type FileFailureReason =
  | 'missing'
  | 'is-a-directory'
  | 'not-a-directory'
  | 'not-utf8'
  | 'too-large'
  | 'too-many-entries'
  /** The path holds a null byte; no system call was made. */
  | 'null-byte'
  /** Not a path that can be used: too long, too deep, or text that no file name can hold. */
  | 'bad-path'
  /** Leads out of the root, by its text or through a symlink. */
  | 'outside'
  /** `permit` said no; `refusal` is its answer. */
  | 'refused'
  /** A symlink where none is followed: the last component of a write, or a loop. */
  | 'symlink'
  /** A write to a file that has another name elsewhere. */
  | 'hard-link'
  /** A FIFO, socket or device. */
  | 'special-file'
  /** Changed place while it was being opened: somebody else is renaming. */
  | 'moved'
  /** The operating system’s own permissions. */
  | 'denied-by-system'
  | 'io-error';

export interface FileFailure {
  readonly ok: false;
  readonly why: FileFailureReason;
  /** One sentence for people and models. */
  readonly message: string;
  /** Present for everything that is a matter of security, so that the call’s record can name it. */
  readonly refusal?: Refusal;
}
export type FileResult<Success extends object = Record<never, never>> = ({ readonly ok: true } & Success) | FileFailure;

/** Ends a file call from inside; `attempt()` turns it into a `FileFailure`. */
export class FileProblem extends Error {
  override readonly name = 'FileProblem';
  readonly why: FileFailureReason;
  readonly refusal: Refusal | undefined;

  constructor(why: FileFailureReason, reason: string, refusal?: Refusal) {
    super(reason);
    this.why = why;
    this.refusal = refusal;
  }
}

/** Failures that the sandbox itself refuses with, and so are worth a line in the record of the call. */
const SECURITY_REASONS: ReadonlySet<FileFailureReason> = new Set(['null-byte', 'outside', 'symlink', 'hard-link', 'special-file', 'moved']);

/** What the errors of the operating system mean here; whatever is not listed is an `io-error`. */
const ERRNO: Readonly<Record<string, readonly [FileFailureReason, string]>> = {
  ENOENT: ['missing', 'it does not exist'],
  ENOTDIR: ['missing', 'a part of its path is not a directory'],
  ELOOP: ['symlink', 'a symlink stands where none is followed'],
  ENAMETOOLONG: ['bad-path', 'a name in it is longer than the file system allows'],
  EINVAL: ['bad-path', 'the file system does not accept this name'],
  EILSEQ: ['bad-path', 'the file system does not accept this name'],
  EISDIR: ['is-a-directory', 'it is a directory, a file is wanted'],
  ENXIO: ['special-file', 'it is a FIFO, socket or device, a regular file is wanted'],
  EACCES: ['denied-by-system', 'the operating system denies it'],
  EPERM: ['denied-by-system', 'the operating system denies it'],
  EROFS: ['denied-by-system', 'the file system is read-only'],
};

export interface FileAction {
  /** The verb of the message. */
  readonly verb: 'read' | 'write' | 'append to' | 'list' | 'create' | 'look for';
  readonly kind: 'read:fs' | 'write:fs';
  /** As the plugin gave it. */
  readonly path: string;
}

/** Runs one file call and turns its expected problems into a result. Throws whatever is neither a problem nor an errno. */
export function attempt<Success extends object>(action: FileAction, body: () => Success): FileResult<Success> {
  try {
    return { ok: true, ...body() };
  } catch (error) {
    return failureOf(action, problemOf(error));
  }
}

/** The code of an operating system’s error, undefined for any other error. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function problemOf(error: unknown): FileProblem {
  if (error instanceof FileProblem) return error;
  const code = errnoOf(error);
  if (code === undefined) throw error;
  const [why, reason] = ERRNO[code] ?? ['io-error', `the operating system answered ${code}`];
  return new FileProblem(why, reason);
}

function failureOf(action: FileAction, problem: FileProblem): FileFailure {
  const shown = quotePath(action.path);
  const message = `Cannot ${action.verb} ${shown}: ${problem.message}`;
  const refusal = problem.refusal ?? (SECURITY_REASONS.has(problem.why) ? refusalBySandbox(action, problem.message) : undefined);
  return { ok: false, why: problem.why, message, ...(refusal && { refusal }) };
}

function refusalBySandbox(action: FileAction, reason: string): Refusal {
  return { allowed: false, capability: `${action.kind}:${shorten(action.path)}`, by: 'sandbox', reason };
}

const MAX_SHOWN_CHARS = 200;
const shorten = (path: string): string => (path.length > MAX_SHOWN_CHARS ? `${path.slice(0, MAX_SHOWN_CHARS)}…` : path);

/** Quoted as JSON, for a file name may hold newlines and escape sequences that belong in no message. */
const quotePath = (path: string): string => JSON.stringify(shorten(path));
