/** One package that a plugin’s script needs. */
export interface WantedPackage {
  /** As its package manager compares names. */
  readonly name: string;
  /** As the source spells it, version and all: what tells whether the source has changed since. */
  readonly spec: string;
  /** The exact version that a lock names. */
  readonly version?: string;
  /** Where it lies in the directory of the installed packages, where that does not follow from the name. */
  readonly path?: string;
  /** It may rightly be absent: for another platform, or optional. */
  readonly optional: boolean;
}

/** What is to be installed and from where it is known, as data: nothing of the plugin’s own files reaches the package manager but this. */
export interface DependencyPlan {
  /** For people: `package-lock.json`, or `the manifest`. */
  readonly source: string;
  /** Whether exactly these packages are installed and no others. */
  readonly locked: boolean;
  /** Whether the source holds digests that the packages are compared with. */
  readonly hashed: boolean;
  readonly wanted: readonly WantedPackage[];
  /** Registries that a lock was made with; each has to be the one that is used, or the public one in whose place that stands. */
  readonly registries?: readonly string[];
  /** The files that the package manager is given, by name. */
  readonly files: Readonly<Record<string, string>>;
}

/** A plan; none, where nothing is declared; or why the declaration cannot be used, in one sentence fragment. */
export type PlanResult =
  | { readonly kind: 'plan'; readonly plan: DependencyPlan }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'refused'; readonly reason: string };

export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
}

export const MAX_PACKAGES = 5_000;
export const MAX_SOURCE_BYTES = 8 * 1024 * 1024;
const MAX_QUOTED_CHARACTERS = 100;

export const refused = (reason: string): PlanResult => ({ kind: 'refused', reason });

/** Text of a plugin’s file inside a message: short, and without what would move a cursor. */
export const quoted = (text: string): string =>
  JSON.stringify(text.length > MAX_QUOTED_CHARACTERS ? `${text.slice(0, MAX_QUOTED_CHARACTERS)}…` : text);

/** A plan for packages that were read, or why there cannot be one. */
export function toPlan(plan: DependencyPlan): PlanResult {
  if (plan.wanted.length === 0) return { kind: 'nothing' };
  if (plan.wanted.length > MAX_PACKAGES) return refused(`${plan.source} names ${plan.wanted.length} packages, more than ${MAX_PACKAGES}`);
  return { kind: 'plan', plan };
}
