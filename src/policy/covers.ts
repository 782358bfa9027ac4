import { tryParseCapability, type Capability } from './capability.ts';
import { coversHost } from './hosts.ts';
import { coversPath, coversPattern, placePattern, type AnchorPaths, type PlacedPattern } from './path-pattern.ts';
import { readQuery, type Query, type Use } from './query.ts';

/** A capability whose path, if it has one, has been put in its place for one call. */
export interface HeldCapability {
  /** As it was written in the manifest or grant. */
  readonly text: string;
  readonly capability: Capability;
  /** Undefined for capabilities without a path. */
  readonly place: PlacedPattern | undefined;
}

/** Puts capability strings in their place. What cannot be read or placed is left out: it then covers nothing. */
export function holdCapabilities(texts: readonly string[], paths: AnchorPaths): HeldCapability[] {
  return texts.flatMap((text) => {
    const capability = tryParseCapability(text);
    if ('issue' in capability) return [];
    const pattern = 'path' in capability ? capability.path : undefined;
    const place = pattern === undefined ? undefined : placePattern(pattern, paths);
    return pattern !== undefined && place === undefined ? [] : [{ text, capability, place }];
  });
}

/** Whether a capability covers one concrete query; what cannot be understood is covered by nothing. */
export function covers(capability: Capability, query: Exclude<Query, { kind: 'net-body' }>, paths: AnchorPaths): boolean {
  const pattern = 'path' in capability ? capability.path : undefined;
  const place = pattern === undefined ? undefined : placePattern(pattern, paths);
  const use = readQuery(query, paths);
  if ('issue' in use || (pattern !== undefined && place === undefined)) return false;
  return coversUse({ text: '', capability, place }, use);
}

/** The same for what has already been read and placed. */
export function coversUse({ capability, place }: HeldCapability, use: Use): boolean {
  switch (use.kind) {
    case 'read:fs':
    case 'write:fs':
      return capability.kind === use.kind && place !== undefined && coversPath(place, use.segments);
    case 'exec':
      return capability.kind === 'exec' && capability.program === use.program && (place === undefined || coversPath(place, use.directory));
    case 'net':
      return (
        capability.kind === 'net' && coversHost(capability.host, use.host) && (capability.port === '*' || capability.port === use.port)
      );
    case 'env':
      return capability.kind === 'env' && capability.name === use.name;
    case 'run':
      return capability.kind === 'run' && capability.runtime === use.runtime;
    case 'storage:read':
    case 'storage:write':
    case 'session:write':
      return capability.kind === use.kind;
  }
}

/** Whether everything that `wanted` allows is allowed by `held`. When in doubt, no. */
export function coversCapability(held: HeldCapability, wanted: HeldCapability): boolean {
  const one = held.capability;
  const other = wanted.capability;
  if (one.kind === 'exec' && other.kind === 'exec' && one.program === other.program) {
    return held.place === undefined || (wanted.place !== undefined && coversPattern(held.place, wanted.place));
  }
  if (one.kind === 'net' && other.kind === 'net') {
    const coversPort = one.port === '*' || one.port === other.port;
    return coversPort && (one.host === other.host || one.host === '*' || coversHostPattern(one.host, other.host));
  }
  if (one.kind !== other.kind) return false;
  if (held.place !== undefined && wanted.place !== undefined) return coversPattern(held.place, wanted.place);
  if (one.kind === 'env' && other.kind === 'env') return one.name === other.name;
  if (one.kind === 'run' && other.kind === 'run') return one.runtime === other.runtime;
  return one.kind === 'net:none' || one.kind === 'storage:read' || one.kind === 'storage:write' || one.kind === 'session:write';
}

/** `*.a.test` covers `*.b.a.test` and `b.a.test`. */
const coversHostPattern = (held: string, wanted: string): boolean =>
  held.startsWith('*.') && wanted !== '*' && (wanted.startsWith('*.') ? wanted.endsWith(held.slice(1)) : coversHost(held, wanted));
