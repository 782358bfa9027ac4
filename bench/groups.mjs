// What is compared with what. A case says how its server is started; `reference` names the case it is a ratio to.
import { fileURLToPath } from 'node:url';

const SDK1 = fileURLToPath(new URL('servers/sdk1.mjs', import.meta.url));
const SPAWN = fileURLToPath(new URL('servers/spawn.mjs', import.meta.url));
const COUNTS = [10, 100, 1000];
/**
 * The languages of scripts: the interpreter of the reference, and the highest p50 wanted, pre-started and from cold, over a
 * bare spawn of the same script.
 */
const LANGUAGES = {
  python: { interpreter: '/usr/bin/python3', prestarted: 0.25, cold: 1.1 },
  node: { interpreter: process.execPath, prestarted: 0.4 },
  bash: { interpreter: '/usr/bin/bash', prestarted: 0.6 },
  ruby: { interpreter: '/usr/bin/ruby', prestarted: 0.25 },
};
/** Apart from one another, as people’s calls are; a crowd comes all at once. */
const SCRIPT_GAP_MS = 70;
const CALL = { method: 'tools/call', expect: 'hello' };

/** Sizes of the sets of plugins that the groups need. */
export const SET_SIZES = [1, ...COUNTS];

/**
 * The groups by name. Each has `cases`: functions that make a server ready and give `{ argv, env?, http?, tool? }`, which is
 * not part of what is measured; `load`, except where only starting is; and `goals`: the highest or lowest ratio wanted.
 */
export function describeGroups({ material, cli }) {
  const warmHomes = new Map();
  /** A home in which the same plugins were served before, or for a cold start one in which nothing was. */
  const homeFor = (plugins, isCold) => {
    if (!isCold && warmHomes.has(plugins)) return warmHomes.get(plugins);
    const home = material.makeHome();
    if (!isCold) warmHomes.set(plugins, home);
    return home;
  };
  const ours = (plugins, { http = false, isCold = false } = {}) => ({
    argv: [cli, 'serve', '--plugins', plugins, '--root', material.root, ...(http ? ['--http', '127.0.0.1:0', '--json'] : [])],
    env: { PLUGBRIDGE_HOME: homeFor(plugins, isCold) },
    http,
    tool: 'plugin_bench0000_echo',
  });
  const reference = (...options) => ({ argv: [SDK1, ...options], http: options.includes('--http'), tool: 'echo' });
  const { sets, sdkSet } = material;

  return {
    stdio: {
      reference: 'SDK 1.x McpServer',
      load: { ...CALL, warm: 5000, count: 4000, concurrency: [1, 16] },
      cases: {
        'SDK 1.x McpServer': () => reference(),
        plugbridge: () => ours(sets[1]),
        'plugbridge, guest SDK': () => ours(sdkSet),
      },
      goals: { plugbridge: { p50At1: 2.5, perSecond: { inFlight: 16, lowest: 0.45 } } },
    },
    http: {
      reference: 'SDK 1.x McpServer',
      load: { ...CALL, warm: 2000, count: 1500, concurrency: [1, 16] },
      cases: {
        'SDK 1.x McpServer': () => reference('--http'),
        plugbridge: () => ours(sets[1], { http: true }),
        'plugbridge, guest SDK': () => ours(sdkSet, { http: true }),
      },
      goals: { plugbridge: { p50At1: 1.5, perSecond: { inFlight: 16, lowest: 0.45 } } },
    },
    list: {
      reference: 'SDK 1.x McpServer, 1000 tools',
      load: { method: 'tools/list', expect: 'echo0007', warm: 5, count: 25, concurrency: [1] },
      cases: {
        'SDK 1.x McpServer, 1000 tools': () => reference('--tools', '1000'),
        'plugbridge, 1000 plugins': () => ours(sets[1000]),
      },
      goals: { 'plugbridge, 1000 plugins': { p50At1: 0.06 } },
    },
    start: {
      reference: 'SDK 1.x McpServer, 1 tool',
      cases: {
        'SDK 1.x McpServer, 1 tool': () => reference(),
        ...Object.fromEntries(
          COUNTS.flatMap((count) => [
            [`SDK 1.x McpServer, ${count} tools`, () => reference('--tools', String(count))],
            [`plugbridge, ${count} plugins, warm`, () => ours(sets[count])],
            [`plugbridge, ${count} plugins, cold`, () => ours(sets[count], { isCold: true })],
          ]),
        ),
      },
      goals: { 'plugbridge, 1000 plugins, warm': { firstList: { highest: 1.5, over: 'plugbridge, 10 plugins, warm' } } },
    },

    ...Object.fromEntries(
      Object.entries(LANGUAGES).map(([language, { interpreter, prestarted, cold }]) => {
        const script = material.scripts[language];
        const spawned = (...options) => ({ argv: [SPAWN, ...options, '--', interpreter, script.main], tool: 'echo' });
        const hosted = (...options) => ({
          argv: [cli, 'serve', '--plugins', script.set, '--root', material.root, ...options],
          env: { PLUGBRIDGE_HOME: homeFor(script.set, false) },
          tool: 'plugin_echo_run',
        });
        return [
          language,
          {
            reference: 'bare spawn',
            // One after another as people call, then a crowd.
            load: { ...CALL, warm: 8, count: [24, 80], gapMs: [SCRIPT_GAP_MS, 0], concurrency: [1, 4] },
            cases: {
              'bare spawn': () => spawned(),
              'spawn in bubblewrap': () => spawned('--bwrap'),
              'plugbridge, pre-started': () => hosted(),
              'plugbridge, cold': () => hosted('--config', material.coldConfig),
            },
            goals: {
              'plugbridge, pre-started': { p50At1: prestarted, perSecond: { inFlight: 4, lowest: 1 } },
              ...(cold === undefined ? {} : { 'plugbridge, cold': { p50At1: cold } }),
            },
          },
        ];
      }),
    ),
  };
}
