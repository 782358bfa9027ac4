import { onTestFinished } from 'vitest';

import type { CapabilityUse, Permit } from '../../src/executors/executor.ts';
import { createFileAccess, DEFAULT_FILE_LIMITS, type FileAccess, type FileAccessOptions } from '../../src/executors/files/files.ts';

export interface OpenedFiles extends FileAccess {
  /** Every use that was asked about, as `kind:path`. */
  readonly asked: string[];
}

/** File access that is closed when the test ends and writes down what it asks for. Permits everything unless told otherwise. */
export function openFiles(root: string, options: Partial<Omit<FileAccessOptions, 'root'>> = {}): OpenedFiles {
  const asked: string[] = [];
  const permit = (use: CapabilityUse): Permit => {
    if (use.kind === 'read:fs' || use.kind === 'write:fs') asked.push(`${use.kind}:${use.path}`);
    return options.permit?.(use) ?? { allowed: true };
  };
  const files = createFileAccess({ limits: DEFAULT_FILE_LIMITS, ...options, root, permit });
  onTestFinished(() => files.close());
  return { ...files, asked };
}

/** Refuses every path that has one of the names as a segment. */
export const refuseNames =
  (...names: string[]) =>
  (use: CapabilityUse): Permit => {
    const hit = 'path' in use && use.path.split('/').some((segment) => names.includes(segment));
    return hit
      ? { allowed: false, capability: `${use.kind}:${use.path}`, by: 'policy', reason: 'it is a sensitive name' }
      : { allowed: true };
  };
