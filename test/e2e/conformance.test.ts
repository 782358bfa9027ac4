import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, onTestFinished, test } from 'vitest';

import { startHttp, usePlace } from '../helpers/built-cli.ts';
import { PROGRAMS, runTool, useNewerNode } from './newer-node.ts';
import { addWorkbench } from './workbench.ts';

const found = useNewerNode('the MCP conformance suite');
const node = found ?? '';

interface Check {
  readonly id: string;
  readonly status: string;
  readonly errorMessage?: string;
}

/** Scenarios in the baseline of which only the named checks may fail; the rest of their checks must pass. */
const PARTLY: Readonly<Record<string, Readonly<Record<string, (check: Check) => boolean>>>> = {
  '2025-11-25': {},
  '2026-07-28': {
    'server-stateless': ({ errorMessage = '' }) => errorMessage.startsWith('Not testable: server does not list the diagnostic tool'),
    caching: ({ id }) => id === 'sep-2549-prompts-list-caching-hints',
  },
};

describe.skipIf(found === undefined)('the MCP conformance suite', { timeout: 120_000 }, () => {
  test.for(['2025-11-25', '2026-07-28'])('requirements of %s: fails only what no plugin can express', async (revision) => {
    const place = usePlace('vault', 'wikipedia');
    await addWorkbench(place.plugins);
    // The suite sends no token.
    const http = await startHttp(place, '--no-auth');
    onTestFinished(() => http.stop());
    const results = join(place.base, 'results');
    const baseline = join(import.meta.dirname, 'conformance', `${revision}.yml`);
    const options = ['--url', http.url, '--requirements', revision, '--expected-failures', baseline, '-o', results];
    const ran = await runTool(node, place, [PROGRAMS.conformance, 'server', ...options]);
    expect(ran.exit, `${ran.stdout.slice(ran.stdout.indexOf('=== SUMMARY'))}\n${ran.stderr}`).toBe(0);
    expect(ran.stdout).toMatch(/Total: (?!0 )\d+ passed/);

    for (const [scenario, mayFail] of Object.entries(PARTLY[revision] ?? {})) {
      const directory = readdirSync(results).find((name) => name.startsWith(`server-${scenario}-2`)) ?? 'missing';
      const checks = JSON.parse(readFileSync(join(results, directory, 'checks.json'), 'utf8')) as Check[];
      expect(checks.filter((check) => check.status === 'FAILURE' && !mayFail(check))).toEqual([]);
      expect(checks.filter((check) => check.status === 'SUCCESS').length).toBeGreaterThan(5);
    }
  });
});
