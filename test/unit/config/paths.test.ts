import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, onTestFinished, test, vi } from 'vitest';

import { findOwnPaths, findRoot, type OwnPaths } from '../../../src/config/paths.ts';
import { useTmp } from '../../helpers/tmp.ts';

function usePlaces() {
  const tmp = useTmp();
  for (const name of ['home', 'project', 'other']) mkdirSync(join(tmp, name));
  const home = join(tmp, 'home');
  vi.stubEnv('HOME', home);
  onTestFinished(() => void vi.unstubAllEnvs());
  const own: OwnPaths = { config: '/own/config', data: '/own/data', cache: '/own/cache', state: '/own/state' };
  return { tmp, home, project: join(tmp, 'project'), other: join(tmp, 'other'), own };
}

describe('findRoot()', () => {
  test('takes --root, relative to the working directory', () => {
    const { project, tmp, other, own } = usePlaces();
    const environment = { CLAUDE_PROJECT_DIR: other };
    expect(findRoot({ flag: 'project', environment, workingDirectory: tmp, own })).toEqual({ path: project, isOwn: false });
  });

  test('takes CLAUDE_PROJECT_DIR next, unless it is empty', () => {
    const { project, other, own } = usePlaces();
    const sources = { flag: undefined, workingDirectory: project, own };
    expect(findRoot({ ...sources, environment: { CLAUDE_PROJECT_DIR: other } }).path).toBe(other);
    expect(findRoot({ ...sources, environment: { CLAUDE_PROJECT_DIR: '' } }).path).toBe(project);
  });

  test('takes the working directory last, canonical', () => {
    const { project, tmp, own } = usePlaces();
    symlinkSync(project, join(tmp, 'link'));
    expect(findRoot({ flag: undefined, environment: {}, workingDirectory: join(tmp, 'link'), own })).toEqual({
      path: project,
      isOwn: false,
    });
  });

  test.for(['/', 'home', 'link to home'])('takes one of our own in place of %s', (where) => {
    const { home, tmp, own } = usePlaces();
    symlinkSync(home, join(tmp, 'link'));
    const workingDirectory = where === '/' ? '/' : where === 'home' ? home : join(tmp, 'link');
    expect(findRoot({ flag: undefined, environment: {}, workingDirectory, own })).toEqual({ path: '/own/data/root', isOwn: true });
  });

  test('takes home when a person asks for it', () => {
    const { home, own } = usePlaces();
    expect(findRoot({ flag: home, environment: {}, workingDirectory: '/', own })).toEqual({ path: home, isOwn: false });
  });

  test('works for users without a home directory', () => {
    const { project, own } = usePlaces();
    vi.stubEnv('HOME', '/nonexistent');
    expect(findRoot({ flag: undefined, environment: {}, workingDirectory: project, own }).path).toBe(project);
  });

  test.for(['missing', 'file'])('refuses a %s', (name) => {
    const { tmp, own } = usePlaces();
    writeFileSync(join(tmp, 'file'), '');
    const message = `Cannot use the root "${join(tmp, name)}": it must be an existing directory`;
    expect(() => findRoot({ flag: name, environment: {}, workingDirectory: tmp, own })).toThrow(message);
    expect(() => findRoot({ flag: undefined, environment: { CLAUDE_PROJECT_DIR: join(tmp, name) }, workingDirectory: tmp, own })).toThrow(
      message,
    );
  });
});

describe('findOwnPaths()', () => {
  test('puts all four below PLUGBRIDGE_HOME', () => {
    expect(findOwnPaths({ PLUGBRIDGE_HOME: '/p/h' })).toEqual({
      config: '/p/h/config',
      data: '/p/h/data',
      cache: '/p/h/cache',
      state: '/p/h/state',
    });
    expect(findOwnPaths({ PLUGBRIDGE_HOME: 'h' }).config).toBe(join(process.cwd(), 'h', 'config'));
  });

  test('gives four different directories of ours without it', () => {
    const paths = Object.values(findOwnPaths({}));
    expect(new Set(paths).size).toBe(4);
    for (const path of paths) expect(path).toMatch(/plugbridge/);
  });
});
