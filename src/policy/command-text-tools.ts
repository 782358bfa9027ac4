import { flagTable, formatFlags, parseFlags, type FlagTable } from './command-flags.ts';
import { operandIssue } from './command-operands.ts';
import type { CheckedArguments } from './command-rules.ts';
import { SENSITIVE_GLOBS } from './sensitive-names.ts';

interface TextTool {
  readonly flags: FlagTable;
  /** Flags that say what to look for; without any of them the first operand does. */
  readonly patternFlags: readonly string[];
  /** Flags under which all operands are paths. */
  readonly pathsOnlyFlags: readonly string[];
  /** Stands in when no path is given, where the program would read its input instead. */
  readonly defaultPath?: string;
  /** Added to every run. */
  readonly hardening: readonly string[];
  readonly digitsMean?: string;
}

const SINGLE_NAMES = SENSITIVE_GLOBS.filter((name) => !name.includes('/'));

/** Left out: `-f`/`--file` (reads patterns from a file), `-R` (follows links out), `-D`/`-d`. */
const GREP: TextTool = {
  flags: flagTable({
    none:
      '-E -F -G -P -i -v -w -x -y -c -L -l -q -s -b -H -h -n -o -T -Z -z -a -I -r -U --extended-regexp --fixed-strings --basic-regexp ' +
      '--perl-regexp --ignore-case --no-ignore-case --invert-match --word-regexp --line-regexp --count --files-without-match ' +
      '--files-with-matches --quiet --silent --no-messages --byte-offset --with-filename --no-filename --line-number ' +
      '--only-matching --initial-tab --null --null-data --text --recursive --line-buffered --binary --version',
    number: '-A -B -C -m --after-context --before-context --context --max-count',
    text: '-e --regexp --include --exclude --exclude-dir --binary-files --label',
    optional: '--color --colour',
  }),
  patternFlags: ['-e', '--regexp'],
  pathsOnlyFlags: ['--version'],
  hardening: SINGLE_NAMES.flatMap((name) => [`--exclude=${name}`, `--exclude-dir=${name}`]),
  digitsMean: '-C',
};

/** Left out: `--pre`, `--hostname-bin`, `-z`/`--search-zip` (run programs), `-f`, `--ignore-file` (read files), `-L`, `-j`, `--debug`. */
const RG: TextTool = {
  flags: flagTable({
    none:
      '-F -i -s -S -v -w -x -c -l -o -n -N -H -I -q -a -u -U -P -p -0 -b -. --fixed-strings --ignore-case --case-sensitive ' +
      '--smart-case --invert-match --word-regexp --line-regexp --count --count-matches --files --files-with-matches ' +
      '--files-without-match --only-matching --line-number --no-line-number --with-filename --no-filename --quiet --text ' +
      '--unrestricted --multiline --multiline-dotall --pcre2 --pretty --null --byte-offset --hidden --no-hidden --no-ignore ' +
      '--no-ignore-vcs --no-ignore-parent --no-ignore-global --no-config --json --stats --heading --no-heading --vimgrep --column --no-column --trim ' +
      '--passthru --crlf --one-file-system --no-messages --sort-files --type-list --version --no-unicode --null-data --max-columns-preview',
    number: '-A -B -C -m -M -d --after-context --before-context --context --max-count --max-columns --max-depth --max-filesize',
    text: '-e -g -t -T -r -E --regexp --glob --iglob --type --type-not --replace --encoding --engine --color --sort --sortr --context-separator',
  }),
  patternFlags: ['-e', '--regexp'],
  pathsOnlyFlags: ['--files', '--type-list', '--version'],
  defaultPath: '.',
  hardening: ['--no-config', ...SENSITIVE_GLOBS.map((name) => `--iglob=!**/${name}`)],
};

/** Left out: `--files0-from` (reads a list of files). */
const WC: TextTool = {
  flags: flagTable({ none: '-c -m -l -L -w --bytes --chars --lines --max-line-length --words --version' }),
  patternFlags: [],
  pathsOnlyFlags: [],
  hardening: [],
};

/** Left out: `-o`, `-T`, `--compress-program`, `--files0-from`, `--random-source`, `--parallel`, `-S`. */
const SORT: TextTool = {
  flags: flagTable({
    none:
      '-b -d -f -g -i -M -h -n -R -r -V -c -C -m -s -u -z --ignore-leading-blanks --dictionary-order --ignore-case ' +
      '--general-numeric-sort --ignore-nonprinting --month-sort --human-numeric-sort --numeric-sort --random-sort --reverse ' +
      '--version-sort --merge --stable --unique --zero-terminated --version',
    text: '-k -t --key --field-separator --sort',
    optional: '--check',
  }),
  patternFlags: [],
  pathsOnlyFlags: [],
  hardening: [],
};

/** Left out of tail: `-f`, `-F`, `--follow`, `--retry`, `--pid` (never end). */
const HEAD_OR_TAIL: TextTool = {
  flags: flagTable({ none: '-q -v -z --quiet --silent --verbose --zero-terminated --version', number: '-n -c --lines --bytes' }),
  patternFlags: [],
  pathsOnlyFlags: [],
  hardening: [],
  digitsMean: '-n',
};

const TEXT_TOOLS = { grep: GREP, rg: RG, wc: WC, sort: SORT, head: HEAD_OR_TAIL, tail: HEAD_OR_TAIL } as const;
export type TextToolName = keyof typeof TEXT_TOOLS;

/** Whether a program is one of those that read files and print text. */
export const isTextTool = (program: string): program is TextToolName => Object.hasOwn(TEXT_TOOLS, program);

/** Checks the arguments of a program that reads files and prints text; the first operand of grep and rg is what to look for. */
export function checkTextTool(program: TextToolName, args: readonly string[], root: string): CheckedArguments {
  const tool: TextTool = TEXT_TOOLS[program];
  const parsed = parseFlags(args, tool.flags, { digitsMean: tool.digitsMean });
  if ('issue' in parsed) return parsed;
  const operands = [...parsed.operands, ...(parsed.operandsAfterDashes ?? [])];
  const has = (names: readonly string[]): boolean => parsed.flags.some((flag) => names.includes(flag.name));
  const hasPatternOperand = tool.patternFlags.length > 0 && !has(tool.patternFlags) && !has(tool.pathsOnlyFlags);
  const paths = hasPatternOperand ? operands.slice(1) : operands;
  if (hasPatternOperand && operands.length === 0) return { issue: 'what to look for is missing' };
  const issue = paths.map((path) => operandIssue(path, root)).find((found) => found !== undefined);
  if (issue !== undefined) return { issue };
  const missing = paths.length === 0 && tool.defaultPath !== undefined ? [tool.defaultPath] : [];
  return { args: [...formatFlags(parsed.flags, tool.flags), ...tool.hardening, '--', ...operands, ...missing] };
}
