import { z } from 'zod';

import { NameSchema, textSchema } from '../text.ts';

/*
 * PLUGIN.toml by section (agentzero.md §1), as far as all systems that have one share it. Every error text says what is
 * wanted; `Findings.parse` adds what was found. Unknown keys are dropped here and warned of by the reader, because AgentZero
 * ignores them.
 */

/** The permissions that the page of AgentZero names; seeds “plugin.permissions”. */
export const PERMISSIONS = ['file_read', 'file_write', 'shell', 'network'] as const;
export type Permission = (typeof PERMISSIONS)[number];

const PERMISSION_WANTED = `one of ${PERMISSIONS.join(', ')}`;
/** A list of permissions, as plugins and commands have one. */
export const PermissionsSchema = z
  .array(z.enum(PERMISSIONS, { error: PERMISSION_WANTED }), { error: `a list of ${PERMISSIONS.join(', ')}` })
  .max(32, { error: 'at most 32 permissions' });

const DESCRIPTION = { wanted: 'a string', maxCharacters: 4_096 };
const KEYWORD = { wanted: 'a string', maxCharacters: 64 };

/** What is wrong with a manifest that has no usable [plugin]. */
export const PLUGIN_TABLE_WANTED = 'a [plugin] table with name, version and description';

/** The members of [plugin] that every system has. */
export const PLUGIN_SHAPE = {
  name: NameSchema.describe('the plugin, as tools, grants and directories name it'),
  version: textSchema({ wanted: 'a string such as "1.2.3"', maxCharacters: 128 })
    .min(1, { error: 'a version such as "1.2.3"' })
    .describe('semantic version; others are warned of, because AgentZero takes them'),
  description: textSchema(DESCRIPTION).describe('one line about the plugin'),
  permissions: PermissionsSchema.optional().describe('absent means what the system says; an empty list means none'),
  keywords: z
    .array(textSchema(KEYWORD).min(1, { error: 'a word' }), { error: 'a list of strings' })
    .max(64, { error: 'at most 64 keywords' })
    .optional()
    .describe('words that make the plugin findable; absent means always listed'),
};
const PluginTableSchema = z.object(PLUGIN_SHAPE);
export type PluginTable = z.infer<typeof PluginTableSchema>;

export const NetworkTableSchema = z.object(
  {
    policy: z.string({ error: 'deny, allow_egress or allow_egress_filtered' }).optional().describe('absent and unknown both mean deny'),
    allowed_hosts: z
      .array(z.string({ error: 'a host name such as "api.slack.com"' }), { error: 'a list of host names' })
      .max(256, { error: 'at most 256 hosts' })
      .optional()
      .describe('read only under allow_egress_filtered; each includes its subdomains; absent means none'),
  },
  { error: 'a table with policy and allowed_hosts' },
);

const numberBetween = (least: number, most: number): z.ZodNumber => {
  const error = `a number from ${least} to ${most}`;
  return z.number({ error }).min(least, { error }).max(most, { error });
};
const countBetween = (least: number, most: number): z.ZodNumber => {
  const error = `a whole number from ${least} to ${most}`;
  return z.number({ error }).int({ error }).min(least, { error }).max(most, { error });
};

/** Seconds that a call may take. */
export const TimeoutSchema = numberBetween(0.1, 600);

/** Our extension: `[plugin.limits]`, with the least and most MiB of memory. What is absent keeps the system's default. */
export const limitsTableSchema = (leastMemoryMb: number, mostMemoryMb: number) =>
  z.object(
    {
      timeout: TimeoutSchema.optional().describe('seconds that a call may take'),
      memory_mb: countBetween(leastMemoryMb, mostMemoryMb).optional().describe('MiB of memory that a call may have'),
      output_mb: countBetween(1, 64).optional().describe('MiB that a call may return'),
      concurrency: countBetween(1, 64).optional().describe('calls of the plugin at a time'),
    },
    { error: 'a table of limits' },
  );
export type LimitsTableSchema = ReturnType<typeof limitsTableSchema>;

const HintSchema = z.boolean({ error: 'true or false' }).optional();

export const CommandTableSchema = z.object(
  {
    name: NameSchema.describe('the `action` that the plugin gets'),
    description: textSchema(DESCRIPTION).describe('what the model reads'),
    title: textSchema({ wanted: 'a string', maxCharacters: 128 }).min(1, { error: 'a title of at least one character' }).optional(),
    input: z
      .record(z.string(), z.unknown(), { error: 'a table of parameters or a JSON Schema' })
      .optional()
      .describe('our extension: parameters (see parameters.ts) or a whole JSON Schema; absent means any arguments'),
    permissions: PermissionsSchema.optional().describe(
      'our extension: the part of the plugin’s permissions that it needs; absent means all',
    ),
    read_only: HintSchema.describe('our extension: changes nothing'),
    destructive: HintSchema.describe('our extension: may overwrite or delete'),
    idempotent: HintSchema.describe('our extension: a second equal call changes nothing more'),
  },
  { error: 'a table with name and description' },
);
/** `capabilities` are those of a system that has them. */
export type CommandTable = z.infer<typeof CommandTableSchema> & { readonly capabilities?: readonly string[] | undefined };

export const ROOT_KEYS = ['plugin', 'commands'] as const;
