import { scanBody } from './body-scan.ts';
import type { PreparedCall } from './call-permissions.ts';
import { checkCommand } from './command-rules.ts';
import { coversUse, type HeldCapability } from './covers.ts';
import { ruleOn } from './evaluate.ts';
import { addressOf } from './hosts.ts';
import { decideAddress } from './address-decision.ts';
import { protectionOf } from './protection.ts';
import { capabilityOf, readQuery, type Query, type Use } from './query.ts';
import { grantCommand } from './shorthand.ts';
import { denied, type Verdict } from './verdict.ts';

/**
 * Decides one use of one call: request ∩ grant ∩ policy, after what no grant lifts. Pure: touches no clock, disk or log,
 * and denies whatever it cannot understand. `ask` means that a person’s approval would settle it.
 */
export function decide(call: PreparedCall, query: Query): Verdict {
  if (query.kind === 'net-body') return decideBody(query);
  const use = readQuery(query, call.subject.paths);
  if ('issue' in use)
    return denied('policy', { capability: query.kind, reason: use.issue, hint: 'Nothing can be granted that is not well-formed' });
  const early = decideBuiltIn(call, use);
  if (early !== undefined) return early;
  const verdict = decideByRequest(call, use);
  if (verdict.effect === 'deny') return verdict;
  if (use.kind === 'exec') return decideArguments(call, use, verdict);
  if (use.kind !== 'net' || verdict.effect === 'ask') return verdict;
  const address = use.address ?? addressOf(use.host);
  return (address === undefined ? undefined : decideAddress(call, { host: use.host, port: use.port, address })) ?? verdict;
}

/** What holds whatever was requested, granted or ruled; undefined when nothing of the kind does. */
function decideBuiltIn(call: PreparedCall, use: Use): Verdict | undefined {
  if (use.kind !== 'read:fs' && use.kind !== 'write:fs') return undefined;
  const protection = protectionOf(use.segments, use.kind === 'read:fs' ? 'read' : 'write', call.places);
  if (protection.kind === 'own') return { effect: 'allow', source: 'built-in' };
  if (protection.kind === 'ordinary') return undefined;
  return denied('policy', { capability: capabilityOf(use, call.subject.paths), reason: protection.reason, hint: 'No grant lifts this' });
}

/** Arguments that a program’s rules refuse are refused before a person is asked about the program. */
function decideArguments(call: PreparedCall, use: Extract<Use, { kind: 'exec' }>, verdict: Verdict): Verdict {
  const command = checkCommand(use.program, use.args, { root: call.subject.paths.root });
  if (command.kind === 'ok') return verdict.effect === 'allow' ? { ...verdict, argv: command.argv } : verdict;
  if (command.kind === 'unknown') return verdict;
  return denied('policy', {
    capability: `exec:${use.program}`,
    reason: command.reason,
    hint: 'Leave the argument out; no grant lifts this',
  });
}

function decideByRequest(call: PreparedCall, use: Use): Verdict {
  const { subject } = call;
  const request = use.kind === 'run' ? undefined : findCovering(call.requests, use);
  if (use.kind !== 'run' && request === undefined) {
    const capability = capabilityOf(use, subject.paths);
    const reason = `the manifest of "${subject.plugin}" does not request ${capability} for "${subject.command}"`;
    return denied('request', { capability, reason, hint: `The author of "${subject.plugin}" has to add it to the manifest` });
  }
  const capability = request?.text ?? capabilityOf(use, subject.paths);
  const ruling = ruleOn(call.policy, subject, use);
  if (ruling.effect === 'deny') {
    return denied('policy', {
      capability: capabilityOf(use, subject.paths),
      reason: ruling.because(),
      hint: 'Only the policy can change this; a grant cannot',
    });
  }
  if (findCovering(call.denials, use) !== undefined) {
    return denied('grant', { capability, reason: 'a person refused it for this call', hint: grantHint(subject.plugin, capability) });
  }
  if (ruling.effect === 'allow') return { effect: 'allow', source: 'policy' };
  if (findCovering(call.grants, use) !== undefined) return { effect: 'allow', source: 'grant' };
  if (findCovering(call.approvals, use) !== undefined) return { effect: 'allow', source: 'approval' };
  return { effect: 'ask', capability, reason: ruling.because(), hint: grantHint(subject.plugin, capability) };
}

/** The sentence that says how a person grants capabilities for good. */
export const grantHint = (plugin: string, ...capabilities: readonly string[]): string =>
  `Grant ${capabilities.length === 1 ? 'it' : 'them'} with: ${grantCommand(plugin, ...capabilities)}`;

const findCovering = (held: readonly HeldCapability[], use: Use): HeldCapability | undefined => held.find((one) => coversUse(one, use));

function decideBody(query: Extract<Query, { kind: 'net-body' }>): Verdict {
  const kinds = scanBody(query.body);
  if (kinds.length === 0) return { effect: 'allow', source: 'built-in' };
  return denied('policy', {
    capability: `net:${query.host}:*`,
    reason: `the request body holds what must not leave this machine: ${kinds.join(', ')}`,
    hint: 'Take it out of the arguments or the file that it comes from; no grant lifts this',
  });
}
