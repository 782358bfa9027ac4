import { realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

import envPaths from 'env-paths';

import { HostError } from '../errors.ts';

/** Our own directories, by the XDG convention or the platform’s; nothing in them is ever visible to a plugin but its own data. */
export interface OwnPaths {
  readonly config: string;
  readonly data: string;
  readonly cache: string;
  /** Audit, artifacts, grants, trust and the token. */
  readonly state: string;
}

/** `PLUGBRIDGE_HOME` puts all four below one directory, for tests and portable set-ups. */
export function findOwnPaths(environment: NodeJS.ProcessEnv): OwnPaths {
  const home = environment['PLUGBRIDGE_HOME'];
  if (home) {
    const base = resolve(home);
    return { config: join(base, 'config'), data: join(base, 'data'), cache: join(base, 'cache'), state: join(base, 'state') };
  }
  const paths = envPaths('plugbridge', { suffix: '' });
  // env-paths keeps state under the name “log”.
  return { config: paths.config, data: paths.data, cache: paths.cache, state: paths.log };
}

interface RootSources {
  readonly flag: string | undefined;
  /** `root` of the configuration, absolute. */
  readonly configured: string | undefined;
  readonly environment: NodeJS.ProcessEnv;
  readonly workingDirectory: string;
  readonly own: OwnPaths;
}

export interface Root {
  /** Canonical and absolute. */
  readonly path: string;
  /** Whether it is a workspace that a person chose, or our own empty directory because there was none. */
  readonly isOwn: boolean;
}

/**
 * The directory that file access is anchored to: `--root`, else `CLAUDE_PROJECT_DIR`, else `root` of the configuration,
 * else the working directory unless that is `/` or the home directory, else one of our own (DESIGN.md, “root”).
 * Throws CONFIG_ROOT_MISSING when the one asked for is not a directory.
 */
export function findRoot(sources: RootSources): Root {
  const wanted = sources.flag ?? (sources.environment['CLAUDE_PROJECT_DIR'] || sources.configured);
  if (wanted !== undefined) return { path: canonicalDirectory(resolve(sources.workingDirectory, wanted)), isOwn: false };
  const here = canonicalDirectory(sources.workingDirectory);
  if (here !== '/' && here !== tryCanonicalDirectory(homedir())) return { path: here, isOwn: false };
  return { path: join(sources.own.data, 'root'), isOwn: true };
}

function canonicalDirectory(path: string): string {
  const canonical = tryCanonicalDirectory(path);
  if (canonical === undefined) throw new HostError('CONFIG_ROOT_MISSING', { root: path });
  return canonical;
}

function tryCanonicalDirectory(path: string): string | undefined {
  try {
    const canonical = realpathSync(path);
    return statSync(canonical).isDirectory() ? canonical : undefined;
  } catch {
    return undefined;
  }
}
