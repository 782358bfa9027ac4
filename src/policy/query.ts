import type { RuntimeKind } from '../manifest/plugin.ts';
import { ENVIRONMENT_NAME, PROGRAM_NAME } from './capability.ts';
import { normalizeAddress, normalizeHost } from './hosts.ts';
import { isWithin, splitPath, type Anchor, type AnchorPaths } from './path-pattern.ts';

/**
 * Something about to happen, for `decide`. Everything that executors ask about (`CapabilityUse`) has the shape of a member
 * here. Paths are canonical and absolute; `net` is asked before the name is resolved, `net-address` for every address that
 * it resolves to, `net-body` before a body is sent.
 */
export type Query =
  | { readonly kind: 'run'; readonly runtime: RuntimeKind }
  | { readonly kind: 'read:fs' | 'write:fs'; readonly path: string }
  /** `directory` is where it runs; the root unless given. */
  | { readonly kind: 'exec'; readonly program: string; readonly args: readonly string[]; readonly directory?: string }
  | { readonly kind: 'net'; readonly host: string; readonly port: number }
  | { readonly kind: 'net-address'; readonly host: string; readonly port: number; readonly address: string }
  | { readonly kind: 'net-body'; readonly host: string; readonly body: string }
  | { readonly kind: 'env'; readonly name: string }
  | { readonly kind: 'storage:read' | 'storage:write' | 'session:write' };

/** A query in the one spelling that capabilities and rules are compared with; `net-body` needs none. */
export type Use =
  | { readonly kind: 'run'; readonly runtime: RuntimeKind }
  | { readonly kind: 'read:fs' | 'write:fs'; readonly segments: readonly string[] }
  | { readonly kind: 'exec'; readonly program: string; readonly args: readonly string[]; readonly directory: readonly string[] }
  | { readonly kind: 'net'; readonly host: string; readonly port: number; readonly address?: string }
  | { readonly kind: 'env'; readonly name: string }
  | { readonly kind: 'storage:read' | 'storage:write' | 'session:write' };

/** Brings a query into its one spelling, or says why nothing can be decided about it. */
export function readQuery(query: Exclude<Query, { kind: 'net-body' }>, paths: AnchorPaths): Use | { readonly issue: string } {
  switch (query.kind) {
    case 'read:fs':
    case 'write:fs': {
      const segments = readPath(query.path);
      return segments === undefined ? { issue: 'the path is not canonical and absolute' } : { kind: query.kind, segments };
    }
    case 'exec': {
      const directory = readPath(query.directory ?? paths.root);
      if (!PROGRAM_NAME.test(query.program)) return { issue: 'the program is not a bare name such as "git"' };
      if (directory === undefined) return { issue: 'the directory is not canonical and absolute' };
      return { kind: 'exec', program: query.program, args: query.args, directory };
    }
    case 'net':
    case 'net-address':
      return readNet(query);
    case 'env':
      return ENVIRONMENT_NAME.test(query.name) ? query : { issue: 'the name is no name of a variable' };
    case 'run':
    case 'storage:read':
    case 'storage:write':
    case 'session:write':
      return query;
  }
}

function readNet(query: Extract<Query, { kind: 'net' | 'net-address' }>): Use | { readonly issue: string } {
  const host = normalizeHost(query.host);
  if (host === undefined) return { issue: 'the host is no name or address' };
  if (!Number.isInteger(query.port) || query.port < 1 || query.port > 65_535) return { issue: 'the port is not 1 to 65535' };
  if (query.kind === 'net') return { kind: 'net', host, port: query.port };
  const address = normalizeAddress(query.address);
  return address === undefined ? { issue: 'the address is no IP address' } : { kind: 'net', host, port: query.port, address };
}

function readPath(path: string): readonly string[] | undefined {
  const isAbsolute = path.startsWith('/') || /^[A-Za-z]:[\\/]/.test(path);
  if (!isAbsolute || path.includes('\0')) return undefined;
  const segments = splitPath(path);
  return segments.some((segment) => segment === '.' || segment === '..') ? undefined : segments;
}

/** A path as people should see it: from its innermost anchor, without characters that could forge a line. */
export function showPath(segments: readonly string[], paths: AnchorPaths): string {
  const places: readonly (readonly [Anchor, string | undefined])[] = [
    ['$RUN', paths.run],
    ['$DATA', paths.data],
    ['$PLUGIN', paths.plugin],
    ['$ROOT', paths.root],
  ];
  let best = { anchor: '', length: 0 };
  for (const [anchor, path] of places) {
    const place = path === undefined ? undefined : splitPath(path);
    if (place !== undefined && place.length > best.length && isWithin(place, segments)) best = { anchor, length: place.length };
  }
  const rest = segments.slice(best.length).join('/');
  const text = best.anchor === '' ? `/${rest}` : rest === '' ? best.anchor : `${best.anchor}/${rest}`;
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?');
}

/** The capability that would cover exactly this use. */
export function capabilityOf(use: Use, paths: AnchorPaths): string {
  switch (use.kind) {
    case 'read:fs':
    case 'write:fs':
      return `${use.kind}:${showPath(use.segments, paths)}`;
    case 'exec':
      return `exec:${use.program}`;
    case 'net':
      return `net:${use.host}:${use.port}`;
    case 'env':
      return `env:${use.name}`;
    case 'run':
      return `run:${use.runtime}`;
    case 'storage:read':
    case 'storage:write':
    case 'session:write':
      return use.kind;
  }
}
