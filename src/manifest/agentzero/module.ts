import { posix } from 'node:path';

import { MAX_FILE_BYTES, sha256Hex } from '../digest.ts';
import type { Findings } from '../findings.ts';
import type { ManifestInput } from '../format.ts';
import { readPluginFile } from '../plugin-file.ts';
import { quote } from '../problem.ts';

const WASM_PATH = ['plugin', 'wasm_path'] as const;

/** The module of a plugin: relative to its directory, links resolved, with the SHA-256 (hex) of its bytes. */
export interface FoundModule {
  readonly path: string;
  readonly sha256: string;
}

/**
 * Finds a plugin's module as AgentZero does: `wasm_path` where that exists, else the first `.wasm` file beside the
 * manifest (agentzero.md §1). Upstream's first is the file system's; ours is the first by name, so that it is always the
 * same. `wasmPath` has been checked to stay in the directory as far as its text tells.
 */
export function findModule(input: ManifestInput, wasmPath: string | undefined, findings: Findings): FoundModule | undefined {
  if (wasmPath !== undefined) {
    const file = readPluginFile(input.directory, posix.normalize(wasmPath), MAX_FILE_BYTES);
    if (file.ok) return { path: file.path, sha256: sha256Hex(file.bytes) };
    if (file.why !== 'missing') {
      findings.problem(WASM_PATH, `is ${quote(wasmPath)}, which cannot be used: ${file.reason}`);
      return undefined;
    }
  }
  const modules = input.names.filter((name) => name.endsWith('.wasm'));
  const [first, ...others] = modules;
  if (first === undefined) {
    if (wasmPath === undefined) findings.problem([], 'names no module: wanted plugin.wasm_path, or a .wasm file beside the manifest');
    else
      findings.problem(
        WASM_PATH,
        `is ${quote(wasmPath)}, which does not exist: wanted the built module there, or a .wasm file beside the manifest`,
      );
    return undefined;
  }
  if (wasmPath !== undefined) findings.warn(WASM_PATH, `is ${quote(wasmPath)}, which does not exist: ${quote(first)} is used instead`);
  else if (others.length > 0) {
    findings.warn([], `names no module among ${modules.length} .wasm files: ${quote(first)} is used, wanted plugin.wasm_path to choose`);
  }
  const file = readPluginFile(input.directory, first, MAX_FILE_BYTES);
  if (file.ok) return { path: file.path, sha256: sha256Hex(file.bytes) };
  findings.problem([], `has the module ${quote(first)}, which cannot be used: ${file.reason}`);
  return undefined;
}
