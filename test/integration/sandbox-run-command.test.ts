import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, test } from 'vitest';

import { createCommandRunner, DEFAULT_COMMAND_LIMITS, type CommandLimits } from '../../src/executors/sandbox/run-command.ts';
import { HAS_BUBBLEWRAP, useSandbox } from '../helpers/sandbox.ts';
import { useTmp } from '../helpers/tmp.ts';

const isHidden = (segments: readonly string[]): boolean =>
  segments.some((name) => name === '.env' || name === '.ssh' || name.startsWith('.env.'));

function useRunner(limits: Partial<CommandLimits> = {}) {
  const root = useTmp();
  const run = createCommandRunner({ sandbox: useSandbox(), isHidden, limits: { ...DEFAULT_COMMAND_LIMITS, ...limits } });
  return {
    root,
    run: (program: string, args: readonly string[], signal = new AbortController().signal) => run({ program, args, root, signal }),
  };
}

/** Git as the person would use it, without the configuration of this machine. */
const git = (root: string, ...args: string[]): void => {
  execFileSync('/usr/bin/git', ['-C', root, '-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], {
    stdio: 'ignore',
    env: { PATH: '/usr/bin:/bin', GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', HOME: root },
  });
};

describe.skipIf(!HAS_BUBBLEWRAP)('createCommandRunner()', () => {
  test('runs a program in the root and reports as a shell does', async ({ expect }) => {
    const { root, run } = useRunner();
    writeFileSync(join(root, 'a.txt'), 'one\ntwo\n');
    expect(await run('grep', ['-n', 'two', 'a.txt'])).toEqual({ ok: true, exitCode: 0, stdout: '2:two\n', stderr: '', truncated: false });
    expect(await run('grep', ['three', 'a.txt'])).toEqual({ ok: true, exitCode: 1, stdout: '', stderr: '', truncated: false });
    expect(await run('find', ['.', '-name', '*.txt'])).toMatchObject({ stdout: './a.txt\n' });
  });

  test('reads nothing outside the root and writes nothing in it', async ({ expect }) => {
    const { root, run } = useRunner();
    symlinkSync('/etc/shadow', join(root, 'link'));
    writeFileSync(join(root, 'a.txt'), 'b\na\n');
    expect(await run('head', ['/etc/shadow', 'link'])).toMatchObject({ exitCode: 1, stdout: '' });
    expect(await run('ls', [join(root, '..')])).toMatchObject({ stdout: `${root.split('/').at(-1)}\n` });
    expect(await run('sort', ['-o', 'a.txt', 'a.txt'])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/Read-only file system/),
    });
    expect(await run('find', ['.', '-name', 'a.txt', '-delete'])).toMatchObject({ exitCode: 1 });
    expect(existsSync(join(root, 'a.txt'))).toBe(true);
  });

  test('hides sensitive files at any depth, behind links and within directories', async ({ expect }) => {
    const { root, run } = useRunner();
    mkdirSync(join(root, 'deep/er'), { recursive: true });
    mkdirSync(join(root, 'deep/.ssh'));
    for (const path of ['.env', 'deep/er/.env.local', 'deep/.ssh/id', 'plain']) writeFileSync(join(root, path), `found-me ${path}\n`);
    symlinkSync('.env', join(root, 'harmless'));
    const ran = await run('grep', ['-rs', 'found-me', '.', 'harmless']);
    expect(ran).toMatchObject({ ok: true, stdout: './plain:found-me plain\n' });
    expect(await run('cat', ['.env'])).toMatchObject({ exitCode: 1, stdout: '', stderr: '/usr/bin/cat: .env: Permission denied\n' });
  });

  test(
    'refuses a root with too many entries to hide the sensitive ones, but hides dependencies whole',
    { timeout: 60_000 },
    async ({ expect }) => {
      const { findHidden } = await import('../../src/executors/sandbox/hidden-files.ts');
      const root = useTmp();
      mkdirSync(join(root, 'node_modules/deep'), { recursive: true });
      for (let index = 0; index < 60; index += 1) writeFileSync(join(root, `node_modules/${index}`), '');
      writeFileSync(join(root, '.env'), '');
      expect(await findHidden(root, { isHidden, maxEntries: 100 })).toEqual({
        ok: true,
        paths: { files: [join(root, '.env')], directories: [] },
      });
      expect(await findHidden(root, { isHidden, maxEntries: 20 })).toEqual({
        ok: true,
        paths: { files: [join(root, '.env')], directories: [join(root, 'node_modules')] },
      });
      expect(await findHidden(root, { isHidden, maxEntries: 1 })).toEqual({
        ok: false,
        reason: 'it has more than 1 entries, too many to hide the sensitive ones',
      });
      expect(await findHidden(root, { isHidden, maxHidden: 0 })).toEqual({ ok: false, reason: 'it has more than 0 sensitive files' });
    },
  );

  test('runs git on a repository of another user, without the programs that its configuration names', async ({ expect }) => {
    const { root, run } = useRunner();
    git(root, 'init', '-q');
    writeFileSync(join(root, 'a.txt'), 'one\n');
    git(root, 'add', '.');
    git(root, 'commit', '-qm', 'first');
    const trap = join(root, 'trap.sh');
    writeFileSync(trap, `#!/bin/sh\necho trapped >&2\n`, { mode: 0o755 });
    for (const key of ['core.fsmonitor', 'core.pager', 'core.sshCommand', 'core.editor', 'gpg.program']) git(root, 'config', key, trap);
    mkdirSync(join(root, 'hooks'));
    writeFileSync(join(root, 'hooks/post-index-change'), `#!/bin/sh\necho trapped >&2\n`, { mode: 0o755 });
    git(root, 'config', 'core.hooksPath', join(root, 'hooks'));
    writeFileSync(join(root, 'a.txt'), 'two\n');
    const status = await run('git', ['status', '--short']);
    expect(status).toMatchObject({ ok: true, exitCode: 0, stderr: '' });
    expect(status).toMatchObject({ stdout: expect.stringContaining(' M a.txt') });
    expect(await run('git', ['log', '--format=%s'])).toMatchObject({ exitCode: 0, stdout: 'first\n', stderr: '' });
    expect(await run('git', ['diff', '--no-ext-diff', '--no-textconv', '--stat'])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('a.txt | 2'),
    });
  });

  test('contains what git can be made to run all the same', async ({ expect }) => {
    const { root, run } = useRunner();
    git(root, 'init', '-q');
    const escape = join(useTmp(), 'escaped');
    const ran = await run('git', ['-c', `alias.x=!touch ${escape}; cat /etc/shadow; touch here; cat /proc/*/environ; echo ran`, 'x']);
    expect(ran).toMatchObject({
      ok: true,
      stdout: expect.stringMatching(/ran\n$/),
      stderr: expect.stringContaining('No such file or directory'),
    });
    expect(existsSync(escape)).toBe(false);
    expect(existsSync(join(root, 'here'))).toBe(false);
    expect(ran).not.toMatchObject({ stdout: expect.stringContaining('root:') });
  });

  test('bounds the address space of each process, with control groups or without', async ({ expect }) => {
    const { run } = useRunner();
    expect(await run('bash', ['-c', 'ulimit -Hv; ulimit -v unlimited'])).toMatchObject({
      stdout: `${DEFAULT_COMMAND_LIMITS.addressSpaceBytes / 1024}\n`,
      stderr: expect.stringContaining('Operation not permitted'),
    });
    const { run: runSmall } = useRunner({ addressSpaceBytes: 128 * 1024 * 1024 });
    // Reserved and never touched, which the limit of a control group does not see.
    const reserve = (bytes: number) => ['-I', '-S', '-c', `import mmap; mmap.mmap(-1, ${bytes}); print("reserved")`];
    expect(await runSmall('python3', reserve(16 * 1024 * 1024))).toMatchObject({ exitCode: 0, stdout: 'reserved\n' });
    expect(await runSmall('python3', reserve(256 * 1024 * 1024))).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: expect.stringContaining('Cannot allocate memory'),
    });
  });

  test('leaves the programs that plugins may use enough address space', async ({ expect }) => {
    const { root, run } = useRunner();
    git(root, 'init', '-q');
    const lines = Array.from({ length: 20_000 }, (_, line) => `${(line * 7919) % 20_000} some words of line ${line}\n`).join('');
    for (let file = 0; file < 40; file += 1) writeFileSync(join(root, `${file}.txt`), lines);
    git(root, 'add', '.');
    git(root, 'commit', '-qm', 'first');
    git(root, 'gc', '-q');
    const uses: readonly (readonly [program: string, ...args: string[]])[] = [
      ['git', 'log', '--stat', '-p', '--format=%s'],
      ['git', 'grep', '-c', 'line 19999'],
      ['rg', '-c', 'line 19999', '.'],
      ['rg', '--mmap', '-c', 'line 19999', '0.txt'],
      ['grep', '-rc', 'line 19999', '.'],
      ['find', '.', '-name', '*.txt'],
      ['sort', '-n', ...Array.from({ length: 10 }, (_, file) => `${file}.txt`)],
      ['wc', '-l', '0.txt'],
      ['head', '-n', '1', '0.txt'],
      ['tail', '-n', '1', '0.txt'],
    ];
    for (const [program, ...args] of uses) {
      const ran = await run(program, args);
      expect({ program, args, ...ran }).toMatchObject({ ok: true, stderr: '', stdout: expect.stringMatching(/./) });
      // What says more than is kept is stopped for that.
      expect(ran.ok && (ran.truncated ? ran.exitCode === 141 : ran.exitCode === 0)).toBe(true);
    }
  });

  test('bounds time, output and cancellation', async ({ expect }) => {
    const { run } = useRunner({ timeoutMs: 300, outputBytes: 1000 });
    expect(await run('sleep', ['60'])).toEqual({ ok: false, message: 'Cannot run "sleep": it did not finish within 300 ms' });
    const flood = await run('yes', ['é']);
    expect(flood).toMatchObject({ ok: true, exitCode: 141, truncated: true });
    expect(flood.ok && Buffer.byteLength(flood.stdout)).toBeLessThanOrEqual(1000);
    const controller = new AbortController();
    const cancelled = run('sleep', ['60'], controller.signal);
    setTimeout(() => controller.abort(), 50);
    expect(await cancelled).toEqual({ ok: false, message: 'Cannot run "sleep": the call was cancelled' });
    expect(await run('true', [], AbortSignal.abort())).toEqual({ ok: false, message: 'Cannot run "true": the call was cancelled' });
  });

  test.for([['../bin/sh'], ['/bin/sh'], ['no-such-program'], [''], ['-x'], ['a b']] as const)(
    'refuses the program "%s"',
    async ([program], { expect }) => {
      expect(await useRunner().run(program, [])).toEqual({
        ok: false,
        message: `Cannot run "${program}": there is no such program on this system`,
      });
    },
  );

  test('refuses where nothing can be isolated, whatever else may run there', async ({ expect }) => {
    const sandbox = useSandbox({ unboxed: 'when-missing', programs: { bwrap: '/nonexistent' } });
    const run = createCommandRunner({ sandbox, isHidden });
    expect(await run({ program: 'true', args: [], root: useTmp(), signal: new AbortController().signal })).toEqual({
      ok: false,
      message: 'Cannot run "true": commands only run isolated, and nothing here can isolate them; see plugbridge doctor',
    });
  });

  test('refuses what the sandbox cannot take, without rejecting', async ({ expect }) => {
    const { run } = useRunner();
    expect(await run('echo', ['a\0b'])).toEqual({
      ok: false,
      message: 'Cannot start "/usr/bin/echo" in the sandbox: the argument "a\0b" must be free of NUL bytes',
    });
  });
});
