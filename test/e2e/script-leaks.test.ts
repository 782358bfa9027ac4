import { chmodSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, onTestFinished, test } from 'vitest';

import { findCgroupHome } from '../../src/executors/sandbox/cgroup.ts';
import { writeFiles } from '../fixtures/manifests/write-plugin.ts';
import { makePlace, startCli, stdioTarget, usePlace, type Place, type Started } from '../helpers/built-cli.ts';
import { hasProgram } from '../helpers/interpreters.ts';
import { connectClient, type TestClient } from '../helpers/mcp-clients.ts';
import { findByCommand, findOwned, listDescendants, stillAlive } from '../helpers/process-tree.ts';
import { HAS_BUBBLEWRAP } from '../helpers/sandbox.ts';
import { ECHOES, TELLS_SURROUNDINGS } from '../helpers/script-sources.ts';
import { addOddJobs } from './odd-jobs.ts';

const hasAll = HAS_BUBBLEWRAP && hasProgram('python') && hasProgram('bash') && hasProgram('ruby');
const LANGUAGES = ['python', 'node', 'typescript', 'bash', 'ruby'] as const;
const MAIN = { python: 'main.py', node: 'main.js', typescript: 'main.ts', bash: 'main.sh', ruby: 'main.rb' } as const;
const toolOf = (name: string): string => `plugin_${name}_run`;

/** A plugin of each language that answers its arguments, and one that leaves a file. */
function addEchoes(plugins: string): void {
  for (const language of LANGUAGES) {
    writeFiles(join(plugins, language), {
      'plugin.json': JSON.stringify({ name: language, description: 'Answers its arguments', schema: { type: 'object' } }),
      [MAIN[language]]: ECHOES[language],
    });
  }
  writeFiles(join(plugins, 'leaver'), {
    'plugin.json': JSON.stringify({ name: 'leaver', description: 'Leaves a file', schema: { type: 'object' } }),
    'main.py': TELLS_SURROUNDINGS.python,
  });
}

/** Control groups of these servers, whatever the version of the hierarchy. */
function listGroups(servers: ReadonlySet<number>): string[] {
  const home = findCgroupHome(readFileSync('/proc/self/cgroup', 'utf8'), readFileSync('/proc/self/mountinfo', 'utf8'));
  return [...new Set([home?.memory, home?.pids])]
    .flatMap((directory) => (directory === undefined ? [] : readdirSync(directory)))
    .filter((name) => [...servers].some((pid) => name.startsWith(`plugbridge-${pid}.`)));
}

/** Temporary directories of these servers. */
const listTemporary = (servers: ReadonlySet<number>): string[] =>
  readdirSync(tmpdir()).filter((name) => [...servers].some((pid) => name.startsWith(`plugbridge-${pid}.`)));

/** All files below a directory, but for those that a server is there to write. */
const listFiles = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((path) => !/^(?:own\/state\/(?:artifacts|audit)|own\/cache)(?:\/|$)/.test(path))
    .toSorted();

/** What the descriptors of a process are, each by its kind. */
function countDescriptors(pid: number): { readonly pipes: number; readonly others: number } {
  const directory = `/proc/${pid}/fd`;
  const kinds = readdirSync(directory).map((name) => {
    try {
      return readlinkSync(join(directory, name));
    } catch {
      return '';
    }
  });
  const pipes = kinds.filter((kind) => kind.startsWith('pipe:')).length;
  return { pipes, others: kinds.filter((kind) => kind !== '').length - pipes };
}

/** Pipes are made six at a time, some before they are needed. */
const SPARE_PIPE_ENDS = 24;

const NAMES = [...LANGUAGES, 'leaver'];

/** Calls one after the other, all languages in turn; gives how long each took, the quickest first. */
async function callOften(client: TestClient, calls: number, before: (name: string, call: number) => void = () => {}) {
  const times: number[] = [];
  for (let call = 0; call < calls; call++) {
    const name = NAMES[call % NAMES.length] ?? '';
    before(name, call);
    const from = performance.now();
    const { isError, structuredContent } = await client.call(toolOf(name), { call });
    times.push(performance.now() - from);
    if (name === 'leaver') expect(structuredContent).toMatchObject({ files: ['out.txt'], before: [] });
    else expect({ isError: isError ?? false, structuredContent }).toEqual({ isError: false, structuredContent: { got: { call } } });
  }
  return times.toSorted((a, b) => a - b);
}

describe.skipIf(!hasAll)('what calls of scripts leave behind', () => {
  test(
    '1,000 of all languages, most of them started ahead: no process, descriptor, file or control group',
    { timeout: 240_000 },
    async () => {
      const place = usePlace();
      addEchoes(place.plugins);
      // A temporary directory of the server’s own shows whatever it leaves there.
      const temporary = join(place.base, 'tmp');
      mkdirSync(temporary);
      chmodSync(temporary, 0o1777);
      chmodSync(place.base, 0o755);
      const config = join(place.base, 'config.toml');
      writeFileSync(config, '[scripts]\nprestarted = 6\n');
      const target = stdioTarget({ ...place, environment: { ...place.environment, TMPDIR: temporary } }, '--config', config);
      const client = await connectClient('pinned', target);
      onTestFinished(() => client.close());
      await callOften(client, 12);
      const [server] = findByCommand(place.root).filter(({ command }) => command.includes('cli.js'));
      if (!server) throw new Error('no server runs');
      const { pid } = server;
      /** One spare for each plugin and nothing that is on its way. */
      const settled = async (): Promise<number> => {
        let count = -1;
        await expect
          .poll(
            () => {
              const now = listDescendants(pid).length;
              const isSame = now === count && findByCommand(place.plugins).length > 0;
              count = now;
              return isSame;
            },
            { timeout: 10_000, interval: 300 },
          )
          .toBe(true);
        return count;
      };
      const before = { processes: await settled(), files: listFiles(place.base), descriptors: countDescriptors(pid) };
      const from = performance.now();
      const seen = { looks: 0, ahead: 0 };
      const times = await callOften(client, 1000, (name, call) => {
        if (call % 7 !== 0) return;
        seen.looks += 1;
        // A bundle of TypeScript lies elsewhere.
        const where = name === 'typescript' ? 'plugbridge-bundle' : join(place.plugins, name);
        if (listDescendants(pid).some(({ command }) => command.includes(where))) seen.ahead += 1;
      });
      const took = ((performance.now() - from) / 1000).toFixed(1);
      process.stderr.write(
        `1,000 calls of scripts in ${took} s: p50 ${times[500]?.toFixed(1)} ms, p99 ${times[990]?.toFixed(1)} ms, ${seen.ahead} of ${seen.looks} started ahead\n`,
      );
      expect(seen.ahead * 2).toBeGreaterThan(seen.looks);
      expect(await settled()).toBe(before.processes);
      expect(listFiles(place.base)).toEqual(before.files);
      const after = countDescriptors(pid);
      expect(after.others).toBe(before.descriptors.others);
      expect(after.pipes - before.descriptors.pipes).toBeLessThanOrEqual(SPARE_PIPE_ENDS);

      const everything = listDescendants(pid);
      await client.close();
      await expect.poll(() => stillAlive([server, ...everything]), { timeout: 10_000 }).toEqual([]);
      expect(findByCommand(place.base)).toEqual([]);
      expect(listGroups(new Set([pid]))).toEqual([]);
      expect(readdirSync(temporary)).toEqual([]);
    },
  );
});

/** Speaks to a server in lines, so that nothing stands between the test and the moment in which it kills. */
function speak(started: Started) {
  const send = (message: object): unknown => started.child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  return {
    open(): void {
      const clientInfo = { name: 'killer', version: '1' };
      send({ id: 0, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo } });
      send({ method: 'notifications/initialized' });
    },
    call: (id: number, name: string, meta = {}) => send({ id, method: 'tools/call', params: { name, arguments: {}, _meta: meta } }),
    answered: (id: number) => started.heard(new RegExp(`"id":${id}[,}]`)),
  };
}

describe.skipIf(!hasAll)('a server with scripts that ends', () => {
  test('by SIGKILL, 60 times within 15 ms after calls came: the next one sweeps up everything', { timeout: 300_000 }, async () => {
    const place = usePlace();
    addEchoes(place.plugins);
    const servers = new Set<number>();
    let orphans = 0;
    const killOne = async (round: number): Promise<void> => {
      const started = startCli(place, place.options);
      servers.add(started.pid);
      const { open, call, answered } = speak(started);
      open();
      // The answer to one call lets its spare start while further calls begin.
      const names = [0, 1, 2].map((next) => toolOf(LANGUAGES[(round + next) % LANGUAGES.length] ?? 'bash'));
      call(1, names[0] ?? '');
      await answered(1);
      names.forEach((name, next) => call(2 + next, name));
      await new Promise((resolve) => setTimeout(resolve, (round * 7) % 16));
      await started.stop('SIGKILL');
      orphans += findOwned(new Set([started.pid])).length;
    };
    const rounds = Array.from({ length: 60 }, (_, round) => round);
    await Promise.all(
      [0, 1, 2].map(async (lane) => {
        for (const round of rounds.filter((one) => one % 3 === lane)) await killOne(round);
      }),
    );
    const left = () => ({
      processes: [...findOwned(servers), ...findByCommand(place.plugins).map(({ pid }) => pid)],
      groups: listGroups(servers),
      temporary: listTemporary(servers),
    });
    const found = left();
    process.stderr.write(
      `killed 60 servers: ${orphans} processes right after, then ${found.processes.length}, ${found.groups.length} control groups, ${found.temporary.length} temporary directories\n`,
    );
    const elsewhere = makePlace();
    onTestFinished(() => elsewhere.remove());
    await expect
      .poll(
        async () => {
          const next = startCli(elsewhere, elsewhere.options);
          const { open, answered } = speak(next);
          open();
          await answered(0);
          // It first answers its client, then sweeps.
          await new Promise((resolve) => setTimeout(resolve, 800));
          await next.stop();
          return left();
        },
        { timeout: 60_000, interval: 100 },
      )
      .toEqual({ processes: [], groups: [], temporary: [] });
  });

  /** In the middle of two calls that never end, with spares waiting. */
  async function startSpinning(place: Place): Promise<Started> {
    addEchoes(place.plugins);
    addOddJobs(place.plugins);
    const started = startCli(place, place.options);
    const { open, call, answered } = speak(started);
    open();
    ['python', 'bash', 'ruby'].forEach((name, id) => call(id + 1, toolOf(name)));
    for (const id of [1, 2, 3]) await answered(id);
    for (const id of [4, 5]) call(id, 'plugin_odd-jobs_spin', { progressToken: `spin-${id}` });
    for (const id of [4, 5]) await started.heard(new RegExp(`"progressToken":"spin-${id}"`));
    // What was just started has no name yet for a moment.
    await expect.poll(() => listDescendants(started.pid).filter(({ command }) => command.includes('sleep 86399'))).toHaveLength(2);
    return started;
  }

  test('by SIGKILL in the middle of endless calls takes all processes with it, without a sweep', { timeout: 60_000 }, async () => {
    const started = await startSpinning(usePlace());
    const everything = listDescendants(started.pid);
    onTestFinished(() => stillAlive(everything).forEach(({ pid }) => process.kill(pid, 'SIGKILL')));
    await started.stop('SIGKILL');
    await expect.poll(() => stillAlive(everything).map(({ command }) => command), { timeout: 5_000, interval: 10 }).toEqual([]);
  });

  test.for(['SIGTERM', 'SIGINT', 'the end of its input'] as const)('by %s leaves nothing at once', { timeout: 60_000 }, async (how) => {
    const place = usePlace();
    const started = await startSpinning(place);
    const everything = listDescendants(started.pid);
    if (how === 'the end of its input') {
      started.child.stdin?.end();
      await started.ended;
    } else await started.stop(how);
    expect(started.child.exitCode).toBe(0);
    expect(stillAlive(everything).map(({ command }) => command)).toEqual([]);
    const servers = new Set([started.pid]);
    expect([findOwned(servers), listGroups(servers), listTemporary(servers)]).toEqual([[], [], []]);
    expect(findByCommand(place.base)).toEqual([]);
  });
});
