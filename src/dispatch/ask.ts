import type { ExecutionReport } from '../executors/executor.ts';
import type { CallAuthority, PersonsAnswer } from './authority.ts';
import type { DispatchDeps, OpenCall } from './call.ts';
import type { CallAnswer } from './outcome.ts';

export type Heard =
  | { readonly kind: 'heard'; readonly answer: PersonsAnswer | undefined }
  | { readonly kind: 'void'; readonly reason: string };

/** Takes the person’s answer that came with a call, if one did; “from now on” is stored as a grant here, and nowhere else. */
export function hearPerson({ approvals, grants, journal }: DispatchDeps, { request, tool, argumentsDigest, id }: OpenCall): Heard {
  if (!request.approval) return { kind: 'heard', answer: undefined };
  const { binding, answer } = request.approval;
  const redeemed = approvals.redeem(binding, { tool: request.tool, argumentsDigest, pluginDigest: tool.plugin.digest });
  if (!redeemed.ok) return { kind: 'void', reason: redeemed.reason };
  const { capabilities } = redeemed.approval;
  journal.event({ event: 'approval-answered', plugin: tool.plugin.name, detail: { callId: id, answer, capabilities } });
  if (answer === 'no') return { kind: 'heard', answer: { approved: [], refused: capabilities } };
  if (answer === 'always') grants.add(tool.plugin, capabilities);
  return { kind: 'heard', answer: { approved: capabilities, refused: [] } };
}

/**
 * Asks for all that the command could need a person’s word for, so that they are asked once. The call ends here; its
 * repetition with the answer starts from the beginning, which is why nothing may have had an effect by now.
 */
export function askPerson({ approvals }: DispatchDeps, call: OpenCall, authority: CallAuthority, report?: ExecutionReport): CallAnswer {
  const { plugin, command } = call.tool;
  const capabilities = authority.permissions.asks;
  const binding = approvals.open({
    tool: call.request.tool,
    argumentsDigest: call.argumentsDigest,
    pluginDigest: plugin.digest,
    capabilities,
  });
  call.record.asked(capabilities, report);
  const message = `The plugin "${plugin.name}" wants to run "${command.name}" and needs your permission`;
  return { kind: 'ask', request: { plugin: plugin.name, command: command.name, message, capabilities, binding } };
}
