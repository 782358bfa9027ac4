import type { Findings } from '../findings.ts';
import { quote, type KeyPath } from '../problem.ts';
import { readHost } from './hosts.ts';
import { NetworkTableSchema, type Permission } from './schema.ts';

/** What a plugin asks for. */
export interface Requests {
  /** Capabilities by the permission that asks for them; a permission that is not asked for is absent. */
  readonly byPermission: ReadonlyMap<Permission, readonly string[]>;
  /** Capabilities that it asks for as such. */
  readonly capabilities: readonly string[];
}

/** Where a manifest asks for something. */
export interface RequestSource {
  readonly permissions: readonly Permission[] | undefined;
  /** What a plugin without `permissions` asks for. */
  readonly defaults: readonly Permission[];
  readonly network: unknown;
  readonly capabilities?: readonly string[] | undefined;
  /** The table that holds all of these. */
  readonly path: KeyPath;
}

/** The programs that `az::run_command` may start (agentzero.md §2, “run_command”). */
const PROGRAMS = ['git', 'rg', 'grep', 'find', 'wc', 'sort', 'head', 'tail'] as const;

/**
 * The capabilities behind a manifest's permissions.
 *
 * - No `permissions` key asks for what the system says: file_read and file_write for AgentZero, where every plugin has the
 *   root; nothing for scripts. An empty list asks for nothing.
 * - The network is what the table of that name says, whether or not `permissions` lists it, for upstream knows only the
 *   table. The permission without the table, or with a policy of deny, asks for `net:[]`: network calls, but to no host.
 */
export function readRequests(source: RequestSource, findings: Findings): Requests {
  const asked = new Set<Permission>(source.permissions ?? source.defaults);
  if (source.network !== undefined) asked.add('network');
  const requests = new Map<Permission, readonly string[]>();
  if (asked.has('file_read')) requests.set('file_read', ['read:fs:$ROOT']);
  if (asked.has('file_write')) requests.set('file_write', ['write:fs:$ROOT']);
  if (asked.has('shell'))
    requests.set(
      'shell',
      PROGRAMS.map((program) => `exec:${program}`),
    );
  if (asked.has('network')) requests.set('network', readNetwork(source.network, [...source.path, 'network'], findings));
  return { byPermission: requests, capabilities: [...new Set(source.capabilities)] };
}

/** All that is asked for, each capability once. */
export const allRequests = ({ byPermission, capabilities }: Requests): string[] => [
  ...new Set([...[...byPermission.values()].flat(), ...capabilities]),
];

/** The network table as capabilities; anything but the two open policies is deny (agentzero.md §1). */
function readNetwork(networkTable: unknown, path: KeyPath, findings: Findings): readonly string[] {
  const table = networkTable === undefined ? undefined : findings.parse(NetworkTableSchema, networkTable, path);
  if (table === undefined) return ['net:[]'];
  const hosts = table.allowed_hosts ?? [];
  const hostsPath = [...path, 'allowed_hosts'];
  const capabilities = hosts.flatMap((host, index) => readAllowedHost(host, [...hostsPath, index], findings));
  switch (table.policy ?? 'deny') {
    case 'allow_egress':
      if (hosts.length > 0) findings.warn(hostsPath, 'is not read under the policy "allow_egress": wanted "allow_egress_filtered"');
      return ['net:*'];
    case 'allow_egress_filtered':
      if (hosts.length === 0) findings.warn([...path, 'policy'], 'is "allow_egress_filtered" without allowed_hosts: no host is allowed');
      return capabilities.length === 0 ? ['net:[]'] : [...new Set(capabilities)];
    case 'deny':
      if (hosts.length > 0) findings.warn(hostsPath, 'is not read under the policy "deny": wanted "allow_egress_filtered"');
      return ['net:[]'];
    default:
      findings.warn(
        [...path, 'policy'],
        `is ${quote(table.policy ?? '')}, which counts as deny: wanted deny, allow_egress or allow_egress_filtered`,
      );
      return ['net:[]'];
  }
}

function readAllowedHost(text: string, path: KeyPath, findings: Findings): readonly string[] {
  const read = readHost(text);
  if (!read.ok) {
    findings.problem(path, `is ${quote(text)}: wanted ${read.wanted}`);
    return [];
  }
  if (read.kind === 'address') return [`net:${read.host}:*`];
  if (!read.host.includes('.') && read.host !== 'localhost') {
    findings.warn(path, `is ${quote(text)}, which includes every host below it: wanted a host name with a dot`);
  }
  return [`net:${read.host}:*`, `net:*.${read.host}:*`];
}
