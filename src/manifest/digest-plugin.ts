import { digestFiles, fingerprintFiles, type DigestResult } from './digest.ts';
import { compareNames } from './directory-listing.ts';
import { readFileTree } from './file-tree.ts';
import type { Plugin } from './plugin.ts';

/** Where a plugin lies, and the files that were read of it. */
export type PluginFiles = Pick<Plugin, 'directory' | 'files'>;

/**
 * The digest of a plugin’s files as they are now, the same as `plugin.digest` while they are what they were: of the files it
 * names, or of all below its directory where every file can decide how it behaves.
 */
export function digestPlugin({ directory, files, runtime }: PluginFiles & Pick<Plugin, 'runtime'>): DigestResult {
  switch (runtime.kind) {
    case 'wasm':
      return digestFiles(directory, Object.keys(files));
    case 'script':
      return readFileTree(directory);
  }
}

/**
 * Text that differs when a file of a plugin was changed, added or removed since; see `fingerprintFiles`. It begins with the
 * line of the directory itself.
 */
export function fingerprintPlugin({ directory, files }: PluginFiles): string {
  const names = Object.keys(files);
  // Most plugins are flat, and there may be a thousand of them.
  const directories = names.some((name) => name.includes('/')) ? directoriesOf(names) : [];
  return fingerprintFiles(directory, ['.', ...directories, ...names]);
}

/** The directories that hold these files, below the plugin’s own; an added file changes the one that it is put into. */
function directoriesOf(names: readonly string[]): readonly string[] {
  const directories = new Set<string>();
  for (const name of names) {
    for (let end = name.lastIndexOf('/', name.length - 2); end > 0; end = name.lastIndexOf('/', end - 1)) {
      const directory = name.slice(0, end);
      if (directories.has(directory)) break;
      directories.add(directory);
    }
  }
  return [...directories].sort(compareNames);
}
