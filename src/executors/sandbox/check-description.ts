import { existsSync, realpathSync } from 'node:fs';
import { isAbsolute, normalize } from 'node:path';

import { HostError } from '../../errors.ts';
import type { SandboxDescription } from './sandbox.ts';

/** Places that the sandbox makes itself: a mount over one would undo it. */
const RESERVED = ['/proc', '/dev', '/sys'];
/** Where every sandbox shows the system or has its temporary files. */
const SYSTEM = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32', '/nix', '/etc', '/tmp'];
const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Refuses descriptions that could not mean what they say: relative or unnormalised paths, mounts of missing things or
 * through links, over `/` or `/proc`, a run directory that something else overlaps, NUL bytes, limits that are no positive
 * whole numbers.
 * Throws HostError EXECUTION_SANDBOX_INVALID.
 */
export function checkDescription(description: SandboxDescription): void {
  const { command, mounts, workingDirectory, runDirectory, environment, limits, lifetimeSeconds } = description;
  const program = command[0] ?? '';
  const refuse = (what: string, value: string, wanted: string): never => {
    throw new HostError('EXECUTION_SANDBOX_INVALID', { program, what, value, wanted });
  };
  if (!isPlainPath(program)) refuse('program', program, 'an absolute path without "..", links of "//" or NUL');
  if (!isPlainPath(workingDirectory)) refuse('working directory', workingDirectory, 'an absolute, normalised path');
  for (const word of command) if (word.includes('\0')) refuse('argument', word, 'free of NUL bytes');
  for (const { source, target, access } of mounts) {
    if (!isPlainPath(target) || target === '/' || RESERVED.some((path) => isWithin(target, path))) {
      refuse('mount target', target, 'an absolute, normalised path outside /, /proc, /dev and /sys');
    }
    if (!isPlainPath(source) || !existsSync(source)) refuse('mount source', source, 'an existing, absolute, normalised path');
    if (realpathSync(source) !== source) refuse('mount source', source, 'free of symbolic links');
    if (access === 'none' && source !== target) refuse('covered path', target, 'the same inside and outside');
  }
  if (runDirectory) {
    const { path } = runDirectory;
    if (!isPlainPath(path) || path === '/' || [...RESERVED, ...SYSTEM].some((system) => isWithin(path, system))) {
      refuse('run directory', path, 'an absolute, normalised path outside of the system’s directories');
    }
    if (mounts.some(({ target }) => isWithin(path, target) || isWithin(target, path))) {
      refuse('run directory', path, 'neither inside a mount nor around one');
    }
  }
  for (const [name, value] of Object.entries(environment)) {
    if (!VARIABLE_NAME.test(name)) refuse('environment variable', name, 'letters, digits and "_", not beginning with a digit');
    if (value.includes('\0')) refuse('value of the environment variable', name, 'free of NUL bytes');
  }
  const others = [['lifetimeSeconds', lifetimeSeconds] as const, ['runDirectory', runDirectory?.maxBytes] as const];
  for (const [name, value] of [...Object.entries(limits), ...others]) {
    if (value !== undefined && !(Number.isSafeInteger(value) && value > 0))
      refuse(`limit ${name}`, String(value), 'a positive whole number');
  }
}

const isPlainPath = (path: string): boolean =>
  isAbsolute(path) && normalize(path) === path && (path === '/' || !path.endsWith('/')) && !path.includes('\0');

const isWithin = (path: string, directory: string): boolean => path === directory || path.startsWith(`${directory}/`);
