import { z } from 'zod';

/** A JSON Schema document, kept as the plain object that clients get to see. */
export const JsonSchemaSchema = z.record(z.string(), z.unknown());
export type JsonSchema = z.infer<typeof JsonSchemaSchema>;

/** What a tool does to the world, in MCP's words; absent means unknown. */
export const AnnotationsSchema = z.strictObject({
  readOnly: z.boolean().optional().describe('changes nothing'),
  destructive: z.boolean().optional().describe('may overwrite or delete'),
  idempotent: z.boolean().optional().describe('a second equal call changes nothing more'),
  openWorld: z.boolean().optional().describe('reaches beyond this machine'),
});
export type Annotations = z.infer<typeof AnnotationsSchema>;

/** One command of a plugin; becomes one MCP tool. */
export const CommandSchema = z.strictObject({
  name: z.string().describe('the name that the plugin itself knows'),
  title: z.string().optional(),
  description: z.string(),
  inputSchema: JsonSchemaSchema.describe('JSON Schema 2020-12 of the arguments, root type object'),
  outputSchema: JsonSchemaSchema.optional(),
  annotations: AnnotationsSchema,
  requests: z.array(z.string()).optional().describe('the part of the plugin’s requests that this command needs; absent means all of them'),
});
export type Command = z.infer<typeof CommandSchema>;

/** The bounds of one call; `concurrency` bounds the calls of one plugin. */
export const LimitsSchema = z.strictObject({
  timeoutMs: z.int().positive(),
  memoryBytes: z.int().positive(),
  outputBytes: z.int().positive().describe('bytes a call may return'),
  logBytes: z.int().positive().describe('bytes of log lines kept per call; the rest is dropped and counted'),
  hostCalls: z.int().positive().describe('calls a plugin may make to the host during one call'),
  concurrency: z.int().positive().describe('calls of this plugin at a time'),
});
export type Limits = z.infer<typeof LimitsSchema>;

/** The languages that scripts are written in. */
export const LANGUAGES = ['python', 'node', 'typescript', 'bash', 'ruby'] as const;
export type Language = (typeof LANGUAGES)[number];

/** What the host can put into an environment variable of a script. Directories are absolute, as the script sees them. */
export const SCRIPT_VALUES = ['plugin-name', 'plugin-directory', 'run-directory', 'data-directory', 'root-directory', 'command'] as const;
export type ScriptValue = (typeof SCRIPT_VALUES)[number];

/** How a plugin is run. One member per kind of runtime; `executors/` has one folder for each. */
export const RuntimeSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('wasm'),
    modulePath: z.string().describe('the module, relative to the plugin directory'),
  }),
  z.strictObject({
    kind: z.literal('script'),
    language: z.enum(LANGUAGES),
    main: z.string().describe('the script, relative to the plugin directory'),
    input: z.enum(['stdin', 'argv', 'both']).describe('where the arguments go, as one JSON object; argv is the first argument'),
    variables: z.record(z.string(), z.enum(SCRIPT_VALUES)).describe('environment variables, and what the host puts into each'),
    dependencies: z
      .array(z.string())
      .describe('packages, as the language’s package manager spells them; a lock file beside the script comes before them'),
  }),
]);
export type Runtime = z.infer<typeof RuntimeSchema>;
export type WasmRuntime = Extract<Runtime, { kind: 'wasm' }>;
export type ScriptRuntime = Extract<Runtime, { kind: 'script' }>;
export type RuntimeKind = Runtime['kind'];

/** The normal form: what every system's manifest is read into. Nothing past `manifest/` knows which system it was. */
export const PluginSchema = z.strictObject({
  id: z.string().describe('unique in a catalog; the manifest’s name'),
  system: z.string().describe('the plugin system, for display and audit only'),
  name: z.string(),
  version: z.string(),
  description: z.string(),
  directory: z.string().describe('absolute, canonical'),
  manifestFile: z.string().describe('relative to the directory'),
  files: z
    .record(z.string(), z.string())
    .describe(
      'the files that decide how it behaves: relative path → hex SHA-256 of its bytes; links and empty directories as in file-tree.ts',
    ),
  digest: z.string().describe('sha256:<hex> over the sorted `files`'),
  runtime: RuntimeSchema,
  requests: z.array(z.string()).describe('capability strings, see policy/capability.ts'),
  commands: z.array(CommandSchema),
  settings: z
    .strictObject({ schema: JsonSchemaSchema, secrets: z.array(z.string()) })
    .optional()
    .describe('the plugin’s own settings and which of them are secret'),
  tags: z.array(z.string()),
  keywords: z.array(z.string()),
  enabled: z.boolean(),
  limits: LimitsSchema,
  warnings: z.array(z.string()).describe('one sentence each: unknown fields and the like'),
});
export type Plugin = z.infer<typeof PluginSchema>;

/** The defaults of DESIGN.md, “Bounded”; WASM’s own from agentzero.md §3. */
export const DEFAULT_LIMITS: Limits = {
  timeoutMs: 30_000,
  memoryBytes: 64 * 1024 * 1024,
  outputBytes: 16 * 1024 * 1024,
  logBytes: 256 * 1024,
  hostCalls: 100_000,
  concurrency: 16,
};

/** Of scripts (DESIGN.md, “Details that others build on”; the timeout is Kaizen’s). */
export const SCRIPT_LIMITS: Limits = { ...DEFAULT_LIMITS, timeoutMs: 60_000, memoryBytes: 512 * 1024 * 1024 };
