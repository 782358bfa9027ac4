import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';

import toml from '@iarna/toml';
import { z } from 'zod';

import { HostError, reasonOf } from '../errors.ts';
import type { OwnPaths } from './paths.ts';

/** As it stands in a `Host` header but for the port: IPv6 addresses in brackets. */
const HOST_NAME = /^(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])$/i;
const isHostName = (text: string): boolean => HOST_NAME.test(text) && URL.canParse(`http://${text}`);

const InterpreterSchema = z.string().refine(isAbsolute, 'wanted is an absolute path').optional();

/** The user’s `config.toml`. Every key has a default; an unknown key is an error, for a typo must not loosen a limit. */
export const ConfigSchema = z.strictObject({
  plugins: z.array(z.string()).default([]).describe('plugin directories, relative to this file; what is named here is trusted'),
  root: z
    .string()
    .min(1)
    .optional()
    .describe('the directory that file access is anchored to, when --root and the client name none; relative to this file'),
  progressive: z.boolean().default(false).describe('put plugins with keywords behind plugbridge_search and plugbridge_call'),
  limits: z
    .strictObject({
      timeout_ms: z.int().min(1).max(3_600_000).optional().describe('deadline of every call, over each plugin’s own'),
      memory_mb: z.int().min(1).max(4096).optional().describe('memory cap of every call, over each plugin’s own'),
      calls: z.int().min(1).max(10_000).default(64).describe('calls that run at a time, over all plugins'),
      queue: z
        .int()
        .min(0)
        .max(100_000)
        .default(1_000)
        .describe('calls that may wait, at most half of them of one plugin; one more is refused'),
      text_bytes: z.int().min(1_000).max(1_048_576).default(40_000).describe('characters of text in a result; more is kept as an artifact'),
    })
    .prefault({}),
  scripts: z
    .strictObject({
      prestarted: z
        .int()
        .min(0)
        .max(64)
        .default(4)
        .describe('interpreters that wait for the next call, over all plugins; 0 starts none ahead'),
      prestarted_memory_mb: z.int().min(1).max(65_536).default(256).describe('MiB that waiting interpreters may take together'),
      prestarted_idle_seconds: z.int().min(1).max(86_400).default(300).describe('seconds until an interpreter that nobody called is ended'),
      data_mb: z.int().min(1).max(1_048_576).default(256).describe('MiB that a plugin may keep in its data directory'),
      unisolated: z
        .array(z.string())
        .max(100)
        .default([])
        .describe('names of plugins that may run where nothing can isolate them; every result and audit record says so'),
      interpreters: z
        .strictObject({
          python: InterpreterSchema.describe('absolute path of the Python that scripts run with, in place of the system’s'),
          node: InterpreterSchema.describe('the same for Node.js'),
          bash: InterpreterSchema.describe('the same for Bash'),
          ruby: InterpreterSchema.describe('the same for Ruby'),
        })
        .prefault({}),
    })
    .prefault({}),
  dependencies: z
    .strictObject({
      npm_registry: z.url().optional().describe('where npm packages come from, in place of the public registry'),
      python_index: z.url().optional().describe('where Python packages come from: a simple index'),
      gem_source: z.url().optional().describe('where Ruby gems come from'),
    })
    .prefault({}),
  audit: z
    .strictObject({
      sync: z.enum(['grouped', 'each']).default('grouped').describe('sync records to the disk in groups or one by one'),
      sync_interval_ms: z.int().min(1).max(60_000).default(100).describe('how long a group may wait for the disk'),
    })
    .prefault({}),
  artifacts: z
    .strictObject({
      quota_mb: z.int().min(1).max(1_048_576).default(512).describe('MiB of all artifacts together'),
      expiry_days: z.int().min(1).max(3_650).default(7).describe('days until an artifact is removed'),
    })
    .prefault({}),
  http: z
    .strictObject({
      session_idle_minutes: z.int().min(1).max(1_440).default(30).describe('minutes until an HTTP session without requests is closed'),
      max_sessions: z.int().min(1).max(10_000).default(100).describe('HTTP sessions at a time'),
      allowed_hosts: z
        .array(z.string().refine(isHostName, 'wanted is a host name or an address, without scheme and port'))
        .max(100)
        .default([])
        .describe('host names by which clients may reach the server, beside the address itself'),
    })
    .prefault({}),
});
export type Config = z.infer<typeof ConfigSchema>;

/** The file that was read, undefined when there is none and the defaults hold. */
export interface LoadedConfig {
  readonly config: Config;
  readonly file: string | undefined;
}

/**
 * Reads `--config FILE`, else `PLUGBRIDGE_CONFIG`, else `config.toml` in the configuration directory if it exists.
 * Throws CONFIG_INVALID with file, key and what is wanted.
 */
export function loadConfig(own: OwnPaths, flag: string | undefined): LoadedConfig {
  const named = flag ?? process.env['PLUGBRIDGE_CONFIG'];
  const file = named ? resolve(named) : join(own.config, 'config.toml');
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (!named && (error as NodeJS.ErrnoException).code === 'ENOENT') return { config: ConfigSchema.parse({}), file: undefined };
    throw new HostError('CONFIG_INVALID', { file, reason: reasonOf(error) }, { cause: error });
  }
  let values: unknown;
  try {
    values = toml.parse(text);
  } catch (error) {
    throw new HostError('CONFIG_INVALID', { file, reason: reasonOf(error).split('\n')[0] ?? '' }, { cause: error });
  }
  const parsed = ConfigSchema.safeParse(values);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const key = issue?.path.join('.') ?? '';
    throw new HostError('CONFIG_INVALID', { file, reason: `${key === '' ? '' : `"${key}": `}${issue?.message ?? 'invalid'}` });
  }
  const beside = (path: string): string => resolve(dirname(file), path);
  const { plugins, root, ...rest } = parsed.data;
  return { config: { ...rest, plugins: plugins.map(beside), ...(root === undefined ? {} : { root: beside(root) }) }, file };
}
