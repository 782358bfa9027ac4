import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { describeInterpreters } from '../../src/executors/script/languages/interpreter-versions.ts';
import { createInterpreters } from '../../src/executors/script/languages/interpreters.ts';
import { describeWith } from '../helpers/interpreters.ts';
import { useSandbox } from '../helpers/sandbox.ts';
import { useTmp } from '../helpers/tmp.ts';

describeWith(
  'python',
  'node',
  'bash',
  'ruby',
)('describeInterpreters()', () => {
  test('asks every interpreter for its version in the sandbox', async () => {
    const found = await describeInterpreters({ interpreters: createInterpreters({ configured: {} }), sandbox: useSandbox() });
    expect(found.map(({ interpreter, languages }) => [interpreter, languages])).toEqual([
      ['python', ['python']],
      ['node', ['node', 'typescript']],
      ['bash', ['bash']],
      ['ruby', ['ruby']],
    ]);
    const [python, node, bash, ruby] = found;
    expect(python?.version).toMatch(/^Python 3\.\d+/);
    expect(node?.version).toMatch(/^v\d+\.\d+\.\d+$/);
    expect(bash?.version).toMatch(/^GNU bash, version /);
    expect(ruby?.version).toMatch(/^ruby \d/);
    expect(found.every(({ problem, program = '' }) => problem === undefined && program.startsWith('/'))).toBe(true);
  });

  test('says what is missing, and what does not run', async () => {
    const broken = join(useTmp(), 'python3');
    writeFileSync(broken, '#!/bin/sh\necho "no such library" >&2\nexit 3\n');
    chmodSync(broken, 0o755);
    const interpreters = createInterpreters({ configured: { python: broken, ruby: '/nonexistent/ruby' } });
    const [python, , , ruby] = await describeInterpreters({ interpreters, sandbox: useSandbox() });
    expect(python).toMatchObject({ program: broken, problem: `"${broken} --version" ended with exit code 3: no such library` });
    expect(python).not.toHaveProperty('version');
    expect(ruby).toMatchObject({ problem: expect.stringContaining('/nonexistent/ruby') as string });
    expect(ruby).not.toHaveProperty('program');
  });

  test('runs none where nothing isolates', async () => {
    const sandbox = useSandbox({ programs: { bwrap: '/nonexistent' }, unboxed: 'when-missing' });
    const found = await describeInterpreters({ interpreters: createInterpreters({ configured: {} }), sandbox });
    expect(found.map(({ version, problem }) => [version, problem])).toEqual(found.map(() => [undefined, undefined]));
  });
});
