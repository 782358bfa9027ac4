import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, test } from 'vitest';

import { useHttpServer } from '../helpers/http-server.ts';
import { callImport as callWith, ALLOW_ALL, PERMISSIONS, type ImportSetup } from '../helpers/wasm-imports.ts';
import { useHostScript } from '../helpers/wasm-guests.ts';
import type { AzImportName } from '../../src/executors/wasm/az-imports.ts';
import { HAS_BUBBLEWRAP } from '../helpers/sandbox.ts';
import { useTmp } from '../helpers/tmp.ts';

const hostScript = useHostScript();
const callImport = (name: AzImportName, strings: readonly (string | Uint8Array)[], setup: Partial<ImportSetup> = {}) =>
  callWith(name, strings, { hostScript: hostScript(), ...setup });

describe.skipIf(!HAS_BUBBLEWRAP)('http_request of a WASM guest', () => {
  const NETWORK = `permissions = ["file_read", "network"]\n[plugin.network]\npolicy = "allow_egress_filtered"\nallowed_hosts = ["127.0.0.1"]\n`;
  async function serve() {
    const seen: { method: string | undefined; headers: unknown; body: string }[] = [];
    const { port } = await useHttpServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += String(chunk)));
      request.on('end', () => {
        seen.push({ method: request.method, headers: request.headers['x-note'], body });
        response.writeHead(request.url === '/missing' ? 404 : 200, { 'x-secret': 'header' }).end('Grüße "zurück"');
      });
    });
    const setup: Partial<ImportSetup> = { manifest: NETWORK, grants: [`net:127.0.0.1:${port}`] };
    return { seen, setup, url: `http://127.0.0.1:${port}` };
  }

  test.for([
    ['get', '{"x-note":"1"}', '', '/', { method: 'GET', headers: '1', body: '' }, 200],
    ['POST', '{"x-note":"1"}', 'hello', '/', { method: 'POST', headers: '1', body: 'hello' }, 200],
    ['Put', '', 'hello', '/missing', { method: 'PUT', headers: undefined, body: 'hello' }, 404],
    ['GET', '{"x-note":"1","x-count":2}', '', '/', { method: 'GET', headers: undefined, body: '' }, 200],
    ['GET', '[["x-note","1"]]', '', '/', { method: 'GET', headers: undefined, body: '' }, 200],
    ['GET', 'no JSON', '', '/', { method: 'GET', headers: undefined, body: '' }, 200],
  ] as const)('%s with the headers %s and the body %j', async ([method, headers, body, path, request, status], { expect }) => {
    const { seen, setup, url } = await serve();
    const { answer } = await callImport('http_request', [url + path, method, headers, body], setup);
    expect(JSON.parse(answer)).toEqual({ status, body: 'Grüße "zurück"' });
    expect(seen).toEqual([request]);
  });

  test.for([
    ['a method that there is not', ['TRACE', '']],
    ['a secret in the body', ['POST', `token ghp_${'a'.repeat(36)}`]],
  ] as const)('%s is refused, and the reason is in the log alone', async ([, [method, body]], { expect }) => {
    const { seen, setup, url } = await serve();
    const { answer, logs } = await callImport('http_request', [url, method, '{}', body], setup);
    expect(answer).toBe('error');
    expect(seen).toEqual([]);
    expect(logs).toEqual([expect.stringMatching(/^warning http_request refused: /)]);
  });

  test.for([
    ['a host that the manifest does not name', { manifest: NETWORK.replace('127.0.0.1', 'example.com') }],
    ['a private address that nobody granted', { grants: [] }],
    ['a policy that denies the network', { policy: ALLOW_ALL.replace('network = "allow"', 'network = "deny"') }],
    ['a manifest without network', { manifest: PERMISSIONS }],
  ] as const)('%s is refused', async ([, change], { expect }) => {
    const { seen, setup, url } = await serve();
    const { answer, refusals } = await callImport('http_request', [url, 'GET', '{}', ''], { ...setup, ...change });
    expect(answer).toBe('error');
    expect(seen).toEqual([]);
    expect(refusals).toHaveLength(1);
  });
});

describe.skipIf(!HAS_BUBBLEWRAP)('run_command of a WASM guest', () => {
  /** A repository with one commit. */
  function makeRepository(): string {
    const root = useTmp();
    const git = (...args: string[]): void => void execFileSync('git', args, { cwd: root, env: { PATH: '/usr/bin:/bin', HOME: root } });
    writeFileSync(join(root, 'note.md'), 'one\ntwo needle\n');
    git('init', '-q');
    git('add', '.');
    git('-c', 'user.name=Test', '-c', 'user.email=test@example.com', 'commit', '-q', '-m', 'First words');
    writeFileSync(join(root, '.env'), 'needle=secret');
    return root;
  }

  test.for([
    ['grep', '["-n","needle","note.md"]', { exit_code: 0, stdout: '2:two needle\n', stderr: '' }],
    ['grep', '["nowhere","note.md"]', { exit_code: 1, stdout: '', stderr: '' }],
    ['git', '["log","--format=%s"]', { exit_code: 0, stdout: 'First words\n', stderr: '' }],
    ['wc', '["-l","note.md"]', { exit_code: 0, stdout: '2 note.md\n', stderr: '' }],
  ] as const)('%s %s', async ([program, args, expected], { expect }) => {
    const { answer, refusals } = await callImport('run_command', [program, args], { root: makeRepository() });
    expect(refusals).toEqual([]);
    expect(JSON.parse(answer)).toEqual(expected);
  });

  test('sees no sensitive files', async ({ expect }) => {
    const { answer } = await callImport('run_command', ['grep', '["-r","needle","."]'], { root: makeRepository() });
    expect(answer).not.toContain('secret');
  });

  test.for([
    ['a program that the manifest cannot ask for', ['curl', '["http://127.0.0.1/"]'], {}, 1],
    ['an argument that runs programs', ['git', '["-c","alias.x=!id","x"]'], {}, 1],
    ['arguments that are not JSON', ['grep', '-n needle note.md'], {}, 0],
    ['arguments that are not texts', ['grep', '["-n",1]'], {}, 0],
    ['arguments that are no list', ['grep', '{"0":"needle"}'], {}, 0],
    [
      'a policy that denies',
      ['grep', '["needle","note.md"]'],
      { policy: ALLOW_ALL.replace('shell_commands = "allow"', 'shell_commands = "deny"') },
      1,
    ],
    ['a manifest without shell', ['grep', '["needle","note.md"]'], { manifest: 'permissions = ["file_read"]\n' }, 1],
  ] as const)('refuses %s', async ([, strings, setup, count], { expect }) => {
    const { answer, refusals } = await callImport('run_command', strings, { root: makeRepository(), ...setup });
    expect(answer).toBe('error');
    expect(refusals).toHaveLength(count);
  });
});
