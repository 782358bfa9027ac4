import { checkFind } from './command-find.ts';
import { checkGit } from './command-git.ts';
import { checkTextTool, isTextTool } from './command-text-tools.ts';

/** `argv` is what to run: the same request written out in one form, with what makes the program harmless added. */
export type CommandCheck =
  | { readonly kind: 'ok'; readonly argv: readonly string[] }
  | { readonly kind: 'refused'; readonly reason: string }
  /** There are no rules for this program. */
  | { readonly kind: 'unknown' };

export interface CommandOptions {
  /** The directory that operands must lie in, and that the command runs in; absolute, canonical. */
  readonly root: string;
}

/** The programs of `az::run_command` (seed 003). */
export const RULED_PROGRAMS = ['git', 'rg', 'grep', 'find', 'wc', 'sort', 'head', 'tail'] as const;

const MAX_ARGS = 256;
const MAX_ARG_LENGTH = 8192;
const MAX_ARGS_LENGTH = 65_536;

/**
 * Checks a command against the lists of what its program may be given: allowed flags, not forbidden ones, because the
 * allowed programs run others when told to (`git -c`, `find -exec`, `sort --compress-program`, `rg --pre`; agentzero.md §2).
 * This is the first lock; the second is the sandbox in which only the root is mounted, read-only.
 */
export function checkCommand(program: string, args: readonly string[], options: CommandOptions): CommandCheck {
  if (!(RULED_PROGRAMS as readonly string[]).includes(program)) return { kind: 'unknown' };
  const issue = sizeIssue(args);
  if (issue !== undefined) return { kind: 'refused', reason: `cannot run ${program}: ${issue}` };
  const checked = checkProgram(program, args, options.root);
  return 'issue' in checked
    ? { kind: 'refused', reason: `cannot run ${program}: ${checked.issue}` }
    : { kind: 'ok', argv: [program, ...checked.args] };
}

/** The arguments to run a program with, or what is wrong with those given. */
export type CheckedArguments = { readonly args: readonly string[] } | { readonly issue: string };

function checkProgram(program: string, args: readonly string[], root: string): CheckedArguments {
  if (program === 'git') return checkGit(args, root);
  if (program === 'find') return checkFind(args, root);
  return isTextTool(program) ? checkTextTool(program, args, root) : { issue: 'it has no rules' };
}

function sizeIssue(args: readonly string[]): string | undefined {
  if (args.length > MAX_ARGS) return `it has ${args.length} arguments, at most ${MAX_ARGS} are allowed`;
  if (args.some((arg) => arg.length > MAX_ARG_LENGTH)) return `an argument is longer than ${MAX_ARG_LENGTH} characters`;
  if (args.reduce((total, arg) => total + arg.length, 0) > MAX_ARGS_LENGTH) {
    return `its arguments are longer than ${MAX_ARGS_LENGTH} characters in all`;
  }
  return args.some((arg) => arg.includes('\0')) ? 'an argument holds a null byte' : undefined;
}
