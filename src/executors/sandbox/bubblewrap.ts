import type { SandboxDescription, SandboxLimits, SandboxMount } from './sandbox.ts';

/** What bubblewrap can do on this machine, as the probe found by running it. */
export interface BubblewrapFeatures {
  /** `--disable-userns`, since 0.8.0. */
  readonly disableUserNamespaces: boolean;
  readonly cgroupNamespace: boolean;
  /** A mount over `/proc/1`. */
  readonly coverFirstProcess: boolean;
}

/** The part of the file system that every sandbox has, as it lies on this host. */
export interface SystemLayout {
  /** Directories and files bound read-only at their own path. */
  readonly readOnly: readonly string[];
  /** Links to make, such as `/bin` → `usr/bin`. */
  readonly links: readonly (readonly [target: string, path: string])[];
}

/** Descriptors that bubblewrap inherits; their numbers are the places in Node’s `stdio`. */
export interface BubblewrapDescriptors {
  readonly options: number;
  readonly status: number;
  /** The command starts once something has been written here. */
  readonly block: number;
  readonly seccomp?: number;
  /** Files to make inside, by path. */
  readonly files: readonly (readonly [descriptor: number, path: string])[];
}

export interface BubblewrapSetting {
  readonly features: BubblewrapFeatures;
  readonly layout: SystemLayout;
  readonly descriptors: BubblewrapDescriptors;
  readonly programs: { readonly prlimit: string; readonly timeout: string };
  /** `pid:starttime` of the server, see `owner.ts`. */
  readonly owner: string;
  /** Whether a path of the host is a directory, which is covered by another means than a file. */
  readonly isDirectory: (path: string) => boolean;
}

/** Who a sandboxed process believes to be; files of other users show up as 65534. */
export const INNER_UID = 1000;
/** In bubblewrap’s own arguments only: set and taken away again, so that a sweep finds it and nothing inside sees it. */
export const OWNER_VARIABLE = 'PLUGBRIDGE_OWNER';

const DEFAULT_SCRATCH_BYTES = 64 * 1024 * 1024;

/**
 * The arguments of bubblewrap for a description. `options` go through a descriptor, for the environment may hold secrets
 * and every user can read another’s command line; `argv` is what the command line shows.
 */
export function toBubblewrapArguments(description: SandboxDescription, setting: BubblewrapSetting) {
  const { descriptors, owner } = setting;
  return {
    options: [
      isolation(setting.features),
      fileSystem(description, setting),
      environment(description),
      descriptors.seccomp === undefined ? [] : ['--seccomp', String(descriptors.seccomp)],
      ['--block-fd', String(descriptors.block)],
      ['--json-status-fd', String(descriptors.status)],
    ].flat(),
    argv: [
      ['--args', String(descriptors.options)],
      ['--setenv', OWNER_VARIABLE, owner, '--unsetenv', OWNER_VARIABLE],
      ['--'],
      toLimitedCommand(description, setting.programs),
    ].flat(),
  };
}

/**
 * The command behind `prlimit` and `timeout`. The limits are set inside: there RLIMIT_NPROC counts the processes of this
 * sandbox alone, outside it would count all that the same user runs (sandbox.md §B, “Limits”).
 */
export function toLimitedCommand(description: SandboxDescription, programs: { prlimit: string; timeout: string }): string[] {
  const { command, limits, lifetimeSeconds } = description;
  return [
    programs.prlimit,
    ...toPrlimitOptions(limits),
    ...(lifetimeSeconds === undefined ? [] : [programs.timeout, '-s', 'KILL', String(lifetimeSeconds)]),
    ...command,
  ];
}

/** `prlimit(1)` options; core dumps are always off. */
export function toPrlimitOptions(limits: SandboxLimits): string[] {
  const options: readonly (readonly [name: string, value: number | undefined])[] = [
    ['as', limits.addressSpaceBytes],
    ['data', limits.dataBytes],
    ['nproc', limits.processes],
    ['fsize', limits.fileBytes],
    ['nofile', limits.descriptors],
    ['cpu', limits.cpuSeconds],
  ];
  return ['--core=0', ...options.flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`]))];
}

/** No `--new-session`: Node’s `detached` has called setsid, and a second session would escape the kill of the group (baselines.md §8). */
const isolation = (features: BubblewrapFeatures): string[] =>
  [
    ['--unshare-user', '--unshare-ipc', '--unshare-pid', '--unshare-net', '--unshare-uts'],
    features.cgroupNamespace ? ['--unshare-cgroup'] : [],
    features.disableUserNamespaces ? ['--disable-userns'] : [],
    ['--die-with-parent'],
    ['--uid', String(INNER_UID), '--gid', String(INNER_UID)],
    ['--cap-drop', 'ALL'],
    ['--hostname', 'plugin'],
  ].flat();

function fileSystem({ mounts, runDirectory, limits, workingDirectory }: SandboxDescription, setting: BubblewrapSetting): string[] {
  const scratchBytes = String(limits.scratchBytes ?? DEFAULT_SCRATCH_BYTES);
  return [
    ['--perms', '0755', '--dir', '/etc'],
    ...setting.layout.readOnly.map((path) => ['--ro-bind', path, path]),
    ...setting.layout.links.map(([target, path]) => ['--symlink', target, path]),
    ...setting.descriptors.files.map(([descriptor, path]) => ['--perms', '0444', '--file', String(descriptor), path]),
    ['--proc', '/proc', '--dev', '/dev'],
    // bubblewrap’s own process inside runs without the filter and belongs to the same user, who could write into its memory.
    setting.features.coverFirstProcess ? ['--perms', '0555', '--tmpfs', '/proc/1', '--remount-ro', '/proc/1'] : [],
    ['--perms', '1777', '--size', scratchBytes, '--tmpfs', '/tmp'],
    ['--perms', '1777', '--size', scratchBytes, '--tmpfs', '/dev/shm'],
    runDirectory ? ['--perms', '0700', '--size', String(runDirectory.maxBytes), '--tmpfs', runDirectory.path] : [],
    ...mounts.map((mount) => toMountOptions(mount, setting.isDirectory)),
    // What covers a directory takes the places of mounts inside it first.
    ...mounts.filter((mount) => isCoveredDirectory(mount, setting.isDirectory)).map(({ target }) => ['--remount-ro', target]),
    // bubblewrap’s root is a writable tmpfs of half the memory (sandbox.md §0.5), and a process of the host’s root may write to
    // the settings of the kernel in `/proc/sys`, whatever its capabilities.
    ['--remount-ro', '/proc', '--remount-ro', '/dev', '--remount-ro', '/'],
    ['--chdir', workingDirectory],
  ].flat();
}

function toMountOptions(mount: SandboxMount, isDirectory: BubblewrapSetting['isDirectory']): string[] {
  const { source, target, access } = mount;
  if (access === 'write') return ['--bind', source, target];
  if (access === 'read') return ['--ro-bind', source, target];
  // A bind keeps no devices, so that opening a covered file is refused instead of finding it empty.
  return isDirectory(source) ? ['--perms', '0755', '--tmpfs', target] : ['--ro-bind', '/dev/null', target];
}

const isCoveredDirectory = ({ source, access }: SandboxMount, isDirectory: BubblewrapSetting['isDirectory']): boolean =>
  access === 'none' && isDirectory(source);

const environment = (description: SandboxDescription): string[] => [
  '--clearenv',
  ...Object.entries(description.environment).flatMap(([name, value]) => ['--setenv', name, value]),
];
