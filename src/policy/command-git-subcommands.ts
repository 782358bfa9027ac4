import { flagTable, type FlagTable } from './command-flags.ts';

/** What a subcommand of git may be given. */
export interface GitSubcommand {
  readonly flags: FlagTable;
  /** Added after the flags. */
  readonly hardening: readonly string[];
  readonly digitsMean?: string;
  readonly firstOperandIsPattern?: boolean;
  /** Takes neither operands nor the hardening. */
  readonly aloneFlag?: string;
  /** Stands in when there is no operand, where git would read its input instead. */
  readonly defaultOperand?: string;
}

/** Left out: `--output` (writes), `--ext-diff`, `--textconv` (run programs), `--no-index` (reads outside), `-O` (reads a file). */
const DIFF = {
  none:
    '-p -u --patch -s --no-patch --numstat --shortstat --summary --name-only --name-status --raw --minimal --patience --histogram ' +
    '--no-renames -b -w --ignore-space-change --ignore-all-space --ignore-space-at-eol --ignore-blank-lines -R -a --text --full-index ' +
    '--pickaxe-regex --pickaxe-all -W --function-context --check --compact-summary --no-color -z --quiet --exit-code --no-prefix --cc',
  number: '-U --unified --inter-hunk-context',
  text: '-S -G --diff-filter --diff-algorithm --anchored',
  optional: '--stat --dirstat --word-diff --color --abbrev -M -C --find-renames --find-copies --color-words --ignore-submodules',
};

/** Left out: `--show-signature` (runs a program), `--stdin`. */
const LOG = {
  none:
    '--oneline --graph --all --merges --no-merges --first-parent --reverse -i --regexp-ignore-case -E --extended-regexp -F --fixed-strings ' +
    '-P --perl-regexp --all-match --invert-grep --follow --abbrev-commit --no-abbrev-commit --topo-order --date-order --author-date-order ' +
    '--left-right --cherry-pick --cherry-mark --full-history --simplify-merges --boundary --parents --children --relative-date --no-decorate ' +
    '--no-notes --left-only --right-only --cherry --dense --sparse --no-walk --clear-decorations --no-mailmap --use-mailmap --source',
  number: '-n --max-count --skip --min-parents --max-parents',
  text: '--since --after --until --before --author --committer --grep --date -L --format --encoding',
  optional: '--pretty --decorate --branches --tags --remotes --glob --exclude --ancestry-path',
};

const join = (...words: (string | undefined)[]): string => words.filter((word) => word !== undefined).join(' ');
const DIFF_HARDENING = ['--no-ext-diff', '--no-textconv'];
const LISTING = { text: '--contains --no-contains --merged --no-merged --points-at --sort --format', optional: '--color' };

/** The subcommands that only read. Branches and tags can only be listed: `--list` turns a name into a pattern. */
export const GIT_SUBCOMMANDS: ReadonlyMap<string, GitSubcommand> = new Map<string, GitSubcommand>([
  [
    'status',
    {
      flags: flagTable({
        none: '-s --short -b --branch -z --long --show-stash --ahead-behind --no-ahead-behind --no-renames',
        optional: '--porcelain -u --untracked-files --ignored --ignore-submodules',
      }),
      hardening: ['--ignore-submodules=all'],
    },
  ],
  ['diff', { flags: flagTable({ ...DIFF, none: join(DIFF.none, '--cached --staged --merge-base') }), hardening: DIFF_HARDENING }],
  [
    'log',
    {
      flags: flagTable({
        none: join(DIFF.none, LOG.none),
        number: join(DIFF.number, LOG.number),
        text: join(DIFF.text, LOG.text),
        optional: join(DIFF.optional, LOG.optional),
      }),
      hardening: DIFF_HARDENING,
      digitsMean: '-n',
    },
  ],
  [
    'show',
    {
      flags: flagTable({
        none: join(DIFF.none, LOG.none),
        number: join(DIFF.number, LOG.number),
        text: join(DIFF.text, LOG.text),
        optional: join(DIFF.optional, LOG.optional),
      }),
      hardening: DIFF_HARDENING,
      digitsMean: '-n',
    },
  ],
  [
    'shortlog',
    {
      flags: flagTable({
        none: '-s -n -e --summary --numbered --email -c --committer --merges --no-merges --all --first-parent',
        text: '--since --after --until --before --author --grep --group --format',
      }),
      hardening: [],
      defaultOperand: 'HEAD',
    },
  ],
  [
    'branch',
    {
      flags: flagTable({ none: '-a --all -r --remotes -v --verbose -l --list --show-current -i --ignore-case --no-color', ...LISTING }),
      hardening: ['--list'],
      aloneFlag: '--show-current',
    },
  ],
  [
    'tag',
    {
      flags: flagTable({ none: '-l --list -i --ignore-case', text: LISTING.text, optional: join(LISTING.optional, '-n') }),
      hardening: ['--list'],
    },
  ],
  [
    'rev-parse',
    {
      flags: flagTable({
        none: '--verify -q --quiet --symbolic --symbolic-full-name --show-toplevel --show-prefix --show-cdup --is-inside-work-tree --is-bare-repository --is-shallow-repository --all --branches --tags --remotes',
        optional: '--short --abbrev-ref',
      }),
      hardening: [],
    },
  ],
  [
    'rev-list',
    {
      flags: flagTable({ none: join(LOG.none, '--count --objects'), number: LOG.number, text: LOG.text, optional: LOG.optional }),
      hardening: [],
      digitsMean: '-n',
    },
  ],
  ['merge-base', { flags: flagTable({ none: '-a --all --is-ancestor --fork-point --octopus --independent' }), hardening: [] }],
  [
    'describe',
    {
      flags: flagTable({
        none: '--tags --all --always --long --contains --exact-match --first-parent',
        number: '--candidates',
        text: '--match --exclude',
        optional: '--dirty --abbrev',
      }),
      hardening: [],
    },
  ],
  [
    'ls-files',
    {
      flags: flagTable({
        none: '-c -d -m -o -i -s -u -z -t -v --cached --deleted --modified --others --ignored --stage --unmerged --killed --exclude-standard --directory --no-empty-directory --full-name --error-unmatch --eol --deduplicate',
        text: '-x --exclude',
        optional: '--abbrev',
      }),
      hardening: [],
    },
  ],
  [
    'ls-tree',
    {
      flags: flagTable({
        none: '-r -t -d -l -z --name-only --name-status --object-only --long --full-name --full-tree',
        optional: '--abbrev',
      }),
      hardening: [],
    },
  ],
  ['cat-file', { flags: flagTable({ none: '-t -s -e -p' }), hardening: [] }],
  [
    'blame',
    {
      flags: flagTable({
        none: '-l -t -s -e -w -f -n -c -b --root --porcelain -p --line-porcelain --show-name --show-number --show-email --show-stats --first-parent --minimal',
        text: '-L --date --since',
        optional: '-M -C --abbrev',
      }),
      hardening: ['--no-textconv'],
    },
  ],
  [
    'grep',
    {
      flags: flagTable({
        none:
          '-i --ignore-case -v --invert-match -w --word-regexp -n --line-number -h -H --full-name -l --files-with-matches --name-only -L --files-without-match ' +
          '-c --count -o --only-matching -E --extended-regexp -G --basic-regexp -F --fixed-strings -P --perl-regexp -I -a --text -q --quiet --cached --untracked ' +
          '--heading --break -p --show-function -W --function-context --and --or --not --all-match --column -z --null',
        number: '-A -B -C --after-context --before-context --context --max-depth -m --max-count',
        text: '-e',
        optional: '--color',
      }),
      hardening: ['--no-textconv'],
      firstOperandIsPattern: true,
      digitsMean: '-C',
    },
  ],
]);
