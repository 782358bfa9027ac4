import { prepareCall, type CallPermissions, type PreparedCall } from '../../../src/policy/call-permissions.ts';
import {
  ABSENT_IN_FILE,
  ABSENT_IN_TIGHTENING,
  DEFAULT_POLICY,
  type Effect,
  type EffectivePolicy,
  type PolicyKey,
  type PolicyLayer,
  type Rule,
} from '../../../src/policy/policy.ts';

export const PATHS = {
  root: '/work/proj',
  plugin: '/home/me/plugins/vault',
  data: '/home/me/.local/share/plugbridge/vault',
  run: '/tmp/run1',
};

/** A call of `vault capture` that requests everything, under the default policy; `changes` replaces members. */
export function callWith(changes: Partial<CallPermissions> = {}): PreparedCall {
  return prepareCall({
    plugin: {
      id: 'vault',
      runtimeKind: 'wasm',
      requests: ['read:fs:$ROOT', 'write:fs:$ROOT', 'net:*', 'exec:git', 'env:HOME', 'storage:read'],
    },
    command: { name: 'capture' },
    grants: [],
    approvals: [],
    policy: DEFAULT_POLICY,
    paths: PATHS,
    protectedDirectories: ['/home/me/.config/plugbridge', '/home/me/.local/share/plugbridge'],
    ...changes,
  });
}

export interface FileOptions {
  readonly rules?: readonly Rule[];
  readonly tightening?: readonly PolicyLayer[];
}

/** The policy of a file `p.toml`. */
export const policyFile = (keys: Partial<Record<PolicyKey, Effect>>, options: FileOptions = {}): EffectivePolicy => ({
  base: { file: 'p.toml', keys, absent: ABSENT_IN_FILE, rules: options.rules ?? [] },
  tightening: options.tightening ?? [],
  warnings: [],
});

/** A layer that came with the workspace. */
export const workspaceLayer = (keys: Partial<Record<PolicyKey, Effect>>, rules: readonly Rule[] = []): PolicyLayer => ({
  file: 'w.toml',
  keys,
  absent: ABSENT_IN_TIGHTENING,
  rules,
});
