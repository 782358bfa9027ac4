import { EgressProblem } from '../../egress/result.ts';
import { parseTarget, type Target } from '../../egress/target.ts';
import type { CapabilityUse, Permit, Refusal } from '../../executor.ts';

/** Where packages of one kind come from. */
export interface Registry {
  /** As the package manager is given it. */
  readonly url: string;
  /** All that may be connected to; the registry’s own host first. */
  readonly places: readonly { readonly host: string; readonly port: number }[];
  /** Whether it is an address or `localhost`: only then may it lead to an address that is not public. */
  readonly isLocal: boolean;
  /** Whether a person named it, who may mean one inside their own network. */
  readonly isConfigured: boolean;
}

/** Where an address leads, as far as a registry cares: `inside` is a private network, `closed` everything that none lies at. */
export type AddressReach = 'public' | 'inside' | 'closed';

export type RegistryResult = { readonly ok: true; readonly registry: Registry } | { readonly ok: false; readonly reason: string };

/** Further hosts of a registry, by its own: where an index keeps its files. */
export type FurtherHosts = Readonly<Record<string, readonly string[]>>;

const HTTPS_PORT = 443;

/** Reads the URL of a registry. Users and passwords in it are refused, for plugins’ install scripts would see them. */
export function readRegistry(
  url: string,
  { furtherHosts, isConfigured }: { readonly furtherHosts: FurtherHosts; readonly isConfigured: boolean },
): RegistryResult {
  let target: Target;
  try {
    target = parseTarget(url);
  } catch (error) {
    if (!(error instanceof EgressProblem)) throw error;
    return { ok: false, reason: `the registry "${url.replace(/\/\/[^/@]*@/, '//…@')}" cannot be used: ${error.message}` };
  }
  const { host, port, literal } = target;
  const further = port === HTTPS_PORT ? (furtherHosts[host] ?? []) : [];
  return {
    ok: true,
    registry: {
      // Names are resolved against it, which would replace a last part without a slash.
      url: target.url.href.replace(/\/*$/, '/'),
      places: [{ host, port }, ...further.map((other) => ({ host: other, port: HTTPS_PORT }))],
      isLocal: literal !== undefined || isLocalName(host),
      isConfigured,
    },
  };
}

/** RFC 6761 §6.3. */
const isLocalName = (host: string): boolean => host === 'localhost' || host.endsWith('.localhost');

/** Whether a lock that names this registry means the one in use, or the public one that it stands for. */
export const isSameRegistry = (named: string, registry: Registry, publicUrl: string): boolean => {
  const plain = (url: string): string => url.trim().toLowerCase().replace(/\/*$/, '');
  return plain(named) === plain(registry.url) || plain(named) === plain(publicUrl);
};

export interface RegistryPermitOptions {
  readonly registry: Registry;
  readonly reachOf: (address: string) => AddressReach;
  readonly onRefused: (refusal: Refusal) => void;
}

/** What a package manager may connect to: the registry and nothing else, whatever packages and locks name. */
export function createRegistryPermit({ registry, reachOf, onRefused }: RegistryPermitOptions): (use: CapabilityUse) => Permit {
  const open = registry.places.map(({ host, port }) => `${host}:${port}`).join(', ');
  return (use) => {
    const reason = findReason(use, { registry, reachOf, open });
    if (reason === undefined) return { allowed: true };
    const refusal: Refusal = { allowed: false, capability: describeUse(use), by: 'sandbox', reason };
    onRefused(refusal);
    return refusal;
  };
}

interface PermitSetting extends Pick<RegistryPermitOptions, 'registry' | 'reachOf'> {
  readonly open: string;
}

function findReason(use: CapabilityUse, { registry, reachOf, open }: PermitSetting): string | undefined {
  if (use.kind === 'read:fs' || use.kind === 'write:fs' || use.kind === 'exec') return 'only the network is asked for';
  const isPlace = registry.places.some(({ host, port }) => host === use.host && (use.kind === 'net-body' || port === use.port));
  if (!isPlace) return `${describePlace(use)} is not the registry: only ${open} can be reached while packages are installed`;
  if (use.kind !== 'net-address') return undefined;
  const reach = reachOf(use.address);
  if (reach === 'public' || (reach === 'inside' && registry.isConfigured)) return undefined;
  if (registry.isLocal && (isLocalName(use.host) ? isLoopback(use.address) : isSameAddress(use.host, use.address))) return undefined;
  return `the registry ${use.host} leads to ${use.address}, which is no public address: it would have to be configured by its address`;
}

const isLoopback = (address: string): boolean => address === '::1' || address.startsWith('127.');
const isSameAddress = (host: string, address: string): boolean => host.replace(/^\[|\]$/g, '') === address.replace(/^\[|\]$/g, '');
const describePlace = (use: { readonly host: string; readonly port?: number }): string =>
  'port' in use ? `${use.host}:${use.port}` : use.host;
const describeUse = (use: CapabilityUse): string => ('host' in use ? `net:${describePlace(use)}` : use.kind);
