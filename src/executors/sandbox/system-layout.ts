import { lstatSync, readFileSync, readlinkSync } from 'node:fs';

import type { SystemLayout } from './bubblewrap.ts';
import { INNER_UID } from './bubblewrap.ts';

/** Where programs and their libraries live. `/nix/store` is what `/usr` is elsewhere. */
const PROGRAM_DIRECTORIES = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32', '/nix/store'];

/** What interpreters and tools need of `/etc`, none of it secret. Few, for each mount makes every start slower. */
const ETC_ENTRIES = ['/etc/alternatives', '/etc/ld.so.cache', '/etc/localtime', '/etc/os-release', '/etc/pki/tls/certs', '/etc/ssl/certs'];

/** Small files of the host that are copied into the sandbox: cheaper than a mount. */
const COPIED_FILES = ['/etc/mime.types', '/etc/services'];
const MAX_COPIED_BYTES = 256 * 1024;

/** Files that are made for the sandbox instead of being shown from the host. */
const SYNTHETIC_FILES: readonly (readonly [path: string, text: string])[] = [
  [
    '/etc/passwd',
    `plugin:x:${INNER_UID}:${INNER_UID}:plugin:/tmp:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n`,
  ],
  ['/etc/group', `plugin:x:${INNER_UID}:\nnogroup:x:65534:\n`],
  ['/etc/hosts', '127.0.0.1 localhost\n::1 localhost\n'],
  ['/etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files dns\nservices: files\n'],
];

/** Reads how this host lays out its programs: on most, `/bin` and its siblings are links into `/usr`. */
export function readSystemLayout(): SystemLayout {
  const readOnly: string[] = [];
  const links: [string, string][] = [];
  for (const path of [...PROGRAM_DIRECTORIES, ...ETC_ENTRIES]) {
    const kind = tryKind(path);
    // A link is kept as one: its target is either inside what is shown or deliberately absent.
    if (kind === 'link') links.push([readlinkSync(path), path]);
    else if (kind === 'other') readOnly.push(path);
  }
  return { readOnly, links };
}

/** The small files of `/etc`, by path. */
export function readSystemFiles(): readonly (readonly [path: string, bytes: string | Buffer])[] {
  return [...SYNTHETIC_FILES, ...COPIED_FILES.flatMap(tryReadSmall)];
}

function tryReadSmall(path: string): (readonly [string, Buffer])[] {
  try {
    const bytes = readFileSync(path);
    return bytes.length <= MAX_COPIED_BYTES ? [[path, bytes]] : [];
  } catch {
    return [];
  }
}

function tryKind(path: string): 'link' | 'other' | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? 'link' : 'other';
  } catch {
    return undefined;
  }
}
