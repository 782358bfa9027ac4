// A lean MCP client over Streamable HTTP: HTTP/1.1 by hand on kept-alive sockets, one request at a time on each.
import { spawn } from 'node:child_process';
import { createConnection } from 'node:net';

import { cleanEnvironment } from './client-stdio.mjs';
import { censusOf } from './processes.mjs';

const END_OF_HEAD = '\r\n\r\n';

class Connection {
  #socket;
  #buffer = Buffer.alloc(0);
  #exchange;

  open(url) {
    return new Promise((resolve, reject) => {
      const socket = createConnection({ host: url.hostname, port: Number(url.port) });
      socket.setNoDelay(true);
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject).on('error', () => {});
        socket.on('close', () => this.#end(new Error('the connection was closed')));
        socket.on('data', (chunk) => {
          this.#buffer = this.#buffer.length > 0 ? Buffer.concat([this.#buffer, chunk]) : chunk;
          this.#read();
        });
        this.#socket = socket;
        resolve();
      });
    });
  }

  /** `onMessage(text)` for every message; `onEnd(error, status, head)` when the answer is complete. */
  post({ url, headers, body, onMessage, onEnd }) {
    this.#exchange = { onMessage, onEnd, head: undefined, events: '', plain: [] };
    const lines = [`POST ${url.pathname} HTTP/1.1`, `Host: ${url.host}`, 'Content-Type: application/json', 'Accept: application/json, text/event-stream', ...headers, `Content-Length: ${Buffer.byteLength(body)}`];
    this.#socket.write(`${lines.join('\r\n')}${END_OF_HEAD}${body}`);
  }

  close() {
    this.#socket?.removeAllListeners('close').destroy();
  }

  #end(error) {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    if (!exchange) return;
    if (exchange.plain.length > 0) {
      const text = Buffer.concat(exchange.plain).toString('utf8');
      if (text) exchange.onMessage(text);
    }
    exchange.onEnd(error, exchange.status, exchange.head);
  }

  #read() {
    const exchange = this.#exchange;
    if (!exchange) return;
    if (exchange.head === undefined) {
      const end = this.#buffer.indexOf(END_OF_HEAD);
      if (end < 0) return;
      exchange.head = this.#buffer.toString('latin1', 0, end);
      this.#buffer = this.#buffer.subarray(end + END_OF_HEAD.length);
      exchange.status = Number(exchange.head.slice(9, 12));
      exchange.isChunked = /\r\ntransfer-encoding:\s*chunked/i.test(exchange.head);
      exchange.isStream = /\r\ncontent-type:\s*text\/event-stream/i.test(exchange.head);
      exchange.left = Number(/\r\ncontent-length:\s*(\d+)/i.exec(exchange.head)?.[1] ?? 0);
    }
    if (!exchange.isChunked) {
      if (this.#buffer.length < exchange.left) return;
      if (exchange.left > 0) this.#take(exchange, this.#buffer.subarray(0, exchange.left));
      this.#buffer = this.#buffer.subarray(exchange.left);
      return this.#end();
    }
    for (;;) {
      const end = this.#buffer.indexOf('\r\n');
      if (end < 0) return;
      const size = parseInt(this.#buffer.toString('latin1', 0, end), 16);
      if (this.#buffer.length < end + 2 + size + 2) return;
      if (size > 0) this.#take(exchange, this.#buffer.subarray(end + 2, end + 2 + size));
      this.#buffer = this.#buffer.subarray(end + 2 + size + 2);
      if (size === 0) return this.#end();
    }
  }

  #take(exchange, bytes) {
    if (!exchange.isStream) return exchange.plain.push(bytes);
    exchange.events += bytes.toString('utf8');
    for (let end = exchange.events.indexOf('\n\n'); end >= 0; end = exchange.events.indexOf('\n\n')) {
      const event = exchange.events.slice(0, end);
      exchange.events = exchange.events.slice(end + 2);
      const data = event
        .split('\n')
        .filter((line) => line.startsWith('data:'))
        .map((line) => line.slice(5).trimStart())
        .join('\n');
      if (data) exchange.onMessage(data);
    }
  }
}

export async function openHttp({ command, args, env, url: address, token, protocol }) {
  const url = new URL(address);
  const startedMs = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], env: cleanEnvironment(env) });
  let errors = '';
  child.stderr.on('data', (chunk) => (errors = (errors + chunk).slice(0, 4000)));
  const first = new Connection();
  for (let attempt = 0; ; attempt++) {
    try {
      await first.open(url);
      break;
    } catch (error) {
      if (attempt > 5000 || child.exitCode !== null) throw new Error(`nothing listens on ${address}: ${errors}`, { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
  const all = [first];
  const idle = [first];
  const backlog = [];
  let session;
  const headers = () => [...(token ? [`Authorization: Bearer ${token()}`] : []), ...(session ? [`Mcp-Session-Id: ${session}`, `MCP-Protocol-Version: ${protocol}`] : [])];
  const exchange = (connection, { id, text, settle }) => {
    const sentMs = performance.now();
    let answer;
    connection.post({
      url,
      headers: headers(),
      body: text,
      onMessage(data) {
        const atMs = performance.now();
        const message = JSON.parse(data);
        if (id !== undefined && message.id === id && message.method === undefined) answer = [message, undefined, { atMs, bytes: data.length, sentMs }];
      },
      onEnd(error, status, head) {
        session ??= /\r\nmcp-session-id:\s*(\S+)/i.exec(head ?? '')?.[1];
        const next = backlog.shift();
        if (next) next(connection);
        else idle.push(connection);
        if (answer) settle(...answer);
        else if (id === undefined) settle();
        else settle(undefined, error ?? new Error(`HTTP ${status} without an answer: ${errors}`));
      },
    });
    return sentMs;
  };
  const submit = (job) => {
    const connection = idle.pop();
    if (connection) return exchange(connection, job);
    backlog.push((free) => exchange(free, job));
    return performance.now();
  };
  return {
    startedMs,
    pid: child.pid,
    async widen(count) {
      while (all.length < count) {
        const connection = new Connection();
        await connection.open(url);
        all.push(connection);
        idle.push(connection);
      }
    },
    send: (id, text, settle) => submit({ id, text, settle }),
    notify: (text) => new Promise((resolve) => submit({ text, settle: resolve })),
    errors: () => errors,
    async close() {
      for (const connection of all) connection.close();
      const census = censusOf(child.pid);
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 8000);
      await ended;
      clearTimeout(timer);
      return census.countLeft();
    },
  };
}
