import { expect } from 'vitest';

import { describeHostile, type HostileRow } from '../helpers/hostile-rows.ts';
import { networkInterfaces } from 'node:os';

const OK = /^exit 0$/;
/** An address of this machine that is not its loopback, where it has one. */
const OWN =
  Object.values(networkInterfaces())
    .flat()
    .find((one) => one && !one.internal && one.family === 'IPv4')?.address ?? '127.0.0.1';

const ROWS: readonly HostileRow[] = [
  {
    tries: 'python connects by address: loopback, this machine, metadata service, the internet, UDP, multicast',
    of: [26],
    plugin: 'python',
    case: 'connect-by-address',
    args: ({ ports }) => ({ port: ports.other, own: OWN }),
    exit: OK,
    attempts: 10,
  },
  { tries: 'python resolves names', of: [26], plugin: 'python', case: 'resolve-names', exit: OK, attempts: 5 },
  {
    tries: 'python opens sockets that go past the network: raw, packet, netlink, vsock, bluetooth, alg, can, xdp, tipc',
    of: [26],
    plugin: 'python',
    case: 'open-odd-sockets',
    exit: OK,
    attempts: 9,
  },
  {
    tries: 'python connects to unix sockets of the host: docker, agents, abstract ones',
    of: [25],
    plugin: 'python',
    case: 'connect-to-unix-sockets',
    args: ({ sockets, abstractSockets }) => ({ sockets, abstract: abstractSockets }),
    exit: OK,
    attempts: 6,
  },
  {
    tries: 'python connects to a unix socket in a root that it was granted',
    of: [25],
    plugin: 'python-root',
    case: 'connect-to-unix-sockets',
    args: ({ sockets, abstractSockets }) => ({ sockets, abstract: abstractSockets }),
    exit: OK,
    attempts: 6,
  },
  ...(['node', 'ruby'] as const).map((plugin): HostileRow => ({
    tries: `${plugin} connects to addresses, names and unix sockets`,
    of: [25, 26],
    plugin,
    case: 'connect',
    args: ({ ports, sockets, abstractSockets }) => ({ port: ports.other, sockets, abstract: abstractSockets }),
    exit: OK,
    attempts: 6,
  })),
  {
    tries: 'bash connects through /dev/tcp',
    of: [26],
    plugin: 'bash',
    case: 'connect',
    args: ({ ports }) => ({ port: ports.other }),
    exit: OK,
  },
  {
    tries: 'python with one granted port reaches for others: spellings of addresses, userinfo, suffixes, a redirect',
    of: [27, 28, 30, 31],
    plugin: 'python-net',
    case: 'reach-other-hosts',
    args: ({ ports }) => ports,
    exit: OK,
    attempts: 16,
    holds: ({ structured }) => expect(structured?.['allowed']).toEqual({ granted: 'hello ' }),
  },
  {
    tries: 'python with one granted port tunnels elsewhere: CONNECT, another Host, smuggled requests, past the proxy',
    of: [26, 31, 32],
    plugin: 'python-net',
    case: 'tunnel-elsewhere',
    args: ({ ports }) => ports,
    exit: OK,
    attempts: 7,
  },
  {
    tries: 'python with one granted port connects without the proxy',
    of: [26],
    plugin: 'python-net',
    case: 'connect-by-address',
    args: ({ ports }) => ({ port: ports.granted, own: OWN }),
    exit: OK,
    attempts: 10,
  },
];

describeHostile('hostile scripts and the network', ROWS);
