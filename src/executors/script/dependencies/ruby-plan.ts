import { quoted, refused, toPlan, type PlanResult, type WantedPackage } from './dependency-plan.ts';
import { readSourceFile } from './source-file.ts';

const NAME = String.raw`[A-Za-z0-9_][A-Za-z0-9._-]{0,99}`;
const REQUIREMENT = String.raw`(?:(?:~>|[<>]=?|!?=)\s?)?[0-9][0-9A-Za-z.-]{0,63}`;
const DECLARED = new RegExp(`^(?<name>${NAME})(?::(?<requirements>${REQUIREMENT}(?:\\s?,\\s?${REQUIREMENT}){0,4}))?$`);
const LOCKED = new RegExp(`^ {4}(?<name>${NAME}) \\((?<version>[0-9][0-9A-Za-z._-]{0,127})\\)$`);
const CHECKSUM = new RegExp(`^ {2}(?<full>${NAME} \\([0-9A-Za-z._-]{1,128}\\))(?: sha256=(?<sha256>[0-9a-f]{64}))?$`);
const QUOTED = String.raw`(?:'[^'"#\\]{1,128}'|"[^'"#\\]{1,128}")`;
/** The part of a Gemfile that is data: it is a Ruby program, and nothing runs it. */
const GEM_LINE = new RegExp(
  `^gem[ (]\\s?(?<words>${QUOTED}(?:\\s?,\\s?${QUOTED}){0,5})(?:\\s?,\\s?require: (?:false|true|${QUOTED}))?\\s?\\)?$`,
);
const IGNORED_LINE = new RegExp(`^(?:ruby[ (]\\s?${QUOTED}\\)?|source[ (]\\s?['"]https://rubygems\\.org/?['"]\\)?)$`);

/** What the installer of gems reads (`loaders/gem-install.rb`). */
interface GemList {
  /** Full names, with version and platform, that alone may be installed, and the SHA-256 of each, `null` where the lock has none. */
  readonly allowed: Readonly<Record<string, string | null>> | null;
  readonly gems: readonly { readonly name: string; readonly requirements: readonly string[] }[];
}

/**
 * What a Ruby plugin needs: exactly the versions of `Gemfile.lock`, else what the manifest declares (`name:requirement`),
 * else the plain `gem` lines of `Gemfile`. Bundler is not asked, for it would run the Gemfile.
 */
export function readRubyPlan(directory: string, declared: readonly string[]): PlanResult {
  const lock = readSourceFile(directory, 'Gemfile.lock');
  if (lock.kind === 'unreadable') return refused(lock.reason);
  if (lock.kind === 'text') return parseGemLock(lock.text);
  if (declared.length > 0) return parseDeclared(declared);
  const list = readSourceFile(directory, 'Gemfile');
  if (list.kind === 'unreadable') return refused(list.reason);
  return list.kind === 'none' ? { kind: 'nothing' } : parseGemfile(list.text);
}

function parseDeclared(declared: readonly string[]): PlanResult {
  const gems: Gem[] = [];
  for (const spec of declared) {
    const { name, requirements } = DECLARED.exec(spec)?.groups ?? {};
    if (name === undefined) {
      return refused(`the manifest asks for ${quoted(spec)}: wanted is a gem’s name, with : and a requirement, without URLs and paths`);
    }
    gems.push({ name, requirements: requirements?.split(',').map((one) => one.trim()) ?? [] });
  }
  return toGemPlan(gems, 'the manifest');
}

/** Reads the `gem` lines of a Gemfile. Never throws, and runs nothing. */
export function parseGemfile(text: string): PlanResult {
  const gems: Gem[] = [];
  for (const raw of text.split(/\r?\n/)) {
    const line = raw
      .replace(/(?:^|\s)#.*$/, '')
      .trim()
      .replaceAll(/\s+/g, ' ');
    if (line === '' || IGNORED_LINE.test(line)) continue;
    const words =
      GEM_LINE.exec(line)
        ?.groups?.['words']?.split(',')
        .map((word) => word.trim().slice(1, -1)) ?? [];
    const [name, ...requirements] = words;
    const spec = requirements.length > 0 ? `${name}:${requirements.join(', ')}` : name;
    if (name === undefined || spec === undefined || !DECLARED.test(spec)) {
      return refused(`Gemfile has the line ${quoted(line)}, which is more than a gem with its versions: add its Gemfile.lock`);
    }
    gems.push({ name, requirements });
  }
  return toGemPlan(gems, 'Gemfile');
}

type Gem = GemList['gems'][number];

function toGemPlan(gems: readonly Gem[], source: string): PlanResult {
  const list: GemList = { allowed: null, gems };
  return toPlan({
    source,
    locked: false,
    hashed: false,
    wanted: gems.map(({ name, requirements }) => ({ name, spec: [name, ...requirements].join(':'), optional: false })),
    files: { 'gems.json': JSON.stringify(list) },
  });
}

/** Reads a lock of Bundler (bundler.io, “Gemfile.lock”): the section GEM, and CHECKSUMS of Bundler 2.6 and newer. Never throws. */
export function parseGemLock(text: string): PlanResult {
  const allowed = new Map<string, string | null>();
  const versions = new Map<string, string>();
  const registries = new Set<string>();
  let section = '';
  for (const line of text.split(/\r?\n/)) {
    if (/^\S/.test(line)) {
      section = line.trim();
      if (!KNOWN_SECTIONS.includes(section))
        return refused(`Gemfile.lock has the section ${quoted(section)}: only gems of the gem source are installed`);
    } else if (section === 'GEM') {
      const locked = LOCKED.exec(line)?.groups;
      const remote = /^ {2}remote: (.*)$/.exec(line)?.[1];
      if (remote !== undefined) registries.add(remote);
      if (locked !== undefined) {
        const { name = '', version: full = '' } = locked;
        const version = full.replace(/-.*$/, '');
        const before = versions.get(name);
        if (before !== undefined && before !== version) return refused(`Gemfile.lock names two versions of ${quoted(name)}`);
        versions.set(name, version);
        allowed.set(`${name}-${full}`, null);
      } else if (remote === undefined && !/^ {2}specs:$|^ {6}\S|^$/.test(line)) {
        return refused(`Gemfile.lock has the line ${quoted(line)} among its gems, which is none`);
      }
    } else if (section === 'CHECKSUMS') {
      const { full, sha256 } = CHECKSUM.exec(line)?.groups ?? {};
      const gem = full?.replace(/ \((.*)\)$/, '-$1');
      if (gem !== undefined && sha256 !== undefined && allowed.has(gem)) allowed.set(gem, sha256);
    }
  }
  const wanted = [...versions].map(([name, version]): WantedPackage => ({ name, version, spec: `${name}:${version}`, optional: false }));
  const list: GemList = {
    allowed: Object.fromEntries(allowed),
    gems: [...versions].map(([name, version]) => ({ name, requirements: [`= ${version}`] })),
  };
  const hashed = [...allowed.values()].some((sha256) => sha256 !== null);
  const files = { 'gems.json': JSON.stringify(list) };
  return toPlan({ source: 'Gemfile.lock', locked: true, hashed, wanted, registries: [...registries], files });
}

/** `GIT`, `PATH` and `PLUGIN SOURCE` are not among them. */
const KNOWN_SECTIONS: readonly string[] = ['GEM', 'PLATFORMS', 'DEPENDENCIES', 'CHECKSUMS', 'RUBY VERSION', 'BUNDLED WITH'];
