import type { PreparedCall } from './call-permissions.ts';
import { coversCapability, holdCapabilities, type HeldCapability } from './covers.ts';
import { grantHint } from './decide.ts';
import { ruleOn } from './evaluate.ts';
import type { Permissions } from './permissions.ts';
import { protectionOf } from './protection.ts';
import type { Use } from './query.ts';
import { denied, type Denied } from './verdict.ts';

/** What `permissionsOf` found of a capability that a call cannot have, or cannot have yet. */
export type Fate = Exclude<keyof Permissions, 'allowed'>;

/** Says why a call cannot have a capability, which the reason names, and what a person can do. Pure, like `decide`. */
export function explainRefusal(call: PreparedCall, capability: string, fate: Fate): Denied {
  const { plugin, command, paths } = call.subject;
  if (call.excessRequests.includes(capability)) {
    const reason = `the manifest of "${plugin}" does not request ${capability} for "${command}"`;
    return denied('request', { capability, reason, hint: `The author of "${plugin}" has to add it to the manifest` });
  }
  const wanted = call.requests.find((held) => held.text === capability) ?? holdCapabilities([capability], paths)[0];
  const forbidden = wanted === undefined ? undefined : findForbidden(call, wanted);
  if (forbidden !== undefined) {
    return denied('policy', { capability, reason: `${capability} cannot be given: ${forbidden}`, hint: 'No grant lifts this' });
  }
  const hint = grantHint(plugin, capability);
  if (wanted !== undefined && call.denials.some((held) => coversCapability(held, wanted))) {
    return denied('grant', { capability, reason: `a person refused ${capability} for this call`, hint });
  }
  const use = wanted === undefined ? undefined : useOf(call, wanted);
  const ruling = use === undefined ? undefined : ruleOn(call.policy, call.subject, use);
  if (fate === 'asks') {
    const why = ruling?.effect === 'require_approval' ? `: ${ruling.because()}` : '';
    return denied('grant', { capability, reason: `${capability} is not granted${why}`, hint });
  }
  const why = ruling?.effect === 'deny' ? ruling.because() : 'a rule takes a part of it away, and it is given whole or not at all';
  const only = 'Only the policy can change this; a grant cannot';
  return denied('policy', { capability, reason: `the policy does not allow ${capability}: ${why}`, hint: only });
}

function findForbidden(call: PreparedCall, { capability, place }: HeldCapability): string | undefined {
  if (place === undefined || (capability.kind !== 'read:fs' && capability.kind !== 'write:fs')) return undefined;
  const protection = protectionOf(place.base, capability.kind === 'read:fs' ? 'read' : 'write', call.places);
  return protection.kind === 'forbidden' ? protection.reason : undefined;
}

/** One use that the capability covers, for the policy to be asked about. */
function useOf({ runtimeKind, places }: PreparedCall, { capability, place }: HeldCapability): Use | undefined {
  switch (capability.kind) {
    case 'read:fs':
    case 'write:fs':
      return place === undefined ? undefined : { kind: capability.kind, segments: place.base };
    case 'exec':
      return { kind: 'exec', program: capability.program, args: [], directory: place?.base ?? places.root };
    case 'net':
      return { kind: 'net', host: capability.host, port: capability.port === '*' ? 443 : capability.port };
    case 'env':
      return { kind: 'env', name: capability.name };
    case 'run':
      return { kind: 'run', runtime: runtimeKind };
    case 'storage:read':
    case 'storage:write':
    case 'session:write':
      return { kind: capability.kind };
    case 'net:none':
      return undefined;
  }
}
