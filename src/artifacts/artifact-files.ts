import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { link, mkdir, open, readdir, readFile, rename, rm, rmdir, stat, writeFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

import { SidecarSchema, type StoredArtifact } from './artifact.ts';
import { isCallId, numberName } from './artifact-name.ts';

/** Attempts to find a free number for a name; quotas end a call long before. */
const MAX_NUMBER = 10_000;
const TEMPORARY = '.new-';

/** `<directory>/<call id>/<name>` is the content, `.<name>.json` beside it what is known of it. */
export const contentPath = (directory: string, callId: string, name: string): string => join(directory, callId, name);
const sidecarPath = (directory: string, callId: string, name: string): string => join(directory, callId, `.${name}.json`);

export const isSystemError = (error: unknown, code: string): boolean => error instanceof Error && 'code' in error && error.code === code;

/**
 * Puts content under the first free form of a name and returns that. A reader sees all of it or nothing; two writers
 * that want one name get two. Files are 0600, directories 0700.
 */
export async function placeContent(directory: string, callId: string, content: { name: string; bytes: Uint8Array }): Promise<string> {
  const folder = join(directory, callId);
  const temporary = join(folder, `${TEMPORARY}${randomBytes(8).toString('hex')}`);
  try {
    await writeInto(folder, temporary, content.bytes);
    for (let count = 1; count <= MAX_NUMBER; count++) {
      const name = count === 1 ? content.name : numberName(content.name, count);
      try {
        // Unlike a rename, a link never replaces what is there.
        await link(temporary, join(folder, name));
        return name;
      } catch (error) {
        if (!isSystemError(error, 'EEXIST')) throw error;
      }
    }
    throw new Error(`there are ${MAX_NUMBER} files called "${content.name}"`);
  } finally {
    await rm(temporary, { force: true });
  }
}

async function writeInto(folder: string, path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    await writeFile(path, bytes, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error;
    // Another process expired the last file of this call and its folder in between.
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(path, bytes, { mode: 0o600, flag: 'wx' });
  }
}

export async function writeSidecar(directory: string, callId: string, stored: StoredArtifact): Promise<void> {
  const temporary = join(directory, callId, `${TEMPORARY}${randomBytes(8).toString('hex')}`);
  await writeFile(temporary, JSON.stringify(stored), { mode: 0o600, flag: 'wx' });
  await rename(temporary, sidecarPath(directory, callId, stored.name));
}

/** What is known of an artifact; undefined when there is none or its sidecar is not one of ours. */
export async function tryReadSidecar(directory: string, callId: string, name: string): Promise<StoredArtifact | undefined> {
  try {
    const parsed = SidecarSchema.safeParse(JSON.parse(await readFile(sidecarPath(directory, callId, name), 'utf8')));
    return parsed.success && parsed.data.name === name ? parsed.data : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || isSystemError(error, 'ENOENT') || isSystemError(error, 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** Opens content for reading; undefined when it is gone or is anything but a plain file. */
export async function tryOpenContent(directory: string, callId: string, name: string): Promise<FileHandle | undefined> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  let handle: FileHandle;
  try {
    handle = await open(contentPath(directory, callId, name), O_RDONLY | (O_NOFOLLOW ?? 0) | (O_NONBLOCK ?? 0));
  } catch (error) {
    if (isSystemError(error, 'ENOENT') || isSystemError(error, 'ELOOP') || isSystemError(error, 'ENOTDIR')) return undefined;
    throw error;
  }
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  return undefined;
}

export async function removeArtifact(directory: string, callId: string, name: string): Promise<void> {
  await rm(sidecarPath(directory, callId, name), { force: true });
  await rm(contentPath(directory, callId, name), { force: true });
}

/** Every artifact of every call, in no order. Reads one sidecar at a time. */
export async function* walkArtifacts(directory: string): AsyncGenerator<StoredArtifact & { readonly callId: string }> {
  for (const callId of await listFolder(directory)) {
    if (!isCallId(callId)) continue;
    for (const file of await listFolder(join(directory, callId))) {
      const name = /^\.(.+)\.json$/.exec(file)?.[1];
      const stored = name === undefined ? undefined : await tryReadSidecar(directory, callId, name);
      if (stored !== undefined) yield { ...stored, callId };
    }
  }
}

/** Removes what a killed writer left without a sidecar before `beforeMs`, and empty folders. */
export async function sweepLeftovers(directory: string, beforeMs: number): Promise<void> {
  for (const callId of await listFolder(directory)) {
    if (!isCallId(callId)) continue;
    const folder = join(directory, callId);
    const files = await listFolder(folder);
    const known = new Set(files);
    for (const file of files) {
      if (file.startsWith('.') ? !file.startsWith(TEMPORARY) : known.has(`.${file}.json`)) continue;
      const status = await stat(join(folder, file)).catch(() => undefined);
      if (status !== undefined && status.mtimeMs < beforeMs) await rm(join(folder, file), { force: true });
    }
    // Fails for folders in use, as it should.
    await rmdir(folder).catch(() => undefined);
  }
}

async function listFolder(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isSystemError(error, 'ENOENT') || isSystemError(error, 'ENOTDIR')) return [];
    throw error;
  }
}
