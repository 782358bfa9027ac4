import { quoted, refused, toPlan, type PlanResult, type WantedPackage } from './dependency-plan.ts';
import { readSourceFile } from './source-file.ts';

const MAX_LINE_CHARS = 20_000;
const NAME = String.raw`[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?`;
const VERSION = String.raw`(?:~=|===?|!=|<=?|>=?)\s?[A-Za-z0-9.*+!_-]{1,64}`;
/** PEP 508 without `@ URL`: nothing that names another place, and no option. */
const REQUIREMENT = new RegExp(
  `^(?<name>${NAME})\\s?(?:\\[${NAME}(?:\\s?,\\s?${NAME}){0,19}\\])?\\s?` +
    `(?<versions>${VERSION}(?:\\s?,\\s?${VERSION}){0,9})?\\s?(?<marker>;[A-Za-z0-9_.'" <>=!~(),+-]{1,300})?$`,
);
const PINNED = /^===?\s?(?<version>[A-Za-z0-9.+!_-]+)$/;
const HASH = /^--hash[= ](?:sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})$/;

/** How the package index compares names (PEP 503). */
export const normalisePythonName = (name: string): string => name.toLowerCase().replaceAll(/[-_.]+/g, '-');

/**
 * What a Python plugin needs: `requirements.lock`, else `requirements.txt` where it holds hashes, else what the manifest
 * declares, else `requirements.txt` as it is. Options, URLs and paths are refused: they could name another index.
 */
export function readPythonPlan(directory: string, declared: readonly string[]): PlanResult {
  const lock = readSourceFile(directory, 'requirements.lock');
  if (lock.kind === 'unreadable') return refused(lock.reason);
  if (lock.kind === 'text') return parseRequirements(lock.text, { source: lock.name, isLock: true });
  const list = readSourceFile(directory, 'requirements.txt');
  if (list.kind === 'unreadable') return refused(list.reason);
  const holdsHashes = list.kind === 'text' && /(?:^|\s)--hash[= ]/.test(list.text);
  if (list.kind === 'text' && (holdsHashes || declared.length === 0)) {
    return parseRequirements(list.text, { source: list.name, isLock: holdsHashes });
  }
  return parseRequirements(declared.join('\n'), { source: 'the manifest', isLock: false });
}

interface RequirementsOptions {
  readonly source: string;
  /** Every package must then be pinned; and hashed, when one is. */
  readonly isLock: boolean;
}

/** Reads lines of a requirements file. Never throws. */
export function parseRequirements(text: string, { source, isLock }: RequirementsOptions): PlanResult {
  const wanted: WantedPackage[] = [];
  const lines: string[] = [];
  let hashedCount = 0;
  for (const line of joinLines(text)) {
    if (line.length > MAX_LINE_CHARS) return refused(`${source} has a line of more than ${MAX_LINE_CHARS} characters`);
    const [requirement = '', ...hashes] = line.split(/\s(?=--hash[= ])/).map((part) => part.trim().replaceAll(/\s+/g, ' '));
    const { name, versions = '', marker } = REQUIREMENT.exec(requirement)?.groups ?? {};
    if (name === undefined) {
      return refused(`${source} asks for ${quoted(requirement)}: wanted is a name with versions, without options, URLs and paths`);
    }
    const bad = hashes.find((hash) => !HASH.test(hash));
    if (bad !== undefined) return refused(`${source} has the hash ${quoted(bad)}: wanted is --hash=sha256:…, sha384 or sha512`);
    const version = PINNED.exec(versions)?.groups?.['version'];
    if (isLock && version === undefined) return refused(`${source} names ${quoted(requirement)} without one exact version, as a lock must`);
    if (hashes.length > 0) hashedCount += 1;
    wanted.push({
      name: normalisePythonName(name),
      spec: requirement,
      ...(version === undefined ? {} : { version }),
      optional: marker !== undefined,
    });
    lines.push([requirement, ...hashes].join(' '));
  }
  const hashed = hashedCount > 0;
  if (hashed && hashedCount < wanted.length) return refused(`${source} has hashes for some packages and not for others`);
  return toPlan({ source, locked: isLock, hashed, wanted, files: { 'requirements.txt': `${lines.join('\n')}\n` } });
}

/** Logical lines, without comments: pip joins a line that ends in a backslash with the next. */
const joinLines = (text: string): string[] =>
  text
    .replace(/^\uFEFF/, '')
    .replaceAll(/\\\r?\n/g, ' ')
    .split(/\r?\n/)
    .map((line) => line.replace(/(?:^|\s)#.*$/, '').trim())
    .filter((line) => line !== '');
