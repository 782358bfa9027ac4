import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { onTestFinished } from 'vitest';

import { createArtifactStore } from '../../../src/artifacts/store.ts';
import { createJournal, type Journal } from '../../../src/audit/journal.ts';
import type { AuditRecord, IntentRecord, OutcomeRecord } from '../../../src/audit/record.ts';
import type { Catalog } from '../../../src/catalog/catalog.ts';
import { makeCatalog } from '../../../src/catalog/make-catalog.ts';
import { createApprovalDesk } from '../../../src/dispatch/approval.ts';
import { createAuthority } from '../../../src/dispatch/authority.ts';
import { createDispatch, type DispatchDeps } from '../../../src/dispatch/call.ts';
import type { ApprovalAnswer, ApprovalRequest, CallAnswer, CallRequest, Outcome } from '../../../src/dispatch/outcome.ts';
import { createCallQueue } from '../../../src/dispatch/queue.ts';
import type { Execution, ExecutionResult, ExecutionUsage, Executor, LiveEnds } from '../../../src/executors/executor.ts';
import { createLog } from '../../../src/log.ts';
import type { Plugin } from '../../../src/manifest/plugin.ts';
import { ABSENT_IN_FILE, DEFAULT_POLICY, type Effect, type EffectivePolicy, type PolicyKey } from '../../../src/policy/policy.ts';
import { createGrantBook, type GrantBook } from '../../../src/trust/grant-book.ts';
import { createGrantStore } from '../../../src/trust/grants.ts';
import { useTmp } from '../../helpers/tmp.ts';
import { anEntry, aPlugin } from '../catalog/fixtures.ts';

/** What the executor under test does with a call. */
export type Work = (execution: Execution, live: LiveEnds) => ExecutionResult | Promise<ExecutionResult>;

export const okText = (text: string): ExecutionResult => ({ kind: 'ok', output: { text } });

interface DispatchOptions {
  readonly plugin?: Partial<Plugin>;
  readonly policy?: EffectivePolicy;
  readonly maxRunning?: number;
  readonly maxWaiting?: number;
  readonly quotaBytes?: number;
  readonly usage?: Partial<ExecutionUsage>;
  readonly environment?: NodeJS.ProcessEnv;
  readonly deps?: Partial<DispatchDeps>;
}

export const policyOf = (keys: Partial<Record<PolicyKey, Effect>>): EffectivePolicy => ({
  base: { file: '/policy.toml', keys, absent: ABSENT_IN_FILE, rules: [] },
  tightening: [],
  warnings: [],
});

/** Real authority, policy, journal, grants and artifacts in a temporary directory; the executor runs `work` in memory. */
export function useDispatch(work: Work, options: DispatchOptions = {}) {
  const tmp = useTmp();
  const root = join(tmp, 'root');
  mkdirSync(root);
  const plugin = aPlugin('vault', { requests: ['read:fs:$ROOT', 'write:fs:$ROOT', 'net:api.test:443'], ...options.plugin });
  const state: { catalog: Catalog; executions: Execution[] } = { catalog: makeCatalog([anEntry(plugin)]), executions: [] };
  const executorThatDecides = (permissions: Executor['permissions']): Executor => ({
    permissions,
    inspect: () => ({ ok: true, warnings: [] }),
    check: () => Promise.resolve({ ok: true, warnings: [] }),
    async execute(execution, live) {
      state.executions.push(execution);
      return {
        result: await work(execution, live),
        usage: { tier: 'bwrap', bytesIn: 3, bytesOut: 7, hostCalls: 1, fuel: 42, logBytesDropped: 0, ...options.usage },
      };
    },
    warm: () => {},
    tier: () => Promise.resolve('bwrap'),
    close: () => Promise.resolve(),
  });
  const executors = { wasm: executorThatDecides('per-use'), script: executorThatDecides('ahead') };
  const auditDirectory = join(tmp, 'state', 'audit');
  const journal: Journal = createJournal({ directory: auditDirectory, clock: Date.now, sync: 'grouped', log: createLog('silent') });
  onTestFinished(() => journal.close());
  const grants: GrantBook = createGrantBook(createGrantStore({ stateDirectory: join(tmp, 'state') }), journal);
  const pathsOf = (one: Plugin) => ({ root, plugin: one.directory, data: join(tmp, 'data', one.id) });
  const policy = options.policy ?? DEFAULT_POLICY;
  const dispatch = createDispatch({
    catalog: { current: () => state.catalog, onToolsChanged: () => () => {} },
    authority: createAuthority({ policy, grants, executors, pathsOf, protectedDirectories: [] }),
    grants,
    approvals: createApprovalDesk(Date.now),
    queue: createCallQueue({ maxRunning: options.maxRunning ?? 8, maxWaiting: options.maxWaiting ?? 8 }),
    executors,
    journal,
    artifacts: createArtifactStore({
      directory: join(tmp, 'state', 'artifacts'),
      quotaBytes: options.quotaBytes ?? 1e9,
      expiryMs: 1e9,
      clock: Date.now,
    }),
    pathsOf,
    environment: options.environment ?? {},
    maxCharacters: 1_000,
    ...options.deps,
  });

  const call = (over: Partial<CallRequest> = {}): Promise<CallAnswer> =>
    dispatch.call({
      tool: 'plugin_vault_go',
      arguments: { text: 'x' },
      caller: { client: 'claude-code', clientVersion: '2.1', transport: 'stdio', principal: 'ada' },
      signal: new AbortController().signal,
      canAsk: true,
      ...over,
    });
  const finish = async (over: Partial<CallRequest> = {}): Promise<Outcome> => {
    const answer = await call(over);
    if (answer.kind !== 'done') throw new Error(`the call ended as ${answer.kind}`);
    return answer.outcome;
  };
  const ask = async (over: Partial<CallRequest> = {}): Promise<ApprovalRequest> => {
    const answer = await call(over);
    if (answer.kind !== 'ask') throw new Error(`the call ended as ${answer.kind}: ${JSON.stringify(answer)}`);
    return answer.request;
  };
  const answerWith = (request: ApprovalRequest, answer: ApprovalAnswer): Partial<CallRequest> => ({
    approval: { binding: request.binding, answer },
  });
  const records = (): AuditRecord[] =>
    readdirSync(auditDirectory)
      .filter((name) => name.endsWith('.jsonl'))
      .flatMap((name) => readFileSync(join(auditDirectory, name), 'utf8').trim().split('\n'))
      .map((line) => JSON.parse(line) as AuditRecord);
  return {
    tmp,
    root,
    plugin,
    state,
    journal,
    grants,
    call,
    finish,
    ask,
    answerWith,
    records,
    intents: () => records().filter((record): record is IntentRecord => record.kind === 'intent'),
    outcomes: () => records().filter((record): record is OutcomeRecord => record.kind === 'outcome'),
    events: () => records().flatMap((record) => (record.kind === 'event' ? [record.event] : [])),
  };
}
