import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import type { Output } from '../../src/commands/output.ts';
import { runTrust } from '../../src/commands/trust.ts';
import { createHost, type Host } from '../../src/host.ts';
import { createLog } from '../../src/log.ts';
import { PLUGINS } from '../helpers/guest.ts';
import { useTmp } from '../helpers/tmp.ts';

const SILENT: Output = { isTerminal: false, write: () => {}, note: () => {} };

function useHost(base: string): Host {
  const root = join(base, 'root');
  const host = createHost({
    plugins: [],
    root,
    configFile: undefined,
    policyFile: undefined,
    environment: { PLUGBRIDGE_HOME: join(base, 'own') },
    workingDirectory: root,
    log: createLog('silent'),
  });
  onTestFinished(() => host.close());
  return host;
}

/** What `plugbridge trust vault` does, in a host of its own. */
const trustVault = (base: string, revoke: boolean): Promise<number> =>
  runTrust(useHost(base), { plugin: 'vault', revoke, json: false, output: SILENT });

test('a running server notices `plugbridge trust` and `trust --revoke` of another process', async () => {
  const base = useTmp();
  const [brought, own] = [join(base, 'root/.agentzero/plugins'), join(base, 'own/data/plugins')];
  for (const directory of [brought, own]) mkdirSync(directory, { recursive: true });
  cpSync(join(PLUGINS, 'vault'), join(brought, 'vault'), { recursive: true });
  const { catalog, keepCurrent } = useHost(base);
  const changeAfter = async (work: () => unknown): Promise<string | undefined> => {
    const changed = new Promise<void>((resolve) => {
      const stop = catalog.onToolsChanged(() => {
        stop();
        resolve();
      });
    });
    await work();
    await changed;
    return catalog.current().findPlugin('vault')?.status;
  };
  expect(catalog.current().findPlugin('vault')).toMatchObject({
    status: 'untrusted',
    error: `It came with the workspace; look at "${join(brought, 'vault')}", then run: plugbridge trust vault`,
  });
  keepCurrent();
  // The tools of another plugin show that the files are watched by now; nobody has trusted anything yet.
  expect(await changeAfter(() => cpSync(join(PLUGINS, 'wikipedia'), join(own, 'wikipedia'), { recursive: true }))).toBe('untrusted');
  expect(existsSync(join(base, 'own/state/trust.json'))).toBe(false);

  expect(await changeAfter(() => trustVault(base, false))).toBe('ok');
  expect(await changeAfter(() => trustVault(base, true))).toBe('untrusted');
  expect(await changeAfter(() => trustVault(base, false))).toBe('ok');
});
