import { realpathSync } from 'node:fs';
import { dirname } from 'node:path';

import type { SandboxDescription } from '../sandbox/sandbox.ts';

const INSIDE = '/plugbridge';
const MIB = 1024 * 1024;

/**
 * V8’s own locks behind those of the gate (sandbox.md §A), and a small footprint for a process that only waits:
 * `--single-threaded-gc` and one pool thread, because several of them share the cores with everything else.
 */
const NODE_FLAGS = ['--wasm-max-mem-pages=8192', '--wasm-max-table-size=65536', '--max-old-space-size=256', '--v8-pool-size=1'];

/** What a WASM host process may see: Node.js and its own script, nothing of the plugin, no network. */
export function describeHostProcess(hostScript: string): SandboxDescription {
  const node = realpathSync(process.execPath);
  const isSystemNode = node.startsWith('/usr/');
  const insideNode = isSystemNode ? node : `${INSIDE}/bin/node`;
  return {
    command: [insideNode, ...NODE_FLAGS, `${INSIDE}/wasm-host.js`],
    mounts: [
      { source: hostScript, target: `${INSIDE}/wasm-host.js`, access: 'read' },
      ...(isSystemNode ? [] : [{ source: node, target: insideNode, access: 'read' as const }]),
    ],
    workingDirectory: isSystemNode ? '/' : dirname(insideNode),
    environment: {},
    limits: { memoryBytes: 1024 * MIB, processes: 64, fileBytes: MIB, descriptors: 64, scratchBytes: MIB },
  };
}
