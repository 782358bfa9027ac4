// One session with one server: handshake, first list, warm-up, closed loops of requests, memory, end.
import { connectHttp } from './http-client.mjs';
import { measureTree } from './process-tree.mjs';
import { connectStdio } from './stdio-client.mjs';

const PROTOCOL = '2025-11-25';

/**
 * Measures a server. `load`, when given, is `{ method, params, expect, warm, count, gapMs?, concurrency[] }`: `warm` requests
 * first, then `count` of them with so many in flight, each after a pause of `gapMs`; `count` and `gapMs` may be lists, one
 * member for each width. Resolves with times in milliseconds; rejects when any answer is an error.
 */
export async function measureServer(server, load) {
  const connection = await (server.http ? connectHttp(server, PROTOCOL) : connectStdio(server));
  try {
    const start = await open(connection);
    const runs = load === undefined ? [] : await runLoads(connection, load);
    return { ...start, runs, memory: measureTree(connection.pid), survivors: await connection.close() };
  } catch (error) {
    await connection.close();
    throw error;
  }
}

async function open(connection) {
  const clientInfo = { name: 'bench', version: '1' };
  await request(connection, 'initialize', { protocolVersion: PROTOCOL, capabilities: {}, clientInfo });
  await connection.notify('{"jsonrpc":"2.0","method":"notifications/initialized"}');
  const list = await request(connection, 'tools/list', {});
  return {
    firstListMs: list.receivedMs - connection.startedMs,
    tools: list.result.tools.map(({ name }) => name),
    startCpuMs: measureTree(connection.pid).cpuMs,
  };
}

const request = (connection, method, params) =>
  new Promise((resolve, reject) => {
    connection.send(method, JSON.stringify({ jsonrpc: '2.0', id: method, method, params }), (error, message, received) => {
      if (error ?? message.error) reject(error ?? new Error(`${method}: ${JSON.stringify(message.error)}`));
      else resolve({ result: message.result, receivedMs: received.atMs });
    });
  });

async function runLoads(connection, { warm, count, gapMs = 0, concurrency, ...load }) {
  const memberOf = (value, index) => (Array.isArray(value) ? value[index] : value);
  await runLoop(connection, { ...load, firstId: 1, count: warm, concurrency: Math.max(...concurrency) });
  const runs = [];
  let firstId = warm + 1;
  for (const [index, width] of concurrency.entries()) {
    const [of, pauseMs] = [memberOf(count, index), memberOf(gapMs, index)];
    const before = measureTree(connection.pid).cpuMs;
    const run = await runLoop(connection, { ...load, firstId, count: of, gapMs: pauseMs, concurrency: width });
    firstId += of;
    runs.push({ concurrency: width, ...run, cpuUs: ((measureTree(connection.pid).cpuMs - before) * 1000) / of });
  }
  return runs;
}

/** A closed loop: a new request is sent when an answer has come and `gapMs` have passed, `concurrency` of them at a time. */
async function runLoop(connection, { method, params, expect, firstId, count, gapMs = 0, concurrency }) {
  await connection.widen(concurrency);
  const tail = `,"method":${JSON.stringify(method)},"params":${JSON.stringify(params)}}`;
  const latenciesMs = new Float64Array(count);
  const startMs = performance.now();
  await new Promise((resolve, reject) => {
    let sent = 0;
    let answered = 0;
    const sendNext = () => {
      if (sent === count) return;
      const index = sent++;
      const id = firstId + index;
      const sentMs = connection.send(id, `{"jsonrpc":"2.0","id":${id}${tail}`, (error, message, received) => {
        if (error) return reject(error);
        latenciesMs[index] = received.atMs - (received.sentMs ?? sentMs);
        const { result } = message;
        const isRight = result !== undefined && result.isError !== true && (index > 0 || JSON.stringify(result).includes(expect));
        if (!isRight) return reject(new Error(`unexpected answer: ${JSON.stringify(message).slice(0, 500)}`));
        answered++;
        if (answered === count) resolve();
        else if (gapMs > 0) setTimeout(sendNext, gapMs);
        else sendNext();
      });
    };
    for (let i = 0; i < Math.min(concurrency, count); i++) sendNext();
  });
  const seconds = (performance.now() - startMs) / 1000;
  latenciesMs.sort();
  const at = (share) => latenciesMs[Math.min(count - 1, Math.floor(count * share))];
  return { p50Ms: at(0.5), p99Ms: at(0.99), perSecond: count / seconds };
}
