import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { onTestFinished } from 'vitest';

import type { Output } from '../../src/commands/output.ts';
import { createHost, type Host, type HostOptions } from '../../src/host.ts';
import { createLog } from '../../src/log.ts';
import { DIST } from './built-cli.ts';

export const LOADERS = fileURLToPath(new URL('../../src/executors/script/loaders', import.meta.url));

/** The real composition in directories of its own below `base`, closed with the test. */
export function useScriptHost(base: string, over: Partial<HostOptions> = {}): Host {
  const root = join(base, 'root');
  mkdirSync(root, { recursive: true });
  const host = createHost({
    plugins: [],
    root,
    configFile: undefined,
    policyFile: undefined,
    environment: { PLUGBRIDGE_HOME: join(base, 'own'), PATH: process.env['PATH'] },
    workingDirectory: root,
    scriptLoaders: LOADERS,
    wasmHostScript: join(DIST, 'wasm-host.js'),
    log: createLog('silent'),
    ...over,
  });
  onTestFinished(() => host.close());
  return host;
}

/** What a verb says, kept. */
export function makeOutput(): Output & { text(): string } {
  const lines: string[] = [];
  return { isTerminal: false, write: (text) => void lines.push(text), note: () => {}, text: () => lines.join('\n') };
}
