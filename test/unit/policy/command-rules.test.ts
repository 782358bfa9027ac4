import fc from 'fast-check';
import { expect, test } from 'vitest';

import { checkCommand, RULED_PROGRAMS } from '../../../src/policy/command-rules.ts';

const ROOT = '/work/proj';
const check = (line: readonly string[]): ReturnType<typeof checkCommand> => checkCommand(line[0] ?? '', line.slice(1), { root: ROOT });

test.for([
  ['git', '-c', 'alias.x=!id', 'x'],
  ['git', '--exec-path=/tmp', 'status'],
  ['git', '-C', '/etc', 'status'],
  ['git', '--git-dir=/tmp/x', 'log'],
  ['git', '-p', 'log'],
  ['git', 'config', 'core.pager', 'id'],
  ['git', 'clone', 'x'],
  ['git', 'push'],
  ['git', 'stash'],
  ['git', 'diff', '--ext-diff'],
  ['git', 'diff', '--textconv'],
  ['git', 'diff', '--no-index', '/etc/passwd', 'a'],
  ['git', 'diff', '--output=x'],
  ['git', 'diff', '--outp=x'],
  ['git', 'diff', '/etc/passwd', 'a'],
  ['git', 'diff', '../x'],
  ['git', 'log', '--output', 'x'],
  ['git', 'log', '--show-signature'],
  ['git', 'log', '--format=%G?'],
  ['git', 'log', '--pretty=format:%GS'],
  ['git', 'log', '-L', '1,5:../x'],
  ['git', 'show', 'HEAD:.env'],
  ['git', 'show', 'HEAD:../x'],
  ['git', 'show', 'HEAD', '--', '.ssh/id_rsa'],
  ['git', 'grep', '-Ovi', 'x'],
  ['git', 'grep', '--open-files-in-pager=vi', 'x'],
  ['git', 'grep', '-f', '/etc/passwd'],
  ['git', 'grep', '--no-index', 'x'],
  ['git', 'blame', '--contents=/etc/passwd', 'a'],
  ['git', 'branch', '-D', 'main'],
  ['git', 'branch', '--show-current', 'x'],
  ['git', 'tag', '-d', 'v1'],
  ['git', 'ls-files', '-X', '/etc/passwd'],
  ['git', 'rev-parse', '--parseopt'],
  ['git'],
  ['find', '.', '-exec', 'id', ';'],
  ['find', '.', '-execdir', 'id', ';'],
  ['find', '.', '-ok', 'id', ';'],
  ['find', '.', '-delete'],
  ['find', '.', '-fprint', 'x'],
  ['find', '.', '-fprintf', 'x', '%p'],
  ['find', '.', '-fls', 'x'],
  ['find', '-files0-from', 'x'],
  ['find', '-L', '.'],
  ['find', '-H', '.'],
  ['find', '/etc'],
  ['find', '..'],
  ['find', '.', '-newer', '/etc/passwd'],
  ['find', '.', '-name'],
  ['sort', '-o', 'x', 'a'],
  ['sort', '-ox', 'a'],
  ['sort', '-no', 'x', 'a'],
  ['sort', '--output=x', 'a'],
  ['sort', '--compress-program=id', 'a'],
  ['sort', '--compress-prog=id', 'a'],
  ['sort', '-T', '/tmp', 'a'],
  ['sort', '--files0-from=x'],
  ['sort', '--random-source=/etc/passwd', 'a'],
  ['rg', '--pre', 'id', 'x'],
  ['rg', '--pre=id', 'x'],
  ['rg', '--hostname-bin=id', 'x'],
  ['rg', '-z', 'x'],
  ['rg', '--search-zip', 'x'],
  ['rg', '-nz', 'x'],
  ['rg', '-f', '/etc/passwd'],
  ['rg', '-L', 'x'],
  ['rg', '--ignore-file=/etc/passwd', 'x'],
  ['rg', 'x', '.env'],
  ['rg', 'x', '/etc'],
  ['rg', '--files', '/etc'],
  ['grep', '-f', '/etc/passwd', 'a'],
  ['grep', '--file=/etc/passwd', 'a'],
  ['grep', '-R', 'x', '.'],
  ['grep', 'x', '/etc/passwd'],
  ['grep', '-e', 'x', '/etc/passwd'],
  ['grep', 'x', '--', '/etc/passwd'],
  ['grep', 'x', 'a/../../b'],
  ['grep', 'x', '.ENV'],
  ['grep', 'x', ''],
  ['wc', '--files0-from=x'],
  ['rg', '-n'],
  ['grep'],
  ['head', '/etc/passwd'],
  ['head', '-n', 'x', 'a'],
  ['head', '-n'],
  ['tail', '-f', 'a'],
  ['tail', '-F', 'a'],
  ['tail', '-5f', 'a'],
  ['tail', '--foll', 'a'],
  ['tail', '--pid=1', 'a'],
  ['head', '/work/proj2/a'],
  ['head', 'a\0b'],
  ['wc', 'x'.repeat(8193)],
  ['wc', ...Array.from({ length: 257 }, () => 'a')],
])('checkCommand() refuses %j', (line, { expect }) => {
  expect(check(line)).toEqual({ kind: 'refused', reason: expect.stringMatching(/^cannot run [a-z]+: .*[^.]$/s) });
});

const GIT = (subcommand: string, ...rest: string[]): unknown => ({
  kind: 'ok',
  argv: expect.arrayContaining(['git', '--no-pager', subcommand, ...rest]),
});
test.for<[string[], unknown]>([
  [['git', 'status', '--short'], GIT('status', '--short')],
  [['git', 'log', '--oneline', '-5', '--', 'src'], GIT('log', '--oneline', '-n', '5', '--no-ext-diff', '--', 'src')],
  [['git', 'diff', 'HEAD~1..HEAD', '/work/proj/a'], GIT('diff', '--no-ext-diff', '--no-textconv', 'HEAD~1..HEAD')],
  [['git', 'show', 'HEAD:src/a.ts'], GIT('show', 'HEAD:src/a.ts')],
  [['git', 'branch', 'feature'], GIT('branch', '--list', 'feature')],
  [['git', 'branch', '--show-current'], GIT('branch', '--show-current')],
  [['git', 'tag'], GIT('tag', '--list')],
  [['git', 'grep', '-n', '../x'], GIT('grep', '-n', '-e', '../x')],
  [['git', 'shortlog', '-sn'], GIT('shortlog', '-s', '-n', 'HEAD')],
  [['git', 'blame', '-L', '1,5', 'a'], GIT('blame', '-L', '1,5', 'a')],
  [['find'], { kind: 'ok', argv: ['find', '-P', '.'] }],
  [
    ['find', 'src', '(', '-name', '*.ts', '-o', '-name', '*.js', ')', '-print0'],
    { kind: 'ok', argv: ['find', '-P', 'src', '(', '-name', '*.ts', '-o', '-name', '*.js', ')', '-print0'] },
  ],
  [['sort', '-nrk2', '-t,', 'a'], { kind: 'ok', argv: ['sort', '-n', '-r', '-k', '2', '-t', ',', '--', 'a'] }],
  [['wc', '-l', '/work/proj/a', '-'], { kind: 'ok', argv: ['wc', '-l', '--', '/work/proj/a', '-'] }],
  [['head', '-5', 'a'], { kind: 'ok', argv: ['head', '-n', '5', '--', 'a'] }],
  [['tail', '-n', '+3', 'a'], { kind: 'ok', argv: ['tail', '-n', '+3', '--', 'a'] }],
  [['tail', '--lines=3', '--', '-odd'], { kind: 'ok', argv: ['tail', '--lines=3', '--', '-odd'] }],
  [
    ['grep', '-rin', 'a\nb', 'src'],
    { kind: 'ok', argv: expect.arrayContaining(['-r', '-i', '-n', '--exclude=.env', '--exclude-dir=.ssh', '--', 'a\nb', 'src']) },
  ],
  [['grep', '-e', '/etc/passwd', 'a'], { kind: 'ok', argv: expect.arrayContaining(['-e', '/etc/passwd', '--', 'a']) }],
  [
    ['rg', '-n', '--hidden', '../x', 'src'],
    { kind: 'ok', argv: expect.arrayContaining(['--no-config', '--iglob=!**/.env', '--', '../x', 'src']) },
  ],
  [['rg', '-e', 'x'], { kind: 'ok', argv: expect.arrayContaining(['-e', 'x', '--', '.']) }],
  [['docker', 'run'], { kind: 'unknown' }],
])('checkCommand() %j', ([line, wanted], { expect }) => {
  expect(check(line)).toEqual(wanted);
});

test('checkCommand() says what is wrong', () => {
  expect(check(['sort', '--compress-prog=id', 'a'])).toEqual({
    kind: 'refused',
    reason: 'cannot run sort: the flag "--compress-prog" is not among those allowed',
  });
  expect(check(['head', '/etc/passwd'])).toEqual({
    kind: 'refused',
    reason: 'cannot run head: the path "/etc/passwd" lies outside the root',
  });
  expect(check(['head', 'a/.env'])).toEqual({
    kind: 'refused',
    reason: 'cannot run head: the path "a/.env" names ".env", which is never read by plugins',
  });
});

const DANGEROUS =
  /^(?:-exec|-execdir|-ok|-okdir|-delete|-f(?:print|ls)|--(?:pre|output|compress|textconv|ext-diff|exec-path|git-dir|files0|open-files))/;
test('checkCommand() never passes on a flag that runs or writes, however arguments are put together', () => {
  const part = fc.constantFrom(
    '-c',
    '-o',
    '-n',
    '-no',
    '-z',
    '--',
    '-e',
    'x',
    '--pre=id',
    '--pre',
    '--output=x',
    '--ext-diff',
    '--textconv',
    '-exec',
    '-delete',
    '-fprint',
    '--compress-program=id',
    '-Ovi',
    'log',
    'diff',
    'grep',
    'status',
    '.',
    '../x',
    '/etc/passwd',
    '-name',
    '--files0-from=x',
    '-L',
    '-fls',
    '=',
  );
  fc.assert(
    fc.property(fc.constantFrom(...RULED_PROGRAMS), fc.array(part, { maxLength: 6 }), (program, args) => {
      const result = check([program, ...args]);
      if (result.kind !== 'ok') return;
      const dashesAt = result.argv.indexOf('--');
      const flags = dashesAt === -1 ? result.argv : result.argv.slice(0, dashesAt);
      const valueFlags = new Set([
        '-e',
        '-name',
        '-n',
        '-C',
        '-S',
        '-G',
        '-L',
        '-r',
        '-g',
        '-t',
        '-T',
        '-k',
        '-A',
        '-B',
        '-m',
        '-M',
        '-U',
        '-E',
        '-c',
        '-d',
      ]);
      const bad = flags.filter((flag, index) => DANGEROUS.test(flag) && !valueFlags.has(flags[index - 1] ?? ''));
      expect(bad.filter((flag) => !flag.startsWith('--no-'))).toEqual([]);
    }),
    { numRuns: 5000 },
  );
});
