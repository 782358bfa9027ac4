import { sep } from 'node:path';

import { hasWildcard, matchesSegments } from './glob.ts';

/** The directories that a pattern may begin with; see `AnchorPaths`. */
export const ANCHORS = ['$ROOT', '$PLUGIN', '$DATA', '$RUN'] as const;
export type Anchor = (typeof ANCHORS)[number];

/** Where the anchors lie: absolute, canonical directories. */
export interface AnchorPaths {
  /** `$ROOT`: what file access is anchored to. */
  readonly root: string;
  /** `$PLUGIN`: the plugin’s own directory. */
  readonly plugin: string;
  /** `$DATA`: the plugin’s own data directory. */
  readonly data: string;
  /** `$RUN`: this call’s scratch directory, where it has one. */
  readonly run?: string | undefined;
}

/**
 * A path in a capability or a rule. Without wildcards it means the path and everything beneath it; with wildcards it
 * means exactly the paths that match, so that `$ROOT/*.md` never opens a directory named `x.md`.
 */
export interface PathPattern {
  readonly anchor?: Anchor;
  readonly segments: readonly string[];
}

/** A pattern whose anchor has become a place: literal absolute segments, then the segments from the first wildcard on. */
export interface PlacedPattern {
  readonly base: readonly string[];
  readonly glob: readonly string[];
}

const MAX_PATTERN_LENGTH = 1024;

/** Reads a path pattern; returns a sentence fragment that says what is wrong with it otherwise. */
export function tryParsePathPattern(text: string): PathPattern | { readonly issue: string } {
  if (text.length > MAX_PATTERN_LENGTH) return { issue: `a path has at most ${MAX_PATTERN_LENGTH} characters` };
  if (/\p{Cc}/u.test(text)) return { issue: 'a path has no control characters' };
  const anchor = ANCHORS.find((name) => text === name || text.startsWith(`${name}/`));
  if (anchor === undefined && !text.startsWith('/')) return { issue: `a path begins with "/" or one of ${ANCHORS.join(', ')}` };
  const rest = (anchor === undefined ? text : text.slice(anchor.length)).replace(/^\//, '').replace(/\/$/, '');
  const segments = rest === '' ? [] : rest.split('/');
  if (segments.some((segment) => segment === '' || segment === '.' || segment === '..')) {
    return { issue: 'a path has no empty, "." or ".." segments' };
  }
  if (segments.some((segment) => segment.includes('**') && segment !== '**')) return { issue: '"**" stands for whole segments' };
  // `docs/**` and `docs` mean the same; only one of them needs to be understood further on.
  const literalLength = segments.findIndex(hasWildcard);
  if (literalLength === segments.length - 1 && segments[literalLength] === '**') segments.pop();
  return anchor === undefined ? { segments } : { anchor, segments };
}

/** The text that `tryParsePathPattern` reads back into an equal pattern. */
export function formatPathPattern(pattern: PathPattern): string {
  const rest = pattern.segments.join('/');
  if (pattern.anchor === undefined) return `/${rest}`;
  return rest === '' ? pattern.anchor : `${pattern.anchor}/${rest}`;
}

/** Puts a pattern in its place; undefined when it begins with `$RUN` and the call has no scratch directory. */
export function placePattern(pattern: PathPattern, paths: AnchorPaths): PlacedPattern | undefined {
  const anchorPath = pattern.anchor === undefined ? '/' : pathOfAnchor(pattern.anchor, paths);
  if (anchorPath === undefined) return undefined;
  const wildcardAt = pattern.segments.findIndex(hasWildcard);
  const literal = wildcardAt === -1 ? pattern.segments : pattern.segments.slice(0, wildcardAt);
  return { base: [...splitPath(anchorPath), ...literal], glob: wildcardAt === -1 ? [] : pattern.segments.slice(wildcardAt) };
}

const pathOfAnchor = (anchor: Anchor, paths: AnchorPaths): string | undefined =>
  ({ $ROOT: paths.root, $PLUGIN: paths.plugin, $DATA: paths.data, $RUN: paths.run })[anchor];

/** Whether a pattern covers one path, by segments: `/data` covers `/data/x` and never `/data2`. */
export function coversPath(pattern: PlacedPattern, segments: readonly string[]): boolean {
  if (!isWithin(pattern.base, segments)) return false;
  return pattern.glob.length === 0 || matchesSegments(pattern.glob, segments.slice(pattern.base.length));
}

/** Whether everything that `wanted` covers is covered by `held`. When in doubt, no. */
export function coversPattern(held: PlacedPattern, wanted: PlacedPattern): boolean {
  if (held.glob.length === 0) return isWithin(held.base, wanted.base);
  if (wanted.glob.length === 0) return held.glob.at(-1) === '**' && coversPath(held, wanted.base);
  return held.base.join('/') === wanted.base.join('/') && held.glob.join('/') === wanted.glob.join('/');
}

/** Whether two patterns may have a path in common. When in doubt, yes. */
export function mayOverlap(one: PlacedPattern, other: PlacedPattern): boolean {
  return isWithin(one.base, other.base) || isWithin(other.base, one.base);
}

/** Whether `segments` is `directory` or lies beneath it. */
export function isWithin(directory: readonly string[], segments: readonly string[]): boolean {
  return directory.length <= segments.length && directory.every((segment, index) => segment === segments[index]);
}

/** The segments of an absolute path, without empty ones. */
export function splitPath(path: string): string[] {
  return path.split(sep === '\\' ? /[\\/]/ : '/').filter((segment) => segment !== '');
}
