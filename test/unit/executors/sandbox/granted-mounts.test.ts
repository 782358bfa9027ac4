import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';

import fc from 'fast-check';
import { describe, onTestFinished, test } from 'vitest';

import { layerMounts, toGrantedMounts } from '../../../../src/executors/sandbox/granted-mounts.ts';
import type { SandboxMount } from '../../../../src/executors/sandbox/sandbox.ts';
import { useTmp } from '../../../helpers/tmp.ts';

/** As the policy’s names: some are never read, more are never changed. */
const NEVER = ['.env', '.ssh', '.plugbridge'];
const NEVER_WRITTEN = [...NEVER, '.git', '.vscode'];
const isHidden = (segments: readonly string[], access: 'read' | 'write'): boolean =>
  segments.some((name) => (access === 'read' ? NEVER : NEVER_WRITTEN).includes(name));

/** A home with a root, a plugin of the workspace’s or the user’s, its data, and our own directories. */
function useHome({ plugin = 'share/plugins/p' } = {}) {
  const home = useTmp();
  const place = (path: string): string => {
    mkdirSync(join(home, path), { recursive: true });
    return join(home, path);
  };
  const paths = { root: place('root'), plugin: place(plugin), data: place('share/data/p') };
  const hiding = { isHidden, protectedDirectories: [place('share'), place('config')] };
  const write = (path: string, text = ''): void => {
    mkdirSync(dirname(join(home, path)), { recursive: true });
    writeFileSync(join(home, path), text);
  };
  /** The mounts as `access path`, below the home; or the reason. */
  const granted = async (...permissions: readonly string[]) => {
    const answer = await toGrantedMounts({ permissions, paths, hiding });
    if (!answer.ok) return answer.reason.replaceAll(home, '~');
    for (const { source, target } of answer.mounts) if (source !== target) throw new Error('a mount elsewhere');
    return answer.mounts.map(({ target, access }) => `${access} ${target.replace(home, '~')}`);
  };
  return { home, paths, place, write, granted };
}

const OWN = ['write ~/share/data/p', 'read ~/share/plugins/p'];

describe('toGrantedMounts()', () => {
  test('shows the plugin and its data, whatever else is permitted', async ({ expect }) => {
    const { granted } = useHome();
    const others = ['net:*', 'env:HOME', 'exec:git', 'storage:read', 'write:fs:$RUN/out', 'read:fs:$PLUGIN/x', 'write:fs:$DATA'];
    expect(await granted()).toEqual(OWN);
    expect(await granted(...others.filter((text) => !text.includes('$PLUGIN')))).toEqual(OWN);
  });

  test('shows what is granted at its own place, written or not, and a path with all beneath it', async ({ expect }) => {
    const { granted, place, write } = useHome();
    place('root/docs');
    place('other/out');
    write('root/a file.txt');
    expect(await granted('read:fs:$ROOT/docs', 'write:fs:$ROOT/a file.txt')).toEqual([
      'write ~/root/a file.txt',
      'read ~/root/docs',
      ...OWN,
    ]);
    const { home, granted: absolute, place: make } = useHome();
    make('other/out');
    expect(await absolute(`read:fs:${home}/other/`, `write:fs:${home}/other/out/**`)).toEqual([
      'read ~/other',
      'write ~/other/out',
      ...OWN,
    ]);
  });

  test('lets writing win where both are granted', async ({ expect }) => {
    const { granted, place } = useHome();
    place('root/docs/deep');
    expect(await granted('read:fs:$ROOT/docs/deep', 'write:fs:$ROOT/docs', 'read:fs:$ROOT/docs', 'read:fs:$ROOT')).toEqual([
      'read ~/root',
      'write ~/root/docs',
      ...OWN,
    ]);
  });

  test('covers sensitive names in what it shows, and seals what may not be changed', async ({ expect }) => {
    const { granted, write, home } = useHome();
    for (const path of ['.env', 'deep/er/.ssh/id', '.git/config', '.vscode/tasks.json', '.vscode/.env', 'plain/x']) write(`root/${path}`);
    symlinkSync('../plain', join(home, 'root/deep/.git'));
    symlinkSync('deep/er', join(home, 'root/.plugbridge'));
    symlinkSync('/etc/hostname', join(home, 'root/plain/.env'));
    expect(await granted('write:fs:$ROOT')).toEqual(
      [
        'write ~/root',
        'none ~/root/.env',
        'read ~/root/.git',
        'read ~/root/.vscode',
        'write ~/root/deep',
        'read ~/root/plain',
        'none ~/root/.vscode/.env',
        'none ~/root/deep/er',
        ...OWN,
      ].toSorted(byDepth),
    );
    expect(await granted('read:fs:$ROOT')).toEqual(
      ['read ~/root', 'none ~/root/.env', 'none ~/root/.vscode/.env', 'none ~/root/deep/er', ...OWN].toSorted(byDepth),
    );
  });

  test('covers our own directories, and shows in them what is the plugin’s', async ({ expect }) => {
    const { granted, home, write } = useHome();
    write('share/data/q/secret');
    write('share/.env');
    write('share/data/p/.env');
    expect(await granted(`read:fs:${home}`)).toEqual(['read ~', 'none ~/config', 'none ~/share', ...OWN]);
    expect(await granted(`write:fs:${home}`)).toEqual(['write ~', 'none ~/config', 'none ~/share', ...OWN]);
  });

  test('shows a plugin of the workspace inside of the directory that is covered for its name', async ({ expect }) => {
    const { granted, write } = useHome({ plugin: 'root/.plugbridge/plugins/p' });
    write('root/.plugbridge/plugins/q/secret');
    write('root/.plugbridge/plugins/p/.env');
    expect(await granted('write:fs:$ROOT')).toEqual([
      'write ~/root',
      'none ~/root/.plugbridge',
      'write ~/share/data/p',
      'read ~/root/.plugbridge/plugins/p',
    ]);
  });

  test('shows no root that lies inside of the plugin, unless it is granted', async ({ expect }) => {
    const { granted, write } = useHome({ plugin: 'root' });
    write('root/.env');
    expect(await granted('read:fs:$ROOT')).toEqual(['read ~/root', 'write ~/share/data/p']);
    const home = useTmp();
    for (const path of ['plugin/work/sub', 'data']) mkdirSync(join(home, path), { recursive: true });
    const paths = { root: join(home, 'plugin/work'), plugin: join(home, 'plugin'), data: join(home, 'data') };
    const shown = async (...permissions: string[]) => {
      const answer = await toGrantedMounts({ permissions, paths, hiding: { isHidden, protectedDirectories: [] } });
      return answer.ok && answer.mounts.map(({ target, access }) => `${access} ${target.replace(home, '~')}`);
    };
    expect(await shown()).toEqual(['write ~/data', 'read ~/plugin', 'none ~/plugin/work']);
    expect(await shown('write:fs:$ROOT')).toEqual(['write ~/data', 'read ~/plugin', 'write ~/plugin/work']);
    expect(await shown('read:fs:$ROOT/sub')).toEqual(['write ~/data', 'read ~/plugin', 'none ~/plugin/work', 'read ~/plugin/work/sub']);
  });

  test.for([
    ['read:fs:$ROOT/*.md', 'a sandbox shows whole directories and files, and no pattern of them'],
    ['read:fs:$ROOT/**/x', 'a sandbox shows whole directories and files, and no pattern of them'],
    ['read:fs:$ROOT/absent', 'there is no such file or directory'],
    ['read:fs:$ROOT/link', 'it leads through a link to "~/other", and only that can be shown'],
    ['read:fs:$ROOT/link/in', 'it leads through a link to "~/other/in", and only that can be shown'],
    ['read:fs:/', 'the whole file system is never shown'],
    ['write:fs:/**', 'the whole file system is never shown'],
    ['read:fs:$ROOT/../x', 'the path holds empty, "." or ".." segments'],
    ['read:fs:$ROOT//x', 'the path holds empty, "." or ".." segments'],
    ['read:fs:relative', 'the path must be absolute or begin with $ROOT, $PLUGIN, $DATA or $RUN'],
    ['read:fs:', 'the whole file system is never shown'],
    ['read:fs:$ROOTS/x', 'the path must be absolute or begin with $ROOT, $PLUGIN, $DATA or $RUN'],
    ['read:fs:$ROOT/a\0b', 'the path holds a control character'],
    ['read:fs:/proc/1', 'it belongs to the system or to plugbridge itself'],
    ['read:fs:/run', 'it belongs to the system or to plugbridge itself'],
    ['read:fs:/tmp', 'other programs keep their sockets and files there; a directory inside it can be shown'],
    ['read:fs:~/config', 'it belongs to the system or to plugbridge itself'],
    ['read:fs:~/share/data', 'it belongs to the system or to plugbridge itself'],
    ['write:fs:$PLUGIN', 'a plugin cannot change its own files'],
    ['write:fs:$PLUGIN/sub', 'a plugin cannot change its own files'],
    ['read:fs:$ROOT/.ssh', 'what has such a name is never read by plugins'],
    ['read:fs:$ROOT/.ssh/deep', 'what has such a name is never read by plugins'],
    ['write:fs:$ROOT/.git', 'what has such a name is never changed by plugins'],
    ['read:fs:$ROOT/socket', 'it is neither a file nor a directory'],
  ] as const)('refuses %s', async ([text, reason], { expect }) => {
    const { granted, home, place } = useHome();
    for (const path of ['root/.ssh/deep', 'root/.git', 'share/plugins/p/sub', 'other/in']) place(path);
    symlinkSync('../other', join(home, 'root/link'));
    const server = createServer().listen(join(home, 'root/socket'));
    await new Promise((resolve) => server.once('listening', resolve));
    onTestFinished(() => void server.close());
    expect(await granted(text.replace('~', home))).toBe(`${text}: ${reason}`);
  });

  test('refuses what holds more than can be searched for sensitive names', async ({ expect }) => {
    const { granted, place, write } = useHome();
    place('root/many');
    for (let index = 0; index < 1001; index += 1) write(`root/many/${index}/.env`);
    expect(await granted('read:fs:$ROOT')).toBe(
      'read:fs:$ROOT: what is sensitive in it cannot be hidden, for it has more than 1000 sensitive files',
    );
  });

  test('gives the same for the same, in any order', async ({ expect }) => {
    const { granted, place, write } = useHome();
    for (const path of ['a', 'b', 'c/d']) place(`root/${path}`);
    for (const path of ['a/.env', 'b/.git/x', 'c/d/.ssh/y']) write(`root/${path}`);
    const texts = ['read:fs:$ROOT', 'write:fs:$ROOT/a', 'write:fs:$ROOT/b', 'write:fs:$ROOT/c/d'];
    const wanted = await granted(...texts);
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray([...texts, ...texts], { minLength: 8 }), async (order) => {
        expect(await granted(...order)).toEqual(wanted);
      }),
      { numRuns: 20 },
    );
  });

  test('knows our directories by either spelling when they are reached through a link', async ({ expect }) => {
    const home = realpathSync(mkdtempSync(join(useTmp(), 'home-')));
    onTestFinished(() => rmSync(home, { recursive: true, force: true }));
    for (const path of ['dots/config', 'root', 'plugin', 'data']) mkdirSync(join(home, path), { recursive: true });
    symlinkSync('dots/config', join(home, 'config'));
    const paths = { root: join(home, 'root'), plugin: join(home, 'plugin'), data: join(home, 'data') };
    const hiding = { isHidden, protectedDirectories: [join(home, 'config')] };
    const answer = await toGrantedMounts({ permissions: [`read:fs:${home}`], paths, hiding });
    expect(answer).toMatchObject({
      ok: true,
      mounts: expect.arrayContaining([{ source: join(home, 'dots/config'), target: join(home, 'dots/config'), access: 'none' }]),
    });
    expect(await toGrantedMounts({ permissions: [`read:fs:${home}/dots/config`], paths, hiding })).toMatchObject({ ok: false });
  });
});

function byDepth(one: string, other: string): number {
  const pathOf = (line: string): string => line.slice(line.indexOf(' ') + 1);
  const depth = pathOf(one).split('/').length - pathOf(other).split('/').length;
  return depth === 0 ? (pathOf(one) < pathOf(other) ? -1 : 1) : depth;
}

describe('layerMounts()', () => {
  const path = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 4 }).map((segments) => `/${segments.join('/')}`);
  const mounts = (access: SandboxMount['access']): fc.Arbitrary<SandboxMount[]> =>
    fc.uniqueArray(path, { maxLength: 6 }).map((targets) => targets.map((target) => ({ source: target, target, access })));
  const layers = fc.record({ granted: mounts('write'), sealed: mounts('read'), covers: mounts('none'), own: mounts('read') });

  test('puts parents first, one mount for each target, however its layers are ordered', ({ expect }) => {
    fc.assert(
      fc.property(layers, (given) => {
        const layered = layerMounts(given);
        const targets = layered.map(({ target }) => target);
        expect(new Set(targets).size).toBe(targets.length);
        for (const [index, target] of targets.entries()) {
          expect(targets.slice(index).some((later) => target.startsWith(`${later}/`))).toBe(false);
        }
        const turned = Object.fromEntries(Object.entries(given).map(([name, list]) => [name, list.toReversed()]));
        expect(layerMounts({ granted: [], ...turned })).toEqual(layered);
      }),
    );
  });

  test('shows nothing below a cover but what is granted or own', ({ expect }) => {
    fc.assert(
      fc.property(layers, ({ granted, sealed, covers, own }) => {
        const layered = layerMounts({ granted, sealed, covers, own });
        /** What a path shows inside: the access of the innermost mount around it. */
        const shown = (target: string) =>
          layered.findLast((one) => target === one.target || target.startsWith(`${one.target}/`))?.access ?? 'absent';
        const explicit = new Set([...granted, ...own].map((one) => one.target));
        for (const { target } of covers) if (!own.some((one) => one.target === target)) expect(['none']).toContain(shown(target));
        for (const { target } of own) expect(shown(target)).toBe('read');
        for (const { target } of sealed) {
          if (explicit.has(target)) continue;
          expect(['read', 'none']).toContain(shown(target));
        }
      }),
    );
  });
});
