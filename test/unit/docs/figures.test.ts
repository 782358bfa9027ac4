import { expect, test } from 'vitest';

import { MAX_LINE_BYTES } from '../../../src/audit/line.ts';
import { IntentRecordSchema, OutcomeRecordSchema } from '../../../src/audit/record.ts';
import { ConfigSchema } from '../../../src/config/config.ts';
import { IMAGE_LIMITS } from '../../../src/dispatch/keep-files.ts';
import { TIERS } from '../../../src/executors/executor.ts';
import { DEFAULT_EGRESS_LIMITS } from '../../../src/executors/egress/egress.ts';
import { DEFAULT_FILE_LIMITS } from '../../../src/executors/files/files.ts';
import { DEFAULT_COMMAND_LIMITS } from '../../../src/executors/sandbox/run-command.ts';
import { GATE_LIMITS } from '../../../src/executors/wasm/gate/gate-limits.ts';
import { DEFAULT_LIMITS } from '../../../src/manifest/plugin.ts';
import { HTTP_DEFAULTS } from '../../../src/server/http.ts';
import { SERVER_LIMITS } from '../../../src/server/limits.ts';
import { readPage } from '../../helpers/console-examples.ts';
import { readCodes, readTableBelow } from '../../helpers/markdown-table.ts';

const count = (value: number): string => value.toLocaleString('en-US');
const MEBI = 1024 * 1024;
const config = ConfigSchema.parse({});

/** Sentences that hold a figure of the source, as the pages write them. */
const SENTENCES: readonly (readonly [page: string, sentence: string])[] = [
  ['docs/sandbox.md', `At most ${GATE_LIMITS.moduleBytes / MEBI} MiB.`],
  ['docs/sandbox.md', `| time | ${DEFAULT_LIMITS.timeoutMs / 1000} s |`],
  ['docs/sandbox.md', `| memory | ${DEFAULT_LIMITS.memoryBytes / MEBI} MiB |`],
  ['docs/sandbox.md', `| answer | ${DEFAULT_LIMITS.outputBytes / MEBI} MiB; the client sees ${count(config.limits.text_bytes)} characters`],
  ['docs/sandbox.md', `| calls of one plugin at a time | ${DEFAULT_LIMITS.concurrency} |`],
  ['docs/sandbox.md', `| functions of the host | ${count(DEFAULT_LIMITS.hostCalls)} |`],
  ['docs/sandbox.md', `| log | ${DEFAULT_LIMITS.logBytes / 1024} KiB |`],
  [
    'docs/sandbox.md',
    `at most ${DEFAULT_FILE_LIMITS.maxReadBytes / MEBI} MiB, one that is written ${DEFAULT_FILE_LIMITS.maxFileBytes / MEBI} MiB. One call writes at most ${DEFAULT_FILE_LIMITS.maxTotalWriteBytes / MEBI} MiB. A directory that is listed has at most ${count(DEFAULT_FILE_LIMITS.maxEntries)} entries`,
  ],
  [
    'docs/sandbox.md',
    `At most ${DEFAULT_EGRESS_LIMITS.maxResponseBytes / MEBI} MiB of response, ${DEFAULT_EGRESS_LIMITS.maxRequestBytes / MEBI} MiB of request, ${DEFAULT_EGRESS_LIMITS.maxRedirects} redirects, ${DEFAULT_EGRESS_LIMITS.connectTimeoutMs / 1000} s to connect, ${DEFAULT_EGRESS_LIMITS.totalTimeoutMs / 1000} s in all`,
  ],
  [
    'docs/sandbox.md',
    `A command has ${DEFAULT_COMMAND_LIMITS.timeoutMs / 1000} s, ${DEFAULT_COMMAND_LIMITS.outputBytes / MEBI} MiB each of stdout and stderr, ${DEFAULT_COMMAND_LIMITS.processes} processes and, with control groups, ${DEFAULT_COMMAND_LIMITS.memoryBytes / MEBI} MiB of memory`,
  ],
  ['docs/sandbox.md', `at most ${DEFAULT_COMMAND_LIMITS.addressSpaceBytes / MEBI / 1024} GiB of address space`],
  ['docs/errors.md', `a call may use ${count(DEFAULT_LIMITS.hostCalls)} host functions`],
  ['docs/life-of-a-call.md', `Text of more than ${count(config.limits.text_bytes)} characters is cut`],
  [
    'docs/life-of-a-call.md',
    `up to ${count(IMAGE_LIMITS.bytes)} bytes are shown as images too, at most ${IMAGE_LIMITS.count} and ${count(IMAGE_LIMITS.totalBytes)} bytes of them, when they really are such images, whole and not wider or higher than ${count(IMAGE_LIMITS.sidePixels)} pixels`,
  ],
  ['docs/audit.md', `at most ${MAX_LINE_BYTES / 1024} KiB, mode 0600`],
  ['docs/audit.md', `every ${config.audit.sync_interval_ms} ms`],
  ['docs/http.md', `| a message | ${SERVER_LIMITS.messageBytes / MEBI} MiB |`],
  ['docs/http.md', `| sessions at a time | ${config.http.max_sessions},`],
  ['docs/http.md', `| an idle session | ${config.http.session_idle_minutes} minutes,`],
  ['docs/http.md', `| connections | ${HTTP_DEFAULTS.maxConnections} |`],
  ['docs/http.md', `| headers of a request | within ${HTTP_DEFAULTS.headersTimeoutMs / 1000} s |`],
  ['docs/http.md', `| a whole request | within ${HTTP_DEFAULTS.requestTimeoutMs / 1000} s;`],
  ['docs/http.md', `| calls when the server is stopped | ${HTTP_DEFAULTS.graceMs / 1000} s to finish |`],
];

test.for(SENTENCES)('%s says: %s', ([page, sentence]) => {
  expect(readPage(page)).toContain(sentence);
});

test('docs/sandbox.md lists every tier, strongest first', () => {
  const rows = readTableBelow(readPage('docs/sandbox.md'), '# The sandbox').filter((row) => row.length === 2);
  expect(rows.slice(0, TIERS.length).map(([tier = '']) => readCodes(tier)[0])).toEqual([...TIERS]);
});

test('docs/audit.md lists every field of an intent and of an outcome, and no other', () => {
  const told = new Set(readTableBelow(readPage('docs/audit.md'), '## Format').flatMap(([cell = '']) => readCodes(cell)));
  const wanted = new Set([...Object.keys(IntentRecordSchema.shape), ...Object.keys(OutcomeRecordSchema.shape)]);
  expect([...told].toSorted()).toEqual([...wanted].toSorted());
});
