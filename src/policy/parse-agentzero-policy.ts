import { parse } from '@iarna/toml';
import { parseDocument } from 'yaml';

import { HostError } from '../errors.ts';
import { EffectSchema, type Effect, type PolicyKey } from './policy.ts';
import { describeTomlError, lineOfKey } from './toml-lines.ts';

/** The keys of AgentZero’s `policy.yml` that rule over plugins; the others are known and have no effect here. */
const EFFECT_KEYS = ['wasm_execution', 'file_read', 'file_write', 'network', 'shell_commands'] as const satisfies readonly PolicyKey[];
const KNOWN_KEYS: readonly string[] = [...EFFECT_KEYS, 'version', 'default_classification', 'model_routing'];

export interface AgentZeroPolicy {
  readonly keys: Readonly<Partial<Record<PolicyKey, Effect>>>;
  readonly warnings: readonly string[];
}

/**
 * Reads `.agentzero/policy.yml`, which is TOML despite its name (agentzero.md §6); YAML is accepted too. Unknown keys are
 * ignored and reported. `file_read = "require_approval"` means allow, as upstream. Throws HostError POLICY_INVALID for
 * what cannot be read and for values that are no effect.
 */
export function parseAgentZeroPolicy(text: string, file: string): AgentZeroPolicy {
  const members = readMembers(text, file);
  const keys: Partial<Record<PolicyKey, Effect>> = {};
  for (const key of EFFECT_KEYS) {
    const value = members.get(key);
    if (value === undefined) continue;
    const effect = EffectSchema.safeParse(value);
    if (!effect.success) {
      const reason = `line ${lineOfKey(text, [key])}: ${key}: found ${JSON.stringify(value)}, wanted is "allow", "deny" or "require_approval"`;
      throw new HostError('POLICY_INVALID', { file, reason });
    }
    keys[key] = key === 'file_read' && effect.data === 'require_approval' ? 'allow' : effect.data;
  }
  const unknown = [...members.keys()].filter((key) => !KNOWN_KEYS.includes(key));
  const classification = members.get('default_classification') ?? 'private';
  const warnings = [
    ...unknown.map((key) => `"${file}": the key ${JSON.stringify(key)} is unknown and ignored`),
    ...(classification === 'private' ? [] : [`"${file}": default_classification has no effect here; calls are always treated as private`]),
  ];
  return { keys, warnings };
}

function readMembers(text: string, file: string): ReadonlyMap<string, unknown> {
  let tomlError: unknown;
  try {
    return new Map(Object.entries(parse(text)));
  } catch (error) {
    tomlError = error;
  }
  const yaml = tryParseYaml(text);
  if (yaml !== undefined) return yaml;
  throw new HostError('POLICY_INVALID', { file, reason: describeTomlError(tomlError) }, { cause: tomlError });
}

/** A YAML mapping with plain keys; aliases are refused, for they can multiply. */
function tryParseYaml(text: string): ReadonlyMap<string, unknown> | undefined {
  try {
    const document = parseDocument(text, { schema: 'core', uniqueKeys: true, stringKeys: true });
    if (document.errors.length > 0) return undefined;
    const value: unknown = document.toJS({ maxAliasCount: 0 });
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? new Map(Object.entries(value)) : undefined;
  } catch {
    // The library throws for hostile documents; the TOML error already says what is wanted.
    return undefined;
  }
}
