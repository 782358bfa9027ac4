// A lean MCP client over stdio: one JSON.parse per line and nothing else, so that what is measured is the server.
import { spawn } from 'node:child_process';

import { censusOf } from './processes.mjs';

/** The least that a server needs; what the shell has set would slow every start down by its own amount. */
export const cleanEnvironment = (more) => ({ PATH: process.env.PATH, HOME: process.env.HOME, LANG: 'C.UTF-8', ...more });

export async function openStdio({ command, args, env }) {
  const startedMs = performance.now();
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env: cleanEnvironment(env) });
  const waiting = new Map();
  let errors = '';
  let parts = [];
  const failAll = (error) => {
    for (const settle of waiting.values()) settle(undefined, error);
    waiting.clear();
  };
  child.stderr.on('data', (chunk) => (errors = (errors + chunk).slice(0, 4000)));
  child.stdin.on('error', () => {});
  child.on('error', failAll);
  child.on('exit', (code, signal) => failAll(new Error(`the server ended with ${code ?? signal}: ${errors}`)));
  const takeLine = (text) => {
    const atMs = performance.now();
    const message = JSON.parse(text);
    if (message.id === undefined || message.method !== undefined) return;
    const settle = waiting.get(message.id);
    waiting.delete(message.id);
    settle?.(message, undefined, { atMs, bytes: text.length });
  };
  child.stdout.on('data', (chunk) => {
    let from = 0;
    for (let end = chunk.indexOf(10, from); end >= 0; end = chunk.indexOf(10, from)) {
      let line = chunk.subarray(from, end);
      if (parts.length > 0) {
        line = Buffer.concat([...parts, line]);
        parts = [];
      }
      from = end + 1;
      if (line.length > 0) takeLine(line.toString('utf8'));
    }
    if (from < chunk.length) parts.push(chunk.subarray(from));
  });
  return {
    startedMs,
    pid: child.pid,
    widen: () => Promise.resolve(),
    /** Calls `settle(message, error, {atMs, bytes})`; returns when it was sent. */
    send(id, text, settle) {
      waiting.set(id, settle);
      const sentMs = performance.now();
      child.stdin.write(`${text}\n`);
      return sentMs;
    },
    notify: (text) => child.stdin.write(`${text}\n`),
    errors: () => errors,
    async close() {
      const census = censusOf(child.pid);
      child.removeAllListeners('exit');
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.stdin.end();
      const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
      await ended;
      clearTimeout(timer);
      return census.countLeft();
    },
  };
}
