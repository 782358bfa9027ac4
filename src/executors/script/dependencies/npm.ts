import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { z } from 'zod';

import { readPluginFile } from '../../../manifest/plugin-file.ts';
import { MAX_SOURCE_BYTES, quoted, type InstalledPackage } from './dependency-plan.ts';
import { readNodePlan } from './node-plan.ts';
import { PROXY_URL, type PackageManager } from './package-manager.ts';
import { tryFindSystemCertificates } from './system-certificates.ts';

/** Where npm lies when it did not come with the interpreter. */
const NPM_DIRECTORIES = ['/usr/lib/node_modules', '/usr/local/lib/node_modules', '/usr/share/nodejs', '/opt/homebrew/lib/node_modules'];

/** Packages of Node.js, by npm (docs.npmjs.com, “npm install”, “npm ci”). */
export const npm: PackageManager = {
  title: 'npm',
  publicRegistry: 'https://registry.npmjs.org/',
  furtherHosts: {},
  targetName: 'node_modules',
  readPlan: readNodePlan,
  toCommand({ program, plan, registryUrl, project, allowScripts }) {
    const npmFile = tryFindNpm(program);
    if (npmFile === undefined) return { ok: false, reason: 'npm is not installed: install it (apt install npm, dnf install npm)' };
    const certificates = tryFindSystemCertificates();
    return {
      ok: true,
      command: [
        program,
        npmFile,
        ...(plan.locked ? ['ci'] : ['install', '--no-package-lock']),
        '--omit=dev',
        '--no-audit',
        '--no-fund',
        '--no-update-notifier',
        '--no-progress',
        '--color=false',
        '--loglevel=http',
        '--logs-max=0',
        '--fetch-retries=1',
        '--fetch-retry-mintimeout=1000',
        '--fetch-timeout=60000',
        `--cache=${project}/cache`,
        `--registry=${registryUrl}`,
        `--proxy=${PROXY_URL}`,
        `--https-proxy=${PROXY_URL}`,
        '--noproxy=',
        // Neither exists; npm wants two names.
        `--userconfig=${project}/user.npmrc`,
        `--globalconfig=${project}/global.npmrc`,
        // Repositories are refused before; this keeps a package’s own dependencies from cloning one.
        '--git=/bin/false',
        allowScripts ? '--foreground-scripts' : '--ignore-scripts',
      ],
      environment: certificates === undefined ? {} : { NODE_EXTRA_CA_CERTS: certificates },
      shown: [],
    };
  },
  findProblem(output) {
    if (/npm (?:error|ERR!) code EINTEGRITY/.test(output)) {
      const url = /(\S+) integrity checksum failed|Verification failed while extracting (\S+?):/.exec(output);
      return { kind: 'integrity', reason: `${quoted(url?.[2] ?? url?.[1] ?? 'a package')} is not what the lock says` };
    }
    const lines = [...output.matchAll(/^npm (?:error|ERR!) (?!code |errno |path |command sh|A complete log|\s)([^\n]+)/gm)].map(
      ([, line = '']) => line,
    );
    if (lines[0] === 'command failed') {
      return { kind: 'other', reason: `an install script failed${/^\w*Error: [^\n]+/m.exec(output)?.[0].replace(/^/, ': ') ?? ''}` };
    }
    return lines[0] === undefined ? undefined : { kind: 'other', reason: lines[0] };
  },
  listInstalled: (target) => Object.entries(readHiddenLock(target)).map(([place, version]) => ({ name: toName(place), version })),
  lookInto: (target) => (wanted) => existsSync(join(target, wanted.path ?? wanted.name, 'package.json')),
};

const HiddenLockSchema = z.looseObject({ packages: z.record(z.string(), z.looseObject({ version: z.string().max(256).optional() })) });

/** What npm writes beside the packages that it has installed: place → version. */
function readHiddenLock(target: string): Readonly<Record<string, string>> {
  const read = readPluginFile(realpathSync(target), '.package-lock.json', MAX_SOURCE_BYTES);
  if (!read.ok) return {};
  try {
    const { packages } = HiddenLockSchema.parse(JSON.parse(Buffer.from(read.bytes).toString('utf8')));
    return Object.fromEntries(Object.entries(packages).map(([place, { version }]) => [place, version ?? '']));
  } catch {
    return {};
  }
}

const toName = (place: string): InstalledPackage['name'] => place.replace(/^.*node_modules\//, '');

/** npm of the interpreter’s own installation, else the system’s. */
function tryFindNpm(program: string): string | undefined {
  const own = join(dirname(dirname(realpathSync(program))), 'lib', 'node_modules');
  const file = [own, ...NPM_DIRECTORIES].map((directory) => join(directory, 'npm', 'bin', 'npm-cli.js')).find((path) => existsSync(path));
  return file === undefined ? undefined : realpathSync(file);
}
