import { createHash } from 'node:crypto';
import type { Artifact } from '../../src/dispatch/outcome.ts';
import type { ArtifactReader } from '../../src/server/artifacts.ts';

export interface FixtureArtifacts extends ArtifactReader {
  put(name: string, mimeType: string, bytes: Uint8Array): Artifact;
}

export function makeArtifacts(): FixtureArtifacts {
  const stored = new Map<string, { artifact: Artifact; bytes: Uint8Array }>();
  return {
    put(name, mimeType, bytes) {
      const uri = `artifact://call${stored.size + 1}/${name}`;
      const artifact = {
        uri,
        name,
        mimeType,
        bytes: bytes.byteLength,
        digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
      };
      stored.set(uri, { artifact, bytes });
      return artifact;
    },
    async list() {
      return [...stored.values()].map(({ artifact }) => artifact);
    },
    async read(uri, { offsetBytes, limitBytes }) {
      const found = stored.get(uri);
      if (found === undefined) return { kind: 'missing', reason: `Cannot read "${uri}": there is no such artifact, or it has expired` };
      const { artifact } = found;
      const bytes = found.bytes.subarray(offsetBytes, offsetBytes + limitBytes);
      const end = offsetBytes + bytes.byteLength;
      const page = {
        artifact,
        bytes,
        offsetBytes,
        ...(artifact.mimeType.startsWith('text/') ? { text: Buffer.from(bytes).toString() } : {}),
        ...(end < artifact.bytes ? { nextOffsetBytes: end } : {}),
      };
      return { kind: 'found', page };
    },
  };
}
