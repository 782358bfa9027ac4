import { cpSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { expect, test } from 'vitest';

import { queryJournal } from '../../../src/audit/query.ts';
import { verifyJournal } from '../../../src/audit/verify.ts';
import { anOutcome, collect, useJournal } from '../../helpers/journal.ts';

/** Written before outcomes said `exit` and `unenforced`. */
const OLD = fileURLToPath(new URL('../../fixtures/audit/version-0.1.0', import.meta.url));

function useOldJournal() {
  const { directory, open } = useJournal();
  cpSync(OLD, directory, { recursive: true });
  return { directory, open };
}

test('verifyJournal() and queryJournal() read a journal of version 0.1.0', async () => {
  const { directory } = useOldJournal();
  expect(await verifyJournal({ directory })).toMatchObject({ ok: true, problems: [], records: 4, unfinished: [] });
  const [outcome] = await collect(queryJournal({ directory, filter: { outcome: 'ok' } }));
  expect(outcome).toMatchObject({ kind: 'outcome', callId: 'one', tier: 'bwrap+seccomp', fuel: 42 });
  expect(outcome).not.toHaveProperty('unenforced');
});

test('a journal goes on after such records with the new fields', async () => {
  const { directory, open } = useOldJournal();
  const journal = open();
  journal.outcome(anOutcome('two', { exit: 'killed: timeoutMs', unenforced: ['memory'] }));
  journal.close();
  expect(await verifyJournal({ directory })).toMatchObject({ ok: true, problems: [], chains: 2 });
  const outcomes = await collect(queryJournal({ directory, filter: { kinds: ['outcome'] } }));
  expect(outcomes).toMatchObject([{ callId: 'one' }, { callId: 'two', exit: 'killed: timeoutMs', unenforced: ['memory'] }]);
});
