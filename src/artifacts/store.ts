import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';

import { HostError, reasonOf } from '../errors.ts';
import { contentPath, placeContent, removeArtifact, sweepLeftovers, walkArtifacts, writeSidecar } from './artifact-files.ts';
import { artifactUri, isCallId, sanitizeName, tryParseArtifactUri } from './artifact-name.ts';
import type { Artifact, StoredArtifact } from './artifact.ts';
import { isMimeType, UNKNOWN_TYPE } from './mime-type.ts';
import { tryReadPage, type ArtifactPage, type ReadRange } from './read-page.ts';

export interface ArtifactStoreOptions {
  /** `<state>/artifacts`; made with mode 0700 by the first artifact. */
  readonly directory: string;
  /** Over all calls, 4 KiB added for each artifact; the oldest artifacts make room. Other processes’ artifacts are counted about once a minute. */
  readonly quotaBytes: number;
  /** For one call; more is refused. Default: a quarter of `quotaBytes`. */
  readonly callQuotaBytes?: number;
  /** How long an artifact is kept. */
  readonly expiryMs: number;
  /** Milliseconds since 1970, UTC. */
  readonly clock: () => number;
}

export type PutAnswer = { readonly kind: 'stored'; readonly artifact: Artifact } | { readonly kind: 'refused'; readonly reason: string };

/** Keeps what calls produce, across restarts. Its directory may be shared by several processes. */
export interface ArtifactStore {
  putText(callId: string, name: string, text: string, mimeType?: string): Promise<PutAnswer>;
  putBytes(callId: string, name: string, bytes: Uint8Array, mimeType?: string): Promise<PutAnswer>;
  /** Undefined when there is no such artifact, whatever the URI looks like. */
  read(uri: string, range?: ReadRange): Promise<ArtifactPage | undefined>;
  /** The file of an artifact, for people on this machine; undefined for what is no URI of one. It may be gone. */
  locate(uri: string): string | undefined;
  /** Newest first. */
  list(): Promise<readonly StoredArtifact[]>;
  /** Removes what is too old and what killed processes left; returns how many artifacts went. */
  expire(): Promise<number>;
}

/** What a small file and its sidecar take up on a disk: counted for each artifact, so that quotas bound their number too. */
const ENTRY_BYTES = 4096;
const RECOUNT_MS = 60_000;
const LEFTOVER_MS = 3_600_000;
const TEXT_TYPE = /^text\/|^application\/(?:json|xml|yaml|toml|javascript|x-ndjson)\b|\+(?:json|xml)\b/;

/** All functions throw HostError `ARTIFACT_UNUSABLE` when the directory cannot be used. */
export function createArtifactStore(options: ArtifactStoreOptions): ArtifactStore {
  const { directory, quotaBytes, expiryMs, clock } = options;
  const callQuotaBytes = options.callQuotaBytes ?? Math.floor(quotaBytes / 4);
  let countedMs = Number.NEGATIVE_INFINITY;
  let usedBytes = 0;
  const usedByCall = new Map<string, number>();
  let turn: Promise<unknown> = Promise.resolve();

  /** One change at a time, so that two puts cannot both take the last of a quota. */
  const inTurn = <Value>(action: () => Promise<Value>): Promise<Value> => {
    const result = turn.then(() => guard(action));
    turn = result.catch(() => undefined);
    return result;
  };

  const guard = async <Value>(action: () => Promise<Value>): Promise<Value> => {
    try {
      return await action();
    } catch (error) {
      throw new HostError('ARTIFACT_UNUSABLE', { directory, reason: reasonOf(error) }, { cause: error });
    }
  };

  const readAll = async (): Promise<(StoredArtifact & { callId: string })[]> => {
    const all: (StoredArtifact & { callId: string })[] = [];
    for await (const stored of walkArtifacts(directory)) all.push(stored);
    return all.toSorted((a, b) => b.createdMs - a.createdMs || (a.uri < b.uri ? -1 : 1));
  };

  const recount = async (): Promise<void> => {
    usedBytes = 0;
    usedByCall.clear();
    for await (const { callId, bytes } of walkArtifacts(directory)) count(callId, bytes + ENTRY_BYTES);
    countedMs = clock();
  };
  const count = (callId: string, bytes: number): void => {
    usedBytes += bytes;
    usedByCall.set(callId, (usedByCall.get(callId) ?? 0) + bytes);
  };

  /** Removes artifacts that are too old, then the oldest of other calls until `neededBytes` fit. */
  const makeRoom = async (neededBytes: number, keepCallId: string | undefined): Promise<number> => {
    let removed = 0;
    await recount();
    for (const stored of (await readAll()).toReversed()) {
      const expired = stored.createdMs <= clock() - expiryMs;
      const crowded = usedBytes + neededBytes > quotaBytes && stored.callId !== keepCallId;
      if (!expired && !crowded) continue;
      await removeArtifact(directory, stored.callId, stored.name);
      count(stored.callId, -stored.bytes - ENTRY_BYTES);
      removed += 1;
    }
    return removed;
  };

  const put = (callId: string, wantedName: string, content: { bytes: Uint8Array; mimeType: string; isText: boolean }): Promise<PutAnswer> =>
    inTurn(async () => {
      const { bytes } = content;
      const neededBytes = bytes.length + ENTRY_BYTES;
      if (!isCallId(callId)) throw new Error(`"${callId.slice(0, 80)}" is not a call id`);
      if (clock() - countedMs > RECOUNT_MS) await recount();
      const ofCall = usedByCall.get(callId) ?? 0;
      if (ofCall + neededBytes > callQuotaBytes)
        return {
          kind: 'refused',
          reason: `Cannot keep ${bytes.length} bytes as an artifact: this call has ${ofCall} of ${callQuotaBytes} bytes in use`,
        };
      if (usedBytes + neededBytes > quotaBytes) await makeRoom(neededBytes, callId);
      if (usedBytes + neededBytes > quotaBytes)
        return { kind: 'refused', reason: `Cannot keep ${bytes.length} bytes as an artifact: the store is limited to ${quotaBytes} bytes` };
      const name = await placeContent(directory, callId, { name: sanitizeName(wantedName), bytes });
      const artifact: Artifact = {
        uri: artifactUri(callId, name),
        name,
        mimeType: isMimeType(content.mimeType) ? content.mimeType : UNKNOWN_TYPE,
        bytes: bytes.length,
        digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
      };
      await writeSidecar(directory, callId, { ...artifact, createdMs: clock(), encoding: content.isText ? 'utf8' : 'binary' });
      count(callId, neededBytes);
      return { kind: 'stored', artifact };
    });

  return {
    putText: (callId, name, text, mimeType = 'text/plain') => put(callId, name, { bytes: Buffer.from(text), mimeType, isText: true }),
    putBytes: (callId, name, bytes, mimeType = UNKNOWN_TYPE) =>
      put(callId, name, { bytes, mimeType, isText: TEXT_TYPE.test(mimeType) && isUtf8(bytes) }),
    read: (uri, range = {}) => guard(() => tryReadPage(directory, uri, range)),
    locate(uri) {
      const parts = tryParseArtifactUri(uri);
      return parts === undefined ? undefined : contentPath(directory, parts.callId, parts.name);
    },
    list: () => guard(async () => (await readAll()).map(({ callId: _callId, ...stored }) => stored)),
    expire: () =>
      inTurn(async () => {
        const removed = await makeRoom(0, undefined);
        await sweepLeftovers(directory, clock() - LEFTOVER_MS);
        return removed;
      }),
  };
}
