import { dirname } from 'node:path/posix';

import { fingerprintFiles, sha256Hex } from '../../manifest/digest.ts';
import { readFileTree } from '../../manifest/file-tree.ts';
import type { Plugin } from '../../manifest/plugin.ts';

type PluginFiles = Pick<Plugin, 'directory' | 'files' | 'digest'>;

/** Tells whether the files of a plugin are those that were read, and trusted. */
export interface UnchangedFiles {
  /**
   * Text that stays the same as long as nothing is changed, not even back and forth; undefined when they are others than
   * those that were read. Never throws: what cannot be read has changed.
   */
  check(plugin: PluginFiles): string | undefined;
}

interface Known {
  readonly names: readonly string[];
  fingerprint: string | undefined;
}

const MAX_KNOWN = 1000;

/**
 * Scripts are read anew by every call, so that a change between reading the manifest and a call would run what nobody has
 * trusted. The bytes are read again only where inodes, sizes or times differ from those of the last time that they were.
 */
export function createUnchangedFiles(): UnchangedFiles {
  const known = new Map<string, Known>();
  const find = ({ directory, digest, files }: PluginFiles): Known => {
    const key = `${digest} ${directory}`;
    const found = known.get(key) ?? { names: listNames(files), fingerprint: undefined };
    known.delete(key);
    known.set(key, found);
    for (const oldest of known.keys()) {
      if (known.size <= MAX_KNOWN) break;
      known.delete(oldest);
    }
    return found;
  };
  return {
    check(plugin) {
      const { directory, digest } = plugin;
      const found = find(plugin);
      const fingerprint = fingerprintFiles(directory, found.names);
      if (fingerprint !== found.fingerprint) {
        const tree = readFileTree(directory);
        if (!tree.ok || tree.digest !== digest) return undefined;
        found.fingerprint = fingerprint;
      }
      return sha256Hex(fingerprint);
    },
  };
}

/** The files and the directories that hold them, which change when a file is added. */
function listNames(files: Readonly<Record<string, string>>): string[] {
  const directories = new Set<string>(['.']);
  for (const file of Object.keys(files)) {
    for (let directory = dirname(file); !directories.has(directory); directory = dirname(directory)) directories.add(directory);
  }
  return [...directories, ...Object.keys(files)];
}
