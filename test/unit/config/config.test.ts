import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, onTestFinished, test, vi } from 'vitest';

import { ConfigSchema, loadConfig } from '../../../src/config/config.ts';
import type { OwnPaths } from '../../../src/config/paths.ts';
import { HostError } from '../../../src/errors.ts';
import { useTmp } from '../../helpers/tmp.ts';

/** Our own directories in a temporary one; `text` becomes the user’s `config.toml`. */
function useOwn(text?: string): { own: OwnPaths; file: string; tmp: string } {
  vi.stubEnv('PLUGBRIDGE_CONFIG', undefined);
  onTestFinished(() => void vi.unstubAllEnvs());
  const tmp = useTmp();
  const own = { config: join(tmp, 'config'), data: join(tmp, 'data'), cache: join(tmp, 'cache'), state: join(tmp, 'state') };
  mkdirSync(own.config);
  const file = join(own.config, 'config.toml');
  if (text !== undefined) writeFileSync(file, text);
  return { own, file, tmp };
}

const errorOf = (work: () => unknown): HostError => {
  try {
    work();
  } catch (error) {
    if (error instanceof HostError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
};

describe('loadConfig()', () => {
  test('gives the defaults where there is no file', () => {
    const { own } = useOwn();
    expect(loadConfig(own, undefined)).toEqual({ config: ConfigSchema.parse({}), file: undefined });
    expect(ConfigSchema.parse({})).toEqual({
      plugins: [],
      progressive: false,
      limits: { calls: 64, queue: 1_000, text_bytes: 40_000 },
      scripts: {
        prestarted: 4,
        prestarted_memory_mb: 256,
        prestarted_idle_seconds: 300,
        data_mb: 256,
        unisolated: [],
        interpreters: {},
      },
      dependencies: {},
      audit: { sync: 'grouped', sync_interval_ms: 100 },
      artifacts: { quota_mb: 512, expiry_days: 7 },
      http: { session_idle_minutes: 30, max_sessions: 100, allowed_hosts: [] },
    });
  });

  test('reads the user’s file, paths relative to it, the rest by default', () => {
    const { own, file, tmp } = useOwn('plugins = ["mine", "/abs", "../up"]\n[limits]\ntimeout_ms = 5000\n');
    const loaded = loadConfig(own, undefined);
    expect(loaded.file).toBe(file);
    expect(loaded.config.plugins).toEqual([join(own.config, 'mine'), '/abs', join(tmp, 'up')]);
    expect(loaded.config.limits).toEqual({ timeout_ms: 5_000, calls: 64, queue: 1_000, text_bytes: 40_000 });
  });

  test.for([
    ['root = "work"', 'config/work'],
    ['root = "../up"', 'up'],
    ['root = "."', 'config'],
  ] as const)('takes the root relative to the file: %s', ([text, wanted]) => {
    const { own, tmp } = useOwn(text);
    expect(loadConfig(own, undefined).config.root).toBe(join(tmp, wanted));
  });

  test('takes an absolute root as it is', () => {
    expect(loadConfig(useOwn('root = "/abs"').own, undefined).config.root).toBe('/abs');
  });

  test('takes host names and addresses for allowed_hosts', () => {
    const { own } = useOwn('[http]\nallowed_hosts = ["plugins.example.com", "10.0.0.1", "[fd00::1]", "box"]');
    expect(loadConfig(own, undefined).config.http.allowed_hosts).toEqual(['plugins.example.com', '10.0.0.1', '[fd00::1]', 'box']);
  });

  test.for(['', '*', 'a.example:80', 'http://a.example', 'a/b', '-a', 'a b', 'fd00::1'])('refuses the allowed host "%s"', (host) => {
    const { own, file } = useOwn(`[http]\nallowed_hosts = ["${host}"]`);
    expect(errorOf(() => loadConfig(own, undefined)).message).toBe(
      `Cannot use the configuration "${file}": "http.allowed_hosts.0": wanted is a host name or an address, without scheme and port`,
    );
  });

  test('prefers --config to PLUGBRIDGE_CONFIG to the user’s file', () => {
    const { own, tmp } = useOwn('progressive = true');
    const flag = join(tmp, 'flag.toml');
    const variable = join(tmp, 'variable.toml');
    writeFileSync(flag, '[limits]\ncalls = 1');
    writeFileSync(variable, '[limits]\ncalls = 2');
    vi.stubEnv('PLUGBRIDGE_CONFIG', variable);
    expect(loadConfig(own, flag).config.limits.calls).toBe(1);
    expect(loadConfig(own, undefined)).toMatchObject({ file: variable, config: { progressive: false, limits: { calls: 2 } } });
    vi.stubEnv('PLUGBRIDGE_CONFIG', '');
    expect(loadConfig(own, undefined).config.progressive).toBe(true);
  });

  test.for([
    ['limts = 1', 'Unrecognized key: "limts"'],
    ['[limits]\ntimeout = 1', '"limits": Unrecognized key: "timeout"'],
    ['[limits]\ncalls = "many"', '"limits.calls": Invalid input: expected number, received string'],
    ['[limits]\ncalls = 0', '"limits.calls": Too small: expected number to be >=1'],
    ['[limits]\ncalls = 10001', '"limits.calls": Too big: expected number to be <=10000'],
    ['[limits]\ncalls = 1.5', '"limits.calls": Invalid input: expected int, received number'],
    ['[limits]\ncalls = 9007199254740993', '"limits.calls": Invalid input: expected number, received bigint'],
    ['[audit]\nsync = "never"', '"audit.sync": Invalid option: expected one of "grouped"|"each"'],
    ['root = ""', '"root": Too small: expected string to have >=1 characters'],
    ['plugins = "one"', '"plugins": Invalid input: expected array, received string'],
    ['plugins = [1]', '"plugins.0": Invalid input: expected string, received number'],
  ] as const)('refuses %o', ([text, reason]) => {
    const { own, file } = useOwn(text);
    const error = errorOf(() => loadConfig(own, undefined));
    expect(error).toMatchObject({
      code: 'CONFIG_INVALID',
      fault: 'operator',
      message: `Cannot use the configuration "${file}": ${reason}`,
    });
  });

  test('refuses what is not TOML, in one line', () => {
    const { own, file } = useOwn('plugins = [');
    const { message } = errorOf(() => loadConfig(own, undefined));
    expect(message).toMatch(`Cannot use the configuration "${file}": `);
    expect(message).not.toContain('\n');
  });

  test.for(['flag', 'variable'])('refuses a file that was named and is not there: %s', (by) => {
    const { own, tmp } = useOwn();
    const missing = join(tmp, 'missing.toml');
    if (by === 'variable') vi.stubEnv('PLUGBRIDGE_CONFIG', missing);
    expect(errorOf(() => loadConfig(own, by === 'flag' ? missing : undefined)).message).toMatch(
      `Cannot use the configuration "${missing}": ENOENT`,
    );
  });

  test('refuses a directory in place of the user’s file', () => {
    const { own, file } = useOwn();
    mkdirSync(file);
    expect(errorOf(() => loadConfig(own, undefined)).code).toBe('CONFIG_INVALID');
  });
});
