import { formatFlags, parseFlags, type ParsedArguments, type ParsedFlag } from './command-flags.ts';
import { GIT_SUBCOMMANDS, type GitSubcommand } from './command-git-subcommands.ts';
import { gitOperandIssue } from './command-operands.ts';
import type { CheckedArguments } from './command-rules.ts';

/**
 * Put before every subcommand. A repository’s own `.git/config` is attacker-written too: it can name a pager, a hook
 * directory, a file monitor, an external diff and programs that check signatures, all of which git would run.
 */
const GLOBAL_HARDENING = [
  '--no-pager',
  '--no-optional-locks',
  ...[
    'core.pager=cat',
    'core.fsmonitor=false',
    'core.hooksPath=/dev/null',
    'core.sshCommand=false',
    'core.askPass=',
    'diff.external=',
    'log.showSignature=false',
    'gpg.program=false',
    'gpg.openpgp.program=false',
    'gpg.x509.program=false',
    'gpg.ssh.program=false',
    'protocol.allow=never',
    'submodule.recurse=false',
  ].flatMap((setting) => ['-c', setting]),
];

/** Checks the arguments of git: a subcommand that only reads, with flags from its list. No option may come before it. */
export function checkGit(args: readonly string[], root: string): CheckedArguments {
  const [name, ...rest] = args[0] === '--no-pager' ? args.slice(1) : args;
  if (name === undefined) return { issue: 'the subcommand is missing' };
  if (name.startsWith('-')) return { issue: `the option ${JSON.stringify(name)} before the subcommand is not allowed` };
  const subcommand = GIT_SUBCOMMANDS.get(name);
  if (subcommand === undefined) {
    return { issue: `the subcommand ${JSON.stringify(name)} is not among ${[...GIT_SUBCOMMANDS.keys()].join(', ')}` };
  }
  const parsed = parseFlags(rest, subcommand.flags, { digitsMean: subcommand.digitsMean });
  if ('issue' in parsed) return parsed;
  const issue =
    parsed.flags.map((flag) => valueIssue(flag, root)).find((found) => found !== undefined) ?? operandsIssue(parsed, subcommand, root);
  if (issue !== undefined) return { issue };
  if (parsed.flags.some((flag) => flag.name === subcommand.aloneFlag)) {
    const isAlone = parsed.flags.length === 1 && parsed.operands.length === 0 && parsed.operandsAfterDashes === undefined;
    return isAlone ? { args: [...GLOBAL_HARDENING, name, ...rest] } : { issue: `the flag "${subcommand.aloneFlag}" stands alone` };
  }
  return {
    args: [
      ...GLOBAL_HARDENING,
      name,
      ...formatFlags(parsed.flags, subcommand.flags),
      ...subcommand.hardening,
      ...formatOperands(parsed, subcommand),
    ],
  };
}

function operandsIssue(parsed: ParsedArguments, subcommand: GitSubcommand, root: string): string | undefined {
  const operands = hasPatternOperand(parsed, subcommand) ? parsed.operands.slice(1) : parsed.operands;
  return [...operands, ...(parsed.operandsAfterDashes ?? [])]
    .map((operand) => gitOperandIssue(operand, root))
    .find((found) => found !== undefined);
}

const hasPatternOperand = (parsed: ParsedArguments, subcommand: GitSubcommand): boolean =>
  subcommand.firstOperandIsPattern === true && !parsed.flags.some((flag) => flag.name === '-e');

function formatOperands(parsed: ParsedArguments, subcommand: GitSubcommand): readonly string[] {
  const operands = parsed.operands.length === 0 && subcommand.defaultOperand !== undefined ? [subcommand.defaultOperand] : parsed.operands;
  const [pattern, ...rest] = operands;
  const written = hasPatternOperand(parsed, subcommand) && pattern !== undefined ? ['-e', pattern, ...rest] : operands;
  return parsed.operandsAfterDashes === undefined ? written : [...written, '--', ...parsed.operandsAfterDashes];
}

function valueIssue(flag: ParsedFlag, root: string): string | undefined {
  const { name, value = '' } = flag;
  // `%G?` and its like run the program that checks signatures.
  if ((name === '--format' || name === '--pretty') && /%[-+ ]?G|signature/i.test(value)) {
    return `the format ${JSON.stringify(value)} asks for signatures, which runs another program`;
  }
  // `-L 1,5:file` and `-L :function:file`: the file comes last.
  return name === '-L' ? gitOperandIssue(value.slice(value.lastIndexOf(':') + 1), root) : undefined;
}
