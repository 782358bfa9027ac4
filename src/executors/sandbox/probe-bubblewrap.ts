import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import { HostError, reasonOf } from '../../errors.ts';
import { findCgroupHome } from './cgroup.ts';
import { launchBubblewrap, type BubblewrapMachine } from './launch-bubblewrap.ts';
import type { SandboxDescription, SandboxedProcess, SandboxExit, SandboxFinding } from './sandbox.ts';
import { makeTemporaryDirectory } from './temporary-directory.ts';

/** What running it has shown. `machine` is undefined where nothing can be isolated; `reason` says why. */
export interface BubblewrapProbe {
  readonly machine: BubblewrapMachine | undefined;
  readonly reason: string;
  readonly findings: readonly SandboxFinding[];
}

const PROBE_SECONDS = 10;
const MEBIBYTE = 1024 * 1024;
/** Without these a sandbox is none, whatever the program that made it says. */
const ESSENTIAL = ['namespaces', 'no network', 'no capabilities', 'sealed root'];
/** Constants: nothing is ever put into them. */
const SHOW_STATUS = 'echo Pid: $$; ls /proc/1; cat /proc/self/status /proc/self/limits /proc/self/mountinfo /proc/net/dev';
const FORK_MANY = 'i=0; while [ $i -lt 40 ]; do sleep 1 & i=$((i+1)); done 2>/dev/null; echo all';
const EAT_MEMORY = 'dd if=/dev/zero of=/dev/null bs=96000000 count=1 2>/dev/null && echo all';

/**
 * Finds out what bubblewrap can do here by running it: first everything, then with less until something starts.
 * `machine` holds what to try; never rejects.
 */
export async function probeBubblewrap(candidate: BubblewrapMachine): Promise<BubblewrapProbe> {
  let reason = '';
  for (const attempt of weaken(candidate)) {
    const seen = await run(attempt, { command: ['/bin/sh', '-c', SHOW_STATUS], limits: { processes: 32, descriptors: 64 } });
    if (seen.exit.code !== 0) {
      reason ||= seen.stderr.trim().split('\n')[0] ?? '';
      continue;
    }
    const gap = describeRun(attempt, seen.stdout).find(({ capability, state }) => state === 'missing' && ESSENTIAL.includes(capability));
    if (gap) return { machine: undefined, reason: `${gap.capability}: ${gap.detail}`, findings: [gap] };
    const [runDirectory, grouped, staging] = await Promise.all([probeRunDirectory(attempt), probeCgroups(attempt), probeStaging(attempt)]);
    const machine = { ...grouped.machine, staging };
    return { machine, reason: '', findings: [...describeRun(machine, seen.stdout), runDirectory, ...grouped.findings] };
  }
  const detail = reason || 'bubblewrap does not start';
  return { machine: undefined, reason: detail, findings: [{ capability: 'namespaces', state: 'missing', detail }] };
}

/** Strongest first. Control groups come later: they need a sandbox that runs. */
function weaken(candidate: BubblewrapMachine): BubblewrapMachine[] {
  const full = { ...candidate, cgroups: undefined };
  const none = { disableUserNamespaces: false, cgroupNamespace: false, coverFirstProcess: false };
  const attempts = [
    full,
    { ...full, features: { ...full.features, disableUserNamespaces: false } },
    { ...full, features: { ...full.features, coverFirstProcess: false } },
    { ...full, features: { ...none, coverFirstProcess: true } },
    { ...full, features: none },
    { ...full, features: none, seccomp: undefined },
  ];
  return candidate.identity ? [...attempts, ...attempts.map((attempt) => ({ ...attempt, identity: undefined }))] : attempts;
}

/**
 * Whether the unprivileged user gets to see what only root can reach, and is then that user and as contained as elsewhere: it
 * reads its own file and not root’s, and what the inside shows is judged alike. Undefined where any of that fails.
 */
async function probeStaging(machine: BubblewrapMachine): Promise<BubblewrapMachine['staging']> {
  const { staging, identity } = machine;
  if (!staging || !identity) return undefined;
  const closed = makeTemporaryDirectory();
  try {
    const shown = join(closed, 'shown');
    mkdirSync(shown);
    chmodSync(shown, 0o755);
    for (const name of ['theirs', 'ours']) writeFileSync(join(shown, name), `${name}\n`, { mode: 0o600 });
    chownSync(join(shown, 'theirs'), identity.uid, identity.gid);
    const mounts = [{ source: shown, target: '/probe', access: 'read' as const }];
    const command = ['/bin/sh', '-c', `cat /probe/theirs; cat /probe/ours 2>/dev/null && exit 1; ${SHOW_STATUS}`];
    const seen = await run(machine, { command, limits: { processes: 32, descriptors: 64 }, mounts });
    const isContained = describeRun(machine, seen.stdout).every(
      ({ state, capability }) => state !== 'missing' || !isEssential(machine, capability),
    );
    return seen.exit.code === 0 && seen.stdout.startsWith('theirs\nPid: ') && isContained ? staging : undefined;
  } catch {
    return undefined;
  } finally {
    rmSync(closed, { recursive: true, force: true });
  }
}

/** Seccomp too, where sandboxes have it that are not staged. */
const isEssential = ({ seccomp }: BubblewrapMachine, capability: string): boolean =>
  ESSENTIAL.includes(capability) || (seccomp !== undefined && capability === 'seccomp');

const PROBE_RUN_DIRECTORY = '/run/plugbridge-probe';
/** A directory of one mebibyte takes a little, and not twice of what it has. */
const FILL_RUN_DIRECTORY = `cd ${PROBE_RUN_DIRECTORY} && echo kept >kept && ! dd if=/dev/zero of=full bs=1048576 count=2 2>/dev/null`;

/** Whether files can be left in memory, are bounded there, and can be read when the process is gone. */
async function probeRunDirectory(machine: BubblewrapMachine): Promise<SandboxFinding> {
  const capability = 'run directory';
  const runDirectory = { path: PROBE_RUN_DIRECTORY, maxBytes: MEBIBYTE };
  const command = ['/bin/sh', '-c', `${FILL_RUN_DIRECTORY}; echo $?; read -r line`];
  let left = '';
  const seen = await run(machine, { command, limits: { processes: 16 }, runDirectory }, async (started) => {
    const held = started.holdRunDirectory();
    started.stdin.end();
    await started.exited;
    left = tryReadText(join(held.path, 'kept'));
    held.close();
  });
  if (left !== 'kept\n') return { capability, state: 'missing', detail: `what is left in it cannot be read ${seen.stderr}`.trim() };
  if (seen.stdout !== '0\n') return { capability, state: 'missing', detail: 'its size is not bounded' };
  return { capability, state: 'enforced', detail: 'in memory, of a bounded size' };
}

function tryReadText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

async function probeCgroups(machine: BubblewrapMachine): Promise<{ machine: BubblewrapMachine; findings: SandboxFinding[] }> {
  const missing = (detail: string) => ({
    machine,
    findings: [{ capability: 'control groups', state: 'missing' as const, detail }],
  });
  const home = findCgroupHome(readFileSync('/proc/self/cgroup', 'utf8'), readFileSync('/proc/self/mountinfo', 'utf8'));
  if (!home) return missing('no hierarchy with memory and pids is mounted');
  const grouped = { ...machine, cgroups: home };
  const [forked, eaten] = await Promise.all([
    run(grouped, { command: ['/bin/sh', '-c', FORK_MANY], limits: { processes: 16 } }),
    run(grouped, { command: ['/bin/sh', '-c', EAT_MEMORY], limits: { memoryBytes: 24 * MEBIBYTE, processes: 16 } }),
  ]);
  if (forked.tier === 'none') return missing(`no group can be made below ${home.memory}`);
  if (forked.stdout.includes('all')) return missing('the limit of processes does not hold');
  if (eaten.stdout.includes('all') || eaten.exit.cause !== 'memory') return missing('the limit of memory does not hold');
  return {
    machine: grouped,
    findings: [{ capability: 'control groups', state: 'enforced', detail: `memory and processes, version ${home.version}` }],
  };
}

/** Reads from the inside of a sandbox what holds in it. */
function describeRun(machine: BubblewrapMachine, shown: string): SandboxFinding[] {
  const check = (capability: string, holds: boolean, detail: string, otherwise: string): SandboxFinding =>
    holds ? { capability, state: 'enforced', detail } : { capability, state: 'missing', detail: otherwise };
  const interfaces = [...shown.slice(shown.indexOf('Inter-|')).matchAll(/^\s*([\w.@-]+):/gm)].map(([, name]) => name);
  return [
    check('namespaces', /^Pid: [2-9]$/m.test(shown), 'user, process, network, ipc, host name, mount', 'processes of the host are visible'),
    check('no network', interfaces.join() === 'lo', 'only an empty loopback', 'other interfaces are visible'),
    check('no capabilities', /^CapEff:\s+0+$/m.test(shown) && /^CapBnd:\s+0+$/m.test(shown), 'none held or attainable', 'some are held'),
    check('seccomp', /^Seccomp:\s+2$/m.test(shown), 'filter in force', `no filter for ${process.arch}, or the kernel refuses it`),
    check('sealed root', isSealed('/', shown) && isSealed('/proc', shown), 'read-only, the settings of the kernel too', 'writable'),
    check(
      'no nested user namespaces',
      machine.features.disableUserNamespaces,
      '--disable-userns',
      'this bubblewrap cannot; the filter refuses them',
    ),
    check(
      'closed first process',
      !/^mem$/m.test(shown),
      '/proc/1 is covered',
      'bubblewrap’s own process inside, which has no filter, can be written to',
    ),
    check('limits per process', /^Max open files\s+64\s+64\s/m.test(shown), 'prlimit', 'not in force'),
    machine.identity
      ? {
          capability: 'unprivileged user',
          state: 'best effort',
          detail: `uid ${machine.identity.uid} where it can ${machine.staging ? 'open' : 'reach'} what is granted, else the server’s own user without capabilities`,
        }
      : process.getuid?.() === 0
        ? { capability: 'unprivileged user', state: 'missing', detail: 'sandboxes run as root of the host, without capabilities' }
        : { capability: 'unprivileged user', state: 'enforced', detail: 'the server’s own user' },
  ];
}

/** Whether `/proc/self/mountinfo` (proc(5)) has a place read-only. */
const isSealed = (place: string, shown: string): boolean => new RegExp(`^\\d+ \\d+ \\S+ \\S+ ${place} ro[, ]`, 'm').test(shown);

interface Run {
  readonly exit: SandboxExit;
  readonly stdout: string;
  readonly stderr: string;
  readonly tier: string;
}

async function run(
  machine: BubblewrapMachine,
  what: Pick<SandboxDescription, 'command' | 'limits'> & Partial<Pick<SandboxDescription, 'mounts' | 'runDirectory'>>,
  use: (started: SandboxedProcess) => Promise<void> = async (started) => void started.stdin.end(),
): Promise<Run> {
  try {
    const started = await launchBubblewrap(
      { mounts: [], ...what, workingDirectory: '/tmp', environment: { PATH: '/usr/bin:/bin' }, lifetimeSeconds: PROBE_SECONDS },
      machine,
    );
    const deadline = setTimeout(() => void started.kill(), PROBE_SECONDS * 1000);
    const [exit, stdout, stderr] = await Promise.all([
      started.exited,
      text(started.stdout).catch(reasonOf),
      text(started.stderr).catch(reasonOf),
      use(started),
    ]).finally(() => {
      clearTimeout(deadline);
      void started.kill();
    });
    return { exit, stdout, stderr, tier: started.tier };
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return { exit: { code: null, signal: null, cause: 'setup' }, stdout: '', stderr: error.message, tier: 'none' };
  }
}
