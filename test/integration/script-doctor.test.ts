import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { runDoctor } from '../../src/commands/doctor.ts';
import { runInfo } from '../../src/commands/info.ts';
import { listPlugins } from '../../src/commands/list.ts';
import { createHost, type Host } from '../../src/host.ts';
import { createLog } from '../../src/log.ts';
import { describeWith } from '../helpers/interpreters.ts';
import { useTmp } from '../helpers/tmp.ts';

/** Two scripts of one line each, and a configuration that lacks Ruby and lets one plugin and a stranger run unisolated. */
function useHost(): Host {
  const tmp = useTmp();
  for (const [name, file] of [
    ['adds', 'main.py'],
    ['greets', 'main.rb'],
  ] as const) {
    mkdirSync(join(tmp, 'plugins', name), { recursive: true });
    writeFileSync(join(tmp, 'plugins', name, 'plugin.json'), JSON.stringify({ name, main: file, description: 'A script' }));
    writeFileSync(join(tmp, 'plugins', name, file), 'print("{}")\n');
  }
  const configFile = join(tmp, 'config.toml');
  writeFileSync(configFile, '[scripts]\nunisolated = ["adds", "stranger"]\n[scripts.interpreters]\nruby = "/nonexistent/ruby"\n');
  const host = createHost({
    plugins: [join(tmp, 'plugins')],
    root: tmp,
    configFile,
    policyFile: undefined,
    environment: { PLUGBRIDGE_HOME: join(tmp, 'home') },
    workingDirectory: tmp,
    log: createLog('silent'),
  });
  onTestFinished(() => host.close());
  return host;
}

function useOutput() {
  const lines: string[] = [];
  const output = { write: (text: string) => void lines.push(text), note: () => undefined, isTerminal: false };
  return { output, text: () => lines.join('\n') };
}

interface Check {
  readonly area: string;
  readonly subject: string;
  readonly state: string;
  readonly detail: string;
}

describeWith('python', 'bash')('what people are shown of script plugins', () => {
  test('doctor names every interpreter, what is missing, and who may run unisolated', async () => {
    const host = useHost();
    const { output, text } = useOutput();
    expect(await runDoctor(host, { json: true, output })).toBe(1);
    const { checks } = JSON.parse(text()) as { checks: Check[] };
    const find = (area: string, subject: string): Check | undefined => checks.find((one) => one.area === area && one.subject === subject);
    const tier = await host.sandbox.tier();
    expect(find('isolation', 'script plugins')).toMatchObject({ state: 'ok', detail: tier });
    expect(find('interpreters', 'python')?.detail).toMatch(/^\/.*python3: Python 3\./);
    expect(find('interpreters', 'bash')).toMatchObject({ state: 'ok' });
    expect(find('interpreters', 'ruby')).toMatchObject({
      state: 'warning',
      detail: expect.stringContaining('"/nonexistent/ruby" cannot be run') as string,
    });
    expect(find('plugins', 'greets')).toMatchObject({ state: 'problem', detail: expect.stringContaining('/nonexistent/ruby') as string });
    expect(find('isolation', 'adds')).toEqual({
      area: 'isolation',
      subject: 'adds',
      state: 'warning',
      detail: `scripts.unisolated lets it run where nothing can isolate it; now it gets ${tier}`,
    });
    expect(find('isolation', 'stranger')?.detail).toMatch(/no plugin of this name was found$/);
  });

  test('list and info show the tier of each', async () => {
    const host = useHost();
    const tier = await host.sandbox.tier();
    expect((await listPlugins(host)).find(({ name }) => name === 'adds')).toMatchObject({ status: 'ok', tier });
    const { output, text } = useOutput();
    expect(await runInfo(host, { name: 'adds', json: false, output })).toBe(0);
    expect(text()).toContain(`Isolation  ${tier}`);
  });
});
