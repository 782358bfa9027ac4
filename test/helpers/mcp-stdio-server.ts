import { serveMcpStdio } from '../../src/server/stdio.ts';
import { makeFixture } from './mcp-fixture.ts';

const { servers, log } = makeFixture({ connection: { transport: 'stdio', principal: 'tester' } });
const connection = serveMcpStdio(servers, { input: process.stdin, output: process.stdout, log });
// Stands for the watchers of a real host, which would keep the process alive.
setInterval(() => {}, 60_000);
await connection.closed;
servers.close();
process.exit(0);
