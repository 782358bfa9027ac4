import { z } from 'zod';

import type { RedactedArguments } from './redact.ts';

/** The version of the record format; a reader refuses the ones it does not know. */
export const RECORD_VERSION = 1;

const hash = z.string().regex(/^[0-9a-f]{64}$/);

/** What every record begins with, in this order; see `line.ts` for how the hashes chain. */
const header = {
  v: z.literal(RECORD_VERSION),
  chain: z
    .string()
    .regex(/^[0-9a-f]{16}$/)
    .describe('random id of the writing process’s chain'),
  seq: z.int().nonnegative().describe('position in the chain, without gaps'),
  prev: hash.describe('hash of the record before it in the chain, zeros for the first'),
  time: z.iso.datetime().describe('UTC, milliseconds'),
};

/** A line that a full disk or a kill left unfinished, vouched for by the writer that found it. */
const TornSchema = z.strictObject({
  bytes: z.int().positive().describe('length of the fragment'),
  digest: hash.describe('SHA-256 of the fragment'),
});
export type Torn = z.infer<typeof TornSchema>;

const ClientSchema = z.strictObject({ name: z.string(), version: z.string() });

const intentFields = {
  callId: z.string(),
  client: ClientSchema,
  transport: z.enum(['stdio', 'http', 'cli']),
  principal: z.string().describe('the authenticated principal, or the operating system’s user'),
  plugin: z.string(),
  version: z.string().describe('of the plugin'),
  digest: z.string().describe('of the plugin’s files'),
  command: z.string(),
  arguments: z.unknown().describe('redacted and bounded, see redact.ts'),
  argumentsDigest: z.string().describe('sha256:<hex> of the canonical JSON of the raw arguments'),
  capabilities: z.array(z.string()).describe('what request, grant and policy all allow'),
  decision: z.strictObject({
    effect: z.string().describe('allow, deny or require_approval'),
    source: z.string().describe('the rule, grant or answer that decided'),
    reason: z.string().optional(),
  }),
  limits: z.record(z.string(), z.number()).describe('name with unit to number'),
  tier: z.string().optional().describe('the isolation that the call is going to get'),
};

const outcomeFields = {
  callId: z.string(),
  client: ClientSchema,
  plugin: z.string(),
  command: z.string(),
  outcome: z.enum(['ok', 'refused', 'failed', 'timed-out', 'cancelled']),
  error: z.string().optional().describe('a code of ERRORS; absent when ok'),
  exit: z.string().optional().describe('how its process ended, where it had one: exit 3, signal SIGSEGV, killed: timeoutMs'),
  durationMs: z.number().nonnegative(),
  bytesIn: z.int().nonnegative(),
  bytesOut: z.int().nonnegative(),
  fuel: z.int().nonnegative().optional().describe('deterministic instruction count'),
  tier: z.string().describe('the isolation really in force'),
  unenforced: z
    .array(z.string())
    .optional()
    .describe('what this isolation should enforce and could not, or only as best it can; absent when nothing'),
  used: z.array(z.string()).describe('capabilities used'),
  refusals: z.array(z.strictObject({ capability: z.string(), by: z.string(), reason: z.string() })),
};

const eventFields = {
  event: z.string().describe('what happened outside of calls: catalog-reloaded, granted, dropped, …'),
  plugin: z.string().optional(),
  detail: z.record(z.string(), z.unknown()).optional().describe('small, free of secrets'),
};

export const IntentRecordSchema = z.strictObject({ ...header, kind: z.literal('intent'), ...intentFields, hash });
export const OutcomeRecordSchema = z.strictObject({ ...header, kind: z.literal('outcome'), ...outcomeFields, hash });
const EventRecordSchema = z.strictObject({
  ...header,
  kind: z.literal('event'),
  ...eventFields,
  torn: z.array(TornSchema).optional(),
  hash,
});
const OpenRecordSchema = z.strictObject({
  ...header,
  kind: z.literal('open'),
  pid: z.int(),
  after: hash.nullable().describe('hash of the last record found in the newest journal file; null when there was none'),
  torn: z.array(TornSchema).optional(),
  hash,
});
const CloseRecordSchema = z.strictObject({ ...header, kind: z.literal('close'), pid: z.int(), hash });

/** One line of the journal. */
export const AuditRecordSchema = z.discriminatedUnion('kind', [
  IntentRecordSchema,
  OutcomeRecordSchema,
  EventRecordSchema,
  OpenRecordSchema,
  CloseRecordSchema,
]);
export type AuditRecord = z.infer<typeof AuditRecordSchema>;
export type IntentRecord = z.infer<typeof IntentRecordSchema>;
export type OutcomeRecord = z.infer<typeof OutcomeRecordSchema>;
export type RecordKind = AuditRecord['kind'];

const IntentFieldsSchema = z.strictObject({ ...intentFields });
const OutcomeFieldsSchema = z.strictObject({ ...outcomeFields });
const EventFieldsSchema = z.strictObject({ ...eventFields });

/** Written before anything of a call runs. The arguments must have gone through `redactArguments`. */
export type IntentFields = Readonly<Omit<z.infer<typeof IntentFieldsSchema>, 'arguments'>> & { readonly arguments: RedactedArguments };
/** Written when a call has ended, however it ended; shares the intent’s `callId`. */
export type OutcomeFields = Readonly<z.infer<typeof OutcomeFieldsSchema>>;
/** Anything else worth keeping: reloads, grants, dropped tools, stops of a plugin. */
export type EventFields = Readonly<z.infer<typeof EventFieldsSchema>>;
