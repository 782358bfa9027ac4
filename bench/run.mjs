// Measures the built product against a bare echo server on the SDK 1.x; see README.md.
// Usage: node bench/run.mjs [--group NAME]… [--rounds N] [--core N|none] [--dist DIR] [--out FILE]
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeGroups, SET_SIZES } from './groups.mjs';
import { makeMaterial } from './material.mjs';
import { reportGroup } from './report.mjs';
import { measureServer } from './session.mjs';

const { values } = parseArgs({
  options: {
    group: { type: 'string', multiple: true, default: [] },
    rounds: { type: 'string', default: '8' },
    core: { type: 'string', default: String(availableParallelism() - 1) },
    dist: { type: 'string', default: fileURLToPath(new URL('../dist', import.meta.url)) },
    out: { type: 'string' },
  },
});

/** Set in the run that taskset has started. */
const pinnedTo = process.env.PLUGBRIDGE_BENCH_CORE;
process.exitCode = values.core === 'none' || pinnedTo !== undefined ? await main() : runPinned();

/** Waking an idle second core can cost more than a call, and which core is awake is chance: everything shares one. */
function runPinned() {
  const env = { ...process.env, PLUGBRIDGE_BENCH_CORE: values.core };
  const { status, error } = spawnSync('taskset', ['-c', values.core, process.execPath, ...process.argv.slice(1)], {
    stdio: 'inherit',
    env,
  });
  if (error) throw new Error('Cannot pin to one core: install util-linux for taskset, or give --core none', { cause: error });
  return status ?? 1;
}

async function main() {
  if (!existsSync(`${values.dist}/cli.js`))
    throw new Error(`Cannot find "${values.dist}/cli.js": wanted the built product, see npm run build`);
  const material = await makeMaterial(SET_SIZES);
  try {
    const all = describeGroups({ material, cli: material.copyProduct(values.dist) });
    const names = values.group.length > 0 ? values.group : Object.keys(all);
    for (const name of names) if (!(name in all)) throw new Error(`Unknown group "${name}": wanted ${Object.keys(all).join(', ')}`);
    const pinned = pinnedTo === undefined ? 'not pinned' : `pinned to core ${pinnedTo}`;
    const machine = `${cpus().length} cores (${cpus()[0].model}), Linux ${release()}, Node.js ${process.version}`;
    print(`${machine}; ${pinned}, ${values.rounds} rounds\n`);
    const measured = {};
    let areMet = true;
    for (const name of names) {
      measured[name] = await measureGroup(name, all[name]);
      const report = reportGroup(name, all[name], measured[name]);
      areMet &&= report.areMet;
      print(`${report.text}\n\nLoad average at the end: ${loadavg()[0].toFixed(2)}\n`);
    }
    if (values.out) writeFileSync(values.out, JSON.stringify(measured, null, 1));
    return areMet ? 0 : 1;
  } finally {
    material.remove();
  }
}

/** Every round runs every case once; the order rotates, and turns around every other round. */
async function measureGroup(name, { cases, load }) {
  const labels = Object.keys(cases);
  // Not measured: what a warm start finds is left behind here.
  for (const label of labels) await measureServer(cases[label]());
  const rounds = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    const rotated = labels.map((_, index) => labels[(index + round) % labels.length]);
    const measured = {};
    for (const label of round % 2 === 0 ? rotated : rotated.toReversed()) measured[label] = await measureCase(cases[label](), load);
    rounds.push(measured);
    process.stderr.write(`${name}: round ${round + 1} of ${values.rounds}, load average ${loadavg()[0].toFixed(2)}\n`);
  }
  return rounds;
}

function measureCase(server, load) {
  if (load === undefined) return measureServer(server);
  const params = load.method === 'tools/call' ? { name: server.tool, arguments: { text: 'hello' } } : {};
  return measureServer(server, { ...load, params });
}

function print(text) {
  process.stdout.write(`${text}\n`);
}
