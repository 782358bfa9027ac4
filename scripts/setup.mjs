// What a fresh clone needs before anything else: packages, sample plugins, the bundle. Plain Node.js, no packages.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** Runs a program with its output on stderr, for stdout may be somebody’s pipe; ends this process when it fails. */
export function run(program, args, options = {}) {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: ['ignore', 2, 2], ...options });
  if (status === 0) return;
  process.stderr.write(`\n${program} ${args.join(' ')} failed${error ? `: ${error.message}` : ` with exit code ${status}`}\n`);
  process.exit(status ?? 1);
}

export function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  process.stderr.write(`plugbridge needs Node.js 20.19 or newer, this is ${process.versions.node}\n`);
  process.exit(1);
}

/** Installs the packages of the lockfile, unless that was done for this very lockfile. */
export function installPackages() {
  const digest = createHash('sha256')
    .update(readFileSync(`${root}package-lock.json`))
    .digest('hex');
  const stamp = `${root}node_modules/.plugbridge-installed`;
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
  process.stderr.write('Installing packages …\n');
  // Packages run no scripts of their own here; none of ours needs one.
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline']);
  writeFileSync(stamp, digest);
}

export async function buildAll() {
  run(process.execPath, [`${root}scripts/build-plugins.mjs`]);
  const { buildProduct } = await import('./build.mjs');
  await buildProduct();
}
