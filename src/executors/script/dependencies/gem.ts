import { join } from 'node:path';

import { listDirectory } from '../../../manifest/directory-listing.ts';
import type { InstalledPackage } from './dependency-plan.ts';
import { PROXY_URL, type PackageManager } from './package-manager.ts';
import { readRubyPlan } from './ruby-plan.ts';

const MAX_LISTED = 20_000;

/** Ruby’s gems, by RubyGems, which `loaders/gem-install.rb` drives. */
export const gem: PackageManager = {
  title: 'RubyGems',
  publicRegistry: 'https://rubygems.org/',
  furtherHosts: { 'rubygems.org': ['index.rubygems.org'] },
  targetName: 'packages',
  readPlan: readRubyPlan,
  toCommand: ({ program, registryUrl, project, target, loadersDirectory, allowScripts }) => ({
    ok: true,
    command: [
      program,
      '-W1',
      join(loadersDirectory, 'gem-install.rb'),
      `${project}/gems.json`,
      target,
      registryUrl,
      PROXY_URL,
      allowScripts ? 'scripts' : 'no-scripts',
    ],
    environment: { GEM_HOME: target, GEM_PATH: target, GEM_SPEC_CACHE: `${project}/cache` },
    shown: [join(loadersDirectory, 'gem-install.rb')],
  }),
  findProblem(output) {
    const [, kind, reason = ''] = /(?:^|\n)gem-install: (integrity|scripts|other): ([^\n]+)/.exec(output) ?? [];
    return kind === 'integrity' || kind === 'scripts' || kind === 'other' ? { kind, reason } : undefined;
  },
  listInstalled: listSpecifications,
  lookInto(target) {
    const installed = listSpecifications(target);
    return ({ name, version }) => installed.some((one) => one.name === name && (version === undefined || one.version === version));
  },
};

/** `specifications/name-1.0.gemspec`, or with a platform after the version, one for each installed gem. */
function listSpecifications(target: string): InstalledPackage[] {
  const listing = listDirectory(join(target, 'specifications'), MAX_LISTED);
  return (listing.ok ? listing.entries : []).flatMap((entry) => {
    const [, name, version] = /^(.+?)-([0-9][^-]*)(?:-.+)?\.gemspec$/.exec(entry.name) ?? [];
    return name === undefined || version === undefined ? [] : [{ name, version }];
  });
}
