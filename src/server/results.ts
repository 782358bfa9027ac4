import type { CallToolResult } from '@modelcontextprotocol/server';
import type { Content, Outcome } from '../dispatch/outcome.ts';

/**
 * An outcome in MCP’s shape. Text comes first and says everything: some clients show the model only
 * `structuredContent`, others drop it, and on errors Claude Code drops it always (mcp.md §6).
 */
export function toCallToolResult(outcome: Outcome): CallToolResult {
  const structured = outcome.kind === 'ok' ? outcome.structured : undefined;
  const content = [...outcome.content];
  if (outcome.kind !== 'ok') prependError(content, outcome);
  else if (structured !== undefined && !content.some(isText)) content.unshift({ type: 'text', text: JSON.stringify(structured) });
  if (outcome.artifacts.length > 0) appendLinks(content, outcome);
  return {
    content,
    ...(structured === undefined ? {} : { structuredContent: { ...structured } }),
    ...(outcome.kind === 'ok' ? {} : { isError: true }),
    _meta: {
      'plugbridge/outcome': outcome.kind,
      'plugbridge/durationMs': outcome.durationMs,
      'plugbridge/tier': outcome.tier,
      ...(outcome.truncated ? { 'plugbridge/truncated': true } : {}),
    },
  };
}

const isText = (content: Content): boolean => content.type === 'text';

function prependError(content: Content[], outcome: Outcome): void {
  const code = outcome.error?.code;
  const first = content.find((part) => part.type === 'text');
  // Dispatch may have put the error into the text already; saying it twice costs the model tokens.
  if (first !== undefined && (code === undefined || first.text.startsWith(`${code}: `))) return;
  const text = outcome.error === undefined ? `The call ended as ${outcome.kind}` : `${outcome.error.code}: ${outcome.error.message}`;
  content.unshift({ type: 'text', text });
}

function appendLinks(content: Content[], outcome: Outcome): void {
  const linked = new Set(content.flatMap((part) => (part.type === 'resource_link' ? [part.uri] : [])));
  for (const { uri, name, mimeType, bytes } of outcome.artifacts) {
    if (!linked.has(uri)) content.push({ type: 'resource_link', uri, name, mimeType, size: bytes });
  }
}
