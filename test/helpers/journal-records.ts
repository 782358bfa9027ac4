import type { IntentFields, OutcomeFields } from '../../src/audit/record.ts';
import { redactArguments } from '../../src/audit/redact.ts';

export const anIntent = (callId: string, over: Partial<IntentFields> = {}): IntentFields => ({
  callId,
  client: { name: 'claude-code', version: '2.1.0' },
  transport: 'stdio',
  principal: 'ada',
  plugin: 'vault',
  version: '1.0.0',
  digest: `sha256:${'a'.repeat(64)}`,
  command: 'capture',
  arguments: redactArguments({ text: 'milk' }),
  argumentsDigest: `sha256:${'b'.repeat(64)}`,
  capabilities: ['write:fs:$ROOT/notes'],
  decision: { effect: 'allow', source: 'policy.toml' },
  limits: { timeoutMs: 30_000 },
  ...over,
});

export const anOutcome = (callId: string, over: Partial<OutcomeFields> = {}): OutcomeFields => ({
  callId,
  client: { name: 'claude-code', version: '2.1.0' },
  plugin: 'vault',
  command: 'capture',
  outcome: 'ok',
  durationMs: 1.5,
  bytesIn: 10,
  bytesOut: 20,
  tier: 'bwrap',
  used: [],
  refusals: [],
  ...over,
});
