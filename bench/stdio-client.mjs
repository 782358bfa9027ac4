// A lean MCP client over stdio: one JSON.parse per answer, nothing else, so that the server is what is measured.
import { startServer } from './server-process.mjs';

/**
 * Starts the server. `send(id, text, onAnswer)` gives the time of sending; `onAnswer(error, message, { atMs, bytes })`.
 */
export async function connectStdio(server) {
  const process = startServer(server);
  const { stdin, stdout } = process.child;
  const waiting = new Map();
  let failure;
  void process.exited.then((reason) => {
    failure = new Error(reason);
    for (const onAnswer of waiting.values()) onAnswer(failure);
    waiting.clear();
  });

  const takeLine = (line) => {
    const atMs = performance.now();
    const message = JSON.parse(line.toString('utf8'));
    const onAnswer = message.method === undefined ? waiting.get(message.id) : undefined;
    if (onAnswer === undefined) return;
    waiting.delete(message.id);
    onAnswer(undefined, message, { atMs, bytes: line.length });
  };
  let pieces = [];
  stdout.on('data', (chunk) => {
    let from = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      pieces.push(chunk.subarray(from, end));
      const line = pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
      pieces = [];
      from = end + 1;
      if (line.length > 0) takeLine(line);
    }
    if (from < chunk.length) pieces.push(chunk.subarray(from));
  });

  return {
    pid: process.pid,
    startedMs: process.startedMs,
    /** Stdio carries any number of requests at a time. */
    async widen() {},
    send(id, text, onAnswer) {
      const sentMs = performance.now();
      if (failure) onAnswer(failure);
      else {
        waiting.set(id, onAnswer);
        stdin.write(`${text}\n`);
      }
      return sentMs;
    },
    async notify(text) {
      stdin.write(`${text}\n`);
    },
    close: () => process.stop(),
  };
}
