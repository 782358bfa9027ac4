import { listDirectory } from '../../../manifest/directory-listing.ts';
import { quoted, type InstalledPackage } from './dependency-plan.ts';
import { PROXY_URL, type PackageManager } from './package-manager.ts';
import { normalisePythonName, readPythonPlan } from './python-plan.ts';
import { tryFindSystemCertificates } from './system-certificates.ts';

const MAX_LISTED = 20_000;

/** Python’s packages, by pip into a directory of their own (pip.pypa.io, “pip install --target”). */
export const pip: PackageManager = {
  title: 'pip',
  publicRegistry: 'https://pypi.org/simple/',
  furtherHosts: { 'pypi.org': ['files.pythonhosted.org'] },
  targetName: 'packages',
  readPlan: readPythonPlan,
  toCommand: ({ program, plan, registryUrl, project, target, allowScripts }) => ({
    ok: true,
    command: [
      program,
      '-I',
      '-X',
      'utf8',
      '-m',
      'pip',
      'install',
      '--isolated',
      '--no-input',
      '--disable-pip-version-check',
      '--no-cache-dir',
      '--progress-bar',
      'off',
      '--no-color',
      '--retries',
      '1',
      '--timeout',
      '30',
      '--no-warn-script-location',
      '--index-url',
      registryUrl,
      '--proxy',
      PROXY_URL,
      '--target',
      target,
      // Without it pip ignores an index that is not HTTPS, which a person has configured on purpose.
      ...(registryUrl.startsWith('http:') ? ['--trusted-host', new URL(registryUrl).host] : []),
      ...toCertificateOptions(tryFindSystemCertificates()),
      // A source distribution runs its setup.py.
      ...(allowScripts ? [] : ['--only-binary', ':all:']),
      ...(plan.hashed ? ['--require-hashes'] : []),
      '--requirement',
      `${project}/requirements.txt`,
    ],
    environment: { PIP_CONFIG_FILE: '/dev/null' },
    shown: [],
  }),
  findProblem(output) {
    if (/No module named pip\b/.test(output)) {
      return { kind: 'missing', reason: 'pip is not installed: install it (apt install python3-pip, dnf install python3-pip)' };
    }
    const mismatch = /DO NOT MATCH THE HASHES[^]*?\n\s+(\S+)[^\n]*\n\s+Expected/.exec(output);
    if (mismatch) return { kind: 'integrity', reason: `${quoted(mismatch[1] ?? '')} is not what its hash says` };
    if (output.includes('In --require-hashes mode')) {
      return { kind: 'integrity', reason: 'the lock does not name every package that is needed with its version and hash' };
    }
    const none = /No matching distribution found for ([^\n]+)/.exec(output);
    if (none) {
      const reason = `there is no wheel for ${quoted(none[1] ?? '')}: a source distribution runs code when it is installed, which --allow-scripts allows`;
      return { kind: 'scripts', reason };
    }
    const error = /(?:^|\n)ERROR: ([^\n]+)/.exec(output);
    return error ? { kind: 'other', reason: error[1] ?? '' } : undefined;
  },
  listInstalled: (target) =>
    listDistributions(target).map(({ name, version }): InstalledPackage => ({ name: normalisePythonName(name), version })),
  lookInto(target) {
    const names = new Set(listDistributions(target).map(({ name }) => normalisePythonName(name)));
    return ({ name }) => names.has(name);
  },
};

const toCertificateOptions = (file: string | undefined): readonly string[] => (file === undefined ? [] : ['--cert', file]);

/** `Name-1.0.dist-info`, one for each installed distribution (packaging.python.org, “Recording installed projects”). */
function listDistributions(target: string): InstalledPackage[] {
  const listing = listDirectory(target, MAX_LISTED);
  return (listing.ok ? listing.entries : []).flatMap((entry) => {
    const [, name, version] = /^(.+)-([^-]+)\.dist-info$/.exec(entry.name) ?? [];
    return name === undefined || version === undefined ? [] : [{ name, version }];
  });
}
