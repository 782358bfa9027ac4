import { HostError } from '../errors.ts';
import { normalizeHost, normalizeHostPattern } from './hosts.ts';
import { formatPathPattern, tryParsePathPattern, type PathPattern } from './path-pattern.ts';

/**
 * One thing that a manifest requests, a person grants and a policy rules over (DESIGN.md, “Permission”):
 *
 * - `read:fs:<path>`, `write:fs:<path>`: path patterns of `path-pattern.ts`
 * - `exec:<binary>[:<path>]`: a program by name; with a path only when it is run in that directory
 * - `net:<host>:<port>`: the host is a name, an address literal (IPv6 in brackets), `*.example.com` (subdomains only)
 *   or `*`; the port is a number or `*`. `net:*` means any host and port, `net:[]` says that no network is wanted
 * - `env:<NAME>`, `storage:read`, `storage:write`, `session:write`
 * - `run:<kind>`: running at all, where a policy asks for approval of that
 */
export type Capability =
  | { readonly kind: 'read:fs' | 'write:fs'; readonly path: PathPattern }
  | { readonly kind: 'exec'; readonly program: string; readonly path?: PathPattern }
  | { readonly kind: 'net'; readonly host: string; readonly port: number | '*' }
  | { readonly kind: 'net:none' }
  | { readonly kind: 'env'; readonly name: string }
  | { readonly kind: 'storage:read' | 'storage:write' | 'session:write' }
  | { readonly kind: 'run'; readonly runtime: string };
export type CapabilityKind = Capability['kind'];

const GRAMMAR =
  'read:fs:<path>, write:fs:<path>, exec:<binary>[:<path>], net:<host>:<port>, net:*, net:[], env:<NAME>, storage:read, storage:write, session:write, run:<kind>';

/** A program is named, never located: what it is inside the sandbox is not for a plugin to say. */
export const PROGRAM_NAME = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/;
export const ENVIRONMENT_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
const RUNTIME_NAME = /^[a-z][a-z-]{0,31}$/;

/** Reads a capability; returns a sentence fragment that says what is wrong with it otherwise. */
export function tryParseCapability(text: string): Capability | { readonly issue: string } {
  if (text === 'net:*') return { kind: 'net', host: '*', port: '*' };
  if (text === 'net:[]') return { kind: 'net:none' };
  if (text === 'storage:read' || text === 'storage:write' || text === 'session:write') return { kind: text };
  if (text.startsWith('read:fs:') || text.startsWith('write:fs:')) {
    const kind = text.startsWith('read') ? 'read:fs' : 'write:fs';
    const path = tryParsePathPattern(text.slice(kind.length + 1));
    return 'issue' in path ? path : { kind, path };
  }
  if (text.startsWith('exec:')) return tryParseExec(text.slice('exec:'.length));
  if (text.startsWith('net:')) return tryParseNet(text.slice('net:'.length));
  if (text.startsWith('env:')) return named(text.slice('env:'.length), ENVIRONMENT_NAME, (name) => ({ kind: 'env', name }));
  if (text.startsWith('run:')) return named(text.slice('run:'.length), RUNTIME_NAME, (runtime) => ({ kind: 'run', runtime }));
  return { issue: `wanted is one of ${GRAMMAR}` };
}

/** Reads a capability. Throws HostError POLICY_CAPABILITY_INVALID, naming the text and what is wanted. */
export function parseCapability(text: string): Capability {
  const capability = tryParseCapability(text);
  if ('issue' in capability) throw new HostError('POLICY_CAPABILITY_INVALID', { capability: text, reason: capability.issue });
  return capability;
}

/** The text that `parseCapability` reads back into an equal capability. */
export function formatCapability(capability: Capability): string {
  switch (capability.kind) {
    case 'read:fs':
    case 'write:fs':
      return `${capability.kind}:${formatPathPattern(capability.path)}`;
    case 'exec':
      return capability.path === undefined
        ? `exec:${capability.program}`
        : `exec:${capability.program}:${formatPathPattern(capability.path)}`;
    case 'net':
      return capability.host === '*' && capability.port === '*' ? 'net:*' : `net:${capability.host}:${capability.port}`;
    case 'net:none':
      return 'net:[]';
    case 'env':
      return `env:${capability.name}`;
    case 'run':
      return `run:${capability.runtime}`;
    case 'storage:read':
    case 'storage:write':
    case 'session:write':
      return capability.kind;
  }
}

function named<Result>(text: string, form: RegExp, make: (name: string) => Result): Result | { readonly issue: string } {
  return form.test(text) ? make(text) : { issue: `the name does not match ${form.source}` };
}

function tryParseExec(text: string): Capability | { readonly issue: string } {
  const colonAt = text.indexOf(':');
  const program = colonAt === -1 ? text : text.slice(0, colonAt);
  if (!PROGRAM_NAME.test(program)) return { issue: 'the program is a bare name such as "git"' };
  if (colonAt === -1) return { kind: 'exec', program };
  const path = tryParsePathPattern(text.slice(colonAt + 1));
  return 'issue' in path ? path : { kind: 'exec', program, path };
}

function tryParseNet(text: string): Capability | { readonly issue: string } {
  const colonAt = text.lastIndexOf(':');
  const portText = text.slice(colonAt + 1);
  const port = tryParsePort(portText);
  if (colonAt === -1 || port === undefined) return { issue: 'the form is net:<host>:<port>, the port 1 to 65535 or "*"' };
  const hostText = text.slice(0, colonAt);
  const host = hostText === '*' ? '*' : hostText.startsWith('*.') ? normalizeHostPattern(hostText) : normalizeHost(hostText);
  if (host === undefined) return { issue: 'the host is a name, an address (IPv6 in brackets), "*.example.com" or "*"' };
  return { kind: 'net', host, port };
}

function tryParsePort(text: string): number | '*' | undefined {
  if (text === '*') return '*';
  if (!/^[1-9][0-9]{0,4}$/.test(text)) return undefined;
  const port = Number(text);
  return port <= 65_535 ? port : undefined;
}
