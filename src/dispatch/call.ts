import { randomUUID } from 'node:crypto';

import { digestArguments } from '../audit/canonical.ts';
import type { Journal } from '../audit/journal.ts';
import type { ArtifactStore } from '../artifacts/store.ts';
import type { CatalogSource, Tool } from '../catalog/catalog.ts';
import type { Execution, ExecutionPaths, ExecutionReport, Executor } from '../executors/executor.ts';
import type { Plugin, RuntimeKind } from '../manifest/plugin.ts';
import type { GrantBook } from '../trust/grant-book.ts';
import { createPermit, type Authority, type CallAuthority } from './authority.ts';
import type { ApprovalDesk } from './approval.ts';
import { askPerson, hearPerson } from './ask.ts';
import { describeIssues } from './describe-issues.ts';
import { createFileKeeper } from './keep-files.ts';
import { createLiveCall } from './live-call.ts';
import type { CallAnswer, CallRequest, Dispatch } from './outcome.ts';
import type { CallQueue } from './queue.ts';
import { openRecord, type CallRecord } from './record.ts';
import { endCall, type Ending } from './result.ts';
import { pickVariables } from './variables.ts';

export interface DispatchDeps {
  readonly catalog: CatalogSource;
  readonly authority: Authority;
  readonly grants: GrantBook;
  readonly approvals: ApprovalDesk;
  readonly queue: CallQueue;
  readonly executors: Readonly<Record<RuntimeKind, Executor>>;
  readonly journal: Journal;
  readonly artifacts: ArtifactStore;
  pathsOf(plugin: Plugin): ExecutionPaths;
  /** The server’s own variables, of which plugins get those that they may have. */
  readonly environment: NodeJS.ProcessEnv;
  /** Characters of text in a result. */
  readonly maxCharacters: number;
  /** Whether each call is the last of its plugin, as in trials; absent means that more will come. */
  readonly areLast?: boolean;
}

/** What the steps of a call hand to one another. */
export interface OpenCall {
  readonly id: string;
  readonly startedMs: number;
  readonly request: CallRequest;
  readonly tool: Tool;
  readonly args: Record<string, unknown>;
  readonly argumentsDigest: string;
  /** Nested so deeply that not even a digest can be made. */
  readonly tooDeep: boolean;
  readonly record: CallRecord;
}

/** The table of contents of a call: every step is named here and done elsewhere. */
export function createDispatch(deps: DispatchDeps): Dispatch {
  return {
    mayAsk(name) {
      const tool = deps.catalog.current().findTool(name);
      if (!tool) return false;
      const { entry, permissions } = deps.authority.prepare(tool, undefined);
      return entry.kind === 'ask' || (entry.kind === 'open' && permissions.asks.length > 0);
    },
    async call(request) {
      const tool = deps.catalog.current().findTool(request.tool);
      if (!tool) return { kind: 'unknown-tool', message: `Unknown tool: ${request.tool}` };
      const call = openCall(deps, request, tool);

      const issues = call.tooDeep ? [TOO_DEEP] : tool.checkArguments(call.args);
      if (issues.length > 0) return refuse(deps, call, { code: 'DISPATCH_ARGUMENTS_INVALID', reason: describeIssues(issues) });

      const heard = hearPerson(deps, call);
      if (heard.kind === 'void') return refuse(deps, call, { code: 'DISPATCH_APPROVAL_VOID', reason: heard.reason });

      const authority = deps.authority.prepare(tool, heard.answer);
      const { entry } = authority;
      if (entry.kind === 'closed' || (entry.kind === 'ask' && !mayAsk(call))) {
        const { reason, hint, refusals } = entry;
        return refuse(deps, call, { code: 'DISPATCH_NOT_PERMITTED', reason: `${reason}. ${hint}`, refusals }, authority);
      }
      if (entry.kind === 'ask') {
        call.record.intent(authority);
        return askPerson(deps, call, authority);
      }

      const admission = await deps.queue.enter(tool.plugin.id, { concurrency: tool.plugin.limits.concurrency, signal: request.signal });
      if (admission.kind === 'full')
        return refuse(deps, call, { code: 'DISPATCH_QUEUE_FULL', reason: `the queue is full, ${admission.limit}` }, authority);
      if (admission.kind === 'cancelled')
        return refuse(deps, call, { code: 'DISPATCH_CANCELLED', reason: 'the client withdrew it' }, authority);
      try {
        return await runCall(deps, call, authority);
      } finally {
        admission.place.leave();
      }
    },
  };
}

/** A person is asked at most once for a call. */
const mayAsk = (call: OpenCall): boolean => call.request.canAsk && call.request.approval === undefined;

function openCall(deps: DispatchDeps, request: CallRequest, tool: Tool): OpenCall {
  const id = randomUUID();
  const args = (request.arguments ?? {}) as Record<string, unknown>;
  const argumentsDigest = tryDigest(args);
  const { environment } = deps;
  const record = openRecord(deps.journal, { callId: id, caller: request.caller, tool, args, argumentsDigest, environment });
  return { id, startedMs: performance.now(), request, tool, args, argumentsDigest, tooDeep: argumentsDigest === NO_DIGEST, record };
}

const NO_DIGEST = 'none';
const TOO_DEEP = { path: '', message: 'are nested too deeply' };

function tryDigest(args: unknown): string {
  try {
    return digestArguments(args);
  } catch {
    return NO_DIGEST;
  }
}

async function runCall(deps: DispatchDeps, call: OpenCall, authority: CallAuthority): Promise<CallAnswer> {
  const executor = deps.executors[call.tool.plugin.runtime.kind];
  const live = createLiveCall(call.request);
  const files = createFileKeeper(deps.artifacts, call.id);
  // A script has effects that nobody sees, so that it cannot be begun anew; what it needs was asked for ahead.
  const mayStop = executor.permissions === 'per-use' && mayAsk(call);
  const { permit, refused, usage } = createPermit(authority.prepared, { onAsk: () => mayStop && live.stopToAsk() });
  call.record.intent(authority);
  let report: ExecutionReport;
  try {
    report = await executor.execute(describeExecution(deps, call, authority), { permit, refused, keep: files.keep, ...live.ends });
  } catch (error) {
    call.record.broken(error);
    throw error;
  } finally {
    live.close();
  }
  if (live.stoppedToAsk()) return askPerson(deps, call, authority, report);
  return finish(deps, call, { kind: 'executed', report, usage, logs: live.logs, kept: files.kept, given: authority.given });
}

function describeExecution(deps: DispatchDeps, call: OpenCall, { permissions, variables }: CallAuthority): Execution {
  const { plugin, command } = call.tool;
  return {
    callId: call.id,
    plugin,
    runtime: plugin.runtime,
    command: command.name,
    arguments: call.args,
    paths: deps.pathsOf(plugin),
    // Hosts that a rule allows in part are decided per connection, which there must be a way for.
    permissions: [...permissions.allowed, ...permissions.partial.filter((text) => text.startsWith('net:'))],
    environment: pickVariables(variables, deps.environment),
    limits: plugin.limits,
    ...(deps.areLast ? { isLast: true } : {}),
  };
}

function refuse(
  deps: DispatchDeps,
  call: OpenCall,
  refusal: Omit<Extract<Ending, { kind: 'refused' }>, 'kind'>,
  authority?: CallAuthority,
): Promise<CallAnswer> {
  call.record.intent(authority);
  return finish(deps, call, { kind: 'refused', ...refusal });
}

async function finish(deps: DispatchDeps, call: OpenCall, ending: Ending): Promise<CallAnswer> {
  const outcome = await endCall(deps, call, ending);
  call.record.outcome(outcome, ending);
  return { kind: 'done', outcome };
}
