import { classifyAddress } from './addresses.ts';
import type { PreparedCall } from './call-permissions.ts';
import { coversCapability, holdCapabilities, type HeldCapability } from './covers.ts';
import { effectsOn } from './evaluate.ts';
import { addressOf, isLocalName } from './hosts.ts';
import { protectionOf } from './protection.ts';

/** What a call may do, before it runs. Capability strings, as the manifest wrote them. */
export interface Permissions {
  /** Allowed whole: what a sandbox may be built from. The plugin’s own directories are always among them. */
  readonly allowed: readonly string[];
  /** Allowed in part, because a rule takes some of it away: only asking per use gives the answer. */
  readonly partial: readonly string[];
  /** What a person’s approval would settle, all of it, so that they are asked once; holds `run:<kind>` when running is asked for. */
  readonly asks: readonly string[];
  /** Refused whatever a person says. */
  readonly denied: readonly string[];
}

/** Sorts everything that a call requests by what would become of it. Pure. */
export function permissionsOf(call: PreparedCall): Permissions {
  const { paths } = call.subject;
  const own = ['read:fs:$PLUGIN', 'read:fs:$DATA', 'write:fs:$DATA', ...(paths.run === undefined ? [] : ['read:fs:$RUN', 'write:fs:$RUN'])];
  const sorted = { allowed: new Set(own), partial: new Set<string>(), asks: new Set<string>(), denied: new Set(call.excessRequests) };
  const run = holdCapabilities([`run:${call.runtimeKind}`], paths);
  for (const wanted of [...run, ...call.requests]) {
    if (wanted.capability.kind === 'net:none' || sorted.allowed.has(wanted.text)) continue;
    const fate = fateOf(call, wanted);
    if (fate !== 'allowed' || wanted.capability.kind !== 'run') sorted[fate].add(wanted.text);
  }
  return { allowed: [...sorted.allowed], partial: [...sorted.partial], asks: [...sorted.asks], denied: [...sorted.denied] };
}

function fateOf(call: PreparedCall, wanted: HeldCapability): keyof Permissions {
  if (isForbidden(call, wanted)) return 'denied';
  const isRefused = call.denials.some((held) => coversCapability(held, wanted));
  if (isRefused) return 'denied';
  const effects = effectsOn(call.policy, call.subject, wanted);
  if (!effects.has('allow') && !effects.has('require_approval')) return 'denied';
  const isApproved = [...call.grants, ...call.approvals].some((held) => coversCapability(held, wanted));
  if (!isApproved && (effects.has('require_approval') || namesClosedAddress(wanted))) return 'asks';
  return effects.has('deny') ? 'partial' : 'allowed';
}

function isForbidden(call: PreparedCall, { capability, place }: HeldCapability): boolean {
  if (place === undefined || (capability.kind !== 'read:fs' && capability.kind !== 'write:fs')) return false;
  return protectionOf(place.base, capability.kind === 'read:fs' ? 'read' : 'write', call.places).kind === 'forbidden';
}

/** Addresses that are not public need a person’s word even where the policy allows the network. */
function namesClosedAddress({ capability }: HeldCapability): boolean {
  if (capability.kind !== 'net') return false;
  const address = addressOf(capability.host);
  return address === undefined ? capability.host !== '*' && isLocalName(capability.host) : classifyAddress(address) !== 'public';
}
