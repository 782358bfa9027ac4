import { z } from 'zod';

import { quoted, refused, toPlan, type PlanResult, type WantedPackage } from './dependency-plan.ts';
import { readSourceFile, type SourceFile } from './source-file.ts';

const NAME = String.raw`(?:@[a-z0-9~-][a-z0-9._~-]{0,99}\/)?[A-Za-z0-9~-][A-Za-z0-9._~-]{0,199}`;
const RANGE = String.raw`[A-Za-z0-9.*+~^<>=| -]{1,128}`;
const SPEC = new RegExp(`^(?<name>${NAME})(?:@(?<range>${RANGE}))?$`);
/** `npm:other@1` installs another package of the registry under this name. */
const ANY_RANGE = new RegExp(`^(?:npm:${NAME}(?:@${RANGE})?|${RANGE}|)$`);
const PACKAGE_NAME = new RegExp(`^${NAME}$`);
const PLACE = new RegExp(`^(?:node_modules/${NAME}/)*node_modules/(?<name>${NAME})$`);

const PREFIX = 'node_modules/';

const RangesSchema = z.record(z.string(), z.string()).optional();
const PackageSchema = z.looseObject({
  dependencies: RangesSchema,
  devDependencies: RangesSchema,
  optionalDependencies: RangesSchema,
  peerDependencies: RangesSchema,
});
const LockEntrySchema = z.looseObject({
  version: z.string().max(256).optional(),
  resolved: z.union([z.string(), z.boolean()]).optional(),
  integrity: z.string().optional(),
  link: z.boolean().optional(),
  dev: z.boolean().optional(),
  optional: z.boolean().optional(),
  devOptional: z.boolean().optional(),
  peer: z.boolean().optional(),
  inBundle: z.boolean().optional(),
});
type LockEntry = z.infer<typeof LockEntrySchema>;
const LockSchema = z.looseObject({ lockfileVersion: z.int(), packages: z.record(z.string(), LockEntrySchema) });

/** The keys of a `package.json` that say what is needed; `scripts`, `workspaces` and the rest do not reach npm. */
const KEPT = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'] as const;

/**
 * What a Node.js or TypeScript plugin needs: `package-lock.json`, else what the manifest declares, else `package.json`.
 * Only versions, ranges and tags of the registry: paths, links, URLs and repositories are refused.
 */
export function readNodePlan(directory: string, declared: readonly string[]): PlanResult {
  const lock = readSourceFile(directory, 'package-lock.json');
  const description = readSourceFile(directory, 'package.json');
  if (lock.kind === 'text') return readLock(lock.text, description);
  if (lock.kind === 'unreadable') return refused(lock.reason);
  if (declared.length > 0) return readDeclared(declared);
  if (description.kind === 'none') return { kind: 'nothing' };
  const parsed = parsePackage(description);
  if (!parsed.ok) return refused(parsed.reason);
  const { dependencies, optionalDependencies } = parsed.ranges;
  return toPlan({
    source: 'package.json',
    locked: false,
    hashed: false,
    wanted: [...toWanted(dependencies, false), ...toWanted(optionalDependencies, true)],
    files: { 'package.json': toPackageJson(parsed.ranges) },
  });
}

function readDeclared(declared: readonly string[]): PlanResult {
  const ranges: [string, string][] = [];
  for (const spec of declared) {
    const { name, range = '*' } = SPEC.exec(spec)?.groups ?? {};
    if (name === undefined) {
      return refused(
        `the manifest asks for ${quoted(spec)}: wanted is a package name, with @ and a version or range, without URLs and paths`,
      );
    }
    ranges.push([name, range]);
  }
  const dependencies = Object.fromEntries(ranges);
  return toPlan({
    source: 'the manifest',
    locked: false,
    hashed: false,
    wanted: toWanted(dependencies, false),
    files: { 'package.json': toPackageJson({ dependencies }) },
  });
}

type Ranges = Partial<Record<(typeof KEPT)[number], Readonly<Record<string, string>> | undefined>>;

/** Every lock entry is checked, but for what npm leaves out; which hosts its addresses name is the proxy’s to refuse. */
function readLock(text: string, description: SourceFile): PlanResult {
  const parsed = parseJson(text, LockSchema);
  if (!parsed.ok) return refused(`package-lock.json cannot be used: ${parsed.reason}`);
  const { lockfileVersion, packages } = parsed.value;
  if (lockfileVersion < 2)
    return refused(`package-lock.json has version ${lockfileVersion}: wanted is 2 or 3, which npm 7 and newer write`);
  const root = description.kind === 'none' ? checkRanges(packages['']) : parsePackage(description);
  if (!root.ok) return refused(root.reason);
  const wanted: WantedPackage[] = [];
  for (const [place, entry] of Object.entries(packages)) {
    if (place === '') continue;
    const problem = findEntryProblem(place, entry);
    if (problem !== undefined) return refused(`package-lock.json has ${quoted(place)} ${problem}`);
    const { version = '' } = entry;
    const name = PLACE.exec(place)?.groups?.['name'] ?? '';
    if (entry.dev !== true) {
      const optional = entry.optional === true || entry.devOptional === true || entry.peer === true;
      wanted.push({ name, version, spec: `${place.slice(PREFIX.length)}@${version}`, path: place.slice(PREFIX.length), optional });
    }
  }
  const files = { 'package.json': toPackageJson(root.ranges), 'package-lock.json': JSON.stringify(parsed.value) };
  return toPlan({ source: 'package-lock.json', locked: true, hashed: true, wanted, files });
}

function findEntryProblem(place: string, entry: LockEntry): string | undefined {
  if (!PLACE.test(place) || entry.link === true) return 'outside of node_modules: workspaces and links are not installed';
  if (entry.inBundle === true) return undefined;
  if (typeof entry.resolved === 'string' && !/^https?:\/\//.test(entry.resolved)) return 'from somewhere that is no registry';
  return entry.integrity === undefined ? 'without integrity: renew the lock with npm install' : undefined;
}

type PackageResult = { readonly ok: true; readonly ranges: Ranges } | { readonly ok: false; readonly reason: string };

function parsePackage(file: SourceFile): PackageResult {
  if (file.kind !== 'text') return { ok: false, reason: file.kind === 'unreadable' ? file.reason : 'there is no package.json' };
  const parsed = parseJson(file.text, PackageSchema);
  if (!parsed.ok) return { ok: false, reason: `package.json cannot be used: ${parsed.reason}` };
  if (parsed.value['workspaces'] !== undefined) return { ok: false, reason: 'package.json has workspaces, which are not installed' };
  return checkRanges(parsed.value);
}

function checkRanges(value: unknown): PackageResult {
  const parsed = PackageSchema.safeParse(value ?? {});
  if (!parsed.success) return { ok: false, reason: 'package-lock.json does not say what its root needs' };
  const ranges: Ranges = Object.fromEntries(KEPT.map((key) => [key, parsed.data[key]]));
  for (const [name, range] of Object.values(ranges).flatMap((list) => Object.entries(list ?? {}))) {
    if (PACKAGE_NAME.test(name) && ANY_RANGE.test(range)) continue;
    return { ok: false, reason: `package.json asks for ${quoted(`${name}@${range}`)}: wanted is a version, range or tag of the registry` };
  }
  return { ok: true, ranges };
}

const toWanted = (ranges: Readonly<Record<string, string>> | undefined, optional: boolean): WantedPackage[] =>
  Object.entries(ranges ?? {}).map(([name, range]) => ({ name, spec: `${name}@${range}`, path: name, optional }));

const toPackageJson = (ranges: Ranges): string => JSON.stringify({ name: 'plugin', version: '0.0.0', private: true, ...ranges });

function parseJson<Value>(text: string, schema: z.ZodType<Value>): { ok: true; value: Value } | { ok: false; reason: string } {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    return { ok: false, reason: 'it is not JSON' };
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return { ok: true, value: parsed.data };
  const [issue] = parsed.error.issues;
  return { ok: false, reason: `${quoted(issue?.path.join('.') ?? '')}: ${issue?.message ?? 'invalid'}` };
}
