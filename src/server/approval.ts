import { randomBytes } from 'node:crypto';
import {
  createRequestStateCodec,
  inputRequired,
  inputResponse,
  ProtocolError,
  ProtocolErrorCode,
  type ElicitRequestFormParams,
  type InputRequiredResult,
  type RequestStateCodec,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { ApprovalAnswer, ApprovalBinding, ApprovalRequest, CallRequest } from '../dispatch/outcome.ts';
import { SERVER_LIMITS } from './limits.ts';
import { toOneLine } from '../dispatch/one-line.ts';

/** The name of our question among the `inputRequests` of a call. */
const QUESTION = 'approval';
/** Capabilities that one question spells out. */
const SHOWN_CAPABILITIES = 30;
/** The first revision in which a choice carries its titles as `oneOf` (SEP-1330). */
const TITLED_CHOICES_SINCE = '2025-11-25';

const AnswerSchema = z.object({ decision: z.enum(['once', 'always', 'no']) });
/** What a question is called and which answers it has, with their titles. */
export interface Wording {
  readonly description: string;
  readonly choices: Readonly<Partial<Record<ApprovalAnswer, string>>>;
}
const CALL_WORDING: Wording = {
  description: 'Whether the plugin may do this',
  choices: { once: 'Yes, this once', always: 'Yes, for this plugin from now on', no: 'No' },
};

type Approval = NonNullable<CallRequest['approval']>;

export interface Approvals {
  /** For `ServerOptions.requestState`. */
  readonly verify: RequestStateCodec<ApprovalBinding>['verify'];
  /** The question as the result of a call; `revision` is the protocol’s. */
  ask(request: ApprovalRequest, revision: string | undefined, wording?: Wording): Promise<InputRequiredResult>;
  /**
   * The answer that a repeated call carries, undefined when it carries none. An answer without the state that was
   * sealed with its question throws -32602; whether binding and nonce fit the call is for dispatch to decide.
   */
  readAnswer(ctx: ServerContext): Approval | undefined;
}

/** Questions to a person, sealed with a key of this process, so that an answer fits only the question it was given to. */
export function createApprovals(): Approvals {
  const codec = createRequestStateCodec<ApprovalBinding>({ key: randomBytes(32), ttlSeconds: SERVER_LIMITS.approvalSeconds });
  return {
    verify: (state, ctx) => codec.verify(state, ctx),
    async ask(request, revision, wording = CALL_WORDING) {
      const requestedSchema = describeChoices(revision, wording);
      const elicitation = inputRequired.elicit({ message: describeQuestion(request), requestedSchema });
      return inputRequired({ inputRequests: { [QUESTION]: elicitation }, requestState: await codec.mint(request.binding) });
    },
    readAnswer,
  };
}

function readAnswer(ctx: ServerContext): Approval | undefined {
  const responses = ctx.mcpReq.inputResponses;
  const binding = ctx.mcpReq.requestState<ApprovalBinding>();
  if (binding === undefined) {
    // Without its state an “accept” could be anyone’s invention (mcp.md §2, trap 3).
    if (responses === undefined && ctx.mcpReq.droppedInputResponseKeys === undefined) return undefined;
    throw new ProtocolError(
      ProtocolErrorCode.InvalidParams,
      'Cannot take the inputResponses: they come without the requestState that their question was sent with',
    );
  }
  const response = inputResponse(responses, QUESTION);
  if (response.kind === 'missing') return undefined;
  return { binding, answer: response.kind === 'elicit' && response.action === 'accept' ? readDecision(response.content) : 'no' };
}

function readDecision(content: unknown): ApprovalAnswer {
  const parsed = AnswerSchema.safeParse(content);
  return parsed.success ? parsed.data.decision : 'no';
}

/** What the person reads. Everything in it that a plugin wrote is kept to its own line. */
export function describeQuestion(request: ApprovalRequest): string {
  const shown = request.capabilities.slice(0, SHOWN_CAPABILITIES).map((capability) => `- ${toOneLine(capability, 300)}`);
  const hidden = request.capabilities.length - shown.length;
  return [
    toOneLine(request.message, 600),
    '',
    `Plugin: ${toOneLine(request.plugin, 100)}`,
    `Command: ${toOneLine(request.command, 100)}`,
    ...(shown.length > 0 ? ['Capabilities:', ...shown] : []),
    ...(hidden > 0 ? [`- and ${hidden} more`] : []),
  ].join('\n');
}

/** Clients of before 2025-11-25 know titles only as `enumNames`. Revisions compare as text. */
function describeChoices(revision: string | undefined, { description, choices }: Wording): ElicitRequestFormParams['requestedSchema'] {
  const field = { type: 'string' as const, title: 'Decision', description };
  const decision =
    revision !== undefined && revision >= TITLED_CHOICES_SINCE
      ? { ...field, oneOf: Object.entries(choices).map(([value, title]) => ({ const: value, title })) }
      : { ...field, enum: Object.keys(choices), enumNames: Object.values(choices) };
  return { type: 'object', properties: { decision }, required: ['decision'] };
}
