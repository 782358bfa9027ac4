import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { tryWriteCacheFile } from '../../cache-file.ts';
import { sha256Hex } from '../../manifest/digest.ts';
import type { ModuleMeta } from './channel.ts';
import { gateModule } from './gate/gate.ts';
import type { HostModule } from './host.ts';

/** Counts the versions of the gate; rewritten modules of another version are made anew. */
const GATE_VERSION = 2;
/** Rewritten modules kept in memory; the least recently called goes first. */
const MAX_MEMORY_BYTES = 64 * 1024 * 1024;

export interface ModuleSource {
  /** Absolute path of the plugin’s own module. */
  readonly file: string;
  /** Lowercase hex SHA-256 that the bytes must have. */
  readonly sha256: string;
  readonly memoryBytes: number;
}

export type LoadedModule =
  | { readonly ok: true; readonly module: HostModule }
  | { readonly ok: false; readonly problems: readonly string[] };

export interface ModuleCache {
  /** The gated and rewritten module; reads, verifies and gates the plugin’s bytes at most once per content. */
  load(source: ModuleSource): LoadedModule;
}

/** Rewritten modules by the digest of what they were made from, in memory and in `directory`. */
export function createModuleCache(directory: string): ModuleCache {
  const modules = new Map<string, HostModule>();
  let memoryBytes = 0;

  const remember = (name: string, module: HostModule): void => {
    modules.set(name, module);
    memoryBytes += module.bytes.length;
    for (const [oldest, { bytes }] of modules) {
      if (memoryBytes <= MAX_MEMORY_BYTES || oldest === name) break;
      modules.delete(oldest);
      memoryBytes -= bytes.length;
    }
  };

  return {
    load(source) {
      const name = `${source.sha256} ${source.memoryBytes}`;
      const known = modules.get(name);
      if (known) {
        modules.delete(name);
        modules.set(name, known);
        return { ok: true, module: known };
      }
      const key = sha256Hex(`${GATE_VERSION}\0${source.sha256}\0${source.memoryBytes}`);
      const file = join(directory, `${key}.wasm`);
      const stored = readStored(file, key);
      if (stored) {
        remember(name, stored);
        return { ok: true, module: stored };
      }
      const bytes = readFileSync(source.file);
      if (sha256Hex(bytes) !== source.sha256) {
        return { ok: false, problems: [`"${source.file}" changed since the plugin was loaded: reload it first`] };
      }
      const gated = gateModule(bytes, { memoryBytes: source.memoryBytes, importMemory: true });
      if (!gated.ok) return { ok: false, problems: gated.problems };
      const { entry, fuelExport, startExport, memory } = gated.module;
      const meta: ModuleMeta = {
        entry,
        fuelExport,
        ...(memory === undefined ? {} : { memory }),
        ...(startExport === undefined ? {} : { startExport }),
      };
      const module = { digest: key, meta, bytes: gated.module.bytes };
      remember(name, module);
      store(file, module);
      return { ok: true, module };
    },
  };
}

function readStored(file: string, key: string): HostModule | undefined {
  try {
    const stored = readFileSync(file);
    const end = stored.indexOf(10);
    const { sha256, meta } = JSON.parse(stored.toString('utf8', 0, end)) as { sha256: string; meta: ModuleMeta };
    const bytes = stored.subarray(end + 1);
    // A file cut short by a full disk or a crash must not become a module.
    if (sha256Hex(bytes) !== sha256) return undefined;
    return { digest: key, meta, bytes };
  } catch {
    return undefined;
  }
}

function store(file: string, module: HostModule): void {
  const head = JSON.stringify({ sha256: sha256Hex(module.bytes), meta: module.meta });
  tryWriteCacheFile(file, Buffer.concat([Buffer.from(`${head}\n`), module.bytes]));
}
