import { describe, expect, test } from 'vitest';

import { createAuthority, createPermit } from '../../../src/dispatch/authority.ts';
import type { CapabilityUse } from '../../../src/executors/executor.ts';
import type { Tool } from '../../../src/catalog/catalog.ts';
import { makeCatalog } from '../../../src/catalog/make-catalog.ts';
import { DEFAULT_POLICY, type EffectivePolicy } from '../../../src/policy/policy.ts';
import { createGrantStore } from '../../../src/trust/grants.ts';
import { createGrantBook } from '../../../src/trust/grant-book.ts';
import { useJournal } from '../../helpers/journal.ts';
import { useTmp } from '../../helpers/tmp.ts';
import { anEntry, aPlugin } from '../catalog/fixtures.ts';
import { policyOf } from './fixtures.ts';

const REQUESTS = ['read:fs:$ROOT', 'write:fs:$ROOT', 'exec:git', 'exec:make', 'net:api.test:443'];
const ROOT = '/work/project';

function useAuthority(policy: EffectivePolicy = DEFAULT_POLICY) {
  const journal = useJournal().open();
  const grants = createGrantBook(createGrantStore({ stateDirectory: useTmp() }), journal);
  const authority = createAuthority({
    policy,
    grants,
    executors: { wasm: { permissions: 'per-use' }, script: { permissions: 'ahead' } },
    pathsOf: (plugin) => ({ root: ROOT, plugin: plugin.directory, data: '/data/vault' }),
    protectedDirectories: ['/state'],
  });
  const [tool] = makeCatalog([anEntry(aPlugin('vault', { requests: REQUESTS }))]).tools;
  if (!tool) throw new Error('no tool');
  return { authority, grants, tool };
}

/** The permit of a call; `asked` are the capabilities that a person would be asked about. */
function usePermit(policy?: EffectivePolicy, { answersAsk = false, grant = [] as readonly string[] } = {}) {
  const { authority, grants, tool } = useAuthority(policy);
  grants.add(tool.plugin, grant);
  const asked: string[] = [];
  const onAsk = (capability: string): boolean => {
    asked.push(capability);
    return answersAsk;
  };
  return { ...createPermit(authority.prepare(tool, undefined).prepared, { onAsk }), asked };
}

const WRITE: CapabilityUse = { kind: 'write:fs', path: `${ROOT}/a` };
const READ: CapabilityUse = { kind: 'read:fs', path: `${ROOT}/a` };

describe('createAuthority().prepare()', () => {
  test('reads the same tool once, and anew when grants changed', () => {
    const { authority, grants, tool } = useAuthority();
    const before = authority.prepare(tool, undefined);
    expect(authority.prepare(tool, undefined)).toBe(before);
    expect(before.permissions.asks).toEqual(['write:fs:$ROOT', 'exec:git', 'exec:make', 'net:api.test:443']);
    grants.add(tool.plugin, ['write:fs:$ROOT']);
    const after = authority.prepare(tool, undefined);
    expect(after.permissions.allowed).toContain('write:fs:$ROOT');
    grants.remove('vault');
    expect(authority.prepare(tool, undefined).permissions.allowed).not.toContain('write:fs:$ROOT');
  });

  test('keeps an answer to one call', () => {
    const { authority, tool } = useAuthority();
    const approved = authority.prepare(tool, { approved: ['write:fs:$ROOT'], refused: [] });
    expect(approved.permissions.allowed).toContain('write:fs:$ROOT');
    expect(authority.prepare(tool, undefined).permissions.allowed).not.toContain('write:fs:$ROOT');
    const refused = authority.prepare(tool, { approved: [], refused: ['write:fs:$ROOT'] });
    expect(refused.permissions.denied).toContain('write:fs:$ROOT');
  });

  test('gives another plugin nothing of a grant', () => {
    const { authority, grants, tool } = useAuthority();
    grants.add(aPlugin('vault', { digest: 'sha256:earlier' }), ['write:fs:$ROOT']);
    const other: Tool = { ...tool, plugin: aPlugin('other', { requests: REQUESTS }) };
    grants.add(tool.plugin, ['exec:git']);
    expect(authority.prepare(tool, undefined).permissions.allowed).toEqual(expect.arrayContaining(['exec:git']));
    expect(authority.prepare(tool, undefined).permissions.allowed).not.toContain('write:fs:$ROOT');
    expect(authority.prepare(other, undefined).permissions.allowed).not.toContain('exec:git');
  });

  test.for([
    ['allow', { kind: 'open', source: 'policy' }],
    ['deny', { kind: 'closed', by: 'policy' }],
    ['require_approval', { kind: 'ask', by: 'grant' }],
  ] as const)('says whether the call may run: %s', ([effect, entry]) => {
    const { authority, tool } = useAuthority(policyOf({ wasm_execution: effect }));
    expect(authority.prepare(tool, undefined).entry).toMatchObject(entry);
  });
});

describe('createPermit()', () => {
  test.for([
    ['a read', READ, ['read:fs'], false],
    ['a write', WRITE, ['write:fs'], true],
    ['a command with rules', { kind: 'exec', program: 'git', args: ['status'] }, ['exec:git'], false],
    ['a command without rules', { kind: 'exec', program: 'make', args: [] }, ['exec:make'], true],
    ['a host', { kind: 'net', host: 'api.test', port: 443 }, ['net:api.test:443'], false],
    ['an address', { kind: 'net-address', host: 'api.test', port: 443, address: '93.184.216.34' }, ['net:api.test:443'], true],
    ['a body', { kind: 'net-body', host: 'api.test', body: 'hello' }, ['net-body:api.test'], false],
  ] as const)('notes what was used: %s', ([, use, used, hasEffect]) => {
    const allowAll = policyOf({ wasm_execution: 'allow', file_write: 'allow', network: 'allow', shell_commands: 'allow' });
    const { permit, usage } = usePermit(allowAll);
    expect(permit(use)).toMatchObject({ allowed: true });
    expect([[...usage.used], usage.refusals, usage.hasEffect]).toEqual([used, [], hasEffect]);
  });

  test('gives a command the arguments that make it harmless', () => {
    const { permit } = usePermit(policyOf({ wasm_execution: 'allow', shell_commands: 'allow' }));
    const answer = permit({ kind: 'exec', program: 'git', args: ['status'] });
    expect(answer.allowed && answer.args).toContain('status');
    expect(answer.allowed && answer.args).not.toContain('git');
  });

  test('notes a refusal once, however often it is tried, and 50 at most', () => {
    const { permit, usage } = usePermit();
    for (let i = 0; i < 3; i++) permit({ kind: 'net', host: 'evil.test', port: 443 });
    expect(usage.refusals).toHaveLength(1);
    expect(usage.refusals[0]).toMatchObject({ capability: 'net:evil.test:443', by: 'request' });
    for (let i = 0; i < 100; i++) permit({ kind: 'net', host: `evil${i}.test`, port: 443 });
    expect(usage.refusals).toHaveLength(50);
  });

  test('a use that a person is asked about is refused but no refusal', () => {
    const { permit, usage, asked } = usePermit(undefined, { answersAsk: true });
    expect(permit(WRITE)).toMatchObject({ allowed: false, capability: 'write:fs:$ROOT', by: 'grant' });
    expect([asked, usage.refusals]).toEqual([['write:fs:$ROOT'], []]);
  });

  test('is a refusal with a hint where nobody can be asked', () => {
    const { permit, usage, asked } = usePermit();
    expect(permit(WRITE).allowed).toBe(false);
    expect(asked).toEqual(['write:fs:$ROOT']);
    expect(usage.refusals[0]?.reason).toMatch(/\. Grant it with: plugbridge grant vault /);
  });

  test('asks nobody once something had an effect', () => {
    const { permit, usage, asked } = usePermit(undefined, { answersAsk: true, grant: ['write:fs:$ROOT'] });
    expect(permit(WRITE).allowed).toBe(true);
    expect(permit({ kind: 'net', host: 'api.test', port: 443 }).allowed).toBe(false);
    expect(asked).toEqual([]);
    expect(usage.refusals).toHaveLength(1);
  });

  test('never asks about what no approval would settle', () => {
    const { permit, asked } = usePermit(policyOf({ wasm_execution: 'allow', network: 'deny' }), { answersAsk: true });
    expect(permit({ kind: 'net', host: 'api.test', port: 443 })).toMatchObject({ allowed: false, by: 'policy' });
    expect(permit({ kind: 'write:fs', path: '/etc/passwd' })).toMatchObject({ allowed: false, by: 'request' });
    expect(asked).toEqual([]);
  });
});
