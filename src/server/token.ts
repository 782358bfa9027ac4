import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { link, lstat, mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HostError, reasonOf } from '../errors.ts';
import type { Log } from '../log.ts';

const TOKEN_BYTES = 32;
/** Base64url of 32 bytes. */
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

export interface ServerToken {
  readonly token: string;
  readonly file: string;
}

/**
 * The token that HTTP clients must send, kept in `<state>/token` for its owner alone (DESIGN.md, “Details”).
 * A file that is a link, that is not ours, that others can read or that holds no token has been tampered with or leaked:
 * it is replaced by a new token, with a warning. Throws SERVER_TOKEN_UNUSABLE when that is impossible.
 */
export async function loadToken(stateDirectory: string, log: Log): Promise<ServerToken> {
  const file = join(stateDirectory, 'token');
  try {
    await mkdir(stateDirectory, { recursive: true, mode: 0o700 });
    const found = await readToken(file);
    if (found.kind === 'token') return { token: found.token, file };
    if (found.kind === 'unusable') {
      log.warn(`Replacing the token "${file}": ${found.reason}`);
      await rm(file);
    }
    return { token: await createToken(file), file };
  } catch (error) {
    throw new HostError('SERVER_TOKEN_UNUSABLE', { file, reason: reasonOf(error) }, { cause: error });
  }
}

type Found =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unusable'; readonly reason: string };

async function readToken(file: string): Promise<Found> {
  const entry = await lstat(file).catch((error: unknown) => {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  });
  if (entry === undefined) return { kind: 'absent' };
  if (!entry.isFile()) return { kind: 'unusable', reason: 'it is not a regular file' };
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    // Asked of what was opened, for the name may lead elsewhere by now.
    const stat = await handle.stat();
    if (!stat.isFile()) return { kind: 'unusable', reason: 'it is not a regular file' };
    if (process.getuid !== undefined && stat.uid !== process.getuid()) return { kind: 'unusable', reason: 'it belongs to another user' };
    if (process.platform !== 'win32' && (stat.mode & 0o077) !== 0)
      return { kind: 'unusable', reason: 'others may read it, its mode must be 0600' };
    if (stat.size > 1024) return { kind: 'unusable', reason: 'it holds no token' };
    const token = (await handle.readFile('utf8')).trim();
    return TOKEN.test(token) ? { kind: 'token', token } : { kind: 'unusable', reason: 'it holds no token' };
  } finally {
    await handle.close();
  }
}

/** The name appears at once with all its content, and the first of several servers that start together wins. */
async function createToken(file: string): Promise<string> {
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(`${token}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  try {
    await link(draft, file);
    return token;
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
    const other = await readToken(file);
    if (other.kind !== 'token') throw error;
    return other.token;
  } finally {
    await rm(draft, { force: true });
  }
}

const isErrno = (error: unknown, code: string): boolean => error instanceof Error && 'code' in error && error.code === code;
