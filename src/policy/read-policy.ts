import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { HostError, reasonOf } from '../errors.ts';
import { parseAgentZeroPolicy } from './parse-agentzero-policy.ts';
import { parsePolicy } from './parse-policy.ts';
import { ABSENT_IN_FILE, ABSENT_IN_TIGHTENING, DEFAULT_POLICY, type EffectivePolicy, type PolicyLayer } from './policy.ts';

/** Where policies may lie; paths absolute. */
export interface PolicySources {
  /** `--policy FILE`; when given it must exist, and the person’s `policy.toml` is not read. */
  readonly policyFile?: string | undefined;
  /** The `policy.toml` in the config directory. */
  readonly userFile: string;
  /** The workspace, which can only tighten. */
  readonly root: string;
}

const MAX_POLICY_BYTES = 256 * 1024;

/**
 * Reads the policy that holds: the person’s own file or the defaults, tightened by `<root>/.plugbridge/policy.toml` and,
 * for the plugins beside it, by `<root>/.agentzero/policy.yml`. Throws HostError POLICY_INVALID for a file that cannot be
 * read or understood, for nothing may run under a policy that nobody knows.
 */
export function readPolicy(sources: PolicySources): EffectivePolicy {
  const ownFile = sources.policyFile ?? sources.userFile;
  const ownText = readPolicyText(ownFile);
  if (ownText === undefined && sources.policyFile !== undefined) {
    throw new HostError('POLICY_INVALID', { file: ownFile, reason: 'it does not exist' });
  }
  const base = ownText === undefined ? DEFAULT_POLICY.base : parsePolicy(ownText, { file: ownFile, absent: ABSENT_IN_FILE });
  const workspace = readWorkspaceLayer(sources.root);
  const agentZero = readAgentZeroLayer(sources.root);
  return {
    base,
    tightening: [workspace, agentZero?.layer].filter((layer) => layer !== undefined),
    warnings: agentZero?.warnings ?? [],
  };
}

function readWorkspaceLayer(root: string): PolicyLayer | undefined {
  const file = join(root, '.plugbridge', 'policy.toml');
  const text = readPolicyText(file);
  return text === undefined ? undefined : parsePolicy(text, { file, absent: ABSENT_IN_TIGHTENING });
}

function readAgentZeroLayer(root: string): { layer: PolicyLayer; warnings: readonly string[] } | undefined {
  const directory = join(root, '.agentzero');
  const file = join(directory, 'policy.yml');
  const text = readPolicyText(file);
  if (text === undefined) return undefined;
  const { keys, warnings } = parseAgentZeroPolicy(text, file);
  return { layer: { file, keys, absent: ABSENT_IN_FILE, rules: [], pluginsIn: join(directory, 'plugins') }, warnings };
}

/** The text of a policy file; undefined when there is none. A pipe or device in its place is refused, never waited for. */
function readPolicyText(file: string): string | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new HostError('POLICY_INVALID', { file, reason: reasonOf(error) }, { cause: error });
  }
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) throw new HostError('POLICY_INVALID', { file, reason: 'it is not a regular file' });
    if (stat.size > MAX_POLICY_BYTES) {
      throw new HostError('POLICY_INVALID', { file, reason: `it has ${stat.size} bytes, at most ${MAX_POLICY_BYTES} are allowed` });
    }
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(descriptor));
  } catch (error) {
    if (error instanceof HostError) throw error;
    throw new HostError('POLICY_INVALID', { file, reason: reasonOf(error) }, { cause: error });
  } finally {
    closeSync(descriptor);
  }
}
