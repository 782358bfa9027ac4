// `npm test`: from a fresh clone to a tested product. Arguments go to Vitest: npm test -- test/unit/policy
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { buildAll, checkNode, installPackages, root, run } from './setup.mjs';

/** What the tests run for real, and the Debian package that has it. */
const PROGRAMS = {
  bwrap: 'bubblewrap',
  git: 'git',
  rg: 'ripgrep',
  prlimit: 'util-linux',
  setpriv: 'util-linux',
  openssl: 'openssl',
};

/**
 * The same of what script plugins run with; without one of them its tests are skipped, but not on CI. Sandboxes see the
 * system’s interpreters and not those of a version manager that comes first in PATH.
 */
const INTERPRETERS = {
  '/usr/bin/python3': 'python3',
  '/usr/bin/pip3': 'python3-pip',
  '/usr/bin/ruby': 'ruby',
  '/usr/bin/gem': 'ruby-rubygems',
};

checkNode();
installPackages();
providePrograms();
installTools();
await buildAll();
const filters = process.argv.slice(2);
if (filters.length === 0) {
  for (const check of ['lint', 'format:check', 'types']) run('npm', ['run', '--silent', check]);
}
const { status } = spawnSync(process.execPath, [`${root}node_modules/vitest/vitest.mjs`, 'run', ...filters], {
  cwd: root,
  stdio: 'inherit',
});
process.exit(status ?? 1);

function isThere(program) {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;
}

/** Installs what is missing where that is possible, else names it with the command that installs it. */
function providePrograms() {
  const all = { ...PROGRAMS, ...INTERPRETERS };
  const missing = Object.keys(all).filter((program) => !isThere(program));
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((program) => all[program]))];
  const canInstall = process.getuid?.() === 0 && isThere('apt-get');
  if (canInstall) {
    process.stderr.write(`Installing ${packages.join(', ')} …\n`);
    run('apt-get', ['update', '-qq']);
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  }
  const still = missing.filter((program) => !isThere(program));
  if (still.length === 0) return;
  const install = `Install with: sudo apt-get install ${[...new Set(still.map((program) => all[program]))].join(' ')}`;
  if (!process.env.CI && still.every((program) => program in INTERPRETERS)) {
    process.stderr.write(`\n!!! ${still.join(', ')} missing: THEIR TESTS ARE SKIPPED. ${install}\n\n`);
    return;
  }
  process.stderr.write(`The tests need ${still.join(', ')}. ${install}\n`);
  process.exit(1);
}

/**
 * Installs clients and suites of others, which need a newer Node.js than the product does and are therefore kept out of its
 * own packages, unless that was done for this very lockfile.
 */
function installTools() {
  const tools = `${root}test/e2e/tools`;
  const digest = createHash('sha256')
    .update(readFileSync(`${tools}/package-lock.json`))
    .digest('hex');
  const stamp = `${tools}/node_modules/.plugbridge-installed`;
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
  process.stderr.write('Installing the tools of the end-to-end tests …\n');
  // Their engines are for the packaged Node.js and not for this one, hence no warnings about them.
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error', '--prefix', tools]);
  writeFileSync(stamp, digest);
}
