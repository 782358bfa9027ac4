import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  type ClientCapabilities,
  type Implementation,
} from '@modelcontextprotocol/server';
import type { Caller } from '../dispatch/outcome.ts';
import { toOneLine } from '../dispatch/one-line.ts';
import type { ToolRequest } from './own-tool.ts';

/** Before 2026-07-28 a connection is opened by a handshake, since then every request stands alone (mcp.md §1). */
export type Era = 'legacy' | 'modern';

/** Only requests of the later era have a context that tells who calls. */
type CallerRequest = Pick<ToolRequest, 'server' | 'era'> & Partial<Pick<ToolRequest, 'ctx'>>;

/** What a transport knows about all its callers. */
export type Connection = Pick<Caller, 'transport' | 'principal'>;

/** The members of a modern request’s envelope that we read; the SDK checks them but leaves them untyped. */
interface Envelope {
  readonly [CLIENT_INFO_META_KEY]?: Implementation;
  readonly [CLIENT_CAPABILITIES_META_KEY]?: ClientCapabilities;
}

/** Who calls, in the client’s own words, kept short and to one line. */
export function identifyCaller(request: CallerRequest, connection: Connection): Caller {
  const info = request.era === 'modern' ? envelopeOf(request)[CLIENT_INFO_META_KEY] : request.server.getClientVersion();
  return {
    client: toOneLine(info?.name ?? 'unknown', 100),
    clientVersion: toOneLine(info?.version ?? 'unknown', 50),
    transport: connection.transport,
    principal: connection.principal,
  };
}

/** Whether a form can be shown to a person over this connection; a bare `elicitation: {}` means forms (mcp.md §2, trap 5). */
export function canAskPerson(request: CallerRequest): boolean {
  const capabilities =
    request.era === 'modern' ? envelopeOf(request)[CLIENT_CAPABILITIES_META_KEY] : request.server.getClientCapabilities();
  const elicitation = capabilities?.elicitation;
  if (elicitation === undefined) return false;
  return elicitation.form !== undefined || elicitation.url === undefined;
}

const envelopeOf = ({ ctx }: CallerRequest): Envelope => ctx?.mcpReq.envelope ?? {};
