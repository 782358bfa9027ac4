import type { FileHandle } from 'node:fs/promises';

import { tryOpenContent, tryReadSidecar } from './artifact-files.ts';
import { tryParseArtifactUri } from './artifact-name.ts';
import type { Artifact, StoredArtifact } from './artifact.ts';
import { findCharacterStart, fitCharacters, MAX_SEQUENCE_BYTES } from './text-page.ts';

export interface ReadRange {
  /** From 0; within a text, moved back to the beginning of its character. */
  readonly offsetBytes?: number;
  /** Default 40,000, at most 1 MiB; a page of text ends between characters and has at least one. */
  readonly limitBytes?: number;
}
export interface ArtifactPage {
  readonly artifact: Artifact;
  readonly bytes: Buffer;
  /** Absent for binary content. */
  readonly text?: string;
  readonly offsetBytes: number;
  /** Where the next page begins; absent at the end. */
  readonly nextOffsetBytes?: number;
}
const DEFAULT_PAGE_BYTES = 40_000;
const MAX_PAGE_BYTES = 1024 * 1024;

/** One page of an artifact; undefined when there is none of that name, or its file is not as it was stored. Throws the system’s errors. */
export async function tryReadPage(directory: string, uri: string, range: ReadRange): Promise<ArtifactPage | undefined> {
  const parts = tryParseArtifactUri(uri);
  const stored = parts === undefined ? undefined : await tryReadSidecar(directory, parts.callId, parts.name);
  if (parts === undefined || stored === undefined) return undefined;
  const handle = await tryOpenContent(directory, parts.callId, parts.name);
  if (handle === undefined) return undefined;
  try {
    if ((await handle.stat()).size !== stored.bytes) return undefined;
    const limitBytes = clamp(range.limitBytes ?? DEFAULT_PAGE_BYTES, 1, MAX_PAGE_BYTES);
    const offsetBytes = clamp(range.offsetBytes ?? 0, 0, stored.bytes);
    const read = stored.encoding === 'utf8' ? readTextPage : readBinaryPage;
    return await read(handle, stored, { offsetBytes, limitBytes });
  } finally {
    await handle.close();
  }
}

async function readBinaryPage(handle: FileHandle, stored: StoredArtifact, range: Required<ReadRange>): Promise<ArtifactPage> {
  const bytes = await readBytes(handle, range.offsetBytes, range.limitBytes);
  return pageOf(stored, bytes, range.offsetBytes);
}

async function readTextPage(handle: FileHandle, stored: StoredArtifact, range: Required<ReadRange>): Promise<ArtifactPage> {
  const lead = Math.min(range.offsetBytes, MAX_SEQUENCE_BYTES - 1);
  const windowStart = range.offsetBytes - lead;
  const window = await readBytes(handle, windowStart, lead + range.limitBytes + MAX_SEQUENCE_BYTES);
  const fromStart = window.subarray(findCharacterStart(window, lead));
  const bytes = fromStart.subarray(0, fitCharacters(fromStart, range.limitBytes));
  const page = pageOf(stored, bytes, windowStart + window.length - fromStart.length);
  return { ...page, text: bytes.toString('utf8') };
}

function pageOf(stored: StoredArtifact, bytes: Buffer, offsetBytes: number): ArtifactPage {
  const { createdMs: _createdMs, encoding: _encoding, ...artifact } = stored;
  const end = offsetBytes + bytes.length;
  return { artifact, bytes, offsetBytes, ...(end < stored.bytes && { nextOffsetBytes: end }) };
}

const clamp = (value: number, least: number, most: number): number => Math.min(Math.max(Math.trunc(value) || 0, least), most);

async function readBytes(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}
