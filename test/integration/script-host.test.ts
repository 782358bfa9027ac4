import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, onTestFinished, test } from 'vitest';

import type { Outcome } from '../../src/dispatch/outcome.ts';
import { createHost, type Host } from '../../src/host.ts';
import { createLog } from '../../src/log.ts';
import { writeFiles } from '../fixtures/manifests/write-plugin.ts';
import { HAS_BUBBLEWRAP } from '../helpers/sandbox.ts';
import { LOADERS } from '../helpers/script-plugins.ts';
import { useTmp } from '../helpers/tmp.ts';

const SIDECAR = JSON.stringify({
  name: 'notes',
  description: 'Writes a note',
  language: 'python',
  main: 'main.py',
  parameters: [{ name: 'text', type: 'string', description: 'The note', required: true }],
});
const SCRIPT = `import json, os, sys
note = json.load(sys.stdin)['text']
open('note.txt', 'w').write(note)
print(json.dumps({'note': note, 'name': os.environ['KAIZEN_PLUGIN_NAME'], 'here': os.environ['KAIZEN_OUTPUT_DIR'] == os.getcwd(), 'files': ['note.txt']}))
`;

/** A host over one plugin, as the command line composes it. */
function useHost(files: Readonly<Record<string, string>>, config = ''): { host: Host; base: string } {
  const base = useTmp();
  mkdirSync(join(base, 'root'));
  writeFiles(join(base, 'plugins', 'notes'), files);
  writeFileSync(join(base, 'config.toml'), config);
  const host = createHost({
    plugins: [join(base, 'plugins')],
    root: join(base, 'root'),
    configFile: join(base, 'config.toml'),
    policyFile: undefined,
    environment: { PLUGBRIDGE_HOME: join(base, 'own') },
    workingDirectory: base,
    scriptLoaders: LOADERS,
    log: createLog('silent'),
  });
  onTestFinished(() => host.close());
  return { host, base };
}

async function call(host: Host, args: Record<string, unknown>): Promise<Outcome> {
  const answer = await host.dispatch.call({
    tool: 'plugin_notes_run',
    arguments: args,
    caller: { client: 'test', clientVersion: '1', transport: 'cli', principal: 'somebody' },
    canAsk: false,
    signal: new AbortController().signal,
  });
  if (answer.kind !== 'done') throw new Error(`unexpected ${answer.kind}`);
  return answer.outcome;
}

describe.skipIf(!HAS_BUBBLEWRAP)('scripts behind the whole host', () => {
  test('become tools, keep their files, and are in the audit as they ran', async ({ expect }) => {
    const { host, base } = useHost({ 'plugin.json': SIDECAR, 'main.py': SCRIPT });
    expect(host.catalog.current().tools.map(({ definition }) => definition.name)).toEqual(['plugin_notes_run']);
    for (const text of ['first', 'second']) {
      const outcome = await call(host, { text });
      expect(outcome).toMatchObject({ kind: 'ok', structured: { note: text, name: 'notes', here: true } });
      expect(outcome.artifacts).toHaveLength(1);
    }
    expect(await call(host, {})).toMatchObject({ kind: 'refused', error: { code: 'DISPATCH_ARGUMENTS_INVALID' } });
    const [tool] = host.catalog.current().tools;
    expect(tool && (await host.tierOf(tool.plugin))).toMatch(/^bwrap/);
    await host.close();
    const audit = join(base, 'own', 'state', 'audit');
    const journal = readdirSync(audit)
      .filter((name) => name.endsWith('.jsonl'))
      .map((name) => readFileSync(join(audit, name), 'utf8'))
      .join('');
    expect(journal).toContain('"exit":"exit 0"');
  });

  test('run with what the configuration says', async ({ expect }) => {
    const { host } = useHost(
      { 'plugin.json': SIDECAR, 'main.py': SCRIPT },
      '[scripts]\nprestarted = 0\n[scripts.interpreters]\npython = "/nonexistent/python3"\n',
    );
    expect(host.catalog.current().entries[0]).toMatchObject({ status: 'broken' });
  });
});
