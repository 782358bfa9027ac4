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
  const none = { flag: undefined, configured: undefined, environment: {}, workingDirectory: tmp, own };
  return { tmp, home, project: join(tmp, 'project'), other: join(tmp, 'other'), none };
}

describe('findRoot()', () => {
  test('takes --root, relative to the working directory', () => {
    const { project, other, none } = usePlaces();
    const environment = { CLAUDE_PROJECT_DIR: other };
    expect(findRoot({ ...none, flag: 'project', configured: other, environment })).toEqual({ path: project, isOwn: false });
  });

  test('takes CLAUDE_PROJECT_DIR next, unless it is empty', () => {
    const { home, project, other, none } = usePlaces();
    const sources = { ...none, workingDirectory: project };
    expect(findRoot({ ...sources, configured: home, environment: { CLAUDE_PROJECT_DIR: other } }).path).toBe(other);
    expect(findRoot({ ...sources, environment: { CLAUDE_PROJECT_DIR: '' } }).path).toBe(project);
  });

  test.for([{}, { CLAUDE_PROJECT_DIR: '' }])('takes the configured one when neither flag nor environment name one: %o', (environment) => {
    const { home, project, other, none } = usePlaces();
    const sources = { ...none, environment, configured: other };
    expect(findRoot({ ...sources, workingDirectory: project })).toEqual({ path: other, isOwn: false });
    expect(findRoot({ ...sources, workingDirectory: '/' })).toEqual({ path: other, isOwn: false });
    expect(findRoot({ ...sources, configured: home })).toEqual({ path: home, isOwn: false });
  });

  test('takes the working directory last, canonical', () => {
    const { project, tmp, none } = usePlaces();
    symlinkSync(project, join(tmp, 'link'));
    expect(findRoot({ ...none, workingDirectory: join(tmp, 'link') })).toEqual({
      path: project,
      isOwn: false,
    });
  });

  test.for(['/', 'home', 'link to home'])('takes one of our own in place of %s', (where) => {
    const { home, tmp, none } = usePlaces();
    symlinkSync(home, join(tmp, 'link'));
    const workingDirectory = where === '/' ? '/' : where === 'home' ? home : join(tmp, 'link');
    expect(findRoot({ ...none, workingDirectory })).toEqual({ path: '/own/data/root', isOwn: true });
  });

  test('takes home when a person asks for it', () => {
    const { home, none } = usePlaces();
    expect(findRoot({ ...none, flag: home, workingDirectory: '/' })).toEqual({ path: home, isOwn: false });
  });

  test('works for users without a home directory', () => {
    const { project, none } = usePlaces();
    vi.stubEnv('HOME', '/nonexistent');
    expect(findRoot({ ...none, workingDirectory: project }).path).toBe(project);
  });

  test.for(['missing', 'file'])('refuses a %s', (name) => {
    const { tmp, none } = usePlaces();
    writeFileSync(join(tmp, 'file'), '');
    const message = `Cannot use the root "${join(tmp, name)}": it must be an existing directory`;
    expect(() => findRoot({ ...none, flag: name })).toThrow(message);
    expect(() => findRoot({ ...none, environment: { CLAUDE_PROJECT_DIR: join(tmp, name) } })).toThrow(message);
    expect(() => findRoot({ ...none, configured: join(tmp, name) })).toThrow(message);
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
