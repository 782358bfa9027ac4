import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

import { REPOSITORY } from '../helpers/guest.ts';

/** What a clone would hold once everything is committed. */
export function cloneInto(directory: string): void {
  const listed = execFileSync('git', ['ls-files', '-z', '-co', '--exclude-standard'], { cwd: REPOSITORY, encoding: 'utf8' });
  for (const name of listed.split('\0')) {
    if (name === '' || !existsSync(join(REPOSITORY, name))) continue;
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    cpSync(join(REPOSITORY, name), join(directory, name));
  }
}

/** How the tester’s own machine reaches the registry. */
const PASSED_ON = ['NODE_EXTRA_CA_CERTS', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'] as const;

/** What npm needs to take packages from where the tester’s own npm takes them, from its cache first. */
export const npmEnvironment = (): Record<string, string> => ({
  ...Object.fromEntries(PASSED_ON.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]))),
  npm_config_cache: process.env['npm_config_cache'] ?? join(homedir(), '.npm'),
  npm_config_userconfig: process.env['npm_config_userconfig'] ?? join(homedir(), '.npmrc'),
  npm_config_prefer_offline: 'true',
  npm_config_update_notifier: 'false',
  npm_config_fetch_retries: '1',
});
