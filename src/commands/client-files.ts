import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

import { applyEdits, modify, parse, type ParseError } from 'jsonc-parser';

import { HostError, reasonOf } from '../errors.ts';

export interface Edit {
  readonly file: string;
  readonly before: string;
  readonly after: string;
}

/**
 * What the file would become: everything else in it stays, comments and indentation included; only the entry before it may be laid out anew.
 * Throws CONNECT_UNREADABLE when it is not JSON (comments allowed), for a file that is not understood is not touched.
 */
export function planEdit(file: string, path: readonly [string, string], entry: Record<string, unknown>): Edit {
  let before = '';
  try {
    before = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      throw new HostError('CONNECT_UNREADABLE', { file, reason: reasonOf(error) }, { cause: error });
  }
  const errors: ParseError[] = [];
  const parsed: unknown = before.trim() === '' ? {} : parse(before, errors, { allowTrailingComma: true });
  const [key, name] = path;
  if (errors.length > 0 || !isTable(parsed) || !isTable(parsed[key] ?? {})) {
    throw new HostError('CONNECT_UNREADABLE', { file, reason: errors.length > 0 ? 'it is not valid JSON' : `"${key}" is not an object` });
  }
  const text = before.trim() === '' ? '{}\n' : before;
  const indent = /\n(\t| +)"/.exec(before)?.[1] ?? '  ';
  // An entry cannot be put into null, which is replaced whole.
  const isNull = isTable(parsed) && parsed[key] === null;
  const formattingOptions = {
    insertSpaces: indent !== '\t',
    tabSize: indent === '\t' ? 1 : indent.length,
    eol: before.includes('\r\n') ? '\r\n' : '\n',
  };
  return {
    file,
    before,
    after: applyEdits(text, modify(text, isNull ? [key] : [...path], isNull ? { [name]: entry } : entry, { formattingOptions })),
  };
}

const isTable = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Writes through a temporary file beside the real one, links followed and permissions kept: a crash leaves the old or the new. */
export function applyEdit({ file, after }: Edit): void {
  let temporary: string | undefined;
  try {
    mkdirSync(dirname(file), { recursive: true });
    const target = existsSync(file) ? realpathSync(file) : file;
    temporary = `${target}.${randomBytes(6).toString('hex')}.tmp`;
    // A token may stand in it, so a new file is the owner’s alone.
    writeFileSync(temporary, after, { mode: 0o600, flag: 'wx' });
    if (existsSync(target)) chmodSync(temporary, statSync(target).mode & 0o777);
    renameSync(temporary, target);
  } catch (error) {
    if (temporary !== undefined) rmSync(temporary, { force: true });
    throw new HostError('CONNECT_UNWRITABLE', { file, reason: reasonOf(error) }, { cause: error });
  }
}
