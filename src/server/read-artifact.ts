import { z } from 'zod';
import { failedCall } from './answers.ts';
import type { ArtifactPage, ArtifactReader } from './artifacts.ts';
import { SERVER_LIMITS } from './limits.ts';
import { createOwnTool, type OwnTool, type ToolAnswer } from './own-tool.ts';

const ReadArtifactSchema = z.strictObject({
  uri: z.string().max(2048).describe('the artifact:// URI, as in the result that mentioned it'),
  offset: z.int().min(0).default(0).describe('the byte to begin at'),
  limit: z.int().min(1).max(SERVER_LIMITS.artifactPartBytes).default(SERVER_LIMITS.artifactPartBytes).describe('the most bytes to return'),
});

/** Reads what did not fit into a result, also for clients that have no resources (Zed, mcp.md §6). */
export function createReadArtifactTool(artifacts: ArtifactReader): OwnTool {
  return createOwnTool({
    name: 'plugbridge_read_artifact',
    title: 'Read an artifact',
    description:
      'Reads a file that an earlier plugin call stored, such as the whole of an output that was cut. ' +
      'Long text comes in parts: repeat the call with the offset that the answer names.',
    input: ReadArtifactSchema,
    annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
    async run({ uri, offset, limit }) {
      const answer = await artifacts.read(uri, { offsetBytes: offset, limitBytes: limit });
      if (answer.kind === 'missing') return failedCall(answer.reason);
      const { page } = answer;
      return page.text === undefined ? showBinary(page) : showText(page, page.text);
    },
  });
}

function showText(page: ArtifactPage, text: string): ToolAnswer {
  const { artifact, bytes, offsetBytes, nextOffsetBytes } = page;
  const next = nextOffsetBytes === undefined ? 'this is the end' : `continue with offset ${nextOffsetBytes}`;
  const range = `Bytes ${offsetBytes} to ${offsetBytes + bytes.byteLength} of ${artifact.bytes}: ${next}`;
  return {
    content: [
      { type: 'text', text },
      { type: 'text', text: range },
    ],
  };
}

function showBinary(page: ArtifactPage): ToolAnswer {
  const { artifact, bytes, offsetBytes, nextOffsetBytes } = page;
  const whole = offsetBytes === 0 && nextOffsetBytes === undefined;
  if (whole && artifact.mimeType.startsWith('image/')) {
    return { content: [{ type: 'image', data: Buffer.from(bytes).toString('base64'), mimeType: artifact.mimeType }] };
  }
  return failedCall(
    `Cannot show "${artifact.uri}" as text: it has ${artifact.bytes} bytes of ${artifact.mimeType}; read it as a resource instead`,
  );
}
