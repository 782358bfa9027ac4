import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { describe, test } from 'vitest';

import { createInterpreters } from '../../../../../src/executors/script/languages/interpreters.ts';
import { useTmp } from '../../../../helpers/tmp.ts';

/** An installation that lies in no directory of the system. */
function useInstallation(files: readonly string[]) {
  const prefix = useTmp();
  for (const file of files) {
    mkdirSync(join(prefix, dirname(file)), { recursive: true });
    writeFileSync(join(prefix, file), '');
    chmodSync(join(prefix, file), 0o755);
  }
  const at = (file: string) => join(prefix, file);
  const mount = (file: string) => ({ source: at(file), target: at(file), access: 'read' });
  return { prefix, at, mount };
}

describe('createInterpreters()', () => {
  test('find() takes the first program of the system’s directories, which every sandbox shows', ({ expect }) => {
    const interpreters = createInterpreters({ configured: {}, platform: 'linux', directories: ['/nowhere', '/usr/bin'] });
    expect(interpreters.find('bash')).toEqual({ ok: true, program: '/usr/bin/bash', mounts: [] });
  });

  test('find() says what to install', ({ expect }) => {
    const interpreters = createInterpreters({ configured: {}, directories: [] });
    expect(interpreters.find('ruby')).toEqual({
      ok: false,
      reason: 'Ruby is not installed: install it (apt install ruby, dnf install ruby, brew install ruby) or set scripts.interpreters.ruby',
    });
    expect(interpreters.find('python')).toMatchObject({ ok: false, reason: expect.stringMatching(/^Python 3 is not installed/) });
    expect(interpreters.find('bash')).toMatchObject({ ok: false });
  });

  test('find() falls back to the Node.js that runs this, for JavaScript and TypeScript', ({ expect }) => {
    const interpreters = createInterpreters({ configured: {}, directories: [] });
    expect(interpreters.find('node')).toMatchObject({ ok: true });
    expect(interpreters.find('typescript')).toEqual(interpreters.find('node'));
  });

  test('find() mounts the parts of an installation of its own, and never the whole of its prefix', ({ expect }) => {
    const { at, mount } = useInstallation(['bin/python3.12', 'lib/python3.12/os.py', 'secrets/key']);
    symlinkSync('python3.12', at('bin/python3'));
    const interpreters = createInterpreters({ configured: { python: at('bin/python3') } });
    expect(interpreters.find('python')).toEqual({ ok: true, program: at('bin/python3.12'), mounts: [mount('bin'), mount('lib')] });
  });

  test('find() mounts a program alone that does not lie in a directory bin', ({ expect }) => {
    const { at, mount } = useInstallation(['tools/ruby', 'tools/key', 'lib/x']);
    expect(createInterpreters({ configured: { ruby: at('tools/ruby') } }).find('ruby')).toEqual({
      ok: true,
      program: at('tools/ruby'),
      mounts: [mount('tools/ruby')],
    });
  });

  test('find() keeps the path of a virtual environment, and shows it with what it was made from', ({ expect }) => {
    const { at, mount } = useInstallation(['venv/pyvenv.cfg', 'venv/lib/x', 'venv/bin/activate', 'base/bin/python3.12', 'base/lib/x']);
    symlinkSync(at('base/bin/python3.12'), at('venv/bin/python3'));
    expect(createInterpreters({ configured: { python: at('venv/bin/python3') } }).find('python')).toEqual({
      ok: true,
      program: at('venv/bin/python3'),
      mounts: [mount('base/bin'), mount('base/lib'), mount('venv/bin'), mount('venv/lib'), mount('venv/pyvenv.cfg')],
    });
    symlinkSync('/usr/bin/bash', at('venv/bin/of-system'));
    expect(createInterpreters({ configured: { python: at('venv/bin/of-system') } }).find('python')).toEqual({
      ok: true,
      program: at('venv/bin/of-system'),
      mounts: [mount('venv/bin'), mount('venv/lib'), mount('venv/pyvenv.cfg')],
    });
  });

  test('find() follows a link to a program that every sandbox shows', ({ expect }) => {
    const directory = useTmp();
    symlinkSync('/usr/bin/bash', join(directory, 'bash'));
    const found = createInterpreters({ configured: { bash: join(directory, 'bash') }, platform: 'linux' }).find('bash');
    expect(found).toEqual({ ok: true, program: '/usr/bin/bash', mounts: [] });
  });

  test.for(['bash', './bash', '/nowhere/bash', '/usr', '/etc/passwd'])(
    'find() refuses %s where a program is configured',
    (path, { expect }) => {
      expect(createInterpreters({ configured: { bash: path } }).find('bash')).toEqual({
        ok: false,
        reason: `"${path}" cannot be run: set scripts.interpreters.bash to the absolute path of Bash`,
      });
    },
  );
});
