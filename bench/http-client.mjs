// A lean MCP client over Streamable HTTP: a session, and as many sockets as there are requests in flight.
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { openConnection } from './http-connection.mjs';
import { startServer } from './server-process.mjs';

/** Starts the server, which prints `{"url":…,"token":…}` when it listens. The members are those of `connectStdio`. */
export async function connectHttp(server, protocol) {
  const process = startServer(server);
  const said = await Promise.race([once(createInterface(process.child.stdout), 'line'), process.exited]);
  if (typeof said === 'string') throw new Error(said);
  const { url: address, token } = JSON.parse(said[0]);
  const url = new URL(address);
  const connections = [await openConnection(url)];
  const idle = [...connections];
  const queue = [];
  const authorization = token === undefined ? '' : `Authorization: Bearer ${token}\r\n`;
  let headers = authorization;

  const run = async (connection, { id, text, onAnswer }) => {
    const sentMs = performance.now();
    let answer;
    try {
      const { status, head } = await connection.post(text, headers, (body) => {
        const atMs = performance.now();
        const message = JSON.parse(body);
        if (message.id === id && message.method === undefined) answer = [undefined, message, { atMs, bytes: body.length, sentMs }];
      });
      const session = /\r\nmcp-session-id:\s*(\S+)/i.exec(head)?.[1];
      if (session !== undefined) headers = `${authorization}Mcp-Session-Id: ${session}\r\nMCP-Protocol-Version: ${protocol}\r\n`;
      if (id !== undefined) answer ??= [new Error(`HTTP ${status} without an answer`)];
    } catch (error) {
      answer = [error];
    }
    const next = queue.shift();
    if (next === undefined) idle.push(connection);
    else void run(connection, next);
    onAnswer(...(answer ?? []));
  };
  const submit = (job) => {
    const connection = idle.pop();
    if (connection === undefined) queue.push(job);
    else void run(connection, job);
  };

  return {
    pid: process.pid,
    startedMs: process.startedMs,
    async widen(count) {
      while (connections.length < count) {
        const connection = await openConnection(url);
        connections.push(connection);
        idle.push(connection);
      }
    },
    /** The time of sending is the last argument of `onAnswer`, for a request may wait for a socket. */
    send(id, text, onAnswer) {
      submit({ id, text, onAnswer });
      return performance.now();
    },
    notify: (text) => new Promise((resolve) => submit({ id: undefined, text, onAnswer: resolve })),
    close: () => {
      for (const connection of connections) connection.close();
      return process.stop('SIGTERM');
    },
  };
}
