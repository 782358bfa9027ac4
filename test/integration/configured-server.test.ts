import { mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';

import { describe, expect, onTestFinished, test } from 'vitest';

import { createHost } from '../../src/host.ts';
import { createLog } from '../../src/log.ts';
import { startHttp, usePlace } from '../helpers/built-cli.ts';
import { useTmp } from '../helpers/tmp.ts';

describe('createHost()', () => {
  test.for([
    ['the configured root, relative to the file', {}, 'config/work'],
    ['CLAUDE_PROJECT_DIR before it', { environment: 'project' }, 'project'],
    ['--root before both', { environment: 'project', flag: 'other' }, 'other'],
  ] as const)('takes %s', ([, { environment, flag }, wanted]: readonly [string, { environment?: string; flag?: string }, string]) => {
    const base = useTmp();
    for (const name of ['config/work', 'project', 'other', 'here']) mkdirSync(join(base, name), { recursive: true });
    const configFile = join(base, 'config/config.toml');
    writeFileSync(configFile, 'root = "work"');
    const host = createHost({
      plugins: [],
      root: flag === undefined ? undefined : join(base, flag),
      configFile,
      policyFile: undefined,
      environment: {
        PLUGBRIDGE_HOME: join(base, 'own'),
        ...(environment === undefined ? {} : { CLAUDE_PROJECT_DIR: join(base, environment) }),
      },
      workingDirectory: join(base, 'here'),
      log: createLog('silent'),
    });
    onTestFinished(() => host.close());
    expect(host.root).toEqual({ path: join(base, wanted), isOwn: false });
  });
});

/** Status of a request under another name than the address, as a proxy sends it. */
const statusAs = (url: string, host: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const asked = request(new URL('/healthz', url), { headers: { Host: host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.on('error', reject).end();
  });

describe('plugbridge serve --http', () => {
  test('answers under the names of http.allowed_hosts, and under no other', async () => {
    const place = usePlace();
    const file = join(place.base, 'config.toml');
    writeFileSync(file, '[http]\nallowed_hosts = ["Plugins.example.com", "[fd00:0::1]"]\n');
    const { url, stop } = await startHttp(place, '--config', file);
    onTestFinished(() => stop());
    expect(await statusAs(url, 'plugins.example.com')).toBe(200);
    expect(await statusAs(url, 'plugins.example.com:8443')).toBe(200);
    expect(await statusAs(url, '[fd00::1]')).toBe(200);
    expect(await statusAs(url, 'localhost')).toBe(200);
    expect(await statusAs(url, 'example.com')).toBe(403);
    expect(await statusAs(url, 'x.plugins.example.com')).toBe(403);
  });
});
