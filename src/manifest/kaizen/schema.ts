import { z } from 'zod';

import {
  CommandTableSchema,
  limitsTableSchema,
  PERMISSIONS,
  PLUGIN_SHAPE,
  PLUGIN_TABLE_WANTED,
  TimeoutSchema,
} from '../plugin-toml/schema.ts';
import { LANGUAGES, type Language } from '../plugin.ts';
import { isSafeRelativePath, textSchema } from '../text.ts';

/*
 * The manifests of scripts: our PLUGIN.toml and the sidecar plugin.json (kaizen.md, “Metadata sidecar”; keys that it does not
 * name are ours). Every error text says what is wanted.
 */

/** A script’s programs are those of its sandbox, so that there is no permission for them. */
export const SCRIPT_PERMISSIONS = PERMISSIONS.filter((permission) => permission !== 'shell');
const PERMISSION_WANTED = `one of ${SCRIPT_PERMISSIONS.join(', ')}; the programs of the sandbox need none`;
const ScriptPermissionsSchema = z
  .array(z.enum(SCRIPT_PERMISSIONS, { error: PERMISSION_WANTED }), { error: `a list of ${SCRIPT_PERMISSIONS.join(', ')}` })
  .max(32, { error: 'at most 32 permissions' });

/** Only the form, roughly: what a capability means is for the policy to say, which lets nothing pass that it cannot read. */
const CAPABILITY_FORMS = [
  /^(?![^]*(?:[\t\n\r]|\/\/|\/\.{1,2}(?:\/|$)))(?:read|write):fs:(?:\/|\$(?:ROOT|PLUGIN|DATA|RUN)(?:\/|$))/,
  /^net:(?:\*|\[\])$/,
  /^net:(?:\*|(?:\*\.)?[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?|\[[0-9A-Fa-f:.]+\]):(?:[1-9]\d{0,4}|\*)$/,
  /^env:[A-Za-z_][A-Za-z0-9_]{0,127}$/,
] as const;
const CAPABILITY_WANTED = 'a capability: read:fs:<path>, write:fs:<path> (from $ROOT or absolute), net:<host>:<port>, net:* or env:<NAME>';
export const CapabilitiesSchema = z
  .array(
    textSchema({ wanted: CAPABILITY_WANTED, maxCharacters: 1_024 }).refine((text) => CAPABILITY_FORMS.some((form) => form.test(text)), {
      error: CAPABILITY_WANTED,
    }),
    {
      error: 'a list of capabilities such as "env:API_KEY"',
    },
  )
  .max(64, { error: 'at most 64 capabilities' });

const PATH_WANTED = 'the script, a relative path inside the plugin directory, with "/" between its parts and no ".."';
const MainSchema = z.string({ error: PATH_WANTED }).refine(isSafeRelativePath, { error: PATH_WANTED });

const INPUT_WANTED = '"stdin", "argv" or "both"';
const InputSchema = z.enum(['stdin', 'argv', 'both'], { error: INPUT_WANTED });

const DEPENDENCY_WANTED = 'a package as its package manager spells it, such as "requests==2.32.3"';
const DependenciesSchema = z
  .array(
    textSchema({ wanted: DEPENDENCY_WANTED, maxCharacters: 256 }).regex(/^[^-\s].*$/, {
      error: `${DEPENDENCY_WANTED}; options are not taken`,
    }),
    { error: 'a list of packages' },
  )
  .max(256, { error: 'at most 256 packages' });

const EnabledSchema = z.boolean({ error: 'true or false' });

/** What both manifests say of a script. */
const SCRIPT_SHAPE = {
  main: MainSchema.optional().describe('the script; absent means the only one, or one by its name'),
  input: InputSchema.optional().describe('where the arguments go, as one JSON object; absent means stdin'),
  dependencies: DependenciesSchema.optional().describe('packages of the language; absent means none'),
  permissions: ScriptPermissionsSchema.optional().describe('absent and an empty list both mean none'),
  capabilities: CapabilitiesSchema.optional().describe('what else it needs; absent means nothing'),
  enabled: EnabledSchema.optional().describe('whether it becomes tools; absent means true'),
};

const { name, version, description, keywords } = PLUGIN_SHAPE;

/** [plugin] of PLUGIN.toml. */
export const ScriptPluginSchema = z.object(
  {
    name,
    version,
    description,
    runtime: z.enum(LANGUAGES, { error: `one of ${LANGUAGES.join(', ')}` }).describe('the language of the script'),
    ...SCRIPT_SHAPE,
    keywords,
  },
  { error: PLUGIN_TABLE_WANTED },
);

/** [[commands]] of PLUGIN.toml, and `commands` of plugin.json. */
export const ScriptCommandSchema = CommandTableSchema.extend({
  permissions: ScriptPermissionsSchema.optional().describe('the part of the plugin’s permissions that it needs'),
  capabilities: CapabilitiesSchema.optional().describe('the part of the plugin’s capabilities that it needs'),
});

export const ScriptLimitsSchema = limitsTableSchema(16, 4_096);

/** The names that people have for the languages, lower case; upstream’s page shows the first of each. */
export const LANGUAGE_NAMES: ReadonlyMap<string, Language> = new Map([
  ...LANGUAGES.map((language) => [language, language] as const),
  ['node.js', 'node'],
  ['nodejs', 'node'],
  ['javascript', 'node'],
  ['shell', 'bash'],
]);
const LANGUAGE_WANTED = `one of ${LANGUAGES.join(', ')}`;

const HintSchema = z.boolean({ error: 'true or false' }).optional();
const { description: commandDescription, title } = CommandTableSchema.shape;

/** plugin.json. Values that are `unknown` here are read by themselves. */
export const SidecarSchema = z.object({
  name: name.optional().describe('absent means the name of the directory'),
  version: version.optional(),
  title,
  description: commandDescription.optional().describe('what the model reads; absent means the first comment of the script'),
  language: z
    .string({ error: LANGUAGE_WANTED })
    .refine((text) => LANGUAGE_NAMES.has(text.toLowerCase()), { error: LANGUAGE_WANTED })
    .optional()
    .describe('absent means what the name of the script says'),
  parameters: z.unknown().optional(),
  schema: z.unknown().optional(),
  timeout: TimeoutSchema.optional().describe('seconds that a call may take'),
  ...SCRIPT_SHAPE,
  network: z.unknown().optional(),
  limits: z.unknown().optional(),
  commands: z.unknown().optional(),
  read_only: HintSchema,
  destructive: HintSchema,
  idempotent: HintSchema,
  keywords,
});
export type Sidecar = z.infer<typeof SidecarSchema>;
