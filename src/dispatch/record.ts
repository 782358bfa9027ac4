import type { Journal } from '../audit/journal.ts';
import { maskValues, redactArguments } from '../audit/redact.ts';
import type { OutcomeFields } from '../audit/record.ts';
import type { Tool } from '../catalog/catalog.ts';
import { reasonOf } from '../errors.ts';
import type { ExecutionReport } from '../executors/executor.ts';
import type { CallAuthority } from './authority.ts';
import type { Caller, Outcome } from './outcome.ts';
import type { Ending } from './result.ts';
import { listVariables, pickVariables } from './variables.ts';

/** The two records of one call. Writing throws AUDIT_UNWRITABLE, and then the call does not go on. */
export interface CallRecord {
  /** Must be called before anything of the plugin runs. Without an authority, the call was refused before one was made. */
  intent(authority: CallAuthority | undefined): void;
  outcome(outcome: Outcome, ending: Ending): void;
  /** The call ended in a question to a person. */
  asked(capabilities: readonly string[], report: ExecutionReport | undefined): void;
  /** An executor broke its promise never to throw. */
  broken(error: unknown): void;
}

interface RecordedCall {
  readonly callId: string;
  readonly caller: Caller;
  readonly tool: Tool;
  readonly args: Record<string, unknown>;
  readonly argumentsDigest: string;
  /** Where the values of the variables come from that a plugin requests; they must not reach the journal. */
  readonly environment: NodeJS.ProcessEnv;
}

/** What differs between the ends of calls. Members are written out one by one here: joining objects costs more than all else. */
interface CallEnd extends Pick<OutcomeFields, 'outcome'>, Partial<Pick<OutcomeFields, 'tier' | 'used' | 'refusals'>> {
  readonly error?: string | undefined;
  readonly exit?: string | undefined;
  readonly usage?: ExecutionReport['usage'] | undefined;
}

export function openRecord(journal: Journal, { callId, caller, tool, args, argumentsDigest, environment }: RecordedCall): CallRecord {
  const startedMs = performance.now();
  const { plugin, command } = tool;
  const client = { name: caller.client, version: caller.clientVersion };
  // Of all that it requests, for who calls may say a value that the plugin was not given.
  const secretValues = Object.values(pickVariables(listVariables(plugin.requests), environment));

  const end = ({ outcome, error, exit, usage, tier = 'none', used = [], refusals = [] }: CallEnd): void => {
    const unenforced = usage?.unenforced ?? [];
    journal.outcome({
      callId,
      client,
      plugin: plugin.name,
      command: command.name,
      outcome,
      ...(error === undefined ? {} : { error }),
      ...(exit === undefined ? {} : { exit }),
      durationMs: Math.round((performance.now() - startedMs) * 1000) / 1000,
      bytesIn: usage?.bytesIn ?? 0,
      bytesOut: usage?.bytesOut ?? 0,
      ...(usage?.fuel === undefined ? {} : { fuel: usage.fuel }),
      tier,
      ...(unenforced.length === 0 ? {} : { unenforced: [...unenforced] }),
      used,
      refusals,
    });
  };

  return {
    intent(authority) {
      journal.intent({
        callId,
        client,
        plugin: plugin.name,
        command: command.name,
        transport: caller.transport,
        principal: caller.principal,
        version: plugin.version,
        digest: plugin.digest,
        arguments: redactArguments(args, { secretNames: plugin.settings?.secrets ?? [], secretValues }),
        argumentsDigest,
        capabilities: [...(authority?.permissions.allowed ?? [])],
        decision: describeDecision(authority),
        limits: plugin.limits,
      });
    },
    outcome(outcome, ending) {
      const usage = ending.kind === 'executed' ? ending.report.usage : undefined;
      const mask = (text: string): string => maskValues(text, secretValues);
      end({
        outcome: outcome.kind,
        error: outcome.error?.code,
        exit: usage?.exit,
        usage,
        tier: outcome.tier,
        used: ending.kind === 'executed' ? listUsed(ending).map(mask) : [],
        refusals: outcome.refusals.map(({ capability, by, reason }) => ({ capability: mask(capability), by, reason: mask(reason) })),
      });
    },
    asked(capabilities, report) {
      end({
        outcome: 'refused',
        error: 'DISPATCH_APPROVAL_ASKED',
        tier: report?.usage.tier ?? 'none',
        refusals: capabilities.map((capability) => ({ capability, by: 'grant', reason: 'a person is asked' })),
      });
    },
    broken: (error) => end({ outcome: 'failed', error: 'EXECUTION_INTERNAL', exit: reasonOf(error).slice(0, 200) }),
  };
}

/** What was built into a sandbox counts as used once a process ran in it, of which the end is then told. */
const listUsed = ({ report, usage, given }: Extract<Ending, { kind: 'executed' }>): readonly string[] =>
  given.length === 0 || report.usage.exit === undefined ? [...usage.used] : [...given, ...usage.used];

function describeDecision(authority: CallAuthority | undefined): { effect: string; source: string; reason?: string } {
  if (!authority) return { effect: 'deny', source: 'arguments' };
  const { entry } = authority;
  if (entry.kind === 'open') return { effect: 'allow', source: entry.source };
  if (entry.kind === 'ask') return { effect: 'require_approval', source: 'policy', reason: entry.reason };
  return { effect: 'deny', source: entry.by, reason: entry.reason };
}
