import { execFileSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { join } from 'node:path';

import { describe, test } from 'vitest';

import type { CapabilityUse, Permit } from '../../src/executors/executor.ts';
import type { SandboxMount } from '../../src/executors/sandbox/sandbox.ts';
import { useCertificates } from '../helpers/certificates.ts';
import { useEgressProxy } from '../helpers/egress-proxy.ts';
import { useHttpServer, useHttpsServer } from '../helpers/http-server.ts';
import { listProcesses } from '../helpers/processes.ts';
import { collect, describeSandbox, HAS_BUBBLEWRAP, useSandbox } from '../helpers/sandbox.ts';

const RELAY = join(import.meta.dirname, '../../src/executors/script/loaders/relay.cjs');
const NODE = realpathSync(process.execPath);
const PORT = 3128;
const PROXY = `http://127.0.0.1:${PORT}`;

const readOnly = (path: string): SandboxMount => ({ source: path, target: path, access: 'read' });

interface Through {
  readonly permit?: (use: CapabilityUse) => Permit;
  readonly dataBytes?: number;
  readonly mounts?: readonly SandboxMount[];
}

/** Starts a command in a sandbox whose only way out is a proxy. */
async function useRelayed(command: readonly string[], { permit, dataBytes = 0, mounts = [] }: Through = {}) {
  const { proxy, asked } = await useEgressProxy(permit ? { permit } : {});
  const started = await useSandbox().spawn(
    describeSandbox([NODE, RELAY, proxy.socketFile, String(PORT), String(dataBytes), '--', ...command], {
      mounts: [readOnly(proxy.socketFile), readOnly(RELAY), ...(NODE.startsWith('/usr/') ? [] : [readOnly(NODE)]), ...mounts],
      environment: { PATH: '/usr/bin:/bin', http_proxy: PROXY, https_proxy: PROXY },
      limits: { processes: 64, descriptors: 256 },
    }),
  );
  return { started, asked };
}

const python = (script: string): readonly string[] => ['/usr/bin/python3', '-I', '-S', '-c', script];

describe.skipIf(!HAS_BUBBLEWRAP)('a sandboxed process with a relay', () => {
  test('reaches the hosts that are permitted, by plain requests and through tunnels', async ({ expect }) => {
    const { port } = await useHttpServer((request, response) => response.end(`plain ${request.url}`));
    const certificates = useCertificates('IP:127.0.0.1');
    const secure = await useHttpsServer({ key: certificates.key, cert: certificates.cert }, (_request, response) => response.end('secure'));
    const { started, asked } = await useRelayed(
      python(`
import ssl, urllib.request
print(urllib.request.urlopen('http://127.0.0.1:${port}/a').read().decode())
context = ssl.create_default_context(cadata=${JSON.stringify(certificates.authority)})
print(urllib.request.urlopen('https://127.0.0.1:${secure.port}/', context=context).read().decode())
`),
    );
    expect(await collect(started)).toEqual({ stdout: 'plain /a\nsecure\n', stderr: '', exit: { code: 0, signal: null } });
    expect(asked.map((use) => ('port' in use ? `${use.kind} ${use.port}` : ''))).toEqual([
      `net ${port}`,
      `net-address ${port}`,
      `net ${secure.port}`,
      `net-address ${secure.port}`,
    ]);
  });

  test('reads why it was refused', async ({ expect }) => {
    const { started } = await useRelayed(
      python(`
import urllib.request, urllib.error
try: urllib.request.urlopen('http://other.test/')
except urllib.error.HTTPError as e: print(e.code, e.read().decode().strip())
try: urllib.request.urlopen('https://other.test/')
except urllib.error.URLError as e: print(e.reason)
`),
      { permit: () => ({ allowed: false, capability: 'net:other.test:80', by: 'grant', reason: 'nobody granted it' }) },
    );
    expect((await collect(started)).stdout).toBe(
      [
        '403 Cannot reach "other.test:80": nobody granted it (net:other.test:80, refused by the grant)',
        'Tunnel connection failed: 403 Forbidden: net:other.test:80 refused by the grant',
        '',
      ].join('\n'),
    );
  });

  test('row 26: has no other way out: not by address, name, datagram, raw or other sockets', async ({ expect }) => {
    const { port } = await useHttpServer((_request, response) => response.end('reached'), '0.0.0.0');
    const { started, asked } = await useRelayed(
      python(`
import socket
def attempt(name, make):
    try: make(); print(name, 'reached')
    except OSError as e: print(name, 'refused')
attempt('tcp', lambda: socket.create_connection(('127.0.0.1', ${port}), 2))
attempt('metadata', lambda: socket.create_connection(('169.254.169.254', 80), 2))
attempt('udp', lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('1.1.1.1', 53)))
attempt('dns', lambda: socket.getaddrinfo('example.com', 80))
attempt('raw', lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
attempt('packet', lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
attempt('netlink', lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW))
attempt('vsock', lambda: socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM))
attempt('relay', lambda: socket.create_connection(('127.0.0.1', ${PORT}), 2))
`),
    );
    expect((await collect(started)).stdout).toBe(
      `${['tcp', 'metadata', 'udp', 'dns', 'raw', 'packet', 'netlink', 'vsock'].map((name) => `${name} refused\n`).join('')}relay reached\n`,
    );
    expect(asked).toEqual([]);
  });

  test('keeps the streams and the exit code of its command', async ({ expect }) => {
    const { started } = await useRelayed(['/usr/bin/bash', '-c', 'cat; echo problem >&2; exit 7']);
    expect(await collect(started, 'input')).toEqual({ stdout: 'input', stderr: 'problem\n', exit: { code: 7, signal: null } });
    const killed = await useRelayed(['/usr/bin/bash', '-c', 'kill -SEGV $$']);
    expect((await collect(killed.started)).exit.code).toBe(139);
    const absent = await useRelayed(['/usr/bin/no-such-program']);
    expect(await collect(absent.started)).toMatchObject({ exit: { code: 126 }, stderr: expect.stringContaining('ENOENT') });
  });

  test('limits its command and not the relay', async ({ expect }) => {
    const { started } = await useRelayed(['/usr/bin/bash', '-c', 'ulimit -Hd; ulimit -d unlimited'], { dataBytes: 64 * 1024 * 1024 });
    expect(await collect(started)).toMatchObject({ stdout: '65536\n', stderr: expect.stringContaining('Operation not permitted') });
  });

  test('is gone with all that it started once it is killed', async ({ expect }) => {
    const mark = `${process.pid}.4242`;
    const { started } = await useRelayed(['/usr/bin/bash', '-c', `echo begun; exec sleep ${mark}`]);
    await new Promise((resolve) => started.stdout.once('data', resolve));
    const isThere = (): boolean => listProcesses().some(({ commandLine }) => commandLine.includes(`sleep ${mark}`));
    expect(isThere()).toBe(true);
    await started.kill();
    expect(isThere()).toBe(false);
  });
});

test('relay.cjs says why when it cannot listen', ({ expect }) => {
  const run = (): unknown =>
    execFileSync(NODE, [RELAY, '/nonexistent', '1', '0', '--', '/bin/true'], { stdio: 'pipe', uid: 65534, gid: 65534 });
  if (process.getuid?.() !== 0) return;
  expect(run).toThrow(/the relay cannot listen on 127\.0\.0\.1:1: EACCES/);
});
