import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadToken } from '../../../src/server/token.ts';
import { makeLog } from '../../helpers/mcp-fixture.ts';
import { useTmp } from '../../helpers/tmp.ts';

const GOOD = 'a'.repeat(43);

test('loadToken() makes a token for its owner alone, and finds it again', async () => {
  const state = join(useTmp(), 'state', 'plugbridge');
  const { log, lines } = makeLog();
  const { token, file } = await loadToken(state, log);
  expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect(readFileSync(file, 'utf8')).toBe(`${token}\n`);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(state).mode & 0o777).toBe(0o700);
  expect(await loadToken(state, log)).toEqual({ token, file });
  expect(readdirSync(state)).toEqual(['token']);
  expect(lines).toEqual([]);
});

test.for([
  { what: 'that others can read', mode: 0o640, content: GOOD, reason: 'others may read it, its mode must be 0600' },
  { what: 'that others can write', mode: 0o602, content: GOOD, reason: 'others may read it, its mode must be 0600' },
  { what: 'that is empty', mode: 0o600, content: '', reason: 'it holds no token' },
  { what: 'that is too short', mode: 0o600, content: 'abc', reason: 'it holds no token' },
  { what: 'that is huge', mode: 0o600, content: GOOD.repeat(1000), reason: 'it holds no token' },
])('loadToken() replaces a token $what', async ({ mode, content, reason }) => {
  const state = useTmp();
  const file = join(state, 'token');
  writeFileSync(file, content);
  chmodSync(file, mode);
  const { log, lines } = makeLog();
  const { token } = await loadToken(state, log);
  expect(token).not.toBe(content);
  expect(readFileSync(file, 'utf8')).toBe(`${token}\n`);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(lines.join('')).toContain(reason);
  expect(lines.join('')).not.toContain(token);
});

test('loadToken() replaces a link and leaves what it leads to alone', async () => {
  const directory = useTmp();
  const target = join(directory, 'elsewhere');
  writeFileSync(target, GOOD, { mode: 0o600 });
  const state = join(directory, 'state');
  mkdirSync(state);
  symlinkSync(target, join(state, 'token'));
  const { token, file } = await loadToken(state, makeLog().log);
  expect(token).not.toBe(GOOD);
  expect(readFileSync(target, 'utf8')).toBe(GOOD);
  expect(statSync(file).isFile()).toBe(true);
});

test('loadToken() refuses what it cannot replace', async () => {
  const state = useTmp();
  mkdirSync(join(state, 'token'));
  await expect(loadToken(state, makeLog().log)).rejects.toMatchObject({ code: 'SERVER_TOKEN_UNUSABLE' });
  writeFileSync(join(state, 'file'), '');
  await expect(loadToken(join(state, 'file'), makeLog().log)).rejects.toMatchObject({ code: 'SERVER_TOKEN_UNUSABLE' });
});

test('loadToken() agrees on one token when several servers start together', async () => {
  const state = useTmp();
  const found = await Promise.all(Array.from({ length: 8 }, () => loadToken(state, makeLog().log)));
  expect(new Set(found.map(({ token }) => token)).size).toBe(1);
  expect(existsSync(join(state, 'token'))).toBe(true);
  expect(readdirSync(state)).toEqual(['token']);
});
