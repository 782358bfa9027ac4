import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join } from 'node:path';

import type { Language } from '../../../manifest/plugin.ts';
import { tryFindProgram } from '../../sandbox/programs.ts';
import type { SandboxMount } from '../../sandbox/sandbox.ts';
import { LANGUAGE_TABLE, type InterpreterName } from './languages.ts';

export type FoundInterpreter =
  /** `program` is absolute, inside as outside; `mounts` are what it needs beyond what every sandbox shows. */
  | { readonly ok: true; readonly program: string; readonly mounts: readonly SandboxMount[] }
  /** What to install or to set, in one sentence. */
  | { readonly ok: false; readonly reason: string };

export interface Interpreters {
  /** Looks for the interpreter anew each time, for one may be installed while the server runs. Never throws. */
  find(language: Language): FoundInterpreter;
}

export interface InterpreterOptions {
  /** `scripts.interpreters` of the configuration: paths that come before the system’s. */
  readonly configured: Readonly<Partial<Record<InterpreterName, string | undefined>>>;
  readonly platform?: NodeJS.Platform;
  /** Where the system’s programs are looked for, in this order. */
  readonly directories?: readonly string[];
}

const PROGRAMS = {
  python: { name: 'python3', title: 'Python 3', packages: 'apt install python3, dnf install python3, brew install python' },
  node: { name: 'node', title: 'Node.js', packages: 'apt install nodejs, dnf install nodejs, brew install node' },
  bash: { name: 'bash', title: 'Bash', packages: 'apt install bash, dnf install bash, brew install bash' },
  ruby: { name: 'ruby', title: 'Ruby', packages: 'apt install ruby, dnf install ruby, brew install ruby' },
} as const satisfies Record<InterpreterName, { name: string; title: string; packages: string }>;

/** The order of the `PATH` inside. On macOS Homebrew’s come first: what lies in `/usr/bin` there asks for developer tools or is old. */
const SYSTEM_DIRECTORIES: readonly string[] = ['/usr/local/bin', '/usr/bin', '/bin', '/run/current-system/sw/bin'];
const MAC_DIRECTORIES: readonly string[] = ['/opt/homebrew/bin', '/usr/local/bin', '/usr/bin', '/bin'];
/** What every sandbox shows of programs (`system-layout.ts`, `seatbelt.ts`). */
const SHOWN = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32', '/nix/store'];
const MAC_SHOWN = ['/usr', '/bin', '/sbin', '/System', '/opt/homebrew'];
/** What of an installation’s prefix an interpreter needs. Never all of it: the prefix of `~/bin/python3` is somebody’s home. */
const PREFIX_PARTS = ['bin', 'lib', 'lib64'];

/** Finds interpreters: configured ones, then the system’s; for Node.js, the one that we run on where the system has none. */
export function createInterpreters(options: InterpreterOptions): Interpreters {
  const { configured, platform = process.platform } = options;
  const directories = options.directories ?? (platform === 'darwin' ? MAC_DIRECTORIES : SYSTEM_DIRECTORIES);
  const shown = platform === 'darwin' ? MAC_SHOWN : SHOWN;
  return {
    find(language) {
      const { interpreter } = LANGUAGE_TABLE[language];
      const { name, title, packages } = PROGRAMS[interpreter];
      const path = configured[interpreter];
      if (path !== undefined) {
        return isAbsolute(path) && isProgram(path)
          ? locate(path, shown)
          : { ok: false, reason: `"${path}" cannot be run: set scripts.interpreters.${interpreter} to the absolute path of ${title}` };
      }
      const found = tryFindProgram(name, directories) ?? (interpreter === 'node' ? process.execPath : undefined);
      if (found !== undefined) return locate(found, shown);
      return { ok: false, reason: `${title} is not installed: install it (${packages}) or set scripts.interpreters.${interpreter}` };
    },
  };
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Where a program is inside a sandbox, and the parts of its installation that have to be mounted there. */
function locate(path: string, shown: readonly string[]): FoundInterpreter {
  const isShown = (place: string): boolean => shown.some((directory) => place.startsWith(`${directory}/`));
  try {
    const real = realpathSync(path);
    // A virtual environment of Python is known by the path that its interpreter is called by (PEP 405).
    const called = join(realpathSync(dirname(path)), basename(path));
    const settings = join(dirname(dirname(called)), 'pyvenv.cfg');
    const isEnvironment = called !== real && isFile(settings);
    if (isShown(path) && isShown(real)) return { ok: true, program: path, mounts: [] };
    const installed = isShown(real) ? [] : toMounts(real);
    if (!isEnvironment) return { ok: true, program: real, mounts: installed };
    const own = isShown(called) ? [] : [...toMounts(called), toMount(settings)];
    return { ok: true, program: called, mounts: sortMounts([...own, ...installed]) };
  } catch (error) {
    return { ok: false, reason: `"${path}" cannot be used: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** The installation around a program, or the program alone where it does not lie in a directory `bin`. */
function toMounts(program: string): readonly SandboxMount[] {
  const directory = dirname(program);
  if (basename(directory) !== 'bin') return [toMount(realpathSync(program))];
  const parts = PREFIX_PARTS.map((part) => join(dirname(directory), part)).filter((part) => isPlainDirectory(part));
  return sortMounts(parts.map(toMount));
}

const toMount = (path: string): SandboxMount => ({ source: path, target: path, access: 'read' });
const sortMounts = (mounts: readonly SandboxMount[]): readonly SandboxMount[] =>
  [...new Map(mounts.map((mount) => [mount.target, mount])).values()].sort((a, b) => (a.target < b.target ? -1 : 1));

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
/** Links are left out: a mount’s source must not be one. */
const isPlainDirectory = (path: string): boolean =>
  (statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false) && realpathSync(path) === path;
