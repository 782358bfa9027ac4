import type { Artifact } from '../artifacts/artifact.ts';
import type { ErrorCode } from '../errors.ts';
import type { LogLine, Refusal, Tier } from '../executors/executor.ts';

export type { Artifact };

/** Content in MCP’s shapes, so that the server passes it on as it is. */
export type Content =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image'; readonly data: string; readonly mimeType: string }
  | {
      readonly type: 'resource_link';
      readonly uri: string;
      readonly name: string;
      readonly mimeType?: string;
      readonly size?: number;
      readonly description?: string;
    };

/**
 * How a call ended. Failure shares success’s shape: content is always what the caller should be shown,
 * with the error in the text.
 */
export interface Outcome {
  readonly kind: 'ok' | 'refused' | 'failed' | 'timed-out' | 'cancelled';
  /** Present unless ok. */
  readonly error?: { readonly code: ErrorCode; readonly message: string };
  /** How its process ended, when it failed and there was one: `exit 3`; see `ExecutionUsage`. */
  readonly exit?: string;
  readonly durationMs: number;
  readonly content: readonly Content[];
  readonly structured?: Readonly<Record<string, unknown>>;
  readonly artifacts: readonly Artifact[];
  readonly logs: readonly LogLine[];
  /** Capability uses that were refused during the call. */
  readonly refusals: readonly Refusal[];
  readonly truncated: boolean;
  readonly tier: Tier;
}

/** Who calls, for the audit. */
export interface Caller {
  readonly client: string;
  readonly clientVersion: string;
  readonly transport: 'stdio' | 'http' | 'cli';
  /** The authenticated principal, or the operating system’s user. */
  readonly principal: string;
}

/** What a person is asked before a call goes on. Bound to the tool, its arguments and a nonce that is used once. */
export interface ApprovalRequest {
  readonly plugin: string;
  readonly command: string;
  readonly message: string;
  /** Capability strings that an approval would cover. */
  readonly capabilities: readonly string[];
  readonly binding: ApprovalBinding;
}
export interface ApprovalBinding {
  readonly tool: string;
  readonly argumentsDigest: string;
  readonly nonce: string;
}
/** `once`: this call; `always`: this plugin from now on, stored as a grant; `no`: the capabilities are refused in this call. */
export type ApprovalAnswer = 'once' | 'always' | 'no';

export interface CallRequest {
  readonly tool: string;
  readonly arguments: unknown;
  readonly caller: Caller;
  readonly signal: AbortSignal;
  /** Whether a person can be asked over this connection. */
  readonly canAsk: boolean;
  /** The answer to an earlier `ApprovalRequest`; refused unless its binding fits this call and is unused. */
  readonly approval?: { readonly binding: ApprovalBinding; readonly answer: ApprovalAnswer };
  onLog?(line: LogLine): void;
  onProgress?(progress: { readonly progress: number; readonly total?: number; readonly message?: string }): void;
}

export type CallAnswer =
  | { readonly kind: 'done'; readonly outcome: Outcome }
  | { readonly kind: 'unknown-tool'; readonly message: string }
  | { readonly kind: 'ask'; readonly request: ApprovalRequest };

/** One call from tool name to outcome; the one door for MCP and the command line. */
export interface Dispatch {
  /** Whether a call of this tool could end in a question to a person, were it not answered yet. */
  mayAsk(tool: string): boolean;
  call(request: CallRequest): Promise<CallAnswer>;
}
