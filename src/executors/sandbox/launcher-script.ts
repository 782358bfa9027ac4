/** Where a slot has what bubblewrap inherits from it: the same places in `launch-bubblewrap.ts`, whoever starts it. */
export const INHERITED = { stdin: 0, stdout: 1, stderr: 2, options: 3, status: 4, block: 5 } as const;
/** The first of the files that bubblewrap inherits; the launcher has them at the same places. */
export const FIRST_FILE = 6;

/** Where the outer of two bubblewraps has a status of its own, whose end tells of its end; one alone does not inherit it. */
export const outerStatus = (files: number): number => FIRST_FILE + files;

/** Where a waiting slot has its pipes, for the server to open the other ends of. */
export const SLOT_PIPES = { stdin: 40, stdout: 41, stderr: 42, options: 43, status: 44, block: 45, outer: 46, command: 47 } as const;

/** ASCII’s unit separator: it ends each word of a command and may therefore be in none. */
const END_OF_WORD = '\x1f';
/** How long a slot waits for the server to open its pipes; from then on it ends with the server. */
const OPEN_SECONDS = 20;

/**
 * What a launcher runs: constant but for the number of files that each sandbox inherits. On its input, an empty line asks
 * for a slot, a subshell that will become a sandbox and tells its process id; a process id asks how that slot’s process has
 * ended, which also makes bash forget it. Only builtins are used, for the shell has no environment.
 *
 * - `set -m`: each slot leads a process group of its own; `set -f`: words are not patterns.
 * - A here-string is a pipe, since bash 5.1, holding one line, which is read away. Its write end is closed: a slot holds
 *   the ends that it will write to before it tells of itself, so that nobody sees an end of file too early.
 * - The slot holds the write end of its command’s pipe too, until the server has said that it does: the slot of a server
 *   that dies reads an end of file, and ends.
 * - The files are opened anew, each slot with a position of its own.
 * - It puts itself into its control groups: a single thread that moves itself waits for nobody, while whoever moves another
 *   waits until no process of the machine forks (`cgroup_procs_write_start`, linux/kernel/cgroup/cgroup.c). From there on
 *   the errors of the shell are the sandbox’s.
 * - At the end `exec -c` passes no environment, and no descriptor but those named in `INHERITED` and the files: the shell’s
 *   own input and output are replaced, its pipes closed under the numbers they had.
 * - An answer to a server that is gone is no reason to end (`trap`; a slot has no traps, and ignores no signal).
 * - When the input ends, the server is gone: whatever it has not been told the end of is killed, also what has not asked
 *   yet to die with its parent, and what a bubblewrap left that broke off because nobody reads its status.
 */
export function toLauncherScript(files: number): string {
  const { stdin, stdout, stderr, options, status, block, outer, command } = SLOT_PIPES;
  const numbers = Object.values(SLOT_PIPES);
  if (outerStatus(files) >= Math.min(...numbers)) throw new RangeError(`a launcher passes on fewer than ${files} files`);
  const again = Array.from({ length: files }, (_, index) => FIRST_FILE + index);
  const ours = { command: 50, stdout: 51, stderr: 52, status: 54, outer: 56 };
  return `set -mf
trap : PIPE
while IFS= read -r pid; do
  if [[ $pid ]]; then
    wait "$pid"
    echo "$pid $?"
    unset "groups[$pid]"
    continue
  fi
  (
    exec ${numbers.map((pipe) => `${pipe}<<<x`).join(' ')}
    for pipe in ${numbers.join(' ')}; do read -r -u "$pipe" _ || exit; done
    exec ${ours.command}>/proc/self/fd/${command} ${ours.stdout}>/proc/self/fd/${stdout} ${ours.stderr}>/proc/self/fd/${stderr} ${ours.status}>/proc/self/fd/${status} ${ours.outer}>/proc/self/fd/${outer} || exit
    echo "$BASHPID"
    read -r -t ${OPEN_SECONDS} -u ${command} _ || exit
    exec ${ours.command}>&-
    read -r -u ${command} size || exit
    read -r -N "$size" -u ${command} words || exit
    IFS=$'\\x1f'
    words=($words)
    exec 2>&${ours.stderr}
    [[ \${words[0]} == staged ]] && exec ${outerStatus(files)}>&${ours.outer}
    for group in "\${words[@]:2:words[1]}"; do [[ -w $group ]] && echo 0 >"$group" || exit; done
    exec ${again.map((file) => `${file}</proc/self/fd/${file}`).join(' ')} || exit
    exec -c "\${words[@]:2+words[1]}" <&${stdin} >&${ours.stdout} ${INHERITED.options}<&${options} ${INHERITED.status}>&${ours.status} ${INHERITED.block}<&${block} ${[...numbers, ours.stdout, ours.stderr, ours.status, ours.outer].map((pipe) => `${pipe}>&-`).join(' ')}
  ) &
  groups[$!]=
done
for group in "\${!groups[@]}"; do kill -KILL -- "-$group"; done
`;
}

/** What a slot reads once its pipes are open. */
export const OPENED = '\n';

/**
 * What a slot reads then, counted in bytes: whether there are two bubblewraps, how many control files there are to write
 * to, these, the words of the command. Undefined when they could not be told apart.
 */
export function tryToRequest({ words, groups, staged }: { words: readonly string[]; groups: readonly string[]; staged: boolean }) {
  const all = [staged ? 'staged' : 'plain', String(groups.length), ...groups, ...words];
  if (all.some((word) => word.includes(END_OF_WORD))) return undefined;
  const bytes = Buffer.from(all.map((word) => word + END_OF_WORD).join(''));
  return Buffer.concat([Buffer.from(`${bytes.length}\n`), bytes]);
}
