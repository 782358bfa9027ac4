import { z } from 'zod';

import type { RuntimeKind } from '../manifest/plugin.ts';
import { matchesText } from './glob.ts';
import { tryParsePathPattern } from './path-pattern.ts';

/** What a policy says about something; `deny` is the strictest. */
export const EFFECTS = ['allow', 'require_approval', 'deny'] as const;
export const EffectSchema = z.enum(EFFECTS);
export type Effect = z.infer<typeof EffectSchema>;

/** The stricter of two effects. */
export const stricter = (one: Effect, other: Effect): Effect => (EFFECTS.indexOf(one) >= EFFECTS.indexOf(other) ? one : other);

/** The keys of a policy file (DESIGN.md, “Policy”; the first five of them are AgentZero’s, agentzero.md §6). */
export const POLICY_KEYS = [
  'wasm_execution',
  'file_read',
  'file_write',
  'network',
  'shell_commands',
  'script_execution',
  'lua_execution',
  'process_execution',
] as const;
export type PolicyKey = (typeof POLICY_KEYS)[number];
export const isPolicyKey = (text: string): text is PolicyKey => (POLICY_KEYS as readonly string[]).includes(text);

/** The key that rules over running each kind of runtime. */
const RUN_KEYS: Readonly<Record<RuntimeKind, PolicyKey>> = { wasm: 'wasm_execution', script: 'script_execution' };

/** The key that rules over running a kind of runtime; undefined for kinds that do not exist. */
export const runKeyOf = (runtime: string): PolicyKey | undefined => Object.entries(RUN_KEYS).find(([kind]) => kind === runtime)?.[1];

/** The kinds of capability that rules can name. */
export const RULE_KINDS = ['read:fs', 'write:fs', 'exec', 'net', 'env', 'storage:read', 'storage:write', 'session:write', 'run'] as const;
export type RuleKind = (typeof RULE_KINDS)[number];

/** A pattern that matches nothing would make a `deny` rule with a slip of the pen an open door. */
const namesSomething = (pattern: string): boolean =>
  isPolicyKey(pattern) || RULE_KINDS.some((kind) => matchesText(pattern, kind) || pattern.startsWith(`${kind}:`));

const TextSchema = z.string().min(1).max(256);

/** One `[[rule]]`: all fields that are present must match; an absent one matches everything. */
export const RuleSchema = z
  .strictObject({
    plugin: TextSchema.optional().describe('plugin id, `*` and `?` as wildcards'),
    command: TextSchema.optional().describe('command name, `*` and `?` as wildcards'),
    capability: TextSchema.refine(
      namesSomething,
      `wanted is a policy key, one of ${RULE_KINDS.join(', ')}, or a capability such as "exec:git"`,
    )
      .optional()
      .describe('a policy key, a kind of capability, or a capability string with wildcards'),
    path: TextSchema.refine(
      (path) => !('issue' in tryParsePathPattern(path)),
      'wanted is a path that begins with "/", $ROOT, $PLUGIN, $DATA or $RUN',
    )
      .optional()
      .describe('path pattern; the rule then holds for reading and writing files alone'),
    host: TextSchema.optional().describe('host or address, `*` and `?` as wildcards; the rule then holds for the network alone'),
    effect: EffectSchema,
    reason: z.string().min(1).max(500).optional().describe('shown when the rule refuses or asks'),
  })
  .refine((rule) => rule.path === undefined || rule.host === undefined, 'a rule has a path or a host, for nothing has both');
export type Rule = z.infer<typeof RuleSchema>;

const EffectKeysSchema = z.strictObject({
  wasm_execution: EffectSchema.optional(),
  script_execution: EffectSchema.optional(),
  lua_execution: EffectSchema.optional(),
  process_execution: EffectSchema.optional(),
  file_read: EffectSchema.optional(),
  file_write: EffectSchema.optional(),
  network: EffectSchema.optional(),
  shell_commands: EffectSchema.optional(),
});

/** A `policy.toml` of ours. Unknown keys are refused, for a misspelt `deny` must not vanish. */
export const PolicyFileSchema = z.strictObject({
  version: z.literal(1, 'wanted is 1').optional(),
  default_classification: z.string().optional().describe('AgentZero’s; accepted, without effect here'),
  model_routing: z.unknown().optional().describe('AgentZero’s; accepted, without effect here'),
  ...EffectKeysSchema.shape,
  rule: z.array(RuleSchema).max(1000).optional().describe('come before the keys; the first that matches decides'),
});
export type PolicyFile = z.infer<typeof PolicyFileSchema>;

/** What absent keys mean in a layer; `other` is what holds for capabilities that no key rules over (`env`, `session:write`). */
export type AbsentKeys = Readonly<Record<PolicyKey | 'other', Effect>>;

/** In a policy file (agentzero.md §6: `network` and executions are denied, writing and commands need approval). */
export const ABSENT_IN_FILE: AbsentKeys = {
  wasm_execution: 'deny',
  script_execution: 'deny',
  lua_execution: 'deny',
  process_execution: 'deny',
  file_read: 'allow',
  file_write: 'require_approval',
  network: 'deny',
  shell_commands: 'require_approval',
  other: 'require_approval',
};

/** Without any policy file (DESIGN.md, “Policy”). */
export const ABSENT_WITHOUT_FILE: AbsentKeys = {
  wasm_execution: 'allow',
  script_execution: 'allow',
  lua_execution: 'allow',
  process_execution: 'allow',
  file_read: 'allow',
  file_write: 'require_approval',
  network: 'require_approval',
  shell_commands: 'require_approval',
  other: 'require_approval',
};

/** In a file that only tightens, where what it does not mention stays as it is. */
export const ABSENT_IN_TIGHTENING: AbsentKeys = {
  wasm_execution: 'allow',
  script_execution: 'allow',
  lua_execution: 'allow',
  process_execution: 'allow',
  file_read: 'allow',
  file_write: 'allow',
  network: 'allow',
  shell_commands: 'allow',
  other: 'allow',
};

/** One source of policy. */
export interface PolicyLayer {
  /** The file it was read from; undefined for the defaults. */
  readonly file: string | undefined;
  readonly keys: Readonly<Partial<Record<PolicyKey, Effect | undefined>>>;
  readonly absent: AbsentKeys;
  readonly rules: readonly Rule[];
  /** When present, the layer holds only for plugins in this directory. */
  readonly pluginsIn?: string;
}

/** What holds: the person’s own layer, and layers that came with the workspace, of which the strictest wins. */
export interface EffectivePolicy {
  readonly base: PolicyLayer;
  readonly tightening: readonly PolicyLayer[];
  /** One sentence each, for `doctor`. */
  readonly warnings: readonly string[];
}

/** What holds where no policy file exists. */
export const DEFAULT_POLICY: EffectivePolicy = {
  base: { file: undefined, keys: {}, absent: ABSENT_WITHOUT_FILE, rules: [] },
  tightening: [],
  warnings: [],
};
