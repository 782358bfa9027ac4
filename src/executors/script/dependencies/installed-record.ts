import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { z } from 'zod';

import { readPluginFile } from '../../../manifest/plugin-file.ts';
import { MAX_PACKAGES } from './dependency-plan.ts';

/** Beside the packages, so that they and what is known of them come and go together. */
const RECORD_FILE = '.installed.json';
const MAX_RECORD_BYTES = 8 * 1024 * 1024;

/** What an installation did. It holds no time, so that the same packages make the same digest of the plugin. */
const InstalledRecordSchema = z.strictObject({
  version: z.literal(1),
  source: z.string(),
  registry: z.string(),
  scripts: z.boolean().describe('whether code of the packages ran while they were installed'),
  wanted: z.array(z.string()).max(MAX_PACKAGES).describe('what was asked for, as the source spells it'),
  packages: z.array(z.strictObject({ name: z.string(), version: z.string() })),
});
export type InstalledRecord = z.infer<typeof InstalledRecordSchema>;

export const writeRecord = (target: string, record: InstalledRecord): void =>
  writeFileSync(join(target, RECORD_FILE), JSON.stringify(record), { flag: 'wx' });

/** The record of what lies in a plugin’s dependency directory; undefined where there is none that we wrote. */
export function tryReadRecord(directory: string, dependencyDirectory: string): InstalledRecord | undefined {
  const read = readPluginFile(directory, join(dependencyDirectory, RECORD_FILE), MAX_RECORD_BYTES);
  if (!read.ok) return undefined;
  try {
    return InstalledRecordSchema.parse(JSON.parse(Buffer.from(read.bytes).toString('utf8')));
  } catch {
    return undefined;
  }
}
