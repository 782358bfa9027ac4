import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';

import { describe, onTestFinished, test, vi } from 'vitest';

import { createEgressProxy } from '../../src/executors/egress/proxy.ts';
import type { CapabilityUse, Permit } from '../../src/executors/executor.ts';
import type { Language } from '../../src/manifest/plugin.ts';
import { useHttpServer } from '../helpers/http-server.ts';
import { HAS_BUBBLEWRAP } from '../helpers/sandbox.ts';
import { callScript, hasInterpreter, useScriptExecutor, writeScript } from '../helpers/script-plugins.ts';
import { useTmp } from '../helpers/tmp.ts';

/** Answers with what the address in its arguments says, or with the status that it got instead. */
const FETCHES: Readonly<Partial<Record<Language, string>>> = {
  python: `import json, sys, urllib.request, urllib.error
try: print(urllib.request.urlopen(json.load(sys.stdin)['url'], timeout=5).read().decode())
except urllib.error.HTTPError as error: print('status', error.code, error.read().decode().strip())
except OSError as error: print('failed', error)
`,
  ruby: `require 'json'
require 'net/http'
begin
  answer = Net::HTTP.get_response(URI(JSON.parse(STDIN.read)['url']))
  puts answer.code == '200' ? answer.body : "status #{answer.code} #{answer.body.strip}"
rescue => error
  puts "failed #{error.message}"
end
`,
};
/** Speaks to no proxy. */
const DIALS = `import json, socket, sys
url = json.load(sys.stdin)['url']
host, port = url.split('/')[2].split(':')
try: socket.create_connection((host, int(port)), 2).close(); print('connected')
except OSError as error: print('failed', error)
`;

/** Names that are this machine: Ruby speaks to no proxy for its address (`URI::Generic#find_proxy`). */
const createSocketEgress = () => createEgressProxy({ lookup: () => Promise.resolve(['127.0.0.1']) });

/** Permits one port of one name, and notes what was asked. */
function permitPort(port: number) {
  const asked: CapabilityUse[] = [];
  const permit = (use: CapabilityUse): Permit => {
    asked.push(use);
    if ((use.kind === 'net' || use.kind === 'net-address') && use.host === 'granted.test' && use.port === port) return { allowed: true };
    return { allowed: false, capability: 'net:other:1', by: 'grant', reason: 'nobody granted it' };
  };
  return { asked, permit };
}

describe.skipIf(!HAS_BUBBLEWRAP)('hosts that scripts reach', () => {
  test.for(
    (['python', 'ruby'] as const).filter(hasInterpreter).flatMap((language) => [0, 2].map((prestarted) => [language, prestarted] as const)),
  )(
    '%s, %i started ahead: the granted one, no other, and each asks the permit of its own call',
    async ([language, prestarted], { expect }) => {
      const { executor } = useScriptExecutor({ prestarted, over: { createSocketEgress } });
      const [granted, other] = [
        await useHttpServer((_, response) => response.end('from the granted host')),
        await useHttpServer((_, response) => response.end('never')),
      ];
      const plugin = writeScript(language, FETCHES[language] ?? '');
      const permissions = [`net:granted.test:${granted.port}`];
      for (let call = 0; call < 3; call += 1) {
        const { asked, permit } = permitPort(granted.port);
        const fetched = await callScript(executor, plugin, { permissions, permit, args: { url: `http://granted.test:${granted.port}/` } });
        expect(fetched.result).toMatchObject({ kind: 'ok', output: { text: 'from the granted host' } });
        expect(asked).toContainEqual({ kind: 'net', host: 'granted.test', port: granted.port });
        const refused = await callScript(executor, plugin, { permissions, permit, args: { url: `http://granted.test:${other.port}/` } });
        expect(refused.result).toMatchObject({
          kind: 'ok',
          output: { text: expect.stringMatching(/^status 403 .*nobody granted it/) as string },
        });
      }
    },
  );

  test('nothing is reached past the proxy, nor without a granted host', async ({ expect }) => {
    const { executor, started } = useScriptExecutor();
    const { port } = await useHttpServer((_, response) => response.end('never'));
    const { permit } = permitPort(port);
    const args = { url: `http://127.0.0.1:${port}/` };
    const dials = writeScript('python', DIALS);
    for (const permissions of [[], [`net:127.0.0.1:${port}`], ['net:[]']]) {
      const { result } = await callScript(executor, dials, { permissions, permit, args });
      expect(result).toMatchObject({ output: { text: expect.stringMatching(/^failed /) as string } });
    }
    const without = await callScript(executor, writeScript('python', FETCHES.python ?? ''), { permissions: ['net:[]'], permit, args });
    expect(without.result).toMatchObject({ output: { text: expect.stringMatching(/^failed /) as string } });
    expect(started.filter(({ description }) => description.command.some((word) => word.endsWith('relay.cjs')))).toHaveLength(1);
  });

  test('exit codes, signals, memory and files are those of the script behind the relay', async ({ expect }) => {
    const { executor } = useScriptExecutor({ prestarted: 1 });
    const permissions = ['net:127.0.0.1:1'];
    const call = (source: string) =>
      callScript(executor, writeScript('python', source), { permissions, limits: { memoryBytes: 128 * 1024 * 1024 } });
    expect((await call('import sys\nsys.exit(5)\n')).usage.exit).toBe('exit 5');
    expect((await call('import os\nos.abort()\n')).usage.exit).toBe('signal SIGABRT');
    expect((await call('held = []\nwhile True: held.append(bytearray(1 << 20))\n')).result.kind).toBe('failed');
    const made = await call('open("a.txt", "w").write("made")\nprint(\'{"files": ["a.txt"]}\')\n');
    expect(made.kept.map(({ name }) => name)).toEqual(['a.txt']);
  });

  test('sockets of proxies go with their processes', async ({ expect }) => {
    const directory = useTmp();
    vi.stubEnv('TMPDIR', directory);
    onTestFinished(() => void vi.unstubAllEnvs());
    const { executor, started } = useScriptExecutor({ prestarted: 2 });
    const plugin = writeScript('bash', 'echo "{}"\n');
    await executor.tier();
    const kept = readdirSync(tmpdir());
    const sockets = () => readdirSync(tmpdir()).filter((name) => !kept.includes(name));
    for (let call = 0; call < 3; call += 1) {
      await callScript(executor, plugin, { permissions: ['net:127.0.0.1:1'] });
      await vi.waitFor(() => expect(started.length).toBeGreaterThanOrEqual(call + 2));
    }
    expect(sockets().length).toBeGreaterThan(0);
    await executor.close();
    expect(sockets()).toEqual([]);
  });
});
