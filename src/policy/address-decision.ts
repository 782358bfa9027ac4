import { classifyAddress, isOpenable } from './addresses.ts';
import type { PreparedCall } from './call-permissions.ts';
import type { HeldCapability } from './covers.ts';
import { addressOf, namesLocalAddress, normalizeAddress } from './hosts.ts';
import { grantCommand } from './shorthand.ts';
import type { Asked, Denied } from './verdict.ts';

/** Where a connection is about to go: the host as it was asked for, and one address without brackets that it means. */
export interface Destination {
  readonly host: string;
  readonly port: number;
  readonly address: string;
}

/**
 * What stands against a connection whose host is already allowed: addresses that are not public are open only when a
 * person named them (`net:127.0.0.1:8080`), or named a host that is local by definition (`net:localhost:8080`); no
 * wildcard opens them, and no name whose owner could point it anywhere. Undefined when nothing stands against it.
 */
export function decideAddress(call: PreparedCall, destination: Destination): Asked | Denied | undefined {
  const { host, port } = destination;
  const bareAddress = addressOf(destination.address) ?? '';
  const addressClass = classifyAddress(bareAddress);
  if (addressClass === 'public') return undefined;
  const address = normalizeAddress(bareAddress) ?? destination.address;
  const what = host === address ? `${address} is a ${addressClass} address` : `"${host}" means ${address}, a ${addressClass} address`;
  if (!isOpenable(addressClass)) {
    return {
      effect: 'deny',
      by: 'policy',
      capability: `net:${address}:${port}`,
      reason: `${what}, which nothing opens`,
      hint: 'No grant lifts this',
    };
  }
  if ([...call.grants, ...call.approvals].some((held) => names(held, { host, port, address }))) return undefined;
  const capability = `net:${host === address || namesLocalAddress(host, bareAddress) ? host : address}:${port}`;
  const refusal = {
    capability,
    reason: `${what}, which only a grant that names it opens`,
    hint: `Grant it with: ${grantCommand(call.subject.plugin, capability)}`,
  };
  // A person is asked only about what the manifest itself names, never about where a name happens to lead.
  return call.requests.some((held) => names(held, { host, port, address }))
    ? { effect: 'ask', ...refusal }
    : { effect: 'deny', by: 'grant', ...refusal };
}

/** Whether a capability names this very destination. */
function names({ capability }: HeldCapability, destination: Destination): boolean {
  if (capability.kind !== 'net' || (capability.port !== '*' && capability.port !== destination.port)) return false;
  if (capability.host === destination.address) return true;
  const bareAddress = addressOf(destination.address) ?? '';
  return capability.host === destination.host && namesLocalAddress(destination.host, bareAddress);
}
