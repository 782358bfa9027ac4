import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';

import { describe, test } from 'vitest';

import { toGrantedMounts } from '../../src/executors/sandbox/granted-mounts.ts';
import { makeDataDirectory } from '../../src/executors/sandbox/data-quota.ts';
import { findSensitiveName } from '../../src/policy/sensitive-names.ts';
import { HAS_BUBBLEWRAP, runBash, useSandbox } from '../helpers/sandbox.ts';
import { useTmp } from '../helpers/tmp.ts';

/** A home with a root, a plugin and its data among other plugins’, and a shell in a sandbox that is granted some of it. */
async function useGranted(...permissions: readonly string[]) {
  const home = useTmp();
  chmodSync(home, 0o755);
  const paths = { root: join(home, 'root'), plugin: join(home, 'own/plugins/p'), data: join(home, 'own/data/p') };
  for (const path of [paths.root, paths.plugin, join(home, 'own/data/q')]) mkdirSync(path, { recursive: true });
  await makeDataDirectory(paths.data);
  const write = (path: string, text = 'found-me\n'): void => {
    mkdirSync(dirname(join(home, path)), { recursive: true });
    writeFileSync(join(home, path), text);
  };
  const sandbox = useSandbox();
  const run = async (script: string) => {
    const hiding = {
      isHidden: (segments: readonly string[], access: 'read' | 'write') => findSensitiveName(segments, access) !== undefined,
      protectedDirectories: [join(home, 'own')],
    };
    const granted = await toGrantedMounts({ permissions: permissions.map((text) => text.replace('~', home)), paths, hiding });
    if (!granted.ok) throw new Error(granted.reason);
    return runBash(sandbox, script, { mounts: granted.mounts, workingDirectory: paths.plugin });
  };
  return { home, paths, write, run };
}

describe.skipIf(!HAS_BUBBLEWRAP)('granted mounts', () => {
  test('hide what is sensitive by every way that leads to it', async ({ expect }) => {
    const { home, paths, write, run } = await useGranted('write:fs:$ROOT');
    if (process.getuid?.() === 0) chmodSync(paths.root, 0o777);
    for (const path of ['.env', '.ssh/id', 'deep/.npmrc', 'plain']) write(`root/${path}`);
    symlinkSync('.env', join(paths.root, 'harmless'));
    const ran = await run(
      `cd ${paths.root}; grep -rs found-me . harmless; ls -A .ssh; mv .env x; rm -f .env; ln .env y; ln -s .env z; cat z; cp .env w; rm -rf .ssh; mv deep renamed; cat deep/.npmrc; echo x > .env`,
    );
    expect(ran.stdout).toBe('./plain:found-me\n');
    for (const path of ['.env', '.ssh/id']) expect(readFileSync(join(home, 'root', path), 'utf8')).toBe('found-me\n');
    expect(readFileSync(join(home, 'root/deep/.npmrc'), 'utf8')).toBe('found-me\n');
  });

  test('keep the directories above what is sensitive where they are, or the next call would find it under another name', async ({
    expect,
  }) => {
    const { paths, write, run } = await useGranted('write:fs:$ROOT');
    for (const path of ['a/b/.aws/credentials', '.config/gh/hosts.yml', 'sub/.git/config', 'free/plain']) write(`root/${path}`);
    if (process.getuid?.() === 0) spawnSync('chmod', ['-R', 'a+rwX', paths.root]);
    const moved = await run(
      `cd ${paths.root}; mv a/b/.aws a/b/aws2; mv a/b a/c; mv a d; mv .config/gh gh; mv .config config; mv sub sub2; mv free moved; echo ok > a/b/new`,
    );
    expect(moved.stderr.match(/Device or resource busy/g)).toHaveLength(6);
    const read = await run(`cd ${paths.root}; grep -rhs found-me .; cat a/b/new`);
    expect(read.stdout).toBe('found-me\nfound-me\nok\n');
    expect(existsSync(join(paths.root, 'moved/plain'))).toBe(true);
  });

  test('keep what other programs run from being changed, and leave it readable', async ({ expect }) => {
    const { paths, write, run } = await useGranted('write:fs:$ROOT');
    for (const path of ['.git/config', '.git/hooks/x', '.vscode/tasks.json', 'sub/.mcp.json']) write(`root/${path}`);
    if (process.getuid?.() === 0) chmodSync(paths.root, 0o777);
    const ran = await run(
      `cd ${paths.root}; cat .git/config; for f in .git/config .git/hooks/post-checkout .vscode/tasks.json sub/.mcp.json; do echo x > $f; done; mv .git y; rm -rf .vscode; echo made > new; cat new`,
    );
    expect(ran.stdout).toBe('found-me\nmade\n');
    expect(ran.stderr.match(/Read-only file system|Device or resource busy/g)?.length).toBeGreaterThanOrEqual(6);
    expect(existsSync(join(paths.root, '.git/hooks/post-checkout'))).toBe(false);
    expect(readFileSync(join(paths.root, '.vscode/tasks.json'), 'utf8')).toBe('found-me\n');
  });

  test('show of our own directories the plugin’s alone: its files as they are, its data to write', async ({ expect }) => {
    const { paths, write, run } = await useGranted('read:fs:~');
    for (const path of ['own/data/q/secret', 'own/plugins/p/.env', 'own/plugins/q/x', 'own/trust.json']) write(path);
    const ran = await run(
      `cat .env; find ${dirname(dirname(paths.data))} | sort; echo x > here; mkdir ${paths.data}/../r; echo kept > ${paths.data}/file && cat ${paths.data}/file`,
    );
    const own = dirname(dirname(paths.data));
    expect(ran.stdout.split('\n')).toEqual([
      'found-me',
      ...['', '/data', '/data/p', '/plugins', '/plugins/p', '/plugins/p/.env'].map((path) => own + path),
      'kept',
      '',
    ]);
    expect(ran.stderr.match(/Read-only file system/g)).toHaveLength(2);
    expect(existsSync(join(own, 'data/r'))).toBe(false);
  });

  test('need no cover over what their user cannot reach', async ({ expect }) => {
    const { home, paths, write, run } = await useGranted('read:fs:$ROOT');
    write('root/private/.env');
    write('root/plain');
    chmodSync(join(home, 'root/private'), 0o700);
    expect((await run(`grep -rsh found-me ${paths.root}`)).stdout).toBe('found-me\n');
  });
});
