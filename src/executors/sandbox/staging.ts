import { OWNER_VARIABLE } from './bubblewrap.ts';
import type { Identity } from './identity.ts';
import type { SandboxDescription } from './sandbox.ts';

/** What a server that runs as root needs to show an unprivileged user what lies below directories that only root may enter. */
export interface Staging {
  /** Absolute. */
  readonly setpriv: string;
  /** An empty directory of the host that every user can reach. */
  readonly directory: string;
}

export interface StagingSetting extends Staging {
  readonly bwrap: string;
  readonly identity: Identity;
  readonly owner: string;
  /** The descriptor that tells of the first bubblewrap. */
  readonly status: number;
}

/**
 * Two steps in place of one: bubblewrap, still as root, makes a mount namespace in which everything granted also lies in one
 * directory that all can reach; there `setpriv` becomes the unprivileged user for good, without any capability, and starts the
 * bubblewrap that makes the sandbox, as it does elsewhere. Nothing of the plugin runs before that.
 * Returns the description with the staged sources, and the command line to put before bubblewrap’s own.
 */
export function stage(description: SandboxDescription, setting: StagingSetting) {
  const { bwrap, setpriv, directory, identity, owner, status } = setting;
  const binds: string[] = [];
  const mounts = description.mounts.map((mount, index) => {
    if (mount.access === 'none') return mount;
    const source = `${directory}/${index}`;
    binds.push(mount.access === 'write' ? '--bind' : '--ro-bind', mount.source, source);
    return { ...mount, source };
  });
  const prefix = [
    bwrap,
    ['--dev-bind', '/', '/', '--perms', '0755', '--tmpfs', directory, ...binds],
    ['--json-status-fd', String(status)],
    ['--die-with-parent', '--cap-drop', 'ALL', '--cap-add', 'CAP_SETUID', '--cap-add', 'CAP_SETGID', '--cap-add', 'CAP_SETPCAP'],
    ['--setenv', OWNER_VARIABLE, owner, '--unsetenv', OWNER_VARIABLE, '--'],
    [setpriv, '--reuid', String(identity.uid), '--regid', String(identity.gid), '--clear-groups'],
    ['--no-new-privs', '--inh-caps=-all', '--bounding-set=-all', '--'],
  ].flat();
  return { description: { ...description, mounts }, prefix };
}
