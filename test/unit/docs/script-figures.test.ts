import { availableParallelism } from 'node:os';

import { expect, test } from 'vitest';

import { ConfigSchema } from '../../../src/config/config.ts';
import { DEFAULT_EGRESS_PROXY_LIMITS } from '../../../src/executors/egress/proxy.ts';
import type { Execution } from '../../../src/executors/executor.ts';
import { DEFAULT_INSTALL_LIMITS } from '../../../src/executors/script/dependencies/describe-install.ts';
import { describeProcess } from '../../../src/executors/script/describe-process.ts';
import { LANGUAGE_TABLE } from '../../../src/executors/script/languages/languages.ts';
import { MAX_DATA_ENTRIES } from '../../../src/executors/script/prepare.ts';
import { TREE_LIMITS } from '../../../src/manifest/file-tree.ts';
import { SCRIPT_LIMITS, type Limits, type ScriptRuntime } from '../../../src/manifest/plugin.ts';
import { readPage } from '../../helpers/console-examples.ts';

const count = (value: number): string => value.toLocaleString('en-US');
const MEBI = 1024 * 1024;
const { scripts } = ConfigSchema.parse({});

/** The sandbox of a script that is granted nothing. */
function describeScript(limits: Partial<Limits> = {}) {
  const execution: Execution<ScriptRuntime> = {
    callId: 'call',
    plugin: { id: 'p', system: 's', name: 'p', version: '1', digest: 'sha256:0', directory: '/p', files: {} },
    runtime: { kind: 'script', language: 'bash', main: 'main.sh', input: 'stdin', variables: {}, dependencies: [] },
    command: 'run',
    arguments: {},
    paths: { root: '/root', plugin: '/p', data: '/data' },
    permissions: [],
    environment: {},
    limits: { ...SCRIPT_LIMITS, ...limits },
  };
  const parts = { program: '/usr/bin/bash', mainFile: '/p/main.sh', granted: [], mounts: [], loadersDirectory: '/loaders' };
  const { limits: sandbox, runDirectory } = describeProcess(execution, parts);
  const of = (name: keyof typeof sandbox): number => sandbox[name] ?? Number.NaN;
  return { of, runBytes: runDirectory?.maxBytes ?? Number.NaN };
}

const { of, runBytes } = describeScript({ memoryBytes: 4_096 * MEBI });
const headroom = (language: keyof typeof LANGUAGE_TABLE): string => count(LANGUAGE_TABLE[language].dataHeadroomBytes / MEBI);

/** Sentences that hold a figure of the source, as the pages write them. */
const SENTENCES: readonly (readonly [page: string, sentence: string])[] = [
  ['docs/sandbox.md', `half of the plugin’s memory and at most ${runBytes / MEBI} MiB;`],
  ['docs/sandbox.md', `| empty, in memory, ${of('scratchBytes') / MEBI} MiB each |`],
  ['docs/sandbox.md', `\`scripts.data_mb\` (${scripts.data_mb} MiB), ${count(MAX_DATA_ENTRIES)} files and folders`],
  ['docs/sandbox.md', `| time | ${SCRIPT_LIMITS.timeoutMs / 1000} s | \`timeout\` in the manifest`],
  ['docs/sandbox.md', `| memory of all processes, with control groups | ${SCRIPT_LIMITS.memoryBytes / MEBI} MiB |`],
  [
    'docs/sandbox.md',
    `${headroom('bash')} MiB more for Bash, ${headroom('python')} MiB for Python and Ruby, ${headroom('node')} MiB for Node.js`,
  ],
  ['docs/sandbox.md', `| processes and threads | ${of('processes')} |`],
  ['docs/sandbox.md', `| a file | ${of('fileBytes') / MEBI} MiB |`],
  ['docs/sandbox.md', `| open files of a process | ${of('descriptors')} |`],
  [
    'docs/sandbox.md',
    `| stdout; stderr | ${SCRIPT_LIMITS.outputBytes / MEBI} MiB each, then it is killed; ${SCRIPT_LIMITS.logBytes / 1024} KiB of stderr`,
  ],
  ['docs/sandbox.md', `| calls of one plugin at a time | ${SCRIPT_LIMITS.concurrency} | \`concurrency\` in the manifest`],
  [
    'docs/sandbox.md',
    `At most ${DEFAULT_EGRESS_PROXY_LIMITS.connections} connections at a time, ${DEFAULT_EGRESS_PROXY_LIMITS.requestBytes / MEBI} MiB of a plain request, ${DEFAULT_EGRESS_PROXY_LIMITS.totalBytes / MEBI} MiB in both directions together, ${DEFAULT_EGRESS_PROXY_LIMITS.connectTimeoutMs / 1000} s to connect, ${DEFAULT_EGRESS_PROXY_LIMITS.idleTimeoutMs / 1000} s without a byte`,
  ],
  [
    'docs/sandbox.md',
    `at most \`scripts.prestarted\` (${scripts.prestarted}) over all plugins, with \`scripts.prestarted_memory_mb\` (${scripts.prestarted_memory_mb}) together, for \`scripts.prestarted_idle_seconds\` (${scripts.prestarted_idle_seconds})`,
  ],
  ['docs/plugins-kaizen.md', `Stderr goes to the log, ${SCRIPT_LIMITS.logBytes / 1024} KiB of it`],
  [
    'docs/plugins-kaizen.md',
    `At most ${DEFAULT_INSTALL_LIMITS.maxBytes / MEBI} MiB, ${count(DEFAULT_INSTALL_LIMITS.maxEntries)} files and folders, and ${DEFAULT_INSTALL_LIMITS.timeoutMs / 60_000} minutes`,
  ],
  [
    'docs/plugins-kaizen.md',
    `At most ${count(TREE_LIMITS.maxFiles)} files and ${TREE_LIMITS.maxBytes / MEBI} MiB, ${TREE_LIMITS.maxDepth} directories deep`,
  ],
];

test.for(SENTENCES)('%s says: %s', ([page, sentence]) => {
  expect(readPage(page)).toContain(sentence);
});

test('docs/sandbox.md says how the limits of scripts follow from those of a plugin', () => {
  expect(describeScript({ memoryBytes: 100 * MEBI }).runBytes).toBe(50 * MEBI);
  expect(describeScript({ timeoutMs: 7_000 }).of('cpuSeconds')).toBe(7 * availableParallelism() + 1);
  expect(describeScript({ memoryBytes: 100 * MEBI }).of('dataBytes')).toBe(100 * MEBI + LANGUAGE_TABLE.bash.dataHeadroomBytes);
  expect(LANGUAGE_TABLE.ruby.dataHeadroomBytes).toBe(LANGUAGE_TABLE.python.dataHeadroomBytes);
  expect(LANGUAGE_TABLE.typescript.dataHeadroomBytes).toBe(LANGUAGE_TABLE.node.dataHeadroomBytes);
});
