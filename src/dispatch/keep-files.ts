import { tryReadImage } from '../artifacts/image.ts';
import { essenceOf, mimeTypeOf } from '../artifacts/mime-type.ts';
import type { ArtifactStore } from '../artifacts/store.ts';
import { reasonOf } from '../errors.ts';
import type { KeepAnswer, ProducedFile } from '../executors/executor.ts';
import { toOneLine } from './one-line.ts';
import type { Artifact, Content } from './outcome.ts';

/** A file that a call produced, and how it is shown. */
export interface KeptFile {
  readonly artifact: Artifact;
  readonly description?: string;
  /** Present when a model can be shown it, besides the link. */
  readonly image?: Extract<Content, { type: 'image' }>;
}

export interface FileKeeper {
  /** In the order in which they came. */
  readonly kept: readonly KeptFile[];
  keep(file: ProducedFile): Promise<KeepAnswer>;
}

/** Links in one result; the store’s quota bounds the bytes. */
export const MAX_FILES = 100;
/** What is also shown as an image (kaizen.md, “MCP”), in bytes before base64; clients send all of it back with every turn. */
export const IMAGE_LIMITS = { bytes: 1_000_000, totalBytes: 2_000_000, count: 8, sidePixels: 8_000 } as const;
const MAX_DESCRIPTION = 300;

/** Takes the files of one call into the artifact store. */
export function createFileKeeper(artifacts: ArtifactStore, callId: string): FileKeeper {
  const kept: KeptFile[] = [];
  let begun = 0;
  let shown = 0;
  let shownBytes = 0;

  const tryShow = ({ bytes }: ProducedFile, { mimeType }: Artifact): KeptFile['image'] => {
    if (shown >= IMAGE_LIMITS.count || bytes.length > IMAGE_LIMITS.bytes || shownBytes + bytes.length > IMAGE_LIMITS.totalBytes)
      return undefined;
    const facts = tryReadImage(bytes);
    if (facts?.mimeType !== nameOfType(mimeType) || Math.max(facts.width, facts.height) > IMAGE_LIMITS.sidePixels) return undefined;
    shown += 1;
    shownBytes += bytes.length;
    return { type: 'image', data: Buffer.from(bytes).toString('base64'), mimeType: facts.mimeType };
  };

  return {
    kept,
    async keep(file) {
      if (begun++ >= MAX_FILES) return { kept: false, reason: `Cannot keep more than ${MAX_FILES} files of one call` };
      try {
        const put = await artifacts.putBytes(callId, file.name, file.bytes, await mimeTypeOf(file));
        if (put.kind === 'refused') return { kept: false, reason: put.reason };
        const { artifact } = put;
        const image = tryShow(file, artifact);
        kept.push({
          artifact,
          ...(file.description === undefined ? {} : { description: toOneLine(file.description, MAX_DESCRIPTION) }),
          ...(image === undefined ? {} : { image }),
        });
        return { kept: true, uri: artifact.uri };
      } catch (error) {
        // The call has done its work by now; a store that fails costs this file and not the answer.
        return { kept: false, reason: reasonOf(error) };
      }
    },
  };
}

/** Many write `image/jpg`, which is not registered. */
const nameOfType = (mimeType: string): string => {
  const essence = essenceOf(mimeType);
  return essence === 'image/jpg' ? 'image/jpeg' : essence;
};
