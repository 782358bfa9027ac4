import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, test } from 'vitest';

import { HAS_BUBBLEWRAP } from '../helpers/sandbox.ts';
import { callScript, dataOf, useScriptExecutor, writeScript } from '../helpers/script-plugins.ts';
import { useTmp } from '../helpers/tmp.ts';

const named = (kept: readonly { readonly name: string; readonly bytes: Uint8Array }[]) =>
  kept.map(({ name, bytes }) => [name, Buffer.from(bytes).toString()]);
const warningsOf = (result: { readonly kind: string; readonly output?: { readonly warnings?: readonly string[] } }) =>
  result.output?.warnings ?? [];

describe.skipIf(!HAS_BUBBLEWRAP)('files that scripts make', () => {
  test('are kept in all forms, also from a call that failed', async ({ expect }) => {
    const { executor } = useScriptExecutor();
    const source = `import json, os, sys
os.mkdir('out')
open('out/a.csv', 'w').write('a,b')
open('päge.html', 'w').write('<p>')
print(json.dumps({'files': [
    'out/a.csv',
    {'path': os.getcwd() + '/out/a.csv', 'name': 'Table', 'mimeType': 'text/csv', 'description': 'All rows'},
    {'file': './päge.html', 'type': 'text/html'},
    {'filename': 'out/../out/a.csv'},
    'missing.txt',
]}))
sys.exit(json.load(sys.stdin).get('code', 0))
`;
    const plugin = writeScript('python', source);
    const { result, kept } = await callScript(executor, plugin);
    expect(kept.map(({ bytes, ...rest }) => ({ ...rest, text: Buffer.from(bytes).toString() }))).toEqual([
      { name: 'a.csv', text: 'a,b' },
      { name: 'Table', mimeType: 'text/csv', description: 'All rows', text: 'a,b' },
      { name: 'päge.html', mimeType: 'text/html', text: '<p>' },
    ]);
    expect(warningsOf(result)).toEqual([
      'the file "out/../out/a.csv" was not kept: its path holds "..", which is never followed',
      'the file "missing.txt" was not kept: it does not exist',
    ]);
    const failed = await callScript(executor, plugin, { args: { code: 1 } });
    expect(named(failed.kept)).toHaveLength(3);
    expect(failed.result).toMatchObject({
      kind: 'failed',
      code: 'EXECUTION_PLUGIN_FAILED',
      message: expect.stringContaining('- the file "missing.txt"') as string,
    });
  });

  test('lead nowhere outside of the run directory, whatever they are', async ({ expect }) => {
    const { executor } = useScriptExecutor({ prestarted: 1 });
    const root = useTmp();
    writeFileSync(join(root, 'secret'), 'SECRET');
    const source = `import json, os
data = os.environ['TEST_DATA']
os.symlink('/etc/passwd', 'passwd')
os.symlink('${root}/secret', 'secret')
os.symlink('/proc/self/environ', 'environ')
os.symlink('/', 'everything')
os.symlink('../../../../../../etc', 'up')
os.symlink('/proc/self/fd/0', 'stdin')
os.mkfifo('fifo')
os.mkdir('directory')
open('original', 'w').write('x')
os.link('original', 'hard')
os.open('sparse', os.O_CREAT | os.O_RDWR)
os.truncate('sparse', 64 * 1024 * 1024)
open('locked', 'w').write('x')
os.chmod('locked', 0)
print(json.dumps({'files': ['passwd', 'secret', 'environ', 'everything/etc/passwd', 'up/passwd', 'stdin', 'fifo', 'directory', 'hard',
  '/etc/passwd', '/proc/self/environ', '${root}/secret', data + '/x', '../etc/passwd', 'fifo/x', 'a\\0b', '/run/plugbridge-call-2/x', 'original/']}))
`;
    const plugin = writeScript('python', source);
    for (let call = 0; call < 2; call += 1) {
      const { result, kept } = await callScript(executor, plugin, { root });
      expect(kept).toEqual([]);
      expect(warningsOf(result)).toHaveLength(18);
      for (const warning of warningsOf(result)) expect(warning).toMatch(/ was not kept: /);
    }
  });

  test('are read after nothing of the script lives any more', async ({ expect }) => {
    const { executor } = useScriptExecutor();
    // A child that swaps the file for a link and back as fast as it can.
    const source = `import json, os, sys
open('real', 'w').write('fine')
if os.fork() == 0:
    os.setsid()
    while True:
        os.symlink('/etc/passwd', 'link'); os.rename('link', 'shown')
        open('copy', 'w').write('fine'); os.rename('copy', 'shown')
while not os.path.exists('shown'): pass
print(json.dumps({'files': ['shown', 'real']}))
`;
    const plugin = writeScript('python', source);
    for (let call = 0; call < 10; call += 1) {
      const { kept } = await callScript(executor, plugin);
      for (const { bytes } of kept) expect(['fine', '']).toContain(Buffer.from(bytes).toString());
      expect(kept.at(-1)?.name).toBe('real');
    }
  });

  test('of two calls at once do not meet', async ({ expect }) => {
    const { executor } = useScriptExecutor({ prestarted: 2 });
    const source = `import json, sys, time
mine = json.load(sys.stdin)['mine']
open('same.txt', 'w').write(mine)
time.sleep(0.05)
print(json.dumps({'files': ['same.txt']}))
`;
    const plugin = writeScript('python', source);
    const reports = await Promise.all(['a', 'b', 'c', 'd'].map((mine) => callScript(executor, plugin, { args: { mine } })));
    expect(reports.map(({ kept }) => named(kept))).toEqual(['a', 'b', 'c', 'd'].map((mine) => [['same.txt', mine]]));
  });

  test('fill no more than the run directory has', async ({ expect }) => {
    const { executor } = useScriptExecutor();
    const source = `import json
written = 0
try:
    while True:
        with open('f%d' % (written // (32 << 20)), 'wb') as file:
            for _ in range(32): written += file.write(b'x' * (1 << 20))
except OSError as error: print(json.dumps({'errno': error.errno, 'written': written}))
`;
    const { result } = await callScript(executor, writeScript('python', source), { limits: { memoryBytes: 256 * 1024 * 1024 } });
    expect(result).toMatchObject({ kind: 'ok', output: { structured: { errno: 28 } } });
  });

  test('with names that other programs read or run are told of when they are new below what was granted', async ({ expect }) => {
    const { executor } = useScriptExecutor();
    const root = useTmp();
    mkdirSync(join(root, 'sub'));
    writeFileSync(join(root, '.env'), 'KEY=old');
    const source = `import os
os.makedirs('${root}/sub/.git/hooks')
open('${root}/sub/.git/hooks/post-checkout', 'w').write('#!/bin/sh')
open('${root}/.mcp.json', 'w').write('{}')
open('${root}/harmless', 'w').write('x')
print('{}')
`;
    const plugin = writeScript('python', source);
    const { result } = await callScript(executor, plugin, { root, permissions: ['write:fs:$ROOT'] });
    const warning = (path: string) => `"${path}" is new, and other programs may read or run what has such a name: look at it first`;
    expect(result.kind === 'ok' && result.output.warnings).toEqual([warning(`${root}/.mcp.json`), warning(`${root}/sub/.git`)]);
    const again = await callScript(executor, plugin, { root, permissions: ['write:fs:$ROOT'] });
    expect(again.result).toMatchObject({ kind: 'failed', message: expect.stringContaining('FileExistsError') as string });
    expect(JSON.stringify(again.result)).not.toContain('is new');
  });

  test('can be written below the root where that is granted, and stay there', async ({ expect }) => {
    const { executor } = useScriptExecutor();
    const root = useTmp();
    mkdirSync(join(root, '.git'));
    const source = `import json, os
open('${root}/made.txt', 'w').write('made')
refused = []
for path in ('${root}/.git/config', '${root}/.git/hooks', '/etc/made', '/usr/made', '/made'):
    try: open(path, 'w')
    except OSError: refused.append(path)
print(json.dumps({'refused': refused}))
`;
    const plugin = writeScript('python', source);
    const { result } = await callScript(executor, plugin, { root, permissions: ['write:fs:$ROOT'] });
    expect(result).toMatchObject({ kind: 'ok' });
    expect(result.kind === 'ok' && result.output.structured).toEqual({
      refused: [`${root}/.git/config`, `${root}/.git/hooks`, '/etc/made', '/usr/made', '/made'],
    });
    expect(readFileSync(join(root, 'made.txt'), 'utf8')).toBe('made');
    expect(dataOf(plugin)).not.toBe(root);
  });
});
