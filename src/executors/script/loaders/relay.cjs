'use strict';
// Runs inside the sandbox of a process with granted hosts: there is no network but a loopback of its own, so programs speak
// to a port there, and each connection goes on to the host’s egress proxy through a unix socket.
// Arguments: SOCKET PORT DATA_LIMIT_BYTES -- COMMAND…; a limit of 0 is none.
const { spawn } = require('node:child_process');
const { createConnection, createServer } = require('node:net');
const { constants } = require('node:os');

const [socketPath, port, dataLimitBytes, , ...command] = process.argv.slice(2);
/** As a shell says it of a command that could not be started. */
const CANNOT_START = 126;

const server = createServer({ allowHalfOpen: true }, (client) => {
  const proxy = createConnection({ path: socketPath, allowHalfOpen: true });
  // What has arrived is still delivered when the other side breaks off.
  proxy.on('error', () => client.end());
  proxy.on('close', () => client.end());
  client.on('error', () => proxy.destroy());
  client.on('close', () => proxy.destroy());
  client.pipe(proxy);
  proxy.pipe(client);
});

server.on('error', (error) => {
  process.stderr.write(`the relay cannot listen on 127.0.0.1:${port}: ${error.code}\n`);
  process.exit(CANNOT_START);
});

server.listen(Number(port), '127.0.0.1', () => {
  // The relay itself needs more than the command may have: V8 maps its memory ahead.
  const limited = dataLimitBytes === '0' ? command : ['/usr/bin/prlimit', `--data=${dataLimitBytes}`, ...command];
  const child = spawn(limited[0], limited.slice(1), { stdio: 'inherit' });
  child.on('error', (error) => {
    process.stderr.write(`${limited[0]} cannot be started: ${error.code}\n`);
    process.exit(CANNOT_START);
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => child.kill(signal));
});
