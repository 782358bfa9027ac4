import { tryHostPath } from './identity.ts';
import { withRunDirectory } from './run-directory.ts';
import type { SandboxDescription, SandboxLimits } from './sandbox.ts';

/** What every program on macOS needs to start: its own binaries, frameworks, the loader’s cache, time zones and locales. */
const SYSTEM_READS = [
  '/usr',
  '/bin',
  '/sbin',
  '/System',
  '/Library/Frameworks',
  '/Library/Apple',
  '/opt/homebrew',
  '/private/var/db/timezone',
];
const SYSTEM_FILES = [
  '/',
  '/private/etc/localtime',
  '/private/etc/ssl/cert.pem',
  '/private/etc/ssl/openssl.cnf',
  '/dev/random',
  '/dev/urandom',
];
/** Whatever lies in `/usr` or Homebrew but is not a program or a library. */
const SYSTEM_EXCEPTIONS = ['/usr/local/var', '/usr/local/etc', '/opt/homebrew/var', '/opt/homebrew/etc'];
const DEVICES = ['/dev/null', '/dev/zero', '/dev/tty', '/dev/dtracehelper'];

/** How a description looks on macOS, where nothing can be mounted elsewhere: paths become those of the host. */
export interface SeatbeltPlan {
  /** Sandbox profile language, for `sandbox-exec -p`. */
  readonly profile: string;
  readonly command: readonly string[];
  readonly workingDirectory: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** Empty directories of the host that stand in for those that a sandbox has of its own. */
export interface StandIns {
  /** For `/tmp`. */
  readonly scratch: string;
  /** For the run directory, when there is one. */
  readonly run: string;
}

/**
 * Writes the Seatbelt profile of a description. Later rules win over earlier ones, so the exceptions stand last.
 */
export function toSeatbeltPlan(given: SandboxDescription, { scratch, run }: StandIns): SeatbeltPlan {
  const { mounts, command, environment, workingDirectory } = withRunDirectory(given, run);
  const map = (path: string): string => tryHostPath([...mounts, { source: scratch, target: '/tmp', access: 'write' }], path) ?? path;
  const covered = mounts.filter(({ access }) => access === 'none').map(({ source }) => source);
  const readable = mounts.map(({ source }) => source).filter((source) => !covered.includes(source));
  const writable = [scratch, ...mounts.filter(({ access }) => access === 'write').map(({ source }) => source)];
  const sealed = mounts.filter(({ access }) => access === 'read').map(({ source }) => source);
  const profile = [
    '(version 1)',
    '(deny default)',
    '(allow process-fork process-exec)',
    '(allow signal process-info* (target same-sandbox))',
    '(allow sysctl-read)',
    '(allow file-read-metadata)',
    `(allow file-read* ${[...subpaths(SYSTEM_READS), ...literals([...SYSTEM_FILES, ...DEVICES]), ...subpaths([...readable, scratch])].join(' ')})`,
    `(allow file-write* ${subpaths(writable).join(' ')})`,
    `(allow file-write-data file-ioctl ${literals(DEVICES).join(' ')})`,
    `(deny file-read-data ${subpaths(SYSTEM_EXCEPTIONS).join(' ')})`,
    // A read-only mount inside a writable one stays read-only, as it does where it is really mounted.
    ...(sealed.length > 0 ? [`(deny file-write* ${subpaths(sealed).join(' ')})`] : []),
    ...writable
      .filter((path) => sealed.some((outer) => path.startsWith(`${outer}/`)))
      .map((path) => `(allow file-write* (subpath ${quote(path)}))`),
    ...covered.map((path) => `(deny file-read* file-write* (subpath ${quote(path)}))`),
    // What is mounted inside a covered directory is seen all the same.
    ...mounts
      .filter(({ source, access }) => access !== 'none' && covered.some((outer) => source.startsWith(`${outer}/`)))
      .map(({ source, access }) => `(allow file-read*${access === 'write' ? ' file-write*' : ''} (subpath ${quote(source)}))`),
    // A writable mount inside another one cannot be renamed, as it cannot where it is really mounted.
    ...mounts
      .filter(({ source, access }) => access === 'write' && writable.some((outer) => source.startsWith(`${outer}/`)))
      .map(({ source }) => `(deny file-write-unlink (literal ${quote(source)}))`),
    '(deny network*)',
    '(deny file-write-setugid)',
  ].join('\n');
  return {
    profile,
    command: command.map(map),
    workingDirectory: map(workingDirectory),
    environment: { ...environment, TMPDIR: scratch, ...(environment['HOME'] === '/tmp' ? { HOME: scratch } : {}) },
  };
}

/** A constant script; the values are its arguments. Absent limits are empty. File sizes are in blocks of 512 bytes (POSIX `ulimit`). */
const LIMIT_SCRIPT =
  'ulimit -c 0; [ -z "$1" ] || ulimit -n "$1"; [ -z "$2" ] || ulimit -f "$2"; [ -z "$3" ] || ulimit -t "$3"; shift 3; exec "$@"';
const BLOCK_BYTES = 512;

/** The command behind a shell that sets the limits which macOS has. */
export function toUlimitCommand(command: readonly string[], { descriptors, fileBytes, cpuSeconds }: SandboxLimits): string[] {
  const blocks = fileBytes === undefined ? undefined : Math.ceil(fileBytes / BLOCK_BYTES);
  return ['/bin/sh', '-c', LIMIT_SCRIPT, 'sh', ...[descriptors, blocks, cpuSeconds].map((limit) => String(limit ?? '')), ...command];
}

const subpaths = (paths: readonly string[]): string[] => paths.map((path) => `(subpath ${quote(path)})`);
const literals = (paths: readonly string[]): string[] => paths.map((path) => `(literal ${quote(path)})`);

/** A string of the profile language: only quotes and backslashes are special. */
const quote = (path: string): string => `"${path.replace(/[\\"]/g, '\\$&')}"`;
