import { join } from 'node:path';

import { createJournal, type Journal, type JournalOptions } from '../../src/audit/journal.ts';
import { createLog } from '../../src/log.ts';
import { useTmp } from './tmp.ts';

export { anIntent, anOutcome } from './journal-records.ts';

/** A directory for a journal, and what makes journals in it. */
export function useJournal(): { directory: string; open: (options?: Partial<JournalOptions>) => Journal } {
  const directory = join(useTmp(), 'audit');
  return {
    directory,
    open: (options = {}) => createJournal({ directory, clock: Date.now, sync: 'grouped', log: createLog('silent'), ...options }),
  };
}

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
