import type { Tool } from '../catalog/catalog.ts';
import type { CapabilityUse, ExecutionPaths, Executor, LiveEnds, Refusal } from '../executors/executor.ts';
import type { Plugin, RuntimeKind } from '../manifest/plugin.ts';
import { prepareCall, type PreparedCall } from '../policy/call-permissions.ts';
import { decide } from '../policy/decide.ts';
import { permissionsOf, type Permissions } from '../policy/permissions.ts';
import type { EffectivePolicy } from '../policy/policy.ts';
import type { GrantBook } from '../trust/grant-book.ts';
import { decideEntry, listGiven, type Entry } from './entry.ts';
import { listVariables } from './variables.ts';

export interface AuthorityDeps {
  readonly policy: EffectivePolicy;
  readonly grants: GrantBook;
  /** They say when permissions are decided. */
  readonly executors: Readonly<Record<RuntimeKind, Pick<Executor, 'permissions'>>>;
  pathsOf(plugin: Plugin): ExecutionPaths;
  /** Directories of ours that no plugin may touch. */
  readonly protectedDirectories: readonly string[];
}

/** What a person said about the capabilities of one call. */
export interface PersonsAnswer {
  readonly approved: readonly string[];
  readonly refused: readonly string[];
}

/** Everything that decides over one call, read once. */
export interface CallAuthority {
  readonly prepared: PreparedCall;
  readonly permissions: Permissions;
  readonly entry: Entry;
  /** Capabilities that a call uses by having begun, for they are part of its sandbox. */
  readonly given: readonly string[];
  /** Names of the server’s variables that it may have. */
  readonly variables: readonly string[];
}

export interface Authority {
  prepare(tool: Tool, answer: PersonsAnswer | undefined): CallAuthority;
}

/** Joins request, grant and policy for calls; what did not change since the last call of a tool is read once. */
export function createAuthority(deps: AuthorityDeps): Authority {
  const known = new WeakMap<Tool, { readonly version: number; readonly authority: CallAuthority }>();

  const prepare = (tool: Tool, answer: PersonsAnswer | undefined): CallAuthority => {
    const { plugin, command } = tool;
    const prepared = prepareCall({
      plugin: { id: plugin.id, runtimeKind: plugin.runtime.kind, requests: plugin.requests },
      command: { name: command.name, requests: command.requests },
      grants: deps.grants.of(plugin),
      approvals: answer?.approved ?? [],
      denials: answer?.refused ?? [],
      policy: deps.policy,
      paths: deps.pathsOf(plugin),
      protectedDirectories: deps.protectedDirectories,
    });
    const permissions = permissionsOf(prepared);
    const question = { prepared, permissions, run: decide(prepared, { kind: 'run', runtime: plugin.runtime.kind }) };
    const mode = deps.executors[plugin.runtime.kind].permissions;
    return {
      prepared,
      permissions,
      entry: decideEntry(question, mode),
      given: mode === 'ahead' ? listGiven(question) : [],
      variables: listVariables(permissions.allowed),
    };
  };

  return {
    prepare(tool, answer) {
      if (answer) return prepare(tool, answer);
      const version = deps.grants.version();
      const last = known.get(tool);
      if (last?.version === version) return last.authority;
      const authority = prepare(tool, undefined);
      known.set(tool, { version, authority });
      return authority;
    },
  };
}

/** What happened to the capabilities of one call. */
export interface Usage {
  /** In short form, for the audit. */
  readonly used: ReadonlySet<string>;
  readonly refusals: readonly Refusal[];
  /** Whether something was allowed that cannot be done twice without harm. */
  readonly hasEffect: boolean;
}

interface PermitOptions {
  /**
   * Called when a person’s approval would settle a use and nothing had an effect yet; true when the call is stopped to
   * ask for it, and begins anew with the answer.
   */
  onAsk(capability: string): boolean;
}

/** Uses and refusals that are kept per call; a guest can try as often as it likes. */
const MAX_KEPT = 50;

export interface CallPermit extends Pick<LiveEnds, 'permit' | 'refused'> {
  readonly usage: Usage;
}

/** The `permit` of one call, and what it let pass and refused. */
export function createPermit(prepared: PreparedCall, options: PermitOptions): CallPermit {
  const used = new Set<string>();
  const refusals: Refusal[] = [];
  const usage = { used, refusals, hasEffect: false };
  const refuse = (refusal: Refusal): Refusal => {
    const isNew = !refusals.some((one) => one.capability === refusal.capability && one.reason === refusal.reason);
    if (isNew && refusals.length < MAX_KEPT) refusals.push(refusal);
    return refusal;
  };
  return {
    usage,
    refused: (refusal) => void refuse(refusal),
    permit(use) {
      const verdict = decide(prepared, use);
      if (verdict.effect === 'allow') {
        if (used.size < MAX_KEPT) used.add(describeUse(use));
        // Commands that have rules only read. A connection is made when its last gate, the address, has let it pass.
        if (use.kind === 'write:fs' || use.kind === 'net-address' || (use.kind === 'exec' && !verdict.argv)) usage.hasEffect = true;
        return verdict.argv ? { allowed: true, args: verdict.argv.slice(1) } : { allowed: true };
      }
      const { capability, reason, hint } = verdict;
      if (verdict.effect === 'deny') return refuse({ allowed: false, capability, by: verdict.by, reason: `${reason}. ${hint}` });
      // A use that the person will be asked about is no refusal yet; the call starts anew with the answer.
      if (!usage.hasEffect && options.onAsk(capability)) return { allowed: false, capability, by: 'grant', reason };
      return refuse({ allowed: false, capability, by: 'grant', reason: `${reason}. ${hint}` });
    },
  };
}

function describeUse(use: CapabilityUse): string {
  switch (use.kind) {
    case 'exec':
      return `exec:${use.program}`;
    case 'net':
    case 'net-address':
      return `net:${use.host}:${use.port}`;
    case 'net-body':
      return `net-body:${use.host}`;
    case 'read:fs':
    case 'write:fs':
      return use.kind;
  }
}
