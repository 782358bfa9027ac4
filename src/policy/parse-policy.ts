import { parse } from '@iarna/toml';

import { HostError } from '../errors.ts';
import { PolicyFileSchema, POLICY_KEYS, type AbsentKeys, type PolicyLayer } from './policy.ts';
import { describeTomlError, lineOfKey } from './toml-lines.ts';

export interface ParsePolicyOptions {
  /** For messages. */
  readonly file: string;
  readonly absent: AbsentKeys;
}

/** Reads the text of a `policy.toml` of ours. Throws HostError POLICY_INVALID that names file, line and what is wanted. */
export function parsePolicy(text: string, options: ParsePolicyOptions): PolicyLayer {
  const { file, absent } = options;
  const read = PolicyFileSchema.safeParse(parseToml(text, file));
  if (!read.success) {
    const issue = read.error.issues[0];
    const key = issue?.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0] ?? ''] : (issue?.path ?? []);
    const wanted = issue?.code === 'unrecognized_keys' ? 'it is not a key of a policy' : (issue?.message ?? 'it has another form');
    const reason = `line ${lineOfKey(text, key)}: ${showKey(key)}: ${wanted}`;
    throw new HostError('POLICY_INVALID', { file, reason });
  }
  const policy = read.data;
  const keys = Object.fromEntries(POLICY_KEYS.map((key) => [key, policy[key]]));
  return { file, keys, absent, rules: policy.rule ?? [] };
}

function parseToml(text: string, file: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw new HostError('POLICY_INVALID', { file, reason: describeTomlError(error) }, { cause: error });
  }
}

const showKey = (key: readonly PropertyKey[]): string =>
  key
    .map((part) => (typeof part === 'number' ? `[${part + 1}]` : String(part)))
    .join('.')
    .replaceAll('.[', '[') || 'the file';
