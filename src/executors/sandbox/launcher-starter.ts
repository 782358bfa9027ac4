import { constants } from 'node:os';

import { reasonOf } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { followStatus } from './follow-status.ts';
import type { Identity } from './identity.ts';
import { tryToRequest } from './launcher-script.ts';
import type { Slot } from './launcher-slot.ts';
import { startLauncher, type Launcher } from './launcher.ts';
import type { MemoryFile } from './memory-file.ts';
import type { SandboxExit } from './sandbox.ts';
import type { BubblewrapRequest, BubblewrapStarter, StartedBubblewrap } from './start-bubblewrap.ts';

export interface LauncherStarterOptions {
  /** A bash, absolute. */
  readonly shell: string;
  /** The files of every request. */
  readonly files: readonly MemoryFile[];
  readonly owner: string;
  /** What starts where no launcher can. */
  readonly fallback: BubblewrapStarter;
  readonly log: Log;
}

/** A launcher that has died is replaced at once, and again at the next start, but not for ever. */
const ATTEMPTS = 2;
const MAX_FAILURES = 4;
/** Exit statuses above it are signals (bash(1), “Exit status”). */
const SIGNAL_BASE = 128;

interface Taken {
  readonly launcher: Launcher;
  readonly slot: Slot;
}

/** Starts through a launcher for each user, made on first use; in the fallback’s way what those cannot start. */
export function createLauncherStarter({ shell, files, owner, fallback, log }: LauncherStarterOptions): BubblewrapStarter {
  const launchers = new Map<string, Promise<Launcher>>();
  let failures = 0;

  const find = async (identity: Identity | undefined): Promise<Launcher> => {
    const key = identity ? `${identity.uid}:${identity.gid}` : '';
    const known = launchers.get(key);
    const launcher = await known?.catch(() => undefined);
    if (launcher?.isAlive) return launcher;
    // Whoever waited for the same one may have replaced it.
    if (launchers.get(key) === known) launchers.set(key, startLauncher({ shell, files, identity, owner }));
    return launchers.get(key) ?? find(identity);
  };

  const tryTake = async (identity: Identity | undefined): Promise<Taken | undefined> => {
    for (let attempt = 0; attempt < ATTEMPTS && failures < MAX_FAILURES; attempt += 1) {
      try {
        const launcher = await find(identity);
        const slot = await launcher.take();
        failures = 0;
        return { launcher, slot };
      } catch (error) {
        failures += 1;
        if (failures === MAX_FAILURES) log.warn({ reason: reasonOf(error) }, 'sandboxes start without a launcher');
      }
    }
    return undefined;
  };

  return {
    start: async (request) => {
      const words = tryToRequest(request);
      const taken = words && (await tryTake(request.identity));
      if (!words || !taken) return fallback.start(request);
      taken.slot.go(words, request.options);
      return toStarted(taken, request);
    },
    close: async () => {
      const started = await Promise.allSettled(launchers.values());
      await Promise.all(started.map(async (each) => each.status === 'fulfilled' && each.value.close()));
      await fallback.close();
    },
  };
}

function toStarted({ launcher, slot }: Taken, { staged, groups }: BubblewrapRequest): StartedBubblewrap {
  const status = followStatus(slot.status);
  // Of two bubblewraps the inner one outlives the outer, whose death may not signal another user’s process.
  const closed = staged ? new Promise((resolve) => slot.outer.resume().once('close', resolve)) : status.closed;
  slot.outer.on('error', () => {});
  if (!staged) slot.outer.destroy();
  const end = async (): Promise<SandboxExit> => {
    await closed;
    slot.release();
    const told = launcher.end(slot.pid);
    // Nobody else can say how bubblewrap itself has ended.
    return status.exitCode === undefined ? toExit(await told) : { code: status.exitCode, signal: null };
  };
  return { pid: slot.pid, pipes: slot, status, joined: groups.length > 0, ended: end(), release: slot.release };
}

/** As Node tells of a child of its own. Whatever ends with its launcher was killed. */
function toExit(status: number | undefined): SandboxExit {
  if (status === undefined) return { code: null, signal: 'SIGKILL' };
  const [signal] = Object.entries(constants.signals).find(([, number]) => number === status - SIGNAL_BASE) ?? [];
  return signal === undefined ? { code: status, signal: null } : { code: null, signal: signal as NodeJS.Signals };
}
