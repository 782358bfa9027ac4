import { join } from 'node:path';

import { expect, onTestFinished, test, vi } from 'vitest';

import { createJournal } from '../../../src/audit/journal.ts';
import { runAudit } from '../../../src/commands/audit.ts';
import { createLog } from '../../../src/log.ts';
import { anOutcome } from '../../helpers/journal-records.ts';
import { useTmp } from '../../helpers/tmp.ts';
import { findOwnPaths } from '../../../src/config/paths.ts';

test('plugbridge audit shows how a process ended and what its sandbox could not enforce', async () => {
  vi.stubEnv('PLUGBRIDGE_HOME', useTmp());
  onTestFinished(() => void vi.unstubAllEnvs());
  const journal = createJournal({
    directory: join(findOwnPaths(process.env).state, 'audit'),
    clock: () => 0,
    sync: 'grouped',
    log: createLog('silent'),
  });
  journal.outcome(anOutcome('plain'));
  journal.outcome(
    anOutcome('loop', {
      outcome: 'timed-out',
      error: 'EXECUTION_TIMED_OUT',
      exit: 'killed: timeoutMs',
      unenforced: ['memory', 'cpu'],
      refusals: [{ capability: 'net:x:1', by: 'policy', reason: 'no' }],
    }),
  );
  journal.close();
  const lines: string[] = [];
  const output = { write: (text: string) => void lines.push(text), note: () => undefined, isTerminal: false };
  expect(await runAudit('query', { follow: false, json: false, output })).toBe(0);
  expect(lines.filter((line) => line.includes(' outcome ')).map((line) => line.replace(/^\S+ /, ''))).toEqual([
    'outcome vault capture ok 1.5 ms bwrap',
    'outcome vault capture timed-out EXECUTION_TIMED_OUT (killed: timeoutMs) 1.5 ms bwrap without memory, cpu refused net:x:1',
  ]);
});
